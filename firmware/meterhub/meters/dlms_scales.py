"""Units and scales of the lists that do not say them, and what stands where in the lists without names.

Source   by maker, as their descriptions of the customer interface have it:
         Kamstrup    currents in 0.01 A, energies in 10 Wh and 10 varh, voltages in V, power factors in 0.01
         Kaifa       currents in 0.001 A, voltages in 0.1 V
         Landis+Gyr and Iskraemeco (IDIS push lists)  currents in 0.01 A, power factors in 0.001; voltages of the E450
                     in V, of the E360 and the AM550 in 0.1 V
         IEC 62056-61 for what a register measures.
Units    those of reading.py
Runs on  both

No list says whether its voltages are in V or in 0.1 V. Phases of 230 V are above 400 in tenths and never above it in
volts, and a meter whose phases are all below 40 V is not running.
"""

from micropython import const

from . import dlms_axdr as axdr
from .units import unit

_KAMSTRUP, _KAIFA, _IDIS = const(1), const(2), const(3)
_NO_TENTHS = const(400)
# group C modulo 20 of electricity: power, and energy when it is added up; 11 to 13 are current, voltage and factor
_KINDS = const(("", "W", "W", "var", "var", "var", "var", "var", "var", "VA", "VA", "A", "V", "", "Hz", "W", "W"))
_POWERS = const(("W", "var", "VA"))
_ENERGIES = const(("Wh", "varh", "VAh"))


def measured(obis: bytes) -> str:
    """Return the unit that a register of electricity has by its name, "" for what is none."""
    c, d = obis[2], obis[3]
    if obis[0] != 1 or not 0 < c < 80 or not 4 <= d <= 9:
        return ""
    kind = c % 20
    if kind >= len(_KINDS) or (kind == 14 and c != 14):
        return ""
    name = _KINDS[kind]
    if d < 8:
        return name
    return name + "h" if name in _POWERS else ""


def scaled(numbers: list, maker: str, is_idis: bool) -> list:
    """Return (obis, value, scale, unit) of each (obis, value, scale, number of the unit or None)."""
    rules = 0
    if maker.startswith("Kamstrup"):
        rules = _KAMSTRUP
    elif maker.startswith("KFM_"):
        rules = _KAIFA
    elif is_idis or maker[:3] in ("LGZ", "ISK"):
        rules = _IDIS
    tenths = rules == _KAIFA or (rules == _IDIS and _in_tenths(numbers))
    found = []
    for obis, value, scale, number in numbers:
        if number is not None or not rules:
            found.append((obis, value, scale, unit(number or 0)))
        else:
            name = measured(obis)
            found.append((obis, value, scale + _scale(rules, obis, name, tenths), name))
    return found


def _in_tenths(numbers):
    return any([n is None and value > _NO_TENTHS and measured(obis) == "V" for obis, value, _, n in numbers])


def _scale(rules, obis, name, tenths):
    if name == "A":
        return -3 if rules == _KAIFA else -2
    if name == "V":
        return -1 if tenths else 0
    if rules == _KAMSTRUP and name in _ENERGIES:
        return 1
    if obis[0] == 1 and obis[2] % 20 == 13 and obis[3] == 7:
        return -2 if rules == _KAMSTRUP else -3
    return 0


# -- lists without names --------------------------------------------------------------------------------------------

# how it begins; the tags of its elements (s: a string, b: true or false, 1, 2, 4: unsigned of so many bytes); their
# names in IEC 62056-61 ("-": nothing, "id": the meter's, "t": its clock)
_LAYOUTS = const(
    (
        ("KFM", "sss444444", "- id 96.1.7 1.7 2.7 3.7 4.7 31.7 32.7"),
        ("KFM", "sss4444444444", "- id 96.1.7 1.7 2.7 3.7 4.7 31.7 51.7 71.7 32.7 52.7 72.7"),
        ("KFM", "sss444444s4444", "- id 96.1.7 1.7 2.7 3.7 4.7 31.7 32.7 t 1.8 2.8 3.8 4.8"),
        (
            "KFM",
            "sss4444444444s4444",
            "- id 96.1.7 1.7 2.7 3.7 4.7 31.7 51.7 71.7 32.7 52.7 72.7 t 1.8 2.8 3.8 4.8",
        ),
        (
            "ISK",
            "ss4444222222444444",
            "42.0 id 1.7 2.7 3.7 4.7 32.7 52.7 72.7 31.7 51.7 71.7 21.7 41.7 61.7 22.7 42.7 62.7",
        ),
        ("ISK", "ss2222224444", "42.0 id 32.7 52.7 72.7 31.7 51.7 71.7 1.7 2.7 3.7 4.7"),
        ("ISK", "ssb144444444", "42.0 id - - 1.8 1.8.1 1.8.2 2.8 2.8.1 2.8.2 3.8 4.8"),
        ("ISK", "ss44442244", "42.0 id 1.7 2.7 3.7 4.7 32.7 31.7 21.7 22.7"),
        ("ISK", "ss44444444", "42.0 id 1.8.1 1.8.2 2.8.1 2.8.2 3.8.1 3.8.2 4.8.1 4.8.2"),
        ("ISK", "ss224444", "42.0 id 32.7 31.7 1.7 2.7 3.7 4.7"),
        ("", "4", "1.7"),
    )
)
_LETTERS = const("???b??4??ss?s????12???1")  # of the tags 0 to 22


def layout(buf: bytearray, places: list, end: int) -> "list | None":
    """Return (obis, place) of the elements at `places`, or None when that list is not known."""
    tags = "".join([_LETTERS[buf[pos]] if buf[pos] < len(_LETTERS) else "?" for pos in places])
    first = axdr.octets(buf, places[0], end) or b""
    for start, wanted, names in _LAYOUTS:
        if tags == wanted and first.startswith(start.encode()):
            words = names.split()
            return [(_obis(words[i]), places[i]) for i in range(len(words)) if words[i] != "-"]
    return None


def _obis(word):
    if word == "id":
        return b"\x00\x00\x60\x01\x00\xff"
    if word == "t":
        return b"\x00\x00\x01\x00\x00\xff"
    parts = [int(part) for part in word.split(".")]
    if len(parts) < 3:
        parts.append(0)
    return bytes([0 if parts[0] in (42, 96) else 1, 0] + parts + [255])
