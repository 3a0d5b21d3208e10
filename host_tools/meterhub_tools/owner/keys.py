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

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.jwk import ECKey

from ..errors import ToolError
from ..proof import encode_public

from meterhub.trust.identity import hub_id  # isort: skip

DEFAULT_FOLDER = Path("~/.config/meterhub")  # unless METERHUB_KEYS names another one
FILE = "root-key.pem"
_PASSPHRASE = "METERHUB_KEY_PASSPHRASE"


class Root:
    """Who owns hubs: `kid`, the public `point` (65 bytes, SEC1), and the private key behind sign()."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._key = ECKey.import_key(pem)
        self._private = key
        self.point = encode_public(key.public_key())
        self.kid = hub_id(self.point)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kid}>"

    def sign(self, typ: str, claims: dict) -> str:
        """Return the compact JWS of `claims`."""
        header = {"alg": "ES256", "kid": self.kid, "typ": typ}
        body = json.dumps(claims, separators=(",", ":")).encode()
        return jws.serialize_compact(header, body, self._key, algorithms=["ES256"])

    def signature(self, signing_input: bytes) -> bytes:
        """Return the ES256 signature of a JWS's signing input: r || s, 64 bytes."""
        r, s = decode_dss_signature(self._private.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def agree(self, public: ec.EllipticCurvePublicKey) -> bytes:
        """Return Z (32 bytes), the x coordinate that this key and `public` share (ECDH)."""
        return self._private.exchange(ec.ECDH(), public)


def default_folder() -> Path:
    """Return the folder of the keys when the command line names none."""
    return Path(os.environ.get("METERHUB_KEYS") or DEFAULT_FOLDER)


def load(folder: Path, may_ask: bool = True) -> Root:
    """Return the root whose key lies in `folder`; makes folder and key when there are none yet.

    may_ask: for the passphrase of a new one; else it has that of the environment, or none.
    """
    folder = folder.expanduser()
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            make(path, "root key", may_ask)
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; choose another folder with --keys") from None
    return existing(folder)


def existing(folder: Path) -> Root:
    """Return the root whose key lies in `folder`; ToolError when there is none."""
    return Root(private(folder.expanduser() / FILE, "--keys and --handover name the folder of a root key"))


def private(path: Path, missing: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key in the file `path`, which nobody else may read; `missing`: what to do without it."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ToolError(f"{path}: others can read this key; type: chmod 600 {path}")
        pem = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; {missing}") from None
    return _p256(path, pem)


def opened(path: Path) -> Root:
    """Return the signer whose private key is in the file `path`."""
    try:
        return Root(_p256(path, path.read_bytes()))
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; a private key in PEM is wanted") from None


def _p256(path: Path, pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = _open(path, pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ToolError(f"{path}: this is no P-256 key; move it away to get a new one")
    return key


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


def make(path: Path, what: str, may_ask: bool = True) -> None:
    """Write a new key to `path`; one that another process has made in the meantime stays."""
    passphrase = _ask(f"passphrase for the new {what} {path} (empty: none): ", may_ask)
    if passphrase and not os.environ.get(_PASSPHRASE) and _ask("the same again: ") != passphrase:
        raise ToolError("the two passphrases differ; no key was made, run the command again")
    kept = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    key = ec.generate_private_key(ec.SECP256R1())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
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


def _ask(question: str, may_ask: bool = True) -> bytes:
    """Return the passphrase from the environment, else from the terminal; b"" when there is neither."""
    if given := os.environ.get(_PASSPHRASE):
        return given.encode()
    return getpass.getpass(question).encode() if may_ask and sys.stdin.isatty() else b""
