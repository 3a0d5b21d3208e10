"""A market role's key pair: it signs commands to hubs, and opens the letters that hubs seal to it.

Source   kept as owner/keys.py keeps the root key: PKCS #8 in PEM, passphrase and permissions as there. Beside each key
         NAME.pem lies NAME.json: {v 1, name, role, kid, key (point, base64url), made_at, revoked_at (0: never)}.
Units    times are Unix seconds, UTC
Errors   ToolError for a folder, file, name or passphrase that will not do.

What a role may do is decided by the hubs, which know its key by the owner's `meterhub role grant` and by that alone.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import ToolError
from ..owner import keys

from meterhub.codec import base64url  # isort: skip

FOLDER = "roles"  # in the folder of the root key, unless another one is named
ROLES = {
    "SUP": "supplier",
    "DNO": "distribution network operator",
    "ADM": "administrator of the hub",
    "LC": "load controller",
    "ESP": "energy service provider",
    "EFF": "efficiency adviser",
    "INST": "installer",
    "TCOS": "change of supplier",
}
ROOT = "ROOT"  # what hubs call their owner's root key
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,23}")
_NO_ROOT = "this is for the hubs' owner: `meterhub provision` makes the root key, --keys names its folder"
_HELP = "`meterhub role list` shows the roles, `meterhub role new` makes one"


class Role(keys.Root):
    """Who commands: `name`, `role` (of ROLES, or ROOT), `kid`, the public `point`; the private key stays in it."""

    def __init__(self, name: str, role: str, key: ec.EllipticCurvePrivateKey) -> None:
        super().__init__(key)
        self.name = name
        self.role = role

    @staticmethod
    def generate(name: str, role: str) -> Role:
        """Return a role with a new key that is kept nowhere."""
        return Role(name, role, ec.generate_private_key(ec.SECP256R1()))


@dataclass(frozen=True)
class Entry:
    """What everybody may know of a role; the fields are those of the file."""

    name: str
    role: str
    kid: str
    key: str
    made_at: int
    revoked_at: int


def new(folder: Path, name: str, role: str) -> Entry:
    """Make the key pair of a new role; ToolError when there is one of that name."""
    if not _NAME.fullmatch(name):
        raise ToolError(f"{name!r} is no name for a role: 1 to 24 letters, digits, - _ . are")
    folder = folder.expanduser()
    path = folder / f"{name}.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            raise ToolError(f"{path}: there is a role of this name; choose another one, or move the file away")
        keys.make(path, "role's key")
        made = Role(name, role, keys.private(path, _HELP))
        entry = Entry(name, role, made.kid, base64url.encode(made.point), int(time.time()), 0)
        _write(folder, entry)
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; choose another folder with --folder") from None
    return entry


def entries(folder: Path) -> list[Entry]:
    """Return the roles whose keys lie in `folder`, by name."""
    return [_read(path) for path in sorted(folder.expanduser().glob("*.json"))]


def entry(folder: Path, asked: str) -> Entry:
    """Return the role called `asked`, or the only one that is not revoked of the kind `asked` (SUP, ...)."""
    known = entries(folder)
    found = [one for one in known if one.name == asked]
    found = found or [one for one in known if one.role == asked and not one.revoked_at]
    if len(found) != 1:
        count = f"{len(found)} roles are" if found else "no role is"
        raise ToolError(f"{count} called {asked} in {folder}; {_HELP}")
    return found[0]


def load(folder: Path, asked: str) -> Role:
    """Return the role called `asked`, with its private key."""
    known = entry(folder, asked)
    return opened(folder.expanduser() / f"{known.name}.pem", known.name, known.role)


def opened(path: Path, name: str, role: str) -> Role:
    """Return the role whose private key is in the file `path`."""
    return Role(name, role, keys.private(path.expanduser(), _HELP))


def root(folder: Path) -> Role:
    """Return the owner's root key (owner/keys.py) as the role it is for hubs."""
    path = folder.expanduser() / keys.FILE
    return Role("owner", ROOT, keys.private(path, _NO_ROOT))


def revoked(folder: Path, known: Entry, at: int) -> None:
    """Write down that the role is not to be used any more."""
    _write(folder.expanduser(), replace(known, revoked_at=at))


def _write(folder: Path, known: Entry) -> None:
    path = folder / f"{known.name}.json"
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps({"v": 1, **asdict(known)}), encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> Entry:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("v") != 1 or found["role"] not in ROLES:
            raise ValueError
        return Entry(**found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ToolError(f"{path} is no role that `meterhub role new` has made; move it away") from None
