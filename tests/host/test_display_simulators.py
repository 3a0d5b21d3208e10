"""The simulated displays beside the SSD1306: what they understand, and that they notice what makes no sense."""

import asyncio
import io

import pytest
from PIL import Image

from meterhub_tools.simulators import display_reader
from meterhub_tools.simulators.bench import DISPLAYS, Bench
from meterhub_tools.simulators.hd44780 import HD44780
from meterhub_tools.simulators.max7219 import MAX7219
from meterhub_tools.simulators.sh1106 import SH1106
from meterhub_tools.simulators.tm1637 import TM1637

RS, RW, E, LIGHT = 1, 2, 4, 8

# -- SH1106 ----------------------------------------------------------------------------------------------------------


def sh1106(*commands: int) -> SH1106:
    chip = SH1106()
    chip.write(bytes((0, *commands)))
    return chip


def test_the_sh1106s_glass_begins_at_its_third_column() -> None:
    chip = sh1106(0xA1, 0xC8, 0xAF, 0xB0, 0x02, 0x10)
    chip.write(b"\x40\x01" + bytes(126) + b"\x80")
    lit = [(x, y) for y, row in enumerate(chip.pixels()) for x, pixel in enumerate(row) if pixel]
    assert (lit, chip.errors) == ([(0, 0), (127, 7)], [])


def test_the_sh1106s_column_stops_at_the_last_one() -> None:
    chip = sh1106(0xAF, 0xB0, 0x00, 0x10)
    chip.write(b"\x40" + bytes(132) + b"\x01\x02")
    assert (chip.ram[131], chip.ram[0], chip.errors) == (2, 0, [])


@pytest.mark.parametrize(
    "commands", [(0x20,), (0x21,), (0x8D,), (0xAD, 0x00), (0xAF, 0xAD, 0x8B), (0x2E,)], ids=lambda c: f"{c[0]:02x}"
)
def test_what_only_an_ssd1306_knows_is_noted(commands: tuple[int, ...]) -> None:
    assert sh1106(*commands).errors


# -- HD44780 ---------------------------------------------------------------------------------------------------------


def nibbles(register: int, *codes: int) -> bytes:
    """Return the outputs that send bytes to the LCD, RS set before."""
    out = [register | LIGHT]
    for code in codes:
        for half in (code & 0xF0, code << 4 & 0xF0):
            out += [half | register | LIGHT | E, half | register | LIGHT]
    return bytes(out)


@pytest.fixture
def lcd() -> HD44780:
    chip = HD44780()
    for half in (0x30, 0x30, 0x30, 0x20):
        chip.write(bytes((half | LIGHT, half | LIGHT | E, half | LIGHT)))
    chip.write(nibbles(0, 0x28, 0x0C, 0x06))
    return chip


def test_two_rows_are_written_and_read(lcd: HD44780) -> None:
    lcd.write(nibbles(0, 0x80) + nibbles(RS, *b"482 913 764 K7QX") + nibbles(0, 0xC0) + nibbles(RS, 0xE1, 0x00, 0x7E))
    assert lcd.seen() == ["482 913 764 K7QX", "ä\ue010→".ljust(16)]
    assert (display_reader.read_rows(lcd.seen()), lcd.errors) == (("482913764", "K7QX"), [])


def test_shapes_of_our_own_are_drawn(lcd: HD44780) -> None:
    lcd.write(nibbles(0, 0x40) + nibbles(RS, *[0x1F] * 8) + nibbles(0, 0x80) + nibbles(RS, 0))
    assert sum(map(sum, lcd.pixels())) == 40


def test_the_lcd_is_dark_until_it_is_switched_on(lcd: HD44780) -> None:
    lcd.write(nibbles(RS, *b"AB"))
    lcd.write(nibbles(0, 0x08))
    assert lcd.seen() == [" " * 16] * 2
    lcd.write(nibbles(0, 0x0C, 0x01))
    assert (lcd.seen(), lcd.errors) == ([" " * 16] * 2, [])


def test_the_second_row_follows_the_first(lcd: HD44780) -> None:
    lcd.write(nibbles(0, 0x80 | 39) + nibbles(RS, *b"xy"))
    assert lcd.seen()[1][0] == "y"


@pytest.mark.parametrize(
    "outputs",
    [
        bytes((LIGHT, LIGHT | RS | E)),  # RS together with E
        bytes((0x40 | E, 0x80)),  # data together with E
        bytes((RW, RW | E, RW)),  # nobody would hear the answer
        nibbles(0, 0x10),
        nibbles(0, 0x00),
        nibbles(0, 0x80 | 50) + nibbles(RS, 0x41),
        bytes((0, E, 0, RS, RS | E, RS)),  # RS between two halves
    ],
)
def test_what_makes_no_sense_to_the_lcd_is_noted(lcd: HD44780, outputs: bytes) -> None:
    lcd.write(outputs)
    assert lcd.errors


