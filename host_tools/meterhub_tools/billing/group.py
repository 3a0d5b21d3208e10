"""The group that bills are proved in, P-256, by a maintained library: pycryptodome, or OpenSSL where it is there.

Source   SEC1 2.3 (compressed points, field elements); EC_POINT_*(3) of OpenSSL 3
Errors   Refused POINT for bytes that are no point of the curve, or the one at infinity
A point is what the library makes of it: only this file looks inside. Scalars are integers, taken modulo N.
Neither library is asked for constant time: the customer's computer is the customer's.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterable
from typing import Any, Protocol

from Crypto.PublicKey.ECC import EccPoint

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from .refusals import Refused

from meterhub.crypto import p256, pedersen  # isort: skip

N = p256.N
P = p256.P
POINT_BYTES = 33
AT_INFINITY = bytes(POINT_BYTES)  # only ever hashed: nothing that is decoded

Point = Any


class Group(Protocol):
    """What a library has to do."""

    name: str

    def decode(self, raw: bytes) -> Point:
        """Return the point in 33 bytes; Refused POINT."""

    def encode(self, point: Point) -> bytes:
        """Return the 33 bytes of a point, zeros for the one at infinity."""

    def add(self, p: Point, q: Point) -> Point:
        """Return p + q."""

    def minus(self, p: Point) -> Point:
        """Return -p."""

    def total(self, points: Iterable[Point]) -> Point:
        """Return the sum of any number of points."""

    def mul(self, k: int, p: Point) -> Point:
        """Return k * p."""

    def commit(self, m: int, r: int) -> Point:
        """Return m * G + r * H."""


def checked(raw: bytes) -> tuple[int, int]:
    """Return (x, lowest bit of y) of a compressed point that is encoded as it must be; Refused POINT."""
    x = int.from_bytes(raw[1:])
    if len(raw) != POINT_BYTES or raw[0] not in (2, 3) or x >= P:
        raise Refused("POINT")
    return x, raw[0] & 1


class Pycryptodome:
    """pycryptodome's EccPoint, with a table for H, which it has no own for."""

    name = "pycryptodome"

    def __init__(self) -> None:
        self._g = EccPoint(*p256.G)
        self._zero = self._g.point_at_infinity()
        self._windows: list[list[EccPoint]] = []  # of eight bits of a multiple of H: 1 .. 255 times 2^(8 i) H

    def _table(self) -> list[list[EccPoint]]:
        base = EccPoint(*pedersen.H)
        for _ in range(32):
            window = [base]
            for _ in range(254):
                window.append(window[-1] + base)
            self._windows.append(window)
            base = window[-1] + base
        return self._windows

    def decode(self, raw: bytes) -> EccPoint:
        x, odd = checked(raw)
        y = pow(x * x * x - 3 * x + p256.B, (P + 1) // 4, P)
        try:
            return EccPoint(x, y if y & 1 == odd else P - y)
        except ValueError:
            raise Refused("POINT") from None

    def encode(self, point: EccPoint) -> bytes:
        if point.is_point_at_infinity():
            return AT_INFINITY
        x, y = point.xy
        return bytes((2 | int(y) & 1,)) + int(x).to_bytes(32)

    def add(self, p: EccPoint, q: EccPoint) -> EccPoint:
        return p + q

    def minus(self, p: EccPoint) -> EccPoint:
        return -p

    def total(self, points: Iterable[EccPoint]) -> EccPoint:
        found = self._zero.copy()
        for point in points:
            found += point
        return found

    def mul(self, k: int, p: EccPoint) -> EccPoint:
        return p * (k % N)

    def commit(self, m: int, r: int) -> EccPoint:
        m %= N
        found = self._g * m if m else self._zero.copy()
        for window, digit in zip(self._windows or self._table(), (r % N).to_bytes(32, "little"), strict=True):
            if digit:
                found += window[digit - 1]
        return found


class OpenSSL:
    """The system's libcrypto, through ctypes. ImportError where there is none that does what is asked of it."""

    name = "OpenSSL"
    _P256 = 415  # NID_X9_62_prime256v1

    def __init__(self) -> None:
        place = ctypes.util.find_library("crypto")
        if not place:
            raise ImportError("no libcrypto")
        try:
            self._lib = _declared(ctypes.CDLL(place))
        except (OSError, AttributeError) as error:
            raise ImportError(str(error)) from None
        lib = self._lib
        self._group = lib.EC_GROUP_new_by_curve_name(self._P256)
        self._ctx = lib.BN_CTX_new()
        if not self._group or not self._ctx:
            raise ImportError("libcrypto has no P-256")
        self._h = self.decode(pedersen.compressed(pedersen.H))

    class _Held:
        """A point, which is freed with the object."""

        __slots__ = ("_free", "at")

        def __init__(self, lib: Any, group: Any) -> None:
            self.at = lib.EC_POINT_new(group)
            self._free = lib.EC_POINT_free
            if not self.at:
                raise MemoryError

        def __del__(self) -> None:
            if getattr(self, "at", None):
                self._free(self.at)

    def _new(self) -> _Held:
        return self._Held(self._lib, self._group)

    def _number(self, k: int) -> Any:
        return self._lib.BN_bin2bn((k % N).to_bytes(32), 32, None)

    @staticmethod
    def _done(result: int) -> None:
        if result != 1:
            raise ArithmeticError("libcrypto")

    def decode(self, raw: bytes) -> _Held:
        checked(raw)
        point = self._new()
        if self._lib.EC_POINT_oct2point(self._group, point.at, raw, len(raw), self._ctx) != 1:
            raise Refused("POINT")
        return point

    def encode(self, point: _Held) -> bytes:
        lib = self._lib
        if lib.EC_POINT_is_at_infinity(self._group, point.at):
            return AT_INFINITY
        room = ctypes.create_string_buffer(POINT_BYTES)
        if lib.EC_POINT_point2oct(self._group, point.at, 2, room, POINT_BYTES, self._ctx) != POINT_BYTES:
            raise ArithmeticError("libcrypto")
        return room.raw

    def add(self, p: _Held, q: _Held) -> _Held:
        found = self._new()
        self._done(self._lib.EC_POINT_add(self._group, found.at, p.at, q.at, self._ctx))
        return found

    def minus(self, p: _Held) -> _Held:
        found = self._new()
        self._done(self._lib.EC_POINT_copy(found.at, p.at))
        self._done(self._lib.EC_POINT_invert(self._group, found.at, self._ctx))
        return found

    def total(self, points: Iterable[_Held]) -> _Held:
        found = self._new()
        self._done(self._lib.EC_POINT_set_to_infinity(self._group, found.at))
        for point in points:
            self._done(self._lib.EC_POINT_add(self._group, found.at, found.at, point.at, self._ctx))
        return found

    def mul(self, k: int, p: _Held) -> _Held:
        return self._sum(None, k, p)

    def commit(self, m: int, r: int) -> _Held:
        return self._sum(m, r, self._h)

    def _sum(self, m: int | None, k: int, p: _Held) -> _Held:
        """Return m * G + k * p."""
        found, lib = self._new(), self._lib
        first = None if m is None else self._number(m)
        second = self._number(k)
        try:
            self._done(lib.EC_POINT_mul(self._group, found.at, first, p.at, second, self._ctx))
        finally:
            lib.BN_clear_free(second)
            lib.BN_clear_free(first)
        return found


def _declared(lib: Any) -> Any:
    """Return libcrypto with the types of what is used of it; AttributeError where something is not there."""
    pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
    for name, result, *arguments in (
        ("EC_GROUP_new_by_curve_name", pointer, number),
        ("BN_CTX_new", pointer),
        ("EC_POINT_new", pointer, pointer),
        ("EC_POINT_free", None, pointer),
        ("BN_bin2bn", pointer, ctypes.c_char_p, number, pointer),
        ("BN_clear_free", None, pointer),
        ("EC_POINT_oct2point", number, pointer, pointer, ctypes.c_char_p, size, pointer),
        ("EC_POINT_point2oct", size, pointer, pointer, number, ctypes.c_char_p, size, pointer),
        ("EC_POINT_is_at_infinity", number, pointer, pointer),
        ("EC_POINT_set_to_infinity", number, pointer, pointer),
        ("EC_POINT_add", number, pointer, pointer, pointer, pointer, pointer),
        ("EC_POINT_copy", number, pointer, pointer),
        ("EC_POINT_invert", number, pointer, pointer, pointer),
        ("EC_POINT_mul", number, pointer, pointer, pointer, pointer, pointer, pointer),
    ):
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments
    return lib


def _works(group: Group) -> bool:
    """Return whether a library agrees with what is known: (N - 5) G + 7 H, put together in two ways."""
    g, h = group.commit(1, 0), group.commit(0, 1)
    known = pedersen.compressed(p256.G), pedersen.compressed(pedersen.H)
    sums = group.commit(-5, 7), group.total([group.minus(group.mul(5, g)), *[h] * 7])
    return (group.encode(g), group.encode(h)) == known and len({group.encode(one) for one in sums}) == 1


def fastest() -> Group:
    """Return OpenSSL where it is there and right, else pycryptodome."""
    try:
        group: Group = OpenSSL()
        if _works(group):
            return group
    except (ImportError, ArithmeticError, Refused):
        pass
    return Pycryptodome()
