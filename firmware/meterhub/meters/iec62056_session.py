"""One reading of one meter in IEC 62056-21 mode C, as master: sign-on, change of the baud rate, readout.

Source   IEC 62056-21:2002, 6.3.1 to 6.3.4 (messages), 6.4.1 (modes), 6.4.3.2 (reaction time 200 to 1500 ms, from
         20 ms on where the maker's third letter is small), 6.4.5 (at most 1500 ms between two characters), 6.6
         (programming mode: P1, R1, R5, B0).
Memory   no buffer of its own: the bytes go through an IEC62056Decoder.
Errors   ("failed", reason): "silent", "refused", or the decoder's for the last answer ("crc", "truncated", ...).
Runs on  both; no I/O. Actions: those of mbus_session.py. The acknowledgement goes out at 300 Bd, and only after its
         last bit does the line change: the action "line" stands behind the action "send".

A meter that answers in mode A or B is read too: it sends its data without being asked, at 300 Bd or at its own rate.
Mode E (HDLC) is not asked for: such meters do mode C as well. If nothing comes at the faster rate, 300 Bd is tried.
"""

from micropython import const

from .reading import Telegram
from .reasons import new_reason

_BAUDS = const((300, 600, 1200, 2400, 4800, 9600, 19200))
_FORMAT = const("7E1")
_TRIES = const(3)
_SILENCE_MS = const(2200)  # 1500, and what UARTs and optical heads keep back
_ACK = const(b"\x06")
_NAK = const(b"\x15")
_WAKE_UP = const(66)  # zeros in 2.2 s at 300 Bd, for meters with a battery
_GO_ON = (("wait", _SILENCE_MS),)
_SIGN_ON, _READOUT, _PROGRAMMING, _PASSWORD, _ANSWER = range(5)


def command(kind: str, body: str) -> bytes:
    """Return the command message of `kind` ("R1", "R5", "P1", "B0") with a body in brackets, or "" for none."""
    text = kind.encode() + (b"\x02" + body.encode() if body else b"") + b"\x03"
    bcc = 0
    for code in text:
        bcc ^= code
    return b"\x01" + text + bytes((bcc,))


