"""CPython's twin of crc._reflected_py; the only reason to exist is speed on a host, no board ever loads it.

What comes lowest bit first is turned round here, byte by byte, and then divided as one long number.
X-25     binascii.crc_hqx divides by the same polynomial.
ARC      x^16+x^15+x^2+1 is (x+1)(x^15+x+1). A remainder of x^15+x+1 is quickly found: its 2^k-th power has three terms
         as well, so the number is folded to half its length again and again; that of x+1 is the number's parity.
"""

from binascii import crc_hqx  # pyright: ignore[reportAttributeAccessIssue] - not in MicroPython's

_X25 = 0x8408
_Q = 0x8003  # x^15+x+1
_BACKWARDS = bytes([int("{:08b}".format(byte)[::-1], 2) for byte in range(256)])


def reflected(buf: "bytes | bytearray | memoryview", n: int, crc: int, poly: int) -> int:
    raw = bytes(buf) if n == len(buf) else bytes(memoryview(buf)[:n])
    divide = crc_hqx if poly == _X25 else _divided
    return _turned(divide(raw.translate(_BACKWARDS), _turned(crc)))


def _turned(crc):
    return _BACKWARDS[crc & 0xFF] << 8 | _BACKWARDS[crc >> 8]


def _divided(raw, crc):
    """Return the remainder of `raw`, begun with `crc`, by the polynomial of ARC, highest bits first."""
    number = int.from_bytes(raw, "big") << 16 ^ crc << 8 * len(raw)
    rest = number
    step = 1 << max(0, number.bit_length() // 15).bit_length()
    while step:
        width = 15 * step
        high = rest >> width
        while high:
            rest = rest & (1 << width) - 1 ^ high << step ^ high
            high = rest >> width
        step >>= 1
    return rest ^ _Q if (rest.bit_count() ^ number.bit_count()) & 1 else rest
