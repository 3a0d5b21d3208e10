"""The emulated RP2040's boot ROM: its functions do what the chip's do (RP2040 datasheet, 2.8.3)."""

import json
import math
import random
import struct

import pytest
from pico import run_node

from meterhub_tools.emulator import image, rom
from meterhub_tools.errors import ToolError

RAM = 0x20000000


@pytest.fixture(scope="module")
def call(stock_image):
    """A function that lets the ROM carry out a list of calls and returns the list of their results."""

    def results(calls):
        return json.loads(run_node("rom_call.mjs", image.boot_rom(), given=json.dumps(calls)))

    return results


def numbers(count, seed):
    source = random.Random(seed)
    return [0, 1, 2, 0x80000000, 0xFFFFFFFF, 0x00010000] + [
        source.getrandbits(source.randint(1, 32)) for _ in range(count)
    ]


@pytest.mark.parametrize(
    "code,expected",
    [
        ("P3", lambda x: x.bit_count()),
        ("R3", lambda x: int(f"{x:032b}"[::-1], 2)),
        ("L3", lambda x: 32 - x.bit_length()),
        ("T3", lambda x: (x & -x).bit_length() - 1 if x else 32),
    ],
)
def test_bits(call, code, expected):
    given = numbers(50, code)
    found = call([{"code": code, "args": [x]} for x in given])
    assert [result["r"][0] for result in found] == [expected(x) for x in given]


@pytest.mark.parametrize("code,step", [("MS", 1), ("S4", 4)])
@pytest.mark.parametrize("value", [0, 0x5A, 0xFF, 0xFFFFFFFF, 0x12345678])
def test_memset_takes_the_lowest_byte_of_its_value(call, code, step, value):
    cases = [(start, count) for start in range(0, 8, step) for count in (0, 4, 8, 20, *range(1, 12, step))]
    before = bytes(range(40))
    found = call([{"code": code, "args": [RAM + s, value, n], "ram": before.hex()} for s, n in cases if n % step == 0])
    wanted = [before[:s] + bytes([value & 0xFF]) * n + before[s + n :] for s, n in cases if n % step == 0]
    assert [result["ram"] for result in found] == [ram.hex() for ram in wanted]
    assert {result["r"][0] for result in found} == {RAM + s for s, _ in cases}


@pytest.mark.parametrize("code,step", [("MC", 1), ("C4", 4)])
def test_memcpy(call, code, step):
    cases = [(to, source, n) for to in range(0, 8, step) for source in range(32, 40, step) for n in (0, 4, 12, 16)]
    cases += [(1, 33, n) for n in range(12)] if step == 1 else []
    before = bytes(range(64))
    found = call([{"code": code, "args": [RAM + t, RAM + s, n], "ram": before.hex()} for t, s, n in cases])
    wanted = [before[:t] + before[s : s + n] + before[t + n :] for t, s, n in cases]
    assert [result["ram"] for result in found] == [ram.hex() for ram in wanted]
    assert [result["r"][0] for result in found] == [RAM + t for t, _, _ in cases]


# -- floats ----------------------------------------------------------------------------------------------------------

FORMS = {"SF": ("<f", "<I"), "SD": ("<d", "<2I")}
VALUES = [0.0, -0.0, 1.0, -1.0, 0.1, -0.3, 1.5, 1e10, -1e10, 3.4e38, 1.2e-38, 16777217.0, math.pi, math.inf, -math.inf]
OPERATIONS = {0x00: "add", 0x04: "sub", 0x08: "mul", 0x0C: "div"}


def narrowed(table, value):
    try:
        return struct.unpack(FORMS[table][0], struct.pack(FORMS[table][0], value))[0]
    except OverflowError:  # CPython's way to say so
        return math.copysign(math.inf, value)


def words(table, value):
    form, raw = FORMS[table]
    return list(struct.unpack(raw, struct.pack(form, value)))


def values(table):
    source = random.Random(table)
    return [
        narrowed(table, v) for v in VALUES + [source.uniform(-1, 1) * 10 ** source.randint(-9, 20) for _ in range(10)]
    ]


def compute(operation, a, b):
    if operation == "div" and b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
    try:
        return {"add": a + b, "sub": a - b, "mul": a * b, "div": a / b if b else 0}[operation]
    except OverflowError:
        return math.inf


