"""What decoders of frames share: one buffer, filled behind and taken from in front, and errors counted by reason.

Memory   the buffer, and at most 24 reasons
Runs on  both
"""

from micropython import const

from ..codec.copy import copy

_MOST_REASONS = const(24)
_NONE = const(())


class Framing:
    """The buffer of one line, of `size` bytes. errors: {reason: how often}."""

    def __init__(self, size: int) -> None:
        self.errors = {}
        self._buf = bytearray(size)
        self._view = memoryview(self._buf)
        self._len = 0
        self._told = False  # the garbage that goes on has been counted

    def _count(self, reason):
        if reason not in self.errors and len(self.errors) >= _MOST_REASONS:
            reason = "unsupported"  # a line of nonsense has hundreds
        self.errors[reason] = self.errors.get(reason, 0) + 1

    def _tell(self, reason="garbage"):
        """Count what is no frame, once while it goes on."""
        if not self._told:
            self._count(reason)
            self._told = True

    def _copy(self, buf, pos, n):
        copy(self._buf, self._len, buf, pos, n)
        self._len += n

    def _drop(self, n):
        """Take `n` bytes off the buffer's front."""
        rest = self._len - n
        if rest:
            self._buf[:rest] = self._view[n : self._len]
        self._len = rest


class Stepping(Framing):
    """For frames that say early how long they are: the buffer is looked at when `_need` bytes are in it.

    Their decoder has _settle(found), which takes off what is settled, sets `_need` anew and returns `found` with the
    Telegrams, and _skip(), which takes off what cannot go on.
    """

    def __init__(self, size: int, shortest: int) -> None:
        super().__init__(size)
        self._need = shortest

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        own, at, need = self._buf, self._len, self._need
        for i in range(n):
            own[at] = buf[i]
            at += 1
            if at >= need:
                self._len = at
                found = self._settle(found)
                at, need = self._len, self._need
        self._len = at
        return found

    def silence(self) -> "list | tuple":
        """Say that the line is silent: no frame goes on. Return the Telegrams behind one that had begun."""
        found = _NONE
        if self._len:
            self._tell("truncated")
        while self._len:
            self._skip()
            found = self._settle(found)
        self._told = False
        return found

    def _settle(self, found):
        raise NotImplementedError

    def _skip(self):
        raise NotImplementedError
