"""What an M-Bus value is: the tables of value information (VIF, VIFE) as quantity, unit and power of ten.

Source   EN 13757-3:2018, 6.4.2 table 10 (primary VIF), 6.4.4 table 12 (second extension, FB), 6.4.5 table 14 (main
         extension, FD), 6.4.7 tables 15 and 16 (combinable VIFE, and those behind FC); the codes of FB that the 2013
         edition withdrew (gallons, Fahrenheit) are read as their meters mean them. Written from the editions as
         peers quote them.
Memory   tables of tuples: constants, in flash where the build is frozen.
Runs on  both
"""

from micropython import const

NUMBER, UNSIGNED, TIMES, DATE, TEXT, LEVEL = range(6)

# first code, bits of the exponent, its scale at 0, unit, quantity; with TIMES: s, min, h and d instead of an exponent
_MAIN = const(
    (
        (0x00, 3, -3, "Wh", "energy", 0),
        (0x08, 3, 0, "J", "energy", 0),
        (0x10, 3, -6, "m3", "volume", 0),
        (0x18, 3, -3, "kg", "mass", 0),
        (0x20, 2, 0, "s", "on time", 2),
        (0x24, 2, 0, "s", "operating time", 2),
        (0x28, 3, -3, "W", "power", 0),
        (0x30, 3, 0, "J/h", "power", 0),
        (0x38, 3, -6, "m3/h", "volume flow", 0),
        (0x40, 3, -7, "m3/min", "volume flow", 0),
        (0x48, 3, -9, "m3/s", "volume flow", 0),
        (0x50, 3, -3, "kg/h", "mass flow", 0),
        (0x58, 2, -3, "C", "flow temperature", 0),
        (0x5C, 2, -3, "C", "return temperature", 0),
        (0x60, 2, -3, "K", "temperature difference", 0),
        (0x64, 2, -3, "C", "external temperature", 0),
        (0x68, 2, -3, "bar", "pressure", 0),
        (0x6C, 0, 0, "", "date", 3),
        (0x6D, 0, 0, "", "time", 3),
        (0x6E, 0, 0, "", "heat cost units", 0),
        (0x70, 2, 0, "s", "averaging duration", 2),
        (0x74, 2, 0, "s", "actuality duration", 2),
        (0x78, 0, 0, "", "serial number", 4),
        (0x79, 0, 0, "", "enhanced identification", 4),
        (0x7A, 0, 0, "", "bus address", 1),
        (0x7E, 0, 0, "", "any", 0),
    )
)
_FB = const(
    (
        (0x00, 1, 5, "Wh", "energy", 0),
        (0x02, 1, 3, "varh", "reactive energy", 0),
        (0x04, 1, 3, "VAh", "apparent energy", 0),
        (0x08, 1, 8, "J", "energy", 0),
        (0x0C, 2, 5, "cal", "energy", 0),
        (0x10, 1, 2, "m3", "volume", 0),
        (0x14, 2, 0, "var", "reactive power", 0),
        (0x18, 1, 5, "kg", "mass", 0),
        (0x1A, 1, -1, "%", "relative humidity", 0),
        (0x20, 0, 0, "ft3", "volume", 0),
        (0x21, 0, -1, "ft3", "volume", 0),
        (0x22, 1, -1, "gal", "volume", 0),
        (0x24, 0, -3, "gal/min", "volume flow", 0),
        (0x25, 0, 0, "gal/min", "volume flow", 0),
        (0x26, 0, 0, "gal/h", "volume flow", 0),
        (0x28, 1, 5, "W", "power", 0),
        (0x2A, 0, -1, "deg", "phase U-U", 0),
        (0x2B, 0, -1, "deg", "phase U-I", 0),
        (0x2C, 2, -3, "Hz", "frequency", 0),
        (0x30, 1, 8, "J/h", "power", 0),
        (0x34, 2, 0, "VA", "apparent power", 0),
        (0x58, 2, -3, "F", "flow temperature", 0),
        (0x5C, 2, -3, "F", "return temperature", 0),
        (0x60, 2, -3, "F", "temperature difference", 0),
        (0x64, 2, -3, "F", "external temperature", 0),
        (0x70, 2, -3, "F", "temperature limit", 0),
        (0x74, 2, -3, "C", "temperature limit", 0),
        (0x78, 3, -3, "W", "cumulation of maximum power", 0),
    )
)
_FD = const(
    (
        (0x00, 2, -3, "", "credit", 0),
        (0x04, 2, -3, "", "debit", 0),
        (0x08, 0, 0, "", "access number", 1),
        (0x09, 0, 0, "", "device type", 1),
        (0x0A, 0, 0, "", "manufacturer id", 4),
        (0x0B, 0, 0, "", "parameter set", 4),
        (0x0C, 0, 0, "", "model", 4),
        (0x0D, 0, 0, "", "hardware version", 1),
        (0x0E, 0, 0, "", "firmware version", 1),
        (0x0F, 0, 0, "", "software version", 1),
        (0x10, 0, 0, "", "customer location", 4),
        (0x11, 0, 0, "", "customer", 4),
        (0x12, 0, 0, "", "user code", 4),
        (0x13, 0, 0, "", "operator code", 4),
        (0x14, 0, 0, "", "system operator code", 4),
        (0x15, 0, 0, "", "developer code", 4),
        (0x16, 0, 0, "", "password", 4),
        (0x17, 0, 0, "", "error flags", 1),
        (0x18, 0, 0, "", "error mask", 1),
        (0x19, 0, 0, "", "security key", 4),
        (0x1A, 0, 0, "", "digital output", 1),
        (0x1B, 0, 0, "", "digital input", 1),
        (0x1C, 0, 0, "", "baud rate", 1),
        (0x1D, 0, 0, "", "response delay", 1),
        (0x1E, 0, 0, "", "retry", 1),
        (0x1F, 0, 0, "", "remote control", 1),
        (0x20, 0, 0, "", "first storage", 1),
        (0x21, 0, 0, "", "last storage", 1),
        (0x22, 0, 0, "", "storage block size", 1),
        (0x23, 0, 0, "", "tariff descriptor", 1),
        (0x24, 2, 0, "s", "storage interval", 2),
        (0x28, 0, 0, "month", "storage interval", 0),
        (0x29, 0, 0, "year", "storage interval", 0),
        (0x2A, 0, 0, "", "operator data", 4),
        (0x2B, 0, 0, "s", "second", 1),
        (0x2C, 2, 0, "s", "duration since readout", 2),
        (0x30, 0, 0, "", "start of tariff", 3),
        (0x31, 0, 0, "min", "duration of tariff", 2),
        (0x32, 0, 0, "h", "duration of tariff", 2),
        (0x33, 0, 0, "d", "duration of tariff", 2),
        (0x34, 2, 0, "s", "period of tariff", 2),
        (0x38, 0, 0, "month", "period of tariff", 0),
        (0x39, 0, 0, "year", "period of tariff", 0),
        (0x3A, 0, 0, "", "dimensionless", 0),
        (0x3C, 2, 0, "s", "period of transmission", 2),
        (0x40, 4, -9, "V", "voltage", 0),
        (0x50, 4, -12, "A", "current", 0),
        (0x60, 0, 0, "", "reset counter", 1),
        (0x61, 0, 0, "", "cumulation counter", 1),
        (0x62, 0, 0, "", "control signal", 1),
        (0x63, 0, 0, "", "day of week", 1),
        (0x64, 0, 0, "", "week number", 1),
        (0x65, 0, 0, "", "time of day change", 0),
        (0x66, 0, 0, "", "parameter activation", 1),
        (0x67, 0, 0, "", "supplier information", 1),
        (0x68, 0, 0, "h", "duration since cumulation", 2),
        (0x69, 0, 0, "d", "duration since cumulation", 2),
        (0x6A, 0, 0, "month", "duration since cumulation", 0),
        (0x6B, 0, 0, "year", "duration since cumulation", 0),
        (0x6C, 0, 0, "h", "battery operating time", 2),
        (0x6D, 0, 0, "d", "battery operating time", 2),
        (0x6E, 0, 0, "month", "battery operating time", 0),
        (0x6F, 0, 0, "year", "battery operating time", 0),
        (0x70, 0, 0, "", "battery change", 3),
        (0x71, 0, 0, "dBm", "RF level", 5),
        (0x72, 0, 0, "", "daylight saving", 1),
        (0x73, 0, 0, "", "listening window", 1),
        (0x74, 0, 0, "d", "battery life", 2),
        (0x75, 0, 0, "", "times stopped", 1),
    )
)
_STEPS = const((("s", 1), ("min", 60), ("h", 3600), ("d", 86400)))
_PER = const(
    "s min h day week month year revolution pulse-in0 pulse-in1 pulse-out0 pulse-out1 l m3 kg K kWh GJ kW K*l V A"
)
_PLACES = (
    "", "L1", "L2", "L3", "N", "L1-L2", "L2-L3", "L3-L1", "Q1", "Q2", "Q3", "Q4",
    "difference", "x7c0d", "x7c0e", "x7c0f", "absolute", "unsigned", "boolean", "to meter", "from meter",
)  # fmt: skip
_DATE_VIFE = const(b"\x39\x42\x43\x46\x47\x4a\x4b\x4e\x4f\x6a\x6b\x6e\x6f")
_WORDS = const(
    (
        (0x12, "average"),
        (0x14, "deviation"),
        (0x1D, "standard"),
        (0x39, "start"),
        (0x3A, "uncorrected"),
        (0x3B, "forward"),
        (0x3C, "backward"),
        (0x3E, "at base conditions"),
        (0x40, "lower limit"),
        (0x48, "upper limit"),
        (0x41, "below limit count"),
        (0x49, "above limit count"),
        (0x68, "below limit"),
        (0x6C, "above limit"),
        (0x69, "leakage"),
        (0x6A, "first begin"),
        (0x6B, "first end"),
        (0x6D, "overflow"),
        (0x6E, "last begin"),
        (0x6F, "last end"),
        (0x7E, "future"),
    )
)
_ERRORS = const(
    (
        (0x15, "no data"),
        (0x16, "overflow"),
        (0x17, "underflow"),
        (0x18, "data error"),
    )
)


