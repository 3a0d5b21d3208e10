"""One reading of one M-Bus meter, as master: what to send, and when to stop waiting.

Source   EN 13757-2:2018, 5.7.5 (SND_NKE, SND_UD, REQ_UD2 with FCB), 5.7.2 (answer within 11 to 330 bit times + 50 ms);
         EN 13757-3:2018, 11 (selection by secondary address: CI 52, address 253, F for any digit).
Memory   no buffer of its own: the bytes go through the MBusDecoder that is passed in.
Errors   ("failed", reason): "silent", "no such meter", "wrong meter", "endless", or the decoder's for the last answer.
Runs on  both; no I/O. Actions are tuples that the link carries out one after the other, each to its end:
         ("line", baud, format)   set the line                 ("send", bytes)   send, until the last bit has left
         ("pause", ms)            wait, whatever comes         ("wait", ms)      then on_timeout(); it starts anew here
         ("done", Telegrams)      it is over                   ("failed", why)   it is over too
An empty answer to on_bytes() means: go on waiting as before.
"""

from micropython import const

from .reasons import new_reason

_NKE = const(0x40)
_SND_UD = const(0x53)
_REQ_UD2 = const(0x5B)
_FCB = const(0x20)
_SELECTED = const(253)
_ANY = const(254)
_ACK = const(0xE5)
_TRIES = const(3)
_MOST_FRAMES = const(32)
_NO_ACTIONS = const(())


def short_frame(control: int, address: int) -> bytes:
    """Return a short frame."""
    return bytes((0x10, control, address, control + address & 0xFF, 0x16))


def selection(secondary: str) -> bytes:
    """Return the frame that selects a meter; ValueError when `secondary` is no secondary address.

    It is written as 16 digits: identification (8), maker (4), version (2), medium (2), with F for any; the last 8 may
    be left out.
    """
    digits = secondary + "F" * (16 - len(secondary))
    if len(digits) != 16 or len(secondary) not in (8, 16):
        raise ValueError("secondary address")
    raw = [int(digits[i : i + 2], 16) for i in range(0, 16, 2)]
    body = bytes([_SND_UD, _SELECTED, 0x52, raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[6], raw[7]])
    return b"\x68\x0b\x0b\x68" + body + bytes((sum(body) & 0xFF, 0x16))


class MBusSession:
    """Reads one meter. decoder: an MBusDecoder; address: 0 to 250, 254 for the only one, or a secondary address."""

    def __init__(self, decoder, address: "int | str", baud: int = 2400) -> None:
        self._decoder = decoder
        self._baud = baud
        self._select = b""
        self._secondary = ""
        if isinstance(address, str):
            self._select = selection(address)
            self._secondary = address.upper()
            address = _SELECTED
        elif not 0 <= address <= 250 and address != _ANY:
            raise ValueError("address")
        self._address = address
        self._patience_ms = 330 * 1000 // baud + 50
        self._state = ""  # "reset", "select" or "read"
        self._tries = 0
        self._fcb = _FCB
        self._found = []
        self._errors = {}

    def start(self) -> tuple:
        """Begin; return the first actions."""
        self._decoder.silence()
        self._found = []
        self._fcb = _FCB
        return (("line", self._baud, "8E1"),) + self._begin("reset")

    def on_bytes(self, buf: "bytes | bytearray", n: int) -> tuple:
        """Take what came; return the actions that follow from it."""
        if self._state != "read":
            for i in range(n):
                if buf[i] == _ACK:
                    return self._begin("select" if self._state == "reset" and self._select else "read")
            return _NO_ACTIONS
        for telegram in self._decoder.feed(buf, n):
            return self._take(telegram)
        return (("wait", self._gap_ms()),) if n else _NO_ACTIONS

    def _take(self, telegram):
        """Take an answer, and ask for the next one where there is more."""
        if not self._is_asked(telegram):
            return (("failed", "wrong meter"),)
        self._found.append(telegram)
        if not self._decoder.more:
            return (("done", self._found),)
        if len(self._found) == _MOST_FRAMES:
            return (("failed", "endless"),)
        self._fcb ^= _FCB
        return self._begin("read")

    def on_timeout(self) -> tuple:
        """Say that what was waited for has not come; return the actions that follow."""
        self._decoder.silence()
        if self._tries < _TRIES:
            return self._send()
        if self._state == "reset":  # some meters leave SND_NKE without an answer
            return self._begin("select" if self._select else "read")
        if self._state == "select":
            return (("failed", "no such meter"),)
        return (("failed", new_reason(self._decoder.errors, self._errors) or "silent"),)

    def _begin(self, state):
        self._state = state
        self._tries = 0
        self._errors = dict(self._decoder.errors)
        return self._send()

    def _send(self):
        self._tries += 1
        if self._state == "reset":
            frame = short_frame(_NKE, self._address)
        elif self._state == "select":
            frame = self._select
        else:
            frame = short_frame(_REQ_UD2 | self._fcb, self._address)
        return (("send", frame), ("wait", self._patience_ms + self._gap_ms()))

    def _gap_ms(self):
        """Return the time in which the next byte of a frame comes: 33 bit times, and what a busy link adds."""
        return 33 * 1000 // self._baud + 50

    def _is_asked(self, telegram):
        if not self._secondary:
            return self._address in (_ANY, self._decoder.address)
        digits = telegram.meter[-8:].upper()
        if len(digits) < 8:
            return True  # CI 78 and 7A do not say
        return all([self._secondary[i] in ("F", digits[i]) for i in range(8)])
