"""Damaged bytes out of good ones, the same for the same seed under every interpreter.

LIGHT damage, up to three bits or one burst of up to 16 bits in one frame, is what a CRC of 16 bits always finds while
the frame keeps its limits. HEAVY is all the rest.
Runs on  both
"""

LIGHT, HEAVY = 0, 1
_LONGEST = 2400
_EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x81\xff", b"\x82\xff\xff", b"\x84\xff\xff\xff\xff", b"\xff" * 8)


class Dice:
    """Numbers that look random, by Wichmann and Hill (AS 183): small integers only, on every port the same."""

    def __init__(self, seed: int) -> None:
        self._x = seed % 30268 + 1
        self._y = seed // 30268 % 30306 + 1
        self._z = (seed * 7 + 11) % 30322 + 1
        for _ in range(8):
            self.below(2)

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1; n at most a million."""
        self._x = self._x * 171 % 30269
        self._y = self._y * 172 % 30307
        self._z = self._z * 170 % 30323
        return ((self._x << 9) ^ (self._y << 5) ^ self._z) % n

    def bytes(self, n: int) -> bytearray:
        return bytearray([self.below(256) for _ in range(n)])

    def of(self, things):
        return things[self.below(len(things))]

    def span(self, n: int, most: int) -> "tuple[int, int]":
        """Return where a piece of at most `most` of n bytes begins and ends."""
        start = self.below(n + 1)
        return start, min(n, start + self.below(most + 1))


def damaged(dice: Dice, samples: list, tokens: tuple) -> "tuple[bytearray, int]":
    """Return (bytes, LIGHT or HEAVY); tokens: what frames of the protocol begin with, and the like."""
    raw = bytearray(dice.of(samples))
    kind = dice.below(8)
    if kind == 0:
        for _ in range(1 + dice.below(3)):
            raw[dice.below(len(raw))] ^= 1 << dice.below(8)
        return raw, LIGHT
    if kind == 1:
        _burst(dice, raw)
        return raw, LIGHT
    for _ in range(1 + dice.below(3)):
        raw = _changed(dice, raw, samples, tokens)
    return raw[:_LONGEST], HEAVY


def _burst(dice, raw):
    """Change up to 16 bits in a row."""
    first = dice.below(max(1, len(raw) * 8 - 16))
    for bit in range(first, first + 1 + dice.below(16)):
        if bit == first or dice.below(2):
            raw[bit >> 3] ^= 1 << (bit & 7)


def _changed(dice, raw, samples, tokens):
    start, end = dice.span(len(raw), 40)
    kind = dice.below(len(_PLAIN) + 6)
    if kind < len(_PLAIN):
        return _PLAIN[kind](dice, raw, start, end)
    kind -= len(_PLAIN)
    if kind < 3:
        return _merged(dice, raw, start, bytearray(dice.of(samples)), kind)
    if kind == 3:
        return raw[:start] + dice.of(_EXTREMES) + raw[start + dice.below(3) :]
    if kind == 4:
        return raw[:start] + dice.of(tokens) + raw[end:]
    return bytearray(dice.of(tokens) * (1 + dice.below(40))) + raw[start:]


def _scattered(dice, raw, start, end):
    """Change up to six bytes anywhere."""
    for _ in range(1 + dice.below(6)):
        if raw:
            raw[dice.below(len(raw))] = dice.below(256)
    return raw


_PLAIN = (
    lambda dice, raw, start, end: raw[:start],
    lambda dice, raw, start, end: raw[start:],
    lambda dice, raw, start, end: raw[:start] + raw[end:],
    lambda dice, raw, start, end: raw[:start] + dice.bytes(dice.below(24)) + raw[end:],
    lambda dice, raw, start, end: raw[:end] + raw[start:],  # doubled
    lambda dice, raw, start, end: dice.bytes(dice.below(200)),
    _scattered,
)


def _merged(dice, raw, start, other, has_part):
    """Return `raw` that goes over into another one, or with a part of another one in it."""
    if not has_part:
        return raw[:start] + other[dice.below(len(other)) :]
    first, last = dice.span(len(other), 300)
    return raw[:start] + other[first:last] + raw[start:]
