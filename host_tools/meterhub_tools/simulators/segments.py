"""What stands on digits of seven segments and a point: as text, and as a picture.

A digit is a byte: bit 0 segment a (top), clockwise to bit 5, bit 6 the middle, bit 7 the point.
"""

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from .png import Pixels, png

from meterhub.ihd.digits import CHARACTERS, POINT, SEGMENTS  # isort: skip

_LETTERS = {shape: character for character, shape in zip(CHARACTERS, SEGMENTS, strict=True)}
_BARS = ((2, 0, 6, 2), (8, 2, 2, 6), (8, 10, 2, 6), (2, 16, 6, 2), (0, 10, 2, 6), (0, 2, 2, 6), (2, 8, 6, 2))
_POINT = (11, 16, 2, 2)
_PITCH, _HEIGHT = 15, 20


def text(digits: bytes) -> str:
    """Return the letters that the digits form, points after theirs; what is none is U+FFFD."""
    return "".join(_LETTERS.get(digit & ~POINT, "�") + ("." if digit & POINT else "") for digit in digits)


def pixels(digits: bytes) -> Pixels:
    """Return a drawing of the digits."""
    glass = [[False] * (_PITCH * len(digits) + 4) for _ in range(_HEIGHT + 4)]
    for i, digit in enumerate(digits):
        for bit, (left, top, width, height) in enumerate((*_BARS, _POINT)):
            if digit >> bit & 1:
                for y in range(top, top + height):
                    start = _PITCH * i + left + 2
                    glass[y + 2][start : start + width] = [True] * width
    return glass


def picture(digits: bytes, scale: int, brightness: int) -> bytes:
    """Return a PNG of the digits; brightness 0..15."""
    return png(pixels(digits), scale, (16, 4, 4), (135 + 8 * brightness, 30, 20))
