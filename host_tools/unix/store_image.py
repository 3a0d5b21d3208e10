"""Takes the files out of an image of a board's flash: with MicroPython's own littlefs, which never writes to it.

    store_image.py IMAGE OFFSET BLOCKS FOLDER     the file system's place in the image, in bytes and blocks of 4096
Standard output, JSON lines: {"file": path, "size": n} for each that now lies in FOLDER, {"folder": path},
{"unreadable": path} for what the file system does not give; {"trouble": number} when it is none at all.
Runs on  the MicroPython unix port
"""

import json
import os
import sys

import vfs

_BLOCK = 4096
_READ_ONLY = 30
_TOP = "/image"
_FOLDER = 0x4000  # of a mode


class Image:
    """A block device that is a part of a file."""

    def __init__(self, path, offset, blocks):
        self._file = open(path, "rb")  # noqa: SIM115 - as long as the process
        self._offset = offset
        self._blocks = blocks

    def readblocks(self, block, buf, offset=0):
        self._file.seek(self._offset + block * _BLOCK + offset)
        return 0 if self._file.readinto(buf) == len(buf) else -5

    def writeblocks(self, block, buf, offset=0):
        return -_READ_ONLY

    def ioctl(self, operation, _):
        if operation == 6:
            return -_READ_ONLY
        return {4: self._blocks, 5: _BLOCK}.get(operation, 0)


def tell(what):
    print(json.dumps(what))


def take(path, folder):
    """Copy a folder of the image with all that is in it."""
    try:
        entries = sorted(os.ilistdir(_TOP + path))
    except OSError:
        tell({"unreadable": path})
        return
    for entry in entries:
        name = path + "/" + entry[0]
        if entry[1] & _FOLDER:
            tell({"folder": name})
            os.mkdir(folder + name)
            take(name, folder)
        else:
            copy(name, folder)


def copy(name, folder):
    size = 0
    try:
        with open(_TOP + name, "rb") as file, open(folder + name, "wb") as out:
            while True:
                piece = file.read(4096)
                if not piece:
                    break
                out.write(piece)
                size += len(piece)
    except OSError:
        tell({"unreadable": name})
    tell({"file": name, "size": size})


def main(image, offset, blocks, folder):
    try:
        vfs.mount(vfs.VfsLfs2(Image(image, int(offset), int(blocks))), _TOP)
    except OSError as err:
        tell({"trouble": err.args[0]})
        return
    take("", folder)


main(*sys.argv[1:])
