"""The operator's root key: it signs the certificates and the settings of hubs. A folder holds it, nobody is shown it.

Source   P-256, PKCS #8 in PEM (RFC 5958); with a passphrase PBES2 (RFC 8018), as the `cryptography` package writes it.
         Signatures are compact JWS ES256 (RFC 7515) through joserfc; kid is made as a hub's id is: from the key.
Errors   ToolError for a folder, file or passphrase that will not do.

The file is made at the first use, readable by its owner alone. The passphrase is asked for at the terminal, or taken
from METERHUB_KEY_PASSPHRASE; a key that is made without a terminal and without that variable has none.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import stat
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey

from ..errors import ToolError
from ..proof import encode_public

from meterhub.trust.identity import hub_id  # isort: skip

DEFAULT_FOLDER = Path("~/.config/meterhub")
_FILE = "root-key.pem"
_PASSPHRASE = "METERHUB_KEY_PASSPHRASE"


class Root:
    """Who owns hubs: `kid`, the public `point` (65 bytes, SEC1), and the private key behind sign()."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._key = ECKey.import_key(pem)
        self.point = encode_public(key.public_key())
        self.kid = hub_id(self.point)

    def __repr__(self) -> str:
        return f"<Root {self.kid}>"

    def sign(self, typ: str, claims: dict) -> str:
        """Return the compact JWS of `claims`."""
        header = {"alg": "ES256", "kid": self.kid, "typ": typ}
        body = json.dumps(claims, separators=(",", ":")).encode()
        return jws.serialize_compact(header, body, self._key, algorithms=["ES256"])


def load(folder: Path) -> Root:
    """Return the root whose key lies in `folder`; makes folder and key when there are none yet."""
    folder = folder.expanduser()
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; choose another folder with --keys") from None
    return existing(folder)


def existing(folder: Path) -> Root:
    """Return the root whose key lies in `folder`; ToolError when there is none."""
    path = folder.expanduser() / _FILE
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ToolError(f"{path}: others can read this key; type: chmod 600 {path}")
        pem = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; --keys and --handover name the folder of a root key") from None
    return _root(path, pem)


def opened(path: Path) -> Root:
    """Return the signer whose private key is in the file `path`."""
    try:
        return _root(path, path.read_bytes())
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; a private key in PEM is wanted") from None


def _root(path: Path, pem: bytes) -> Root:
    key = _open(path, pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ToolError(f"{path}: this is no P-256 key; move it away to get a new one")
    return Root(key)


def _open(path: Path, pem: bytes) -> object:
    try:
        return serialization.load_pem_private_key(pem, None)
    except TypeError:  # it has a passphrase
        passphrase = _ask(f"passphrase of {path}: ")
    except ValueError:
        raise ToolError(f"{path}: this is no private key in PEM; move it away to get a new one") from None
    if not passphrase:
        raise ToolError(f"{path}: this key has a passphrase; set {_PASSPHRASE}, or run this at a terminal")
    try:
        return serialization.load_pem_private_key(pem, passphrase)
    except ValueError:
        raise ToolError(f"{path}: the passphrase is wrong, or the file is damaged") from None


def _make(path: Path) -> None:
    """Write a new key to `path`; one that another process has made in the meantime stays."""
    passphrase = _ask(f"passphrase for the new root key {path} (empty: none): ")
    if passphrase and not os.environ.get(_PASSPHRASE) and _ask("the same again: ") != passphrase:
        raise ToolError("the two passphrases differ; no key was made, run the command again")
    kept = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    key = ec.generate_private_key(ec.SECP256R1())
    draft = path.with_name(f".{_FILE}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, never over a key that is there
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _ask(question: str) -> bytes:
    """Return the passphrase from the environment, else from the terminal; b"" when there is neither."""
    if given := os.environ.get(_PASSPHRASE):
        return given.encode()
    return getpass.getpass(question).encode() if sys.stdin.isatty() else b""
