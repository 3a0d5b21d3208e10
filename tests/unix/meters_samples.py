"""Telegrams of a made-up meter, for the tests of meters/."""

import board_heap  # noqa: F401 - first

from meterhub.codec.crc import crc16_arc

AT = 1760000400  # 2025-10-09 09:00:00 UTC, 11:00:00 S
METER = "E0012345678901234"
GAS = "G0098765432109876"


def coded(text):
    return "".join(["%02X" % ord(c) for c in text])


LINES = (
    "1-3:0.2.8(50)",
    "0-0:1.0.0(251009110000S)",
    "0-0:96.1.1(" + coded(METER) + ")",
    "1-0:1.8.1(001234.567*kWh)",
    "1-0:1.8.2(002345.678*kWh)",
    "1-0:2.8.1(000345.001*kWh)",
    "1-0:2.8.2(000456.002*kWh)",
    "0-0:96.14.0(0002)",
    "1-0:1.7.0(00.331*kW)",
    "1-0:2.7.0(00.000*kW)",
    "0-0:96.7.9(00003)",
    "1-0:99.97.0(2)(0-0:96.7.19)(250102030405W)(0000000240*s)(250601020304S)(0000004321*s)",
    "0-0:96.13.0(48656C6C6F)",
    "1-0:32.7.0(230.1*V)",
    "1-0:31.7.0(001.44*A)",
    "0-1:24.1.0(003)",
    "0-1:96.1.0(" + coded(GAS) + ")",
    "0-1:24.2.1(251009105500S)(00987.654*m3)",
)
LINES_V2 = (
    "0-0:96.1.1(" + coded(METER) + ")",
    "1-0:1.8.1(01234.567*kWh)",
    "1-0:1.8.2(02345.678*kWh)",
    "1-0:1.7.0(0000.33*kW)",
    "0-1:24.1.0(3)",
    "0-1:96.1.0(" + coded(GAS) + ")",
    "0-1:24.3.0(251009110000)(00)(60)(1)(0-1:24.2.1)(m3)",
    "(00987.654)",
    "0-1:24.4.0(1)",
)


def body(lines=LINES, ident="/MTH5\\2SAMPLE", eol="\r\n"):
    return (ident + eol + eol + "".join([line + eol for line in lines]) + "!").encode()


def telegram(lines=LINES, ident="/MTH5\\2SAMPLE", eol="\r\n"):
    raw = body(lines, ident, eol)
    return raw + b"%04X" % crc16_arc(raw, len(raw)) + b"\r\n"


def bare(lines=LINES_V2, eol="\r\n"):
    return body(lines, "/MTH5SAMPLE2", eol) + b"\r\n"


def change(lines, old, new):
    return tuple([line.replace(old, new) for line in lines])


def reading(found, obis):
    """Return the one reading of a telegram with this name."""
    (only,) = [r for r in found.readings if r.obis == obis]
    return only


def value(found, obis):
    """Return (value, scale, unit) of the one reading of a telegram with this name."""
    only = reading(found, obis)
    return only.value, only.scale, only.unit


def feed(p1, raw, step=64):
    """Feed `raw` to a P1Decoder in pieces of `step` bytes; return all Telegrams."""
    found = []
    for pos in range(0, len(raw), step):
        chunk = raw[pos : pos + step]
        found.extend(p1.feed(chunk, len(chunk)))
    return found