class Meaning:
    """What the VIF and VIFE of one record say; `error` is set where the meter says that it has no value."""

    def __init__(self, vif: bytes, plain: str) -> None:
        """vif: the VIF and all VIFE, without a plain text; plain: that text, "" when there is none."""
        self.quantity = ""
        self.unit = ""
        self.scale = 0
        self.times = 1
        self.kind = NUMBER
        self.error = ""
        rest = self._vif(vif, plain)
        is_extended = False
        for i in range(rest, len(vif)):
            code = vif[i] & 0x7F
            if code == 0x7F:  # what follows is the manufacturer's own
                own = vif[i + 1 :]
                if own:
                    self.quantity += " x" + own.hex()
                break
            if is_extended:
                self._extended(code)
            elif code != 0x7C:
                self._combine(code)
            is_extended = code == 0x7C and not is_extended

    def _vif(self, vif, plain):
        """Take the VIF proper; return the index of the first combinable VIFE."""
        first = vif[0]
        if first & 0x7F == 0x7C:
            self.quantity = self.unit = plain
            return 1
        if first & 0x7F == 0x7F:
            self.quantity = "manufacturer " + "".join(["%02x" % (code & 0x7F) for code in vif[1:]])
            return len(vif)
        if first in (0xFB, 0xFD) and len(vif) > 1:
            self._look_up(_FB if first == 0xFB else _FD, vif[1] & 0x7F, "VIF %02X" % first)
            return 2
        self._look_up(_MAIN, first & 0x7F, "VIF ")
        return 1

    def _look_up(self, table, code, name):
        low, high = 0, len(table)
        while high - low > 1:
            middle = (low + high) >> 1
            if table[middle][0] <= code:
                low = middle
            else:
                high = middle
        first, bits, scale, unit, quantity, kind = table[low]
        if code >= first + (1 << bits):
            self.quantity = name + "%02X" % code
            return
        self.quantity = quantity
        self.kind = kind
        self.unit = unit
        if kind == TIMES:
            self._set_times(_STEPS[code - first][0] if bits else unit)
        else:
            self.scale = scale + code - first

    def _set_times(self, step):
        for name, seconds in _STEPS:
            if name == step:
                self.unit = "s"
                self.times = seconds

    def _combine(self, code):
        if not code:  # no error
            return
        if 0x70 <= code < 0x78:
            self.scale += code - 0x76
        elif code == 0x7D:
            self.scale += 3
        elif 0x28 <= code < 0x2C:
            self.quantity += " per %s %d" % ("input pulse" if code < 0x2A else "output pulse", code & 1)
        elif 0x20 <= code < 0x36:
            self.unit += "/" + _PER.split(" ")[code - 0x20]
        elif 0x36 <= code < 0x39:
            self.unit += ("*s", "*s/V", "*s/A")[code - 0x36]
        elif code in _DATE_VIFE:
            self._suffix(code)
            self.kind = DATE
            self.unit = ""
        elif 0x50 <= code < 0x68:
            self._suffix(code)
            self.kind = TIMES
            self.scale = 0
            self._set_times(_STEPS[code & 3][0])
        else:
            self._suffix(code)

    def _extended(self, code):
        """Take a VIFE of the extension table (behind FC): where it was measured, and which way it flows."""
        self.quantity += " " + (_PLACES[code] if 0 < code < len(_PLACES) else "x7c%02x" % code)
        if code == 0x11 and self.kind == NUMBER:
            self.kind = UNSIGNED

    def _suffix(self, code):
        for known, text in _ERRORS:
            if code == known:
                self.error = text
                return
        if 0 < code < 0x12 or 0x19 <= code < 0x1D:
            self.error = "error %02X" % code
            return
        if code in (0x41, 0x49):  # how often, whatever it is of
            self.unit, self.scale, self.kind, self.times = "", 0, UNSIGNED, 1
        for known, text in _WORDS:
            if code == known:
                self.quantity += " " + text
                return
        self.quantity += " x%02x" % code
