"""IEC 62056-21 data messages (modes A, B, C, D): bytes in, checked readings out.

Source   IEC 62056-21:2002, 6.3 (identification, data and acknowledgement messages), 6.5 (data sets), 6.4.3 and 6.5.1
         (block check character), 5.3 (7 bits, even parity); IEC 62056-61 and DIN 43863-3 (reduced codes, F.F, 0.9.1).
Units    those of reading.py; times are Unix seconds. "1.8.1*01" becomes "1-0:1.8.1.1", the OBIS code of a meter for
         electricity; codes of two parts ("6.8", heat) and those of other media stay as they are written. A
         Telegram's `meter` is what 0.0.0, C.1.0, C.1, 0.0 or 96.1.0 tell, else the ident line;
         `version` is the mode (what mode B sends is told as C or A).
Memory   one buffer of 256 bytes: a data set is read as soon as it is whole and the readout itself is never kept, only
         the numbers in it (some 110 bytes each on a board) until the BCC has come: `most` of them, or `wanted` ones.
Errors   feed() raises nothing: what is no good message is dropped and counted in `errors`, by reason:
         garbage    bytes that are no message          truncated  the next message began before this one's end
         crc        the BCC is wrong                   parity     a byte's parity is wrong (seen where 8 bits are read)
         damaged    no BCC, and not every data set is as the standard has it
         unsupported P1                                there is a CRC behind the "!"
         line       a data set is not understood in a message with a good BCC (the others are delivered)
         too long   a data set of more than 256 bytes, or more data sets than are kept
Runs on  both

A line of 7E1 may be read as 8 bits: the first byte's parity bit tells, and from there on every parity is checked.
"""

from micropython import const

from .iec62056_sets import DataSets

_SIZE = const(256)
_SOH = const(0x01)
_STX = const(0x02)
_ETX = const(0x03)
_EOT = const(0x04)  # ends a block that another one follows
_ACK = const(0x06)
_LF = const(0x0A)
_CLOSE = const(0x29)
_END = const(0x21)
_START = const(0x2F)
_NONE = const(())
_QUIET = const(b"\x00\x0a\x0d\x15\x7f")  # fillers, line ends, NAK
_MARKS = const(b"\xaf\x82\x81")  # "/", STX and SOH with their parity bit
# where in a message the decoder is
_IDLE = const(0)  # between messages, or after the ident line
_IDENT = const(1)
_BLOCK = const(2)  # what has a BCC
_LINES = const(3)  # what has none
_AFTER_END = const(4)  # behind the "!" of those
_BCC = const(5)
_COMMAND = const(6)
_COMMAND_BCC = const(7)
_ACKNOWLEDGEMENT = const(8)  # the master's


