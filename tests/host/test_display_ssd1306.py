"""The display controller's model, held against its data sheet (SSD1306 rev 1.1)."""

import io

import pytest
from PIL import Image

from meterhub_tools.simulators.ssd1306 import HEIGHT, SSD1306, WIDTH

UPRIGHT = (0x8D, 0x14, 0xA1, 0xC8, 0xAF)


def chip(*commands: int) -> SSD1306:
    model = SSD1306()
    model.write(bytes((0x00, *commands)))
    return model


def lit(model: SSD1306) -> list[tuple[int, int]]:
    return [(x, y) for y, row in enumerate(model.pixels()) for x, pixel in enumerate(row) if pixel]


def test_after_reset_it_is_dark_and_addresses_by_page() -> None:
    model = SSD1306()
    model.write(bytes((0x40, 0xFF, 0xFF)))
    assert (lit(model), model.mode, model.contrast) == ([], 2, 0x7F)


def test_without_charge_pump_there_is_no_light() -> None:
    model = chip(0xAF, 0xA5)
    assert not model.is_lit
    model.write(bytes((0x00, 0x8D, 0x14)))
    assert model.is_lit
    assert len(lit(model)) == WIDTH * HEIGHT


def test_the_first_byte_stands_at_the_top_left_of_an_upright_module() -> None:
    model = chip(*UPRIGHT, 0x20, 0)
    model.write(bytes((0x40, 0b101)))
    assert lit(model) == [(0, 0), (0, 2)]


def test_without_remap_and_far_scan_it_stands_on_its_head() -> None:
    model = chip(0x8D, 0x14, 0xAF, 0x20, 0)
    model.write(bytes((0x40, 0b101)))
    assert lit(model) == [(127, 61), (127, 63)]


def test_remapping_changes_only_what_is_written_later() -> None:
    model = chip(*UPRIGHT, 0x20, 0)
    model.write(bytes((0x40, 1)))
    model.write(bytes((0x00, 0xA0, 0x21, 0, 127)))
    model.write(bytes((0x40, 1)))
    assert lit(model) == [(0, 0), (127, 0)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0, [(10, 8), (11, 8), (10, 16), (11, 16), (10, 8)]),
        (1, [(10, 8), (10, 16), (11, 8), (11, 16), (10, 8)]),
    ],
)
def test_horizontal_and_vertical_addressing_stay_in_their_window(mode: int, expected: list[tuple[int, int]]) -> None:
    model = chip(*UPRIGHT, 0x20, mode, 0x21, 10, 11, 0x22, 1, 2)
    for place in expected:
        model.ram[:] = bytes(1024)
        model.write(bytes((0x40, 1)))
        assert lit(model) == [place]


def test_page_addressing_wraps_in_its_page() -> None:
    model = chip(*UPRIGHT, 0x20, 2, 0xB3, 0x0E, 0x17)
    assert (model.page, model.column) == (3, 0x7E)
    model.write(bytes((0x40, 1, 1, 1)))
    assert lit(model) == [(0, 24), (126, 24), (127, 24)]


def test_a_command_may_be_spread_over_transactions() -> None:
    model = SSD1306()
    for byte in (0x81, 0x33, *UPRIGHT):
        model.write(bytes((0x80, byte)))
    assert (model.contrast, model.is_lit, model.errors) == (0x33, True, [])


def test_commands_and_data_may_stand_in_one_transaction() -> None:
    model = chip(*UPRIGHT, 0x20, 0)
    model.write(bytes((0x80, 0x21, 0x80, 5, 0x80, 9, 0xC0, 1, 0x40, 1, 1)))
    assert lit(model) == [(5, 0), (6, 0), (7, 0)]


def test_inversion_all_on_start_line_and_offset() -> None:
    model = chip(*UPRIGHT, 0x20, 0)
    model.write(bytes((0x40, 1)))
    model.write(bytes((0x00, 0xA7)))
    assert len(lit(model)) == WIDTH * HEIGHT - 1
    model.write(bytes((0x00, 0xA6, 0x41)))
    assert lit(model) == [(0, 63)]
    model.write(bytes((0x00, 0x40, 0xD3, 8)))
    assert lit(model) == [(0, 56)]
    model.write(bytes((0x00, 0xD3, 0, 0xA5)))
    assert len(lit(model)) == WIDTH * HEIGHT


def test_a_smaller_multiplex_ratio_leaves_rows_dark() -> None:
    model = chip(*UPRIGHT, 0xA8, 31, 0xA5)
    assert {y for _, y in lit(model)} == set(range(32, 64))


@pytest.mark.parametrize(
    "commands",
    [(0x30,), (0xFF,), (0x20, 3), (0x21, 10, 9), (0x21, 0, 128), (0x22, 0, 8), (0xA8, 3), (0xDA, 0x02)],
)
def test_what_makes_no_sense_is_noted(commands: tuple[int, ...]) -> None:
    assert len(chip(*commands).errors) == 1


def test_a_wrong_control_byte_is_noted_and_the_rest_ignored() -> None:
    model = SSD1306()
    model.write(bytes((0x01, 0xAF)))
    assert (len(model.errors), model.is_on) == (1, False)


def test_scrolling_is_understood_by_its_length() -> None:
    model = chip(0x26, 0, 0, 0, 7, 0, 0xFF, 0x2A, 0, 0, 0, 7, 1, 0xA3, 0, 64, 0x2F, 0x2E, 0xE3, 0xD5, 0x80, 0xAF)
    assert (model.errors, model.is_on) == ([], True)


def test_the_errors_kept_are_bounded() -> None:
    assert len(chip(*[0xFF] * 1000).errors) == 100


def test_the_picture_is_a_png_of_the_pixels_with_their_brightness() -> None:
    model = chip(*UPRIGHT, 0x20, 0)
    model.write(bytes((0x40, 1)))
    for contrast in (0xFF, 0x01):
        model.write(bytes((0x00, 0x81, contrast)))
        image = Image.open(io.BytesIO(model.png(3))).convert("L")
        assert image.size == (384, 192)
        corners = [image.getpixel((x, y)) for x, y in ((0, 0), (2, 2), (3, 0), (0, 3))]
        assert corners[0] == corners[1] > 3 * corners[2]
        assert corners[2] == corners[3]
    assert corners[0] < 150


def test_losing_power_forgets_everything() -> None:
    model = chip(*UPRIGHT, 0xA5)
    model.reset()
    assert (model.is_lit, lit(model)) == (False, [])
