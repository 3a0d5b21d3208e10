"""A NOR flash as nasty as a real one, for MicroPython's littlefs: 4 KB are erased at once, a program only clears bits.

Flash is the chip, which outlives the power; Device is what a running board sees of it. An operation is the erase of
a block or the program of at most a page. The power goes during operation n + 1 after cut_after(n), which then has
left any mixture of old and new; from then on whatever is asked of the Device fails with EIO, as littlefs can unwind.
A worn block never tells: it keeps what it had, or loses bits, and whoever wrote must look.

Runs on  MicroPython, and whatever has no littlefs for the sake of the chip alone
"""

import hashlib

BLOCK = 4096
PAGE = 256
TOP = "/nor"  # where it is mounted
EIO = 5
KEEPS, TEARS, FREEZES = "keeps", "tears", "freezes"  # ways of a worn block, see Flash.worn


class Random:
    """A generator of its own: the same on every runtime."""

    def __init__(self, seed):
        self._state = (seed * 2654435761 + 88172645) & 0x3FFFFFFF or 1

    def below(self, n):
        """Return a number from 0 to n - 1."""
        state = self._state
        state ^= (state << 13) & 0x3FFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0x3FFFFFFF
        self._state = state
        return (state >> 3) % n

    def mask(self, size):
        """Return `size` bytes as a number, each bit of which may be set."""
        out, seed = b"", b"%d" % self.below(1 << 26)
        while len(out) < size:
            seed = hashlib.sha256(seed).digest()
            out += seed
        return int.from_bytes(out[:size], "big")


class Flash:
    """The chip.

    worn: {block: KEEPS (an erase does nothing), TEARS (a program loses a bit), FREEZES (nothing changes any more)};
    dead: blocks that cannot be read any more; erases: of each block; programs, programmed: pages and bytes.
    """

    def __init__(self, blocks=None, image=None):
        self.data = bytearray(b"\xff" * (blocks * BLOCK)) if image is None else bytearray(image)
        self.blocks = len(self.data) // BLOCK
        self.worn = {}
        self.dead = set()
        self.erases = [0] * self.blocks
        self.programs = self.programmed = 0

    def rot(self, offset, mask=1):
        """Flip bits of the byte at `offset`."""
        self.data[offset] ^= mask

    def erase(self, block):
        """Make all bits of a block 1."""
        self.erases[block] += 1
        if block not in self.worn or self.worn[block] == TEARS:
            self.data[block * BLOCK : (block + 1) * BLOCK] = _ERASED

    def program(self, at, page):
        """Clear the bits that are clear in `page`."""
        self.programs += 1
        self.programmed += len(page)
        way = self.worn.get(at // BLOCK)
        if way == FREEZES:
            return
        if way == TEARS:
            page = bytes((page[0] | 0x10,)) + page[1:]
        stop = at + len(page)
        if self.data[at:stop] != _ERASED[: len(page)]:
            page = _both(self.data[at:stop], page)
        self.data[at:stop] = page

    def tear_erase(self, block, random):
        """Leave a block half erased: here and there in it bits have become 1 already."""
        start = block * BLOCK
        stop = start + random.below(BLOCK + 1)
        self.data[start:stop] = _ERASED[: stop - start]
        end = start + BLOCK
        if stop < end and random.below(2):
            self.data[stop:end] = _either(self.data[stop:end], random.mask(end - stop))

    def tear_program(self, at, page, random):
        """Leave a page half programmed: some bytes of it, and of the others some of the bits."""
        n = random.below(len(page) + 1)
        self.program(at, page[:n])
        rest = page[n:]
        if rest and random.below(2):
            self.program(at + n, _either(rest, random.mask(len(rest))))


class Device:
    """A block device of MicroPython's extended protocol on a Flash.

    operations: how many were done since the start; off: the power has gone; seen: blocks that were read.
    """

    def __init__(self, flash, random=None):
        self.flash = flash
        self.operations = 0
        self.off = False
        self.seen = set()
        self._cut = -1
        self._random = random

    def cut_after(self, n):
        """Let the power go during the operation after the next `n` ones; never, for -1."""
        self._cut = n if n < 0 else self.operations + n

    def readblocks(self, block, buf, offset=0):
        self.seen.add(block)
        if self.off or block in self.flash.dead:
            return -EIO
        at = block * BLOCK + offset
        buf[:] = memoryview(self.flash.data)[at : at + len(buf)]
        return 0

    def writeblocks(self, block, buf, offset):
        at = block * BLOCK + offset
        raw = bytes(buf)
        while raw:
            size = min(len(raw), PAGE - at % PAGE)
            if not self._go_on():
                return -EIO
            if self.off:
                self.flash.tear_program(at, raw[:size], self._random)
                return -EIO
            self.flash.program(at, raw[:size])
            raw = raw[size:]
            at += size
        return 0

    def ioctl(self, operation, block):
        if operation == 4:
            return self.flash.blocks
        if operation == 5:
            return BLOCK
        if operation == 6:
            if not self._go_on():
                return -EIO
            if self.off:
                self.flash.tear_erase(block, self._random)
                return -EIO
            self.flash.erase(block)
        return 0

    def _go_on(self):
        """Count an operation; False when the power had gone before it. `off` says then whether it goes during it."""
        if self.off:
            return False
        self.off = self.operations == self._cut
        self.operations += 1
        return True


_ERASED = b"\xff" * BLOCK


def _both(old, new):
    n = len(old)
    return (int.from_bytes(old, "big") & int.from_bytes(new, "big")).to_bytes(n, "big")


def _either(old, mask):
    return (int.from_bytes(old, "big") | mask).to_bytes(len(old), "big")
