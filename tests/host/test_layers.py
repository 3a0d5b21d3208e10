"""The direction of the firmware's imports, and what only hal may touch, kept true."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterhub.trust import matrix

FIRMWARE = Path(__file__).parents[2] / "firmware"
ROWS = (  # a room imports from rows below it and from itself, never from another room of its own row
    ("errors", "lazy", "version"),
    ("hal",),
    ("codec", "crypto"),
    ("store",),
    ("meters", "trust"),
    ("applets", "ihd", "links", "services"),
    ("app",),  # and every other file that stands beside app.py
)
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}
HARDWARE = {"bluetooth", "esp", "esp32", "machine", "network", "neopixel", "rp2"}
SYSTEM = {"ffi", "termios"}  # of the unix port
EPOCH = {"gmtime", "localtime", "mktime", "time", "time_ns"}  # of `time`: counted from 2000 on some boards
BY_NAME = {"meterhub/command_desk.py"}  # imports services/ by the names that trust/matrix.py has
LIBRARIES = {"umqtt": "links"}  # micropython-lib's, each for one room
BUILT_IN = {
    *("array", "asyncio", "binascii", "collections", "cryptolib", "deflate", "errno", "framebuf", "gc", "hashlib"),
    *("io", "json", "math", "micropython", "os", "re", "select", "socket", "struct", "sys", "time", "tls", "uctypes"),
    "vfs",
}


def complaints(place: str, source: str) -> list[str]:
    """Return what is wrong with the imports of a firmware file; `place` is its path below firmware/."""
    parts = Path(place).with_suffix("").parts
    room = parts[1] if len(parts) > 2 or parts[-1] in RANK else "app"
    tree = ast.parse(source)
    found = []
    for module in _imports(parts, tree):
        if module == "__import__" and place in BY_NAME:
            continue
        head, _, rest = module.partition(".")
        found += _own(room, rest.partition(".")[0]) if head == "meterhub" else _foreign(room, head)
    if room != "hal":
        found += [f"time.{name}() outside hal" for name in _epoch_calls(tree)]
    return [f"{place}: {text}" for text in found]


def _imports(parts: tuple[str, ...], tree: ast.AST) -> Iterator[str]:
    """Every imported module by its full name, and by name what `from package import` may mean as a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join((*(parts[: -node.level] if node.level else ()), *filter(None, [node.module])))
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            yield "__import__"


def _own(room: str, other: str) -> list[str]:
    if other == room or RANK.get(other, RANK["app"]) < RANK[room] or room == "app":
        return []
    return [f"{room} imports {other}"]


def _foreign(room: str, head: str) -> list[str]:
    if head in HARDWARE | SYSTEM:
        return [] if room == "hal" else [f"{head} outside hal"]
    if head in BUILT_IN or LIBRARIES.get(head) == room:
        return []
    return [f"{room} imports {head}, which no board has"]


def _epoch_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "time" and node.attr in EPOCH:
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (alias.name for alias in node.names if alias.name in EPOCH)


@pytest.mark.parametrize("path", sorted(FIRMWARE.rglob("*.py")), ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_a_firmware_file_imports_only_what_it_may(path: Path) -> None:
    assert complaints(str(path.relative_to(FIRMWARE)), path.read_text()) == []


def test_every_service_of_the_matrix_is_a_file() -> None:
    rows = [matrix.row(command) for command in matrix.commands()]
    services = {row[0] for row in rows if row and row[0]}
    files = {path.stem for path in (FIRMWARE / "meterhub/services").glob("*.py")}
    assert services <= files


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("meterhub/codec/x.py", "from ..crypto import aead"),  # the same row
        ("meterhub/codec/x.py", "from .. import store"),  # upwards
        ("meterhub/store/x.py", "from meterhub.trust.mhx import Request"),
        ("meterhub/links/x.py", "from ..services import clock"),
        ("meterhub/trust/x.py", "def late():\n    from ..app import Hub"),
        ("meterhub/errors.py", "from .codec import varint"),
        ("meterhub/store/x.py", "from .. import supervise"),  # a file beside app.py
        ("meterhub/meters/x.py", "import machine"),
        ("meterhub/app.py", "import network"),
        ("meterhub/app.py", "import termios"),
        ("meterhub/store/x.py", "import time\nnow = time.time()"),
        ("meterhub/app.py", "from time import gmtime"),
        ("meterhub/crypto/x.py", "import cryptography"),
        ("meterhub/crypto/x.py", "import dataclasses"),
        ("meterhub/ihd/x.py", "from umqtt.simple import MQTTClient"),
        ("meterhub/app.py", "__import__('machine')"),
    ],
)
def test_a_wrong_import_is_found(place: str, source: str) -> None:
    assert len(complaints(place, source)) == 1


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("main.py", "from meterhub import app"),
        ("meterhub/app.py", "from .links.wan import Wan\nfrom . import supervise\nfrom .hal import unix"),
        ("meterhub/supervise.py", "import asyncio\nfrom .errors import HubError"),
        ("meterhub/links/wan.py", "from umqtt import simple\nfrom ..trust import mhx\nfrom . import tls_context"),
        ("meterhub/hal/chip.py", "import machine\nimport time\ntime.time()"),
        ("meterhub/codec/x.py", "import time\ntime.ticks_ms()\nfrom ..version import VERSION"),
    ],
)
def test_a_right_import_is_left_alone(place: str, source: str) -> None:
    assert complaints(place, source) == []
