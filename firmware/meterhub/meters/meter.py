"""One meter of the hub: its setting, what reads it, and what it has told so far.

Units    *_ms: milliseconds, counted once a second by elapse() so that no silence is too long for the ticks
Memory   meters/kinds.py makes what it consists of and can be let go then.
Runs on  both
"""

from micropython import const

from ..store.last import LastValues
from ..store.profile import Profile
from .intervals import IntervalRecorder
from .registers import Registers

_FOREVER_MS = const(0x1FFFFFFF)
_WRAP = const(0x3FFFFFFF)
_OLD_MS = const(15000)
_SILENT_MS = const(30000)
_SILENCE_TICKS = const(2)
_OF_THE_LINK = const(("silent", "no such meter", "wrong meter", "endless", "refused"))


class Meter:
    """setting: an entry of the setting `meters`; the rest is as meters.kinds.meter() has made it.

    decoder, session: what reads it, None where there is none (yet); line: (baud, format, inverted) to begin with;
    every_s: how often it is asked, 0 for one that sends unasked; profile, intervals: where its history is kept, or
    None; last: what it has told last, as it is kept; telegrams: how many were good; serial: its own id, "" while it
    has told none; pulses: counted since boot.
    """

    def __init__(self, setting: dict, line: tuple, every_s: int, decoder, session) -> None:
        self.name = setting["name"]
        self.setting = setting
        self.protocol = setting["protocol"]  # of "auto", once it is known, what was found
        self.registers = Registers()
        self.profile: "Profile | None" = None
        self.intervals: "IntervalRecorder | None" = None
        self.last: "LastValues | None" = None
        self.line = line
        self.every_s = every_s
        self.decoder = decoder
        self.candidates = None  # {protocol: decoder} while it is not known what is on the line
        self.session = session
        self.telegrams = 0
        self.serial = ""
        self.pulses = 0
        self.is_closed = False  # the contact of a pulse input
        self.closed_ms = 0  # and for how long
        self.took_ms = 0  # what the last reading of a polled meter took
        self.age_ms = 0  # since the last good telegram, or the start
        self.quiet_ms = 0  # since the last byte
        self._quiet_ticks = 0  # calls of elapse() since then
        self.noise = 0  # bytes since the last good telegram
        self.last_byte = -1
        self.wanted = False  # somebody waits for the next reading of a polled meter
        self.busy = False  # it is being asked
        self.troubles = set()  # names of the events that last
        self._refused = {}

    @property
    def errors(self) -> dict:
        """{reason: how often} of what came and was no good, and of the times that nothing came."""
        counted = dict(self.decoder.errors) if self.decoder else {}
        counted.update(self._refused)
        return counted

    def failed(self, reason: str) -> None:
        """Count why the meter could not be read, unless its decoder has."""
        if reason in _OF_THE_LINK:
            self._refused[reason] = self._refused.get(reason, 0) + 1

    def heard(self, buf: "bytes | bytearray", n: int) -> None:
        """Take note of `n` bytes that have come."""
        self.quiet_ms = self._quiet_ticks = 0
        self.noise = (self.noise + n) & _WRAP
        self.last_byte = buf[n - 1]

    def told(self) -> None:
        """Take note of a good telegram."""
        self.telegrams += 1
        self.age_ms = self.noise = 0

    def elapse(self, ms: int) -> "list | tuple":
        """Let a second pass, which has taken `ms`. Return the Telegrams that a silence brings to their end.

        Two calls without a byte between them are a silence: after a long job one may come before what waits is read.
        """
        self.age_ms = min(self.age_ms + ms, _FOREVER_MS)
        self.quiet_ms = min(self.quiet_ms + ms, _FOREVER_MS)
        self.closed_ms = min(self.closed_ms + ms, _FOREVER_MS) if self.is_closed else 0
        self._quiet_ticks += 1
        if self._quiet_ticks == _SILENCE_TICKS and self.decoder and not self.session:
            return self.decoder.silence()
        return ()

    @property
    def period_ms(self) -> int:
        """How far apart the readings of a polled meter are; 0 for one that sends unasked."""
        return max(1000 * self.every_s, self.took_ms)

    @property
    def is_silent(self) -> bool:
        """Whether nothing good has come for half a minute, or for three periods of a meter that is asked."""
        return not self.busy and self.age_ms > max(_SILENT_MS, 3 * self.period_ms + self.took_ms)

    @property
    def is_old(self) -> bool:
        """Whether the next telegram is overdue."""
        return self.age_ms > _OLD_MS + self.period_ms + self.took_ms
