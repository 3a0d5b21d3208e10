"""A switch that carries current, and whether it has really moved: a contactor or relay, and its feedback contact.

Source   boards/README.md: how both kinds are wired
Memory   two pins
Runs on  both (the pins are the port's)

Two kinds. A level: the drive is high as long as the switch is to be on; with the drive gone - a reset, no power - it
falls off, and that is its fail state: off. A latch has two coils and keeps its position by itself: each is driven for
a moment, and a reset or a start moves nothing.
The feedback is a contact to ground that is closed while the switch is on.
"""

import time

_LATCH_S = 0.05  # a bistable relay wants 20 to 30 ms


class Level:
    """drive: the output pin, already at the level wanted; sense: the input pin of the feedback, or None."""

    def __init__(self, drive, sense=None) -> None:
        self._drive = drive
        self._sense = sense

    def drive(self, on: bool) -> None:
        """Let the switch go on or off; it takes a moment to."""
        self._drive.value(1 if on else 0)

    def sensed(self) -> "bool | None":
        """Return whether the switch is really on; None without feedback."""
        return None if self._sense is None else not self._sense.value()


class Latch(Level):
    """drive: the pins of both coils, (on, off), at rest."""

    def drive(self, on: bool) -> None:
        """Send a pulse through one coil; blocks for 50 ms."""
        coil = self._drive[0 if on else 1]
        coil.value(1)
        time.sleep(_LATCH_S)
        coil.value(0)
