"""Readings from before anybody has told the time, each with the uptime that it was made at.

Units    uptime in seconds (hal.clock.Clock.uptime_s())
Memory   at most 96 samples: 4 KB for two registers
Runs on  both

One sample every 50 s is kept. When there is no room, those stay that are twice as far apart, and so on. So there
is a reading for every half-hour for 42 hours of a meter that is read every ten seconds, as pulses are, for 21 hours of
one that is read every five minutes. After that there are gaps, and no energy is lost: registers only grow. A power cut
takes the samples along; how long it lasted, nobody could tell.
"""

from micropython import const

_MOST = const(96)
_APART_S = const(50)


class Undated:
    """samples: list of (uptime, values), oldest first."""

    def __init__(self) -> None:
        self.samples = []
        self._apart_s = _APART_S

    def note(self, up_s: int, values: tuple) -> None:
        """Keep a reading, or let it take the place of the one before, if that is too near to its own."""
        samples = self.samples
        if len(samples) > 1 and samples[-1][0] - samples[-2][0] < self._apart_s:
            samples[-1] = (up_s, values)
            return
        if len(samples) >= _MOST:
            self._thin_out()
        self.samples.append((up_s, values))

    def _thin_out(self):
        while len(self.samples) >= _MOST:
            self._apart_s *= 2
            kept = self.samples[:1]
            for sample in self.samples:
                if sample[0] - kept[-1][0] >= self._apart_s:
                    kept.append(sample)
            self.samples = kept
