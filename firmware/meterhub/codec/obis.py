"""OBIS codes: the names of registers, as text and as six bytes.

Source   IEC 62056-61 (A-B:C.D.E.F; F is 255 where there is no history)
Errors   ValueError for a text that is no code
Runs on  both
"""


def pack_obis(obis: str) -> bytes:
    """Return the six bytes of "1-0:1.8.0" or "1-0:1.8.0.255"; ValueError when it is no OBIS code."""
    medium, _, rest = obis.partition("-")
    channel, _, rest = rest.partition(":")
    parts = [medium, channel] + rest.split(".")
    if len(parts) == 5:
        parts.append("255")
    if len(parts) != 6 or not all(_is_group(part) for part in parts):
        raise ValueError(obis)
    return bytes([int(part) for part in parts])


def _is_group(part):
    """Return whether this is a number of one byte.

    int() alone would let " 8", "+8" and "1_0" in, second names for one register, and bytes() a number of any length.
    """
    return 0 < len(part) <= 3 and all(c in "0123456789" for c in part) and int(part) < 256


def unpack_obis(raw: bytes) -> str:
    """Return "1-0:1.8.0" for six bytes; F is left out when it is 255."""
    text = "%d-%d:%d.%d.%d" % tuple(raw[:5])
    return text if raw[5] == 255 else text + ".%d" % raw[5]
