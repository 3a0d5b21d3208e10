"""What meters say in bytes, as words: the names of registers, and strings.

Memory   names that come in every telegram are kept, at most 48.
Runs on  both
"""

import binascii

from micropython import const

from ..codec.obis import unpack_obis

_MOST_KNOWN = const(48)


class Names:
    """The names of one meter's registers by their six bytes, each put together once."""

    def __init__(self) -> None:
        self._known = {}

    def of(self, obis: bytes) -> str:
        """Return "1-0:1.8.0"."""
        name = self._known.get(obis)
        if name is None:
            name = unpack_obis(obis)
            if len(self._known) < _MOST_KNOWN:
                self._known[obis] = name
        return name


def is_printable(raw: "bytes | bytearray") -> bool:
    """Return whether all bytes are of ASCII's that print, the blank among them."""
    return all(32 <= byte < 127 for byte in raw)  # a list could be as long as a telegram


def readable(raw: bytes) -> str:
    """Return a string as text where it is printable, else in hex."""
    return str(raw if is_printable(raw) else binascii.hexlify(raw), "ascii")
