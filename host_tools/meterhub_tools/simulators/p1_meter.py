"""A Dutch smart meter's customer port: true telegrams for any second of a household's life, and faults to order.

Source   P1 companion standard, Dutch Smart Meter Requirements 5.0.2 (field order and widths: 6.12, example: 6.13),
         4.2.2 and 2.2 for their versions; CRC-16/ARC over "/" to "!" as four upper-case hex digits (6.2).
Units    telegrams are bytes as they stand on the line, CR LF and all.
Errors   none; what is rolled over in a real register is rolled over here.
"""

from datetime import datetime

from fastcrc import crc16

from .household import Household, Phase

EQUIPMENT = "E0045007152086017"
GAS_EQUIPMENT = "G0039003344556617"
# three long failures: when power came back (Unix seconds) and how long it was gone
POWER_FAILURES = ((1583062382, 4321), (1643630704, 642), (1698544862, 15788))


def _hex(text: str) -> str:
    return text.encode().hex().upper()


class P1Meter:
    """The meter of `household`.

    version: "5.0" (one telegram a second, 115200 8N1), "4.2" (one in ten seconds, 115200 8N1) or
    "2.2" (one in ten seconds, 9600 7E1, no clock and no CRC). equipment: the number by which the meter is told apart.
    """

    def __init__(self, household: Household, version: str = "5.0", equipment: str = EQUIPMENT) -> None:
        self.household = household
        self.equipment = equipment
        self._body = {"5.0": self._lines_v5, "4.2": self._lines_v4, "2.2": self._lines_v2}[version]
        self._checked = version != "2.2"

    def telegram(self, at: int) -> bytes:
        """Return the telegram that the meter sends at `at` (Unix seconds)."""
        text = "\r\n".join(self._body(at)) + "\r\n!"
        raw = text.encode("ascii")
        if self._checked:
            raw += b"%04X" % crc16.arc(raw)
        return raw + b"\r\n"

    def stamp(self, at: int) -> str:
        """Return `at` as the meter writes it: local time and S in summer, W in winter."""
        local = datetime.fromtimestamp(at, self.household.zone)
        return local.strftime("%y%m%d%H%M%S") + ("S" if local.dst() else "W")

    # -- the lines of each version, in the standard's order ----------------------------------------------

    def _lines_v5(self, at: int) -> list[str]:
        phases = self.household.phases(at)
        lines = ["/MTH5\\2METERHUB-SIM", "", "1-3:0.2.8(50)", f"0-0:1.0.0({self.stamp(at)})"]
        lines.append(f"0-0:96.1.1({_hex(self.equipment)})")
        lines += self._energy(at, "{:06d}.{:03d}", 10**6)
        lines += self._power(at, "{:02d}.{:03d}")
        lines += self._failures()
        lines += self._dips(at)
        lines.append("0-0:96.13.0()")
        lines += [f"1-0:{n}2.7.0({p.dv // 10:03d}.{p.dv % 10}*V)" for n, p in zip((3, 5, 7), phases, strict=True)]
        lines += self._currents(phases)
        lines += [f"1-0:{n}1.7.0({_thousandths(max(p.w, 0), 2)}*kW)" for n, p in zip((2, 4, 6), phases, strict=True)]
        lines += [f"1-0:{n}2.7.0({_thousandths(max(-p.w, 0), 2)}*kW)" for n, p in zip((2, 4, 6), phases, strict=True)]
        return lines + self._gas(self.household.gas_at(at))

    def _lines_v4(self, at: int) -> list[str]:
        phases = self.household.phases(at)
        lines = ["/MTH5METERHUB-SIM4", "", "1-3:0.2.8(42)", f"0-0:1.0.0({self.stamp(at)})"]
        lines.append(f"0-0:96.1.1({_hex(self.equipment)})")
        lines += self._energy(at, "{:06d}.{:03d}", 10**6)
        lines += self._power(at, "{:02d}.{:03d}")
        lines += self._failures()
        lines += self._dips(at)
        lines += ["0-0:96.13.1()", "0-0:96.13.0()"]
        lines += self._currents(phases)
        for n, phase in zip((2, 4, 6), phases, strict=True):
            lines.append(f"1-0:{n}1.7.0({_thousandths(max(phase.w, 0), 2)}*kW)")
            lines.append(f"1-0:{n}2.7.0({_thousandths(max(-phase.w, 0), 2)}*kW)")
        return lines + self._gas(at - at % 3600)  # hourly in version 4

    def _lines_v2(self, at: int) -> list[str]:
        lines = ["/MTH5METERHUB-SIM2", "", f"0-0:96.1.1({_hex(self.equipment)})"]
        lines += self._energy(at, "{:05d}.{:03d}", 10**5)
        lines += self._power(at, "{:04d}.{:02d}", 10)
        lines += ["0-0:17.0.0(0999.00*kW)", "0-0:96.3.10(1)", "0-0:96.13.1()", "0-0:96.13.0()"]
        hour = at - at % 3600
        gas = self.household.registers(max(hour, self.household.start)).gas_dm3 % 10**8
        lines += ["0-1:24.1.0(3)", f"0-1:96.1.0({_hex(GAS_EQUIPMENT)})"]
        lines.append(f"0-1:24.3.0({self.stamp(hour)[:-1]})(00)(60)(1)(0-1:24.2.1)(m3)")
        return lines + [f"({_thousandths(gas, 5)})", "0-1:24.4.0(1)"]

    def _energy(self, at: int, form: str, rolls_over_kwh: int) -> list[str]:
        shown = self.household.registers(at)
        lines = []
        for code, wh in zip(("1.8.1", "1.8.2", "2.8.1", "2.8.2"), shown[:4], strict=True):
            kwh, rest = divmod(wh, 1000)
            lines.append(f"1-0:{code}({form.format(kwh % rolls_over_kwh, rest)}*kWh)")
        return lines

    def _power(self, at: int, form: str, step: int = 1) -> list[str]:
        watts = self.household.power_w(at)
        lines = [f"0-0:96.14.0({self.household.tariff(at):04d})"]
        for code, part in (("1.7.0", max(watts, 0)), ("2.7.0", max(-watts, 0))):
            kw, rest = divmod(part, 1000)
            lines.append(f"1-0:{code}({form.format(kw, rest // step)}*kW)")
        return lines

    def _failures(self) -> list[str]:
        events = "".join(f"({self.stamp(at)})({gone_s:010d}*s)" for at, gone_s in POWER_FAILURES)
        return [
            "0-0:96.7.21(00013)",
            f"0-0:96.7.9({len(POWER_FAILURES):05d})",
            f"1-0:99.97.0({len(POWER_FAILURES)})(0-0:96.7.19){events}",
        ]

    def _dips(self, at: int) -> list[str]:
        more = self.household.dips(at)
        sags = [f"1-0:{n}2.32.0({count + more[i][0]:05d})" for i, (n, count) in enumerate(((3, 2), (5, 1), (7, 0)))]
        swells = [f"1-0:{n}2.36.0({count + more[i][1]:05d})" for i, (n, count) in enumerate(((3, 0), (5, 3), (7, 0)))]
        return sags + swells

    @staticmethod
    def _currents(phases: list[Phase]) -> list[str]:
        amps = [(abs(p.w) * 10 + p.dv // 2) // p.dv for p in phases]
        return [f"1-0:{n}1.7.0({a:03d}*A)" for n, a in zip((3, 5, 7), amps, strict=True)]

    def _gas(self, stamp: int) -> list[str]:
        gas = self.household.registers(max(stamp, self.household.start)).gas_dm3 % 10**8
        return [
            "0-1:24.1.0(003)",
            f"0-1:96.1.0({_hex(GAS_EQUIPMENT)})",
            f"0-1:24.2.1({self.stamp(stamp)})({_thousandths(gas, 5)}*m3)",
        ]


def _thousandths(value: int, digits: int) -> str:
    return f"{value // 1000:0{digits}d}.{value % 1000:03d}"


# -- faults to order: what a real line does to a telegram ----------------------------------------------


def wrong_crc(telegram: bytes) -> bytes:
    """Return `telegram` with one digit of its register changed, so that its CRC no longer fits."""
    at = telegram.index(b"1-0:1.8.1(") + 18
    return telegram[:at] + bytes((0x30 + (telegram[at] - 0x2F) % 10,)) + telegram[at + 1 :]


def truncated(telegram: bytes, length: int) -> bytes:
    """Return the first `length` bytes: the cable was pulled."""
    return telegram[:length]


def merged(first: bytes, second: bytes, lost: int) -> bytes:
    """Return two telegrams of which the first lost its last `lost` bytes and the second its first `lost`."""
    return first[:-lost] + second[lost:]


def noise(length: int, seed: int = 1) -> bytes:
    """Return `length` bytes of line noise, the same for the same seed, any byte value among them."""
    out = bytearray(length)
    state = seed
    for i in range(length):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out[i] = state >> 16 & 255
    return bytes(out)