class IEC62056Decoder:
    """Decodes one line. zone: codec.timezone.Zone of the meter's clock, or None for base_offset_s all year.

    wanted: a tuple of codes as the meter writes them ("1.8.0"), or None for all; most: numbers kept of one message.
    """

    def __init__(self, zone=None, base_offset_s: int = 3600, wanted: "tuple | None" = None, most: int = 400) -> None:
        self.errors = {}
        self.ident = ""  # the ident line that has come, until its message is over
        self.command = ""  # the last command message: "P0" from a meter that waits to be asked
        self.busy = False  # a message is coming
        self._sets = DataSets(zone, base_offset_s, wanted, most)
        self._buf = bytearray(_SIZE)
        self._len = 0
        self._state = _IDLE
        self._bcc = 0
        self._with_parity = False
        self._bad = ""  # why the message is no good already
        self._told = False  # the garbage that goes on has been counted

    def feed(self, buf: "bytes | bytearray", n: int) -> "list | tuple":
        """Take the first `n` bytes of `buf`; return the Telegrams they complete, mostly none."""
        found = _NONE
        for i in range(n):
            byte = buf[i]
            if self._state == _IDLE and not self.ident:
                self._with_parity = byte in _MARKS
            if self._with_parity and not _is_even(byte):
                self._bad = self._bad or "parity"
            if self._take(byte & 0x7F):
                telegram = self._close()
                if telegram is not None:
                    found = found or []
                    found.append(telegram)  # pyright: ignore
        self.busy = self._state != _IDLE
        return found

    def expect(self, meter: str, code: str) -> None:
        """Say whose the next answers are and of which register, where they do not say so themselves."""
        self._sets.default_meter = meter
        self._sets.default_code = code

    def silence(self) -> tuple:
        """Say that the line has been silent for long: what has begun will not go on. Return no Telegrams."""
        if self._state != _IDLE:
            self._count("truncated")
        self._reset()
        return _NONE

    # -- the message, byte by byte -----------------------------------------------------------------------------

    def _take(self, byte):
        """Take a byte; return whether a data message has come to its end."""
        state = self._state
        if state in (_BLOCK, _LINES):
            self._data(byte, state)
        elif state == _BCC:
            if self._bcc != byte:
                self._bad = self._bad or "crc"
            return True
        elif state == _AFTER_END:
            if byte == _LF:
                return True
            if byte != 13:  # a P1 telegram has its CRC here
                self._bad = self._bad or "unsupported P1"
        else:
            self._take_control(byte, state)
        return False

    def _take_control(self, byte, state):
        """Take a byte of what is no data message."""
        if state == _IDLE:
            self._begin(byte)
        elif state == _COMMAND_BCC:
            self._reset()
        elif state == _COMMAND:
            self._part_of_command(byte)
        elif state == _ACKNOWLEDGEMENT:
            if byte == _LF:
                self._state = _IDLE
        elif self._keep(byte) and byte == _LF:
            self._end_of_ident(0)

    def _begin(self, byte):
        """Look for the first byte of a message, or after an ident line for what it announces."""
        if byte == _START:
            self._restart()
        elif byte == _STX:
            self._open(_BLOCK)
        elif byte == _SOH:
            self._len = self._bcc = 0
            self._state = _COMMAND
        elif byte == _ACK:
            self._state = _ACKNOWLEDGEMENT if self.ident else _IDLE
        elif byte in _QUIET:
            pass
        elif self.ident:
            self._open(_LINES)
            self._data(byte, _LINES)
        elif not self._told:
            self._count("garbage")
            self._told = True

    def _restart(self):
        """Begin an ident line."""
        if self._state != _IDLE:
            self._count("truncated")
            self._bad = ""
        self.ident = ""
        self._told = False
        self._len = 0
        self._state = _IDENT

    def _open(self, state):
        self._sets.begin()
        self._len = 0
        self._bcc = 0
        self._state = state

    def _end_of_ident(self, start):
        """Take the ident line in the buffer from `start`, without its "/"."""
        line = "".join([chr(self._buf[i]) for i in range(start, self._len) if 32 <= self._buf[i] < 127])
        self._len = 0
        self._state = _IDLE
        if line.startswith("?"):  # a request message: the master's own
            self._reset()
        elif _is_ident(line):
            self.ident = line
        else:
            self._count("garbage")
            self._reset()

    def _part_of_command(self, byte):
        if byte in (_STX, _ETX):
            if not self._bcc:
                self.command = "".join([chr(self._buf[i]) for i in range(min(2, self._len))])
            self._bcc = 1  # its name is known; what is in brackets is nobody's here
            self._len = 0
            if byte == _ETX:
                self._state = _COMMAND_BCC
        else:
            self._keep(byte)

    def _data(self, byte, state):
        """Take a byte of a data message."""
        if state == _BLOCK:
            self._bcc ^= byte
        if byte == _CLOSE:
            if self._keep(byte) and not self._bad:
                self._sets.take(self._buf, self._len)
            self._len = 0
        elif byte == _LF:
            self._end_of_line()
        elif byte == _START and not self._len:
            self._restart()
        elif state == _BLOCK and byte in (_ETX, _EOT):
            self._sets.bad += self._holds_more()
            self._state = _BCC
        elif state == _LINES and byte == _END:
            self._sets.bad += self._holds_more()
            self._state = _AFTER_END
        else:
            self._keep(byte)

    def _end_of_line(self):
        """Take a line end: what stands before it and is no data set may be the next message's ident line."""
        if self._holds_more():
            at = self._buf.rfind(b"/", 0, self._len) + 1
            if at and _is_ident("".join([chr(self._buf[i]) for i in range(at, min(at + 4, self._len))])):
                self._count("truncated")
                self._bad = ""
                self._end_of_ident(at)
                return
            self._sets.bad += 1
        self._len = 0

    def _keep(self, byte):
        """Put a byte into the buffer; False, and the message is no good, when it is full."""
        at = self._len
        if at == _SIZE:
            if self._state == _IDENT:
                self._count("too long")
                self._reset()
                self._told = True
                return False
            self._bad = self._bad or "too long"
            self._len = 0
            return False
        self._buf[at] = byte
        self._len = at + 1
        return True

    def _holds_more(self):
        """Return whether there is more in the buffer than line ends and the "!" of a block."""
        return any([self._buf[i] not in b"\r\n!\x00" for i in range(self._len)])

    # -- its end -----------------------------------------------------------------------------------------------

    def _close(self):
        """Return the Telegram of the message that has ended, or None when it is no good."""
        sets, ident, bad = self._sets, self.ident, self._bad
        is_block = self._state == _BCC
        self._reset()
        if not bad and not is_block and (sets.bad or sets.is_empty()):
            bad = "damaged"
        if bad:
            self._count(bad)
            return None
        if sets.bad:
            self._count("line", sets.bad)
        if sets.overflow:
            self._count("too long")
        return sets.telegram(ident, "C" if is_block else "D" if ident[3:4].isdigit() else "A")

    def _reset(self):
        self._state = _IDLE
        self._len = 0
        self.ident = ""
        self._bad = ""
        self._told = False

    def _count(self, reason, n=1):
        self.errors[reason] = self.errors.get(reason, 0) + n


def _is_ident(line):
    """Return whether an ident line begins so: the maker's three letters and one character for the baud rate."""
    return len(line) > 3 and all([0x41 <= ord(letter) & 0xDF <= 0x5A for letter in line[:3]])


def _is_even(byte):
    """Return whether the number of ones in a byte is even."""
    byte ^= byte >> 4
    return not 0x6996 >> (byte & 15) & 1
