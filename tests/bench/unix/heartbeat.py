"""What the heartbeat costs a flash: littlefs on 1 MB of memory that counts its erases, three quarters of it free.

Orders   wear PROGRAM_BYTES BEATS -> [erases, programmed bytes, the most erases of one block, blocks erased]
Runs on  the unix port
"""

import os

import in_place  # noqa: F401 - first: where the firmware comes from
import vfs
from answers import serve

from meterhub.store import heartbeat

BLOCK = 4096
BLOCKS = 256


class Flash:
    """A block device in memory."""

    def __init__(self):
        self.bytes = bytearray(b"\xff" * BLOCK * BLOCKS)
        self.erased = [0] * BLOCKS
        self.programmed = 0

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.bytes[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        self.bytes[at : at + len(buf)] = buf
        self.programmed += len(buf)

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6:
            self.erased[arg] += 1
            at = arg * BLOCK
            self.bytes[at : at + BLOCK] = b"\xff" * BLOCK
        return 0


def wear(program: str, beats: str) -> list:
    """Beat so often on a flash that programs so many bytes at once."""
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash, progsize=int(program))
    vfs.mount(vfs.VfsLfs2(flash, progsize=int(program)), "/flash")
    os.mkdir("/flash/data")
    with open("/flash/data/history", "wb") as file:
        for _ in range(BLOCKS // 4):
            file.write(bytes(BLOCK))
    flash.erased, flash.programmed = [0] * BLOCKS, 0
    for n in range(int(beats)):
        heartbeat.write("/flash/data/heartbeat", heartbeat.pack(heartbeat.BEAT, 1790000000 + 10 * n))
    vfs.umount("/flash")
    return [sum(flash.erased), flash.programmed, max(flash.erased), sum([count > 0 for count in flash.erased])]


if __name__ == "__main__":
    serve({"wear": wear})
