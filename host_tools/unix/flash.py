"""Runs the firmware from an image in flash, as a board with a frozen build does: its code takes no heap.

The image is a ROMFS (meterhub_tools.toolchain.firmware_image() makes it); the PC's flash is a file mapped into memory.
METERHUB_IMAGE names it.
"""

import gc
import os
import sys

import ffi
import uctypes
import vfs

_PROT_READ, _MAP_PRIVATE = 1, 2


def mount(path: str) -> None:
    """Make the ROMFS image `path` the first place where modules are looked for."""
    size = os.stat(path)[6]
    with open(path, "rb") as file:
        mmap = ffi.open("libc.so.6").func("p", "mmap", "piiiii")
        address = mmap(0, size, _PROT_READ, _MAP_PRIVATE, file.fileno(), 0)
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(address & 0xFFFFFFFF, size)), "/rom")
    sys.path.insert(0, "/rom")


gc.threshold(32768)  # as firmware/main.py has it, and for its reason
mount(os.getenv("METERHUB_IMAGE"))

from meterhub import app  # noqa: E402 - it lies in the image

app.main()