def test_an_lcd_that_was_not_started_understands_nothing() -> None:
    chip = HD44780()
    chip.write(nibbles(RS, *b"A"))
    assert chip.errors and chip.seen() == [" " * 16] * 2


# -- digits ----------------------------------------------------------------------------------------------------------


def max7219(*registers: tuple[int, int]) -> MAX7219:
    chip = MAX7219()
    for register in registers:
        chip.write(bytes(register))
    return chip


def test_the_max7219s_leftmost_digit_is_its_last_register() -> None:
    chip = max7219((12, 1), (11, 7), (8, 0b0110000), (1, 0b1101101 | 0x80))
    assert (chip.seen(), chip.errors) == ("1      2.", [])


def test_the_max7219_shows_what_it_scans_and_nothing_asleep() -> None:
    assert max7219((12, 1), (11, 3), (8, 0b0110000), (1, 0b0110000)).seen() == "       1"
    assert max7219((11, 7), (1, 0b0110000)).seen() == " " * 8
    assert max7219((15, 1)).seen() == "8." * 8


@pytest.mark.parametrize("frame", [b"", b"\1", b"\1\2\3", b"\x0d\0", b"\x09\xff"])
def test_what_makes_no_sense_to_the_max7219_is_noted(frame: bytes) -> None:
    chip = MAX7219()
    chip.write(frame)
    assert chip.errors


CLK, DIO = 1, 2


def frame(*data: int, release: bool = True, bits: int = 8) -> bytes:
    """Return the levels of one transmission; with fewer bits than eight it stops too early."""
    out = [CLK | DIO, CLK]
    for byte in data:
        for level in [byte >> i & 1 for i in range(bits)] + [int(release)] * (bits == 8):
            out += [out[-1] & DIO, level << 1, level << 1 | CLK]
    return bytes((*out, out[-1] & DIO, 0, CLK, CLK | DIO))


def test_the_tm1637_takes_its_digits_and_acknowledges() -> None:
    chip = TM1637()
    assert chip.take(frame(0x40)[:-4]) == 0  # pulled down while the clock of the acknowledgement is high
    assert chip.take(frame(0x40)[-4:]) == 1
    chip.take(frame(0xC0, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D | 0x80) + frame(0x8C))
    assert (chip.seen(), chip.errors) == ("3216.54", [])
    chip.take(frame(0x80))
    assert chip.seen() == " " * 6


@pytest.mark.parametrize(
    "levels",
    [
        frame(0x00),  # no command
        frame(0x4F),
        frame(0xC7),
        frame(0x40, 0x01),  # data without an address
        frame(0xC5, 1, 1),  # beyond the last digit
        frame(0x40, release=False),
        frame(0x40, bits=5),  # stops too early
        bytes((CLK | DIO, 0)),
    ],
)
def test_what_makes_no_sense_to_the_tm1637_is_noted(levels: bytes) -> None:
    chip = TM1637()
    chip.take(levels)
    assert chip.errors


def test_the_pin_is_read_from_digits() -> None:
    assert display_reader.read_digits("1-   482.") == (1, "482")
    assert display_reader.read_digits("c-k7qx.") == (4, "K7QX")
    for other in ("", "482", "4- 482.", "1-  48", "2.31"):
        assert display_reader.read_digits(other) is None
    assert display_reader.read_rows(["482 913 76  K7QX", ""]) is None


# -- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_display_has_a_picture_and_forgets_when_it_loses_its_power(name: str) -> None:
    chip = DISPLAYS[name]()
    dark = chip.png()
    assert Image.open(io.BytesIO(dark)).size > (100, 30)
    before = chip.version
    chip.reset()
    assert (chip.png(), chip.version) == (dark, before + 1)


def test_a_bus_without_a_chip() -> None:
    async def run() -> None:
        bench = Bench(display="hd44780")
        await bench.start()
        answers = []
        for order in (b"i2c\n\x3c\0\1x", b"spi\n\0\2ab", b"tm1637\n\0\1\1", b"tm1637\n\0\1\3"):
            reader, writer = await asyncio.open_connection(bench.host, bench.port)
            writer.write(order)
            answers.append(await reader.readexactly(1))
            writer.close()
        assert (answers, bench.display.errors) == ([b"\0", b"\1", b"\0", b"\1"], [])
        await bench.stop()

    asyncio.run(run())
