"""Faults to order: what a bad line does to the frames of a meter, and what a bad grid does to the voltage.

Of the line, each is KIND or KIND:PROBABILITY, the probability that it happens to a frame (left out: 0.05):
  crc       a bit is turned over              truncate  the rest of the frame does not come
  noise     random bytes come before it       merge     its end and the beginning of the next one are lost

Of the grid, each is KIND@START+SECONDS or KIND@START+SECONDS/PHASE: from so many seconds of the household's life on,
on phase 1, 2 or 3 or on all of them. The household has this voltage then, whatever meter tells it:
  sag           210 V          undervoltage   175 V       swell         256 V
  interruption    2 V          overvoltage    290 V

Errors   ValueError for a fault that is none.
"""

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

GRID_DV = {"sag": 2100, "undervoltage": 1750, "interruption": 20, "swell": 2560, "overvoltage": 2900}  # 0.1 V
KINDS = ("crc", "truncate", "noise", "merge")
_USUAL = 0.05


class Planted(NamedTuple):
    """A voltage of `dv` tenths of a volt from start_s on, for lasts_s; phase 0: all of them."""

    dv: int
    start_s: int
    lasts_s: int
    phase: int

    def holds(self, at_s: int, phase: int) -> bool:
        """Return whether it is the voltage of a phase (1 to 3) in second `at_s` of the household's life."""
        return self.start_s <= at_s < self.start_s + self.lasts_s and self.phase in (0, phase)


def planted(text: str) -> Planted:
    """Return what "sag@60+40/1" is."""
    found = re.fullmatch(r"([a-z]+)@([0-9]{1,9})\+([0-9]{1,9})(?:/([123]))?", text)
    if not found or found[1] not in GRID_DV:
        kinds = ", ".join(GRID_DV)
        raise ValueError(f"{text} is no fault of the grid; one is KIND@START+SECONDS[/PHASE] with one of {kinds}")
    return Planted(GRID_DV[found[1]], int(found[2]), int(found[3]), int(found[4] or 0))


class Faults:
    """The faults of one line. seed: the same one makes the same faults."""

    def __init__(self, wanted: Sequence[str] = (), seed: int = 1) -> None:
        self._chances = dict(parsed(text) for text in wanted)
        self._dice = random.Random(seed)  # noqa: S311 - nothing is secret here
        self._lost = 0  # bytes that the next frame begins without
        self.count = dict.fromkeys(self._chances, 0)

    def spoil(self, frame: bytes) -> bytes:
        """Return what the line makes of `frame`."""
        frame, self._lost = frame[self._lost :], 0
        for kind in KINDS:
            if frame and self._dice.random() < self._chances.get(kind, 0):
                self.count[kind] += 1
                frame = getattr(self, "_" + kind)(frame)
        return frame

    def _crc(self, frame: bytes) -> bytes:
        bit = self._dice.randrange(7 * len(frame))  # not the eighth: a line may have seven
        return bytes(byte ^ (1 << bit % 7 if i == bit // 7 else 0) for i, byte in enumerate(frame))

    def _truncate(self, frame: bytes) -> bytes:
        return frame[: self._dice.randrange(len(frame))]

    def _noise(self, frame: bytes) -> bytes:
        return self._dice.randbytes(self._dice.randint(1, 40)) + frame

    def _merge(self, frame: bytes) -> bytes:
        lost = self._dice.randint(1, max(1, len(frame) // 2))
        self._lost = lost
        return frame[:-lost]


def parsed(text: str) -> tuple[str, float]:
    """Return (kind, probability) of "crc:0.01"."""
    kind, _, chance = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f"no such fault: {kind}; there are {', '.join(KINDS)}")
    probability = float(chance or _USUAL)
    if not 0 <= probability <= 1:
        raise ValueError(f"{text}: a probability lies between 0 and 1")
    return kind, probability
