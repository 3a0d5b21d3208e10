"""What is on a serial line that nobody has described? Speed, format and protocol of a meter that sends unasked.

Source   the customer ports that there are: P1 115200 8N1 (from version 4 on) and 9600 7E1 (before), SML 9600 8N1, DLMS
         on the HAN port 2400 8E1 or 8N1 (in HDLC or M-Bus frames), 9600 8E1 and 115200 8N1, IEC 62056-21 mode D 2400
         and 9600 7E1
Memory   one decoder of each protocol, some 11 KB, or 19 KB with a key for P1; who makes them knows when there is room
Runs on  both; no I/O: the link sets the line as `line` says whenever a method returns True

Only a good frame decides: a telegram with a right check sum, or, where the protocol has none, a telegram that is whole
in every line. What the bytes look like decides no more than what is tried next: at a speed that is too high each low
of a slow line arrives as a zero, so that their number in a second tells how slow it is. A speed is left as soon as a
burst of bytes that was heard from its beginning has ended without a frame. 7E1 is read as 8N1, which is as long.
"""

from micropython import const

from ..hal.ticks import since

_GAP_MS = const(400)  # between two bursts; parts of one telegram follow each other faster
_IDLE_MS = const(12000)  # a silent line is tried at the next speed
_ESTIMATE_MS = const(150)
_SLOW_PER_S = const(1300)  # fewer zeros in a second than this, seen at 115200, are of 2400 baud
_FEW = const(4)  # bytes that are no burst
# speed, format, how long bytes that never pause are listened to, the protocols that are looked for
_FAST = const(0)
_SPEEDS = (
    (115200, "8N1", 2500, "p1 encrypted dlms"),
    (9600, "8N1", 3000, "p1 sml dlms iec62056"),
    (2400, "8E1", 6000, "dlms"),
    (2400, "8N1", 6000, "dlms iec62056"),
    (9600, "8E1", 3000, "dlms"),
)
_IN_TURN = const(b"\x01\x02\x03\x04\x00")
_SLOW_FIRST = const(b"\x02\x03\x01\x04\x00")


class Found:
    """What was found: protocol, baud, format, is_encrypted, the decoder and the first Telegrams."""

    def __init__(self, protocol: str, baud: int, form: str, decoder, telegrams: list) -> None:
        self.is_encrypted = protocol == "encrypted"
        self.protocol = "p1" if self.is_encrypted else protocol
        self.baud = baud
        self.format = form
        self.decoder = decoder
        self.telegrams = telegrams


class Detector:
    """Finds out about one line. decoders: {protocol: its decoder}, "encrypted" being P1 with a key; none is missed."""

    def __init__(self, decoders: dict, now_ms: int) -> None:
        self._all = decoders
        self._order = _IN_TURN
        self._place = 0
        self.found: "Found | None" = None
        self._begin(_FAST, now_ms, False)

    @property
    def line(self) -> "tuple[int, str]":
        """(baud, format) that the line is to have now."""
        return _SPEEDS[self._speed][:2]

    def on_bytes(self, buf: "bytes | bytearray", n: int, now_ms: int) -> bool:
        """Take `n` bytes; return whether the line must be set anew. `found` tells whether this was it."""
        self._note(buf, n, now_ms)
        seven = bytes([byte & 0x7F for byte in memoryview(buf)[:n]])
        for protocol, decoder in self._decoders:
            telegrams = decoder.feed(seven if protocol == "p1" else buf, n)
            good = [telegram for telegram in telegrams if telegram.readings]
            if good:
                baud, form = self.line
                if 4 * self._high > self._count and protocol in ("p1", "iec62056"):  # parity bits: of half the bytes
                    form = "7E1"
                self.found = Found(protocol, baud, form, decoder, good)
                return False
        if self._speed == _FAST and self._is_slow(now_ms):
            return self._next(now_ms, False)
        if since(now_ms, self._burst_ms) > _SPEEDS[self._speed][2]:
            return self._next(now_ms, False)
        return False

    def on_quiet(self, now_ms: int) -> bool:
        """Say that nothing has come for a moment; return whether the line must be set anew."""
        quiet_ms = since(now_ms, self._last_ms)
        if self._count and quiet_ms >= _GAP_MS:
            if self._whole and self._count >= _FEW:
                return self._next(now_ms, True)
            self._whole = True
            self._count = 0
        elif quiet_ms >= _IDLE_MS:
            return self._next(now_ms, True)
        return False

    def _note(self, buf, n, now_ms):
        """Keep account of the burst."""
        if not self._count:
            self._whole = self._whole or since(now_ms, self._last_ms) >= _GAP_MS
            self._burst_ms = now_ms
            self._zeros = self._high = 0
        self._last_ms = now_ms
        self._count += n
        for i in range(n):
            byte = buf[i]
            if not byte:
                self._zeros += 1
            elif byte & 0x80:
                self._high += 1

    def _is_slow(self, now_ms):
        """Return whether this burst is of a slower line; then what is tried next is known too."""
        lasted_ms = since(now_ms, self._burst_ms)
        if lasted_ms < _ESTIMATE_MS or 10 * self._zeros < 9 * self._count:
            return False
        slow = self._zeros * 1000 < _SLOW_PER_S * lasted_ms
        self._order = _SLOW_FIRST if slow else _IN_TURN
        self._place = 0
        return True

    def _next(self, now_ms, in_silence):
        speed = self._order[self._place]
        self._place = (self._place + 1) % len(self._order)
        self._begin(speed, now_ms, in_silence)
        return True

    def _begin(self, speed, now_ms, in_silence):
        self._speed = speed
        self._whole = in_silence  # whether what comes next will have been heard from its beginning
        self._count = self._zeros = self._high = 0
        self._last_ms = self._burst_ms = now_ms
        self._decoders = [(name, self._all[name]) for name in _SPEEDS[speed][3].split() if name in self._all]
        for _, decoder in self._decoders:
            decoder.silence()