@pytest.mark.parametrize("table", FORMS)
@pytest.mark.parametrize("offset", OPERATIONS)
def test_arithmetic(call, table, offset):
    # a float's operation in double and rounded once more is the float's own (53 >= 2 * 24 + 2)
    cases = [(a, b) for a in values(table) for b in values(table)]
    found = call([{"table": table, "offset": offset, "args": words(table, a) + words(table, b)} for a, b in cases])
    form, raw = FORMS[table]
    for (a, b), result in zip(cases, found, strict=True):
        wanted = narrowed(table, compute(OPERATIONS[offset], a, b))
        given = struct.unpack(form, struct.pack(raw, *result["r"][: len(words(table, 0.0))]))[0]
        assert result["trap"] is None
        same = math.isnan(given) if math.isnan(wanted) else words(table, given) == words(table, wanted)
        assert same, f"{a} {OPERATIONS[offset]} {b}: {given} instead of {wanted}"


INTEGERS = {0x1C: (32, True), 0x24: (32, False), 0x6C: (64, True), 0x74: (64, False)}


@pytest.mark.parametrize("table", FORMS)
@pytest.mark.parametrize("offset", INTEGERS)
def test_numbers_become_integers_downwards_and_within_bounds(call, table, offset):
    bits, signed = INTEGERS[offset]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    given = [*values(table), -0.5, 0.5, -1.5, 2.0**31, -(2.0**31), 2.0**32, 2.0**63, -(2.0**63), 2.0**64]
    found = call([{"table": table, "offset": offset, "args": words(table, x)} for x in given])
    for x, result in zip(given, found, strict=True):
        whole = low if x == -math.inf else high if x == math.inf else min(max(math.floor(x), low), high)
        assert (result["r"][0] | result["r"][1] << 32) & ((1 << bits) - 1) == whole % (1 << bits), x


@pytest.mark.parametrize("table", FORMS)
@pytest.mark.parametrize(
    "offset,bits,signed", [(0x2C, 32, True), (0x34, 32, False), (0x5C, 64, True), (0x64, 64, False)]
)
def test_integers_become_numbers(call, table, offset, bits, signed):
    given = [n << 32 | m if bits == 64 else m for n, m in zip(numbers(30, 1), numbers(30, 2), strict=True)]
    given += [0x1000001, 0x1000003, (1 << bits) - 1, 1 << bits - 1]
    found = call([{"table": table, "offset": offset, "args": [n & 0xFFFFFFFF, n >> 32]} for n in given])
    for n, result in zip(given, found, strict=True):
        value = n - (1 << bits) if signed and n >> bits - 1 else n
        wanted = words(table, float(value)) if table == "SD" else [nearest_float(value)]
        assert result["r"][: len(wanted)] == wanted, value


def nearest_float(value):
    """The bits of the float next to an integer, without CPython's double in between."""
    size, sign = abs(value), 0x80000000 if value < 0 else 0
    shift = size.bit_length() - 24
    if shift > 0:
        rest, half = size & (1 << shift) - 1, 1 << shift - 1
        size = (size >> shift) + (rest > half or (rest == half and size >> shift & 1))
    else:
        shift = 0
    return sign | words("SF", float(size * 2**shift))[0]


def test_the_two_kinds_become_each_other(call):
    given = [*values("SF"), 3.5e-45]
    found = call([{"table": "SF", "offset": 0x7C, "args": words("SF", x)} for x in given])
    assert [result["r"] for result in found] == [words("SD", narrowed("SF", x)) for x in given]
    given = [*values("SD"), 1e300, -1e300, 1e-300]
    found = call([{"table": "SD", "offset": 0x7C, "args": words("SD", x)} for x in given])
    assert [result["r"][0] for result in found] == [words("SF", narrowed("SF", x))[0] for x in given]


# -- what is not there -----------------------------------------------------------------------------------------------


def test_a_function_that_this_rom_has_not_is_a_trap_and_no_silence(call):
    sine = {"table": "SF", "offset": 0x40, "args": [0]}
    assert call([sine])[0]["trap"] == 5


def test_a_name_that_no_table_has_is_found_to_be_none(call):
    raw = image.boot_rom().read_bytes()
    assert len(raw) == rom.SIZE
    assert all(code.encode() in raw[0x3F00:] for code in [*rom.FUNCTIONS, *rom.DATA])
    assert b"XX" not in raw[0x3F00:]


def test_code_that_would_run_into_the_tables_is_refused():
    with pytest.raises(ToolError, match="takes 16200 bytes"):
        rom.with_tables(bytes(16200), {})
