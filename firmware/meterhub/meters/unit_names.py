"""Units as meters write them in text, and what they are here: a unit of reading.py and a power of ten.

Source   P1 companion standard 5.0.2, 6.12; IEC 62056-21 6.5 (units are free text of at most 16 characters).
Runs on  both
"""

# in small letters; no meter tells milliwatts, so "mw" and "mwh" are a million. A tuple: it stays in a board's flash
_UNITS = (
    (b"kwh", ("Wh", 3)),
    (b"kw", ("W", 3)),
    (b"v", ("V", 0)),
    (b"a", ("A", 0)),
    (b"m3", ("m3", 0)),
    (b"wh", ("Wh", 0)),
    (b"mwh", ("Wh", 6)),
    (b"gwh", ("Wh", 9)),
    (b"w", ("W", 0)),
    (b"mw", ("W", 6)),
    (b"kvarh", ("varh", 3)),
    (b"varh", ("varh", 0)),
    (b"mvarh", ("varh", 6)),
    (b"kvar", ("var", 3)),
    (b"var", ("var", 0)),
    (b"mvar", ("var", 6)),
    (b"kvah", ("VAh", 3)),
    (b"vah", ("VAh", 0)),
    (b"mvah", ("VAh", 6)),
    (b"kva", ("VA", 3)),
    (b"va", ("VA", 0)),
    (b"mva", ("VA", 6)),
    (b"kv", ("V", 3)),
    (b"mv", ("V", -3)),
    (b"ka", ("A", 3)),
    (b"ma", ("A", -3)),
    (b"hz", ("Hz", 0)),
    (b"dm3", ("m3", -3)),
    (b"l", ("l", 0)),
    (b"m3/h", ("m3/h", 0)),
    (b"m3ph", ("m3/h", 0)),
    (b"m3*h-1", ("m3/h", 0)),
    (b"l/h", ("l/h", 0)),
    (b"gj", ("J", 9)),
    (b"mj", ("J", 6)),
    (b"kj", ("J", 3)),
    (b"j", ("J", 0)),
    (b"c", ("C", 0)),
    (b"\xb0c", ("C", 0)),
    (b"k", ("K", 0)),
    (b"s", ("s", 0)),
)


def known_unit(text: bytes) -> "tuple[str, int] | None":
    """Return (unit, power of ten) of a unit as a meter writes it, or None when it is not known."""
    small = text.strip().lower()
    for name, known in _UNITS:
        if name == small:
            return known
    return None
