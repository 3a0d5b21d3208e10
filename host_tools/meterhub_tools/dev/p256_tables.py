"""Write the firmware's comb tables: `python -m meterhub_tools.dev.p256_tables FIRMWARE_FOLDER`.

A table of a point Q has 2^(rows - 1) entries of 64 bytes, x || y, big-endian. With T[j] = 2^(columns * j) Q, entry c
is T[rows - 1] + the sum of +-T[j] over the rows before, + where bit j of c is set (crypto/p256.py, comb()).
G, which every operation needs, has one row more than the others.
HALVES has the points 1, 3 .. 15 times G / 2 (crypto/pedersen.py).
Plain affine arithmetic, so that nothing of the firmware's own is needed to make or check them.
"""

import sys
from pathlib import Path

from .hash_to_curve import hash_to_curve

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_BYTES_PER_LINE = 24

Point = tuple[int, int]

# SP 800-186 3.2.1.3
G: Point = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
# RFC 9382 section 4, P256
M: Point = (
    0x886E2F97ACE46E55BA9DD7242579F2993B64E16EF3DCAB95AFD497333D8FA12F,
    0x5FF355163E43CE224E0B0E65FF02AC8E5C7BE09419C785E0CA547D55A12E2D20,
)
N: Point = (
    0xD8BBD6C639C62937B04D997F38C3770719C629D7014D49A24B4F98BAA1292B49,
    0x07D60AA6BFADE45008A636337F5168C64D9BD36034808CD564490B1E656EDBE7,
)

N_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# firmware/meterhub/crypto/pedersen.py
H: Point = hash_to_curve(b"H", b"meterhub-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_")

MODULES = {
    "p256_tables.py": {"G": (G, 7, 37)},
    "spake2_tables.py": {"M": (M, 6, 43), "N": (N, 6, 43)},
    "pedersen_tables.py": {"H": (H, 6, 43), "HALVES": (G, 0, 0)},
}


def _sum(p: Point, q: Point) -> Point:
    """Return p + q; never asked for opposite points."""
    rise, run = (3 * p[0] * p[0] - 3, 2 * p[1]) if p == q else (q[1] - p[1], q[0] - p[0])
    slope = rise * pow(run, -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def table(point: Point, rows: int, columns: int) -> bytes:
    """Return the comb table of `point`, rows * columns >= 256."""
    bases = [point]
    for _ in range(rows - 1):
        doubled = bases[-1]
        for _ in range(columns):
            doubled = _sum(doubled, doubled)
        bases.append(doubled)
    out = b""
    for c in range(1 << (rows - 1)):
        entry = bases[-1]
        for j, (x, y) in enumerate(bases[:-1]):
            entry = _sum(entry, (x, y if c >> j & 1 else P - y))
        out += entry[0].to_bytes(32, "big") + entry[1].to_bytes(32, "big")
    return out


def halves() -> bytes:
    """Return the points 1, 3 .. 15 times G / 2."""
    base, power = (N_ORDER + 1) // 2, G
    while not base & 1:
        power, base = _sum(power, power), base >> 1
    point = power
    while base := base >> 1:
        power = _sum(power, power)
        point = _sum(point, power) if base & 1 else point
    out = b""
    for _ in range(8):
        out += point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")
        point = _sum(point, G)
    return out


def module(points: dict[str, tuple[Point, int, int]]) -> str:
    """Return the text of a module with the tables of `points`: (point, rows, columns) by name, 0 rows for HALVES."""
    names = " and ".join(points)
    lines = [
        f'"""Comb tables of {names}; written by meterhub_tools.dev.p256_tables, do not edit.',
        "",
        "Source   that file says what an entry is; a test derives them again.",
        "Runs on  both; frozen, they stay in flash",
        '"""',
        "",
        "# fmt: off",
    ]
    for name, (point, rows, columns) in points.items():
        raw = table(point, rows, columns) if rows else halves()
        lines.append(f"{name} = (")
        for at in range(0, len(raw), _BYTES_PER_LINE):
            text = "".join(f"\\x{byte:02x}" for byte in raw[at : at + _BYTES_PER_LINE])
            lines.append(f'    b"{text}"')
        lines.append(")")
    return "\n".join(lines) + "\n"


def main(argv: list[str]) -> int:
    """Write every module into the crypto room of the firmware folder argv[0]; return the exit code."""
    if len(argv) != 1 or not (room := Path(argv[0]) / "meterhub" / "crypto").is_dir():
        sys.stderr.write("usage: python -m meterhub_tools.dev.p256_tables FIRMWARE_FOLDER\n")
        return 2
    for name, points in MODULES.items():
        (room / name).write_text(module(points), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
