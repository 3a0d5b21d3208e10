"""Boot loader: a board starts here. Runs the firmware of the slot that /slot names, else the one frozen in the image.

A slot, /fw/a or /fw/b, is one file: as files of their own, its hundred modules would take half a megabyte of flash.
Numbers are little-endian.

    "MHF1"                     what this is
    u16                        n, how many names follow
    n times u32                CRC-32 of each name: a file's ("meterhub/app.mpy") or a folder's ("meterhub")
    n times u32                where the file with this name begins; 0 for a folder
    u32                        length of the manifest
    the manifest               JSON: {"version": text, "files": {name: [where it begins, its length, SHA-256 in hex]}}
    the files                  one after the other; a .mpy file tells by itself where it ends

Ctrl-C on the console stops the hub and leaves the board to whoever typed it, for as long as it takes; a reset
starts it again.
"""

import gc
import sys
from binascii import crc32

_RUBBISH_BYTES = 32768
_SMALL_HEAP_BYTES = 262144


class Slot:
    """A slot as a file system that is read only, for `import` and nothing else."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stopped = False
        with open(path, "rb") as file:
            head = file.read(6)
            if head[:4] != b"MHF1":
                raise OSError(22)
            length = 4 * int.from_bytes(head[4:], "little")
            self._names = file.read(length)
            self._starts = file.read(length)

    def mount(self, readonly, mkfs) -> None:
        """Nothing has to be done."""

    def stat(self, path: str) -> tuple:
        """Return what os.stat() does, as far as `import` looks at it; OSError when there is no such name."""
        try:
            start = self._start(path)
        except KeyboardInterrupt:  # `import` would take it for a name that there is not; open() comes next
            self._stopped = True
            start = self._start(path)
        return (0x8000 if start else 0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    def open(self, path: str, mode: str):
        """Return the slot's own file, where the file `path` begins in it; KeyboardInterrupt if stat() met one."""
        if self._stopped:
            self._stopped = False
            raise KeyboardInterrupt
        file = open(self._path, "rb")  # noqa: SIM115 - whoever imports closes it
        file.seek(self._start(path))
        return file

    def _start(self, path):
        key = crc32(path.strip("/").encode()).to_bytes(4, "little")
        at = self._names.find(key)
        while at > 0 and at % 4:
            at = self._names.find(key, at + 1)
        if at < 0:
            raise OSError(2)
        return int.from_bytes(self._starts[at : at + 4], "little")


def _mount_slot():
    import vfs  # noqa: PLC0415 - an image with the firmware frozen in may have no file system

    with open("/slot") as file:
        name = file.read(1)
    vfs.mount(Slot("/fw/" + name), "/app")
    sys.path.insert(0, "/app")
    if gc.mem_free() < _SMALL_HEAP_BYTES:  # where all of the firmware lies in memory, little room is left between it
        gc.threshold(_RUBBISH_BYTES // 2)


# what one module's loading leaves behind must not lie between it and the next: a small heap would go to pieces
gc.threshold(max(_RUBBISH_BYTES, gc.mem_free() >> 5))

try:
    _mount_slot()
except OSError:  # there is none
    pass

try:
    from meterhub import app

    app.main()
except KeyboardInterrupt:
    if sys.platform not in ("rp2", "esp32"):
        raise
    from meterhub.hal import chip

    resting = chip.rest()
