"""Runs the firmware from an image in flash, when METERHUB_IMAGE names one: importing this mounts it.

As host_tools/unix/flash.py does for a whole hub: the code then takes no heap, as on a board with a frozen build.
"""

import os
import sys

_IMAGE = os.getenv("METERHUB_IMAGE")
if _IMAGE:
    import ffi
    import uctypes
    import vfs

    _PROT_READ, _MAP_PRIVATE = 1, 2
    _SIZE = os.stat(_IMAGE)[6]
    _mmap = ffi.open("libc.so.6").func("p", "mmap", "piiiii")
    with open(_IMAGE, "rb") as _file:
        _address = _mmap(0, _SIZE, _PROT_READ, _MAP_PRIVATE, _file.fileno(), 0)
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(_address & (2 * sys.maxsize + 1), _SIZE)), "/rom")
    sys.path.insert(0, "/rom")