class IEC62056Session:
    """Reads one meter.

    decoder: an IEC62056Decoder; device: its address, "" for any; registers: read only these, one by one ("1.8.0"),
    with the command `kind`; password: for meters that want one before; most_baud: what the optical head can do;
    wake_up: send zeros first.
    """

    def __init__(
        self,
        decoder,
        device: str = "",
        registers: tuple = (),
        kind: str = "R1",
        password: str = "",
        most_baud: int = 19200,
        wake_up: bool = False,
    ) -> None:
        self._decoder = decoder
        self._request = ("/?" + device + "!\r\n").encode()
        self._registers = registers
        self._kind = kind
        self._password = password
        self._most_baud = most_baud
        self._wake_up = wake_up
        self._state = _SIGN_ON
        self._tries = 0
        self._at_300 = False  # the faster rate did not work
        self._heard = False  # something came since the last message that was sent
        self._sent = ()
        self._ident = ""
        self._left = []
        self._telegrams = []
        self._before = {}

    def start(self) -> tuple:
        """Begin; return the first actions."""
        self._at_300 = False
        self._tries = 0
        return self._sign_on()

    def on_bytes(self, buf: "bytes | bytearray", n: int) -> tuple:
        """Take what came; return the actions that follow from it."""
        self._heard = self._heard or n > 0
        for telegram in self._decoder.feed(buf, n):
            return self._whole(telegram)
        if self._state == _SIGN_ON and self._decoder.ident:
            return self._identified(self._decoder.ident)
        if self._state == _PASSWORD:
            return self._after_password(buf, n)
        if self._decoder.busy:
            return _GO_ON
        if self._state == _PROGRAMMING and self._decoder.command == "P0":
            return self._may_ask()
        return self._again() if self._failure() else _GO_ON

    def on_timeout(self) -> tuple:
        """Say that what was waited for has not come; return the actions that follow."""
        self._decoder.silence()
        if self._state == _READOUT and not self._heard and not self._at_300:
            self._at_300 = True
            return self._sign_on()
        if self._state == _SIGN_ON or not self._heard:
            self._tries += 1
            if self._tries >= _TRIES:
                return self._failed()
            return self._sign_on()
        return self._again()

    # -- steps ------------------------------------------------------------------------------------------------

    def _sign_on(self):
        self._state = _SIGN_ON
        self._heard = False
        self._telegrams = []
        self._left = list(self._registers)
        self._decoder.silence()
        self._decoder.command = ""
        self._decoder.expect("", "")
        self._before = dict(self._decoder.errors)
        actions = (("line", 300, _FORMAT),)
        if self._wake_up:
            actions += (("send", bytes(_WAKE_UP)), ("pause", 1600))
        return actions + (("send", self._request), ("wait", _SILENCE_MS))

    def _identified(self, ident):
        """Answer the ident line: /XXXZ, Z being the baud rate and with it the mode."""
        self._heard = False
        self._before = dict(self._decoder.errors)
        rate = ident[3]
        if "A" <= rate <= "F":  # mode B changes without being asked
            self._state = _READOUT
            return (("line", _BAUDS[ord(rate) - 64], _FORMAT), ("wait", _SILENCE_MS))
        if not "0" <= rate <= "6":  # mode A stays at 300 Bd
            self._state = _READOUT
            self._at_300 = True
            return (("wait", _SILENCE_MS),)
        index = 0 if self._at_300 else int(rate)
        while _BAUDS[index] > self._most_baud:
            index -= 1
        is_readout = not self._registers
        self._state = _READOUT if is_readout else _PROGRAMMING
        pause_ms = 20 if ident[2] >= "a" else 200
        acknowledgement = ("\x060%d%d\r\n" % (index, 0 if is_readout else 1)).encode()
        self._ident = ident
        self._decoder.expect(ident, "")
        return (
            ("pause", pause_ms),
            ("send", acknowledgement),
            ("line", _BAUDS[index], _FORMAT),
            ("wait", _SILENCE_MS),
        )

    def _whole(self, telegram):
        self._telegrams.append(telegram)
        if self._state != _ANSWER:
            return (("done", self._telegrams),)
        self._left.pop(0)
        return self._unlocked()

    def _may_ask(self):
        """The meter waits for commands: tell it the password first, where there is one."""
        if self._password:
            return self._send(_PASSWORD, command("P1", "(" + self._password + ")"))
        return self._unlocked()

    def _unlocked(self):
        """Ask for the next register, or say good-bye."""
        self._tries = 0
        if self._left:
            self._decoder.expect(self._ident, self._left[0])
            return self._send(_ANSWER, command(self._kind, self._left[0] + "()"))
        return (("send", command("B0", "")), ("done", self._joined()))

    def _after_password(self, buf, n):
        for i in range(n):
            if buf[i] & 0x7F == _ACK[0]:
                return self._unlocked()
        if (n and buf[0] & 0x7F == _NAK[0]) or self._decoder.command == "B0":
            return (("send", command("B0", "")), ("failed", "refused"))
        return _GO_ON

    def _send(self, state, message):
        self._state = state
        self._heard = False
        self._before = dict(self._decoder.errors)
        self._sent = (("pause", 200), ("send", message), ("wait", _SILENCE_MS))
        return self._sent

    def _again(self):
        """Ask for the last message once more, which NAK does."""
        self._tries += 1
        if self._tries >= _TRIES:
            return self._failed()
        self._heard = False
        self._before = dict(self._decoder.errors)
        self._decoder.silence()
        if self._state == _ANSWER:
            return self._sent
        return (("pause", 200), ("send", _NAK), ("wait", _SILENCE_MS))

    def _failed(self):
        return (("failed", self._failure() or "silent"),)

    def _failure(self):
        """Return what is wrong with what came since the last message that was sent, "" when nothing is."""
        return new_reason(self._decoder.errors, self._before)

    def _joined(self):
        """Return the one Telegram of all registers that were read."""
        if not self._telegrams:
            return []
        readings, texts = [], {}
        for telegram in self._telegrams:
            readings.extend(telegram.readings)
            texts.update(telegram.texts)
        return [Telegram(self._telegrams[0].meter, "C", None, readings, texts)]
