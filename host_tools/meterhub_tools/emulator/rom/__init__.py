"""The emulated RP2040's boot ROM: start, bit and memory functions, floats, and traps where flash is written.

The chip's own ROM is not to be had as a package. This one has its layout (RP2040 datasheet, 2.8.3): a function
table and a data table of (two-letter code, pointer), found through pointers at 0x14, 0x16 and the lookup function's
at 0x18. What writes to flash is a breakpoint instruction that the emulator answers. start.S and rom.c are the code;
the tables hold 16-bit pointers, which a linker does not make, so they are put in here.

Source   RP2040 datasheet 2.8.3; pico_sdk's boot/bootrom_constants.h and pico_float for the floats' order
"""

import struct
from collections.abc import Callable
from pathlib import Path

from ...errors import ToolError

SIZE = 0x4000
_TABLES = 0x3F00
_HERE = Path(__file__).parent
SOURCES = [_HERE / "start.S", _HERE / "rom.c", _HERE / "rom.ld"]

FUNCTIONS = {
    "P3": "rom_popcount32",
    "R3": "rom_reverse32",
    "L3": "rom_clz32",
    "T3": "rom_ctz32",
    "MS": "rom_memset",
    "S4": "rom_memset4",
    "MC": "rom_memcpy",
    "C4": "rom_memcpy44",
    "IF": "flash_connect",
    "EX": "flash_exit_xip",
    "RE": "flash_erase",
    "RP": "flash_program",
    "FC": "flash_flush_cache",
    "CX": "flash_enter_xip",
    "UB": "usb_boot",
}
DATA = {"SF": "float_table", "SD": "double_table"}

_FLAGS = [
    *("-mcpu=cortex-m0plus", "-mthumb", "-Os", "-Wall", "-Werror", "-nostdlib", "-nostartfiles"),
    *("-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns"),  # or memcpy() would call memcpy()
]


def build(made: Path, run: Callable[..., str]) -> None:
    """Make `made` and, beside it, its ELF file. run: starts a program and returns what it printed."""
    elf, raw = made.with_suffix(".elf"), made.with_suffix(".new")
    start, code, layout = SOURCES
    run("rom", "arm-none-eabi-gcc", *_FLAGS, "-T", layout, start, code, "-lgcc", "-o", elf)
    run("rom", "arm-none-eabi-objcopy", "-O", "binary", elf, raw)
    lines = [line.split() for line in run("rom", "arm-none-eabi-nm", elf).splitlines()]
    raw.write_bytes(with_tables(raw.read_bytes(), {name: int(address, 16) for address, _, name in lines}))
    raw.replace(made)


def with_tables(code: bytes, symbols: dict[str, int]) -> bytes:
    """Return the 16 KB ROM: `code` with its two tables and the pointers to them."""
    if len(code) > _TABLES:
        raise ToolError(f"the boot ROM's code takes {len(code)} bytes; there is room for {_TABLES}")
    rom = bytearray(code.ljust(SIZE, b"\0"))
    functions = _table({name: symbols[function] | 1 for name, function in FUNCTIONS.items()})
    data = _table({name: symbols[table] for name, table in DATA.items()})
    rom[_TABLES : _TABLES + len(functions) + len(data)] = functions + data
    struct.pack_into("<3H", rom, 0x14, _TABLES, _TABLES + len(functions), symbols["rom_table_lookup"] | 1)
    return bytes(rom)


def _table(entries: dict[str, int]) -> bytes:
    return b"".join(struct.pack("<2sH", name.encode(), pointer) for name, pointer in entries.items()) + b"\0\0"
