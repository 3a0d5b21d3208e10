"""CPython's twin of crc._reflected_py; the only reason to exist is speed on a host, no board ever loads it.

binascii.crc_hqx divides by the polynomial of X-25 too, but takes the highest bit first: bytes and CRC go in and come
out with their bits the other way round.
"""

from binascii import crc_hqx  # pyright: ignore[reportAttributeAccessIssue] - not in MicroPython's

_X25 = 0x8408
_BACKWARDS = bytes([int("{:08b}".format(byte)[::-1], 2) for byte in range(256)])


def reflected(buf: "bytes | bytearray | memoryview", n: int, crc: int, poly: int) -> int:
    raw = bytes(buf) if n == len(buf) else bytes(memoryview(buf)[:n])
    if poly == _X25:
        return _turned(crc_hqx(raw.translate(_BACKWARDS), _turned(crc)))
    table = _tables.get(poly) or _tables.setdefault(poly, _table(poly))
    for byte in raw:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc


def _turned(crc):
    return _BACKWARDS[crc & 0xFF] << 8 | _BACKWARDS[crc >> 8]


def _table(poly):
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = (crc >> 1) ^ poly if crc & 1 else crc >> 1  # noqa: PLW2901
        table.append(crc)
    return table


_tables = {}
