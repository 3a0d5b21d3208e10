"""What the display shows is read back from its pixels: every page, every glyph, and never what is not there."""

import random

import pytest

from meterhub.ihd import asking, layout, pages, reading
from meterhub.ihd.canvas import Canvas
from meterhub.ihd.entries import Consent, Logged
from meterhub.ihd.model import Model
from meterhub_tools.simulators import display_reader as reader

WISH = ("half-hours", "1 Oct – 31 Oct 2026")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def household() -> Model:
    model = Model("7Q2KX9M4RT0ABCDE", "Kitchen", "0.1.0")
    model.clock, model.wan, model.meters = "14:05", "up", ("fresh",)
    model.power_w, model.import_wh, model.price_e5 = 2310, 12345678, 28500
    model.today_wh, model.yesterday_wh = 7420, 8100
    model.last_hour_w = (300, 500, None, 1200, 2310)
    model.consents = [Consent("Green Co-op", "half-hours", "31 Oct 2027", "1 Oct 14:05", 1)] * 2
    model.log = [Logged("1 Oct 14:05", "Green Co-op", "sent: 1,488 half-hours")] * 3
    return model


def supplied(value: str, why: str, todo: str, may: bool) -> Model:
    model = household()
    model.supply = (value, (why, todo), may)
    return model


def watched(*millivolts: int) -> Model:
    model = household()
    phases = [(f"L{i + 1}", mv, 0, 52 * 3600, 223104, 241960, 1) for i, mv in enumerate(millivolts)]
    model.voltage = lambda: (216000, 253000, phases)
    return model


def pixels(page: pages.Page) -> reader.Pixels:
    canvas = Canvas(128, 64, bytearray(1024))
    layout.draw(page, canvas)
    return [[bool(canvas.buffer[y // 8 * 128 + x] >> y % 8 & 1) for x in range(128)] for y in range(64)]


def request(recipient: str, who: str, answer: bool = True) -> pages.Page:
    return asking.who_asks(recipient, WISH, who, *(("no", "show PIN") if answer else ("", "")))


def test_a_thousand_pins_and_codes_are_read_back() -> None:
    rnd = random.Random(1)
    for _ in range(1000):
        pin = "".join(rnd.choices("0123456789", k=9))
        code = "".join(rnd.choices(CROCKFORD, k=4))
        shown = pixels(asking.pin(pin, code, rnd.randint(1, 3), rnd.randint(0, 600)))
        assert (reader.read_pin(shown), reader.read_code(shown)) == (pin, code)


@pytest.mark.parametrize("page", [request("Green Co-op", "they CAN read it"), pages.now(household())])
def test_there_is_no_pin_on_other_pages(page: pages.Page) -> None:
    assert (reader.read_pin(pixels(page)), reader.read_code(pixels(page))) == (None, None)


def test_one_wrong_pixel_in_a_digit_is_no_pin() -> None:
    shown = pixels(asking.pin("482913764", "K7QX", 3, 600))
    shown[20][20] = not shown[20][20]
    assert reader.read_pin(shown) is None


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        (reading.start(household()), ["METERHUB  0.1.0", "Kitchen", "hub 7Q2KX9M4RT0ABCDE", "A next"]),
        (
            pages.now(household()),
            ["NOW  14:05 \ue000 \ue002", "◐ medium  €0.66/h", "import  12345.678 kWh", "A next  B access"],
        ),
        (
            pages.today(household()),
            ["TODAY  14:05 \ue000 \ue002", "cost  €2.11", "yesterday  8.10 kWh", "A next  B access"],
        ),
        (
            request("Green Co-op", "they CAN read it"),
            ["WHO ASKS  1/2", "Green Co-op", *WISH, "they CAN read it", "A no  B show PIN"],
        ),
        (
            request("Stadtwerke München Netz GmbH", "only your browser can read it", answer=False),
            ["WHO ASKS  1/2", "Stadtwerke München", "Netz GmbH", *WISH, "only your browser can read it"],
        ),
        (asking.pin("482913764", "K7QX", 1, 9), ["PIN  last try  0:09", "A cancel  B who?"]),
        (asking.notice(("wrong PIN", "2 tries left")), ["wrong PIN", "2 tries left", "A ok"]),
        (
            reading.consent(household(), 0),
            ["WHO MAY ASK  1/2", "Green Co-op", "half-hours", "until  31 Oct 2027"]
            + ["last used  1 Oct 14:05", "A next  B revoke"],
        ),
        (
            asking.revoke(household().consents[0]),
            ["REVOKE", "Green Co-op", "No longer let them ask?", "Data sent stays with them.", "A keep  B revoke"],
        ),
        (
            reading.log(household(), 1),
            ["LOG  2/3", "Green Co-op", "1 Oct 14:05", "sent: 1,488 half-hours", "A next  B older"],
        ),
        (
            reading.supply(supplied("OFF", "the supply was turned off because unpaid", "Ask your supplier", False), 0),
            ["SUPPLY", "OFF", "the supply was turned", "off because unpaid", "Ask your supplier", "A next"],
        ),
        (
            reading.supply(supplied("OFF", "too much power", "You may turn it on", True), 0),
            ["SUPPLY", "OFF", "too much power", "You may turn it on", "A next  B turn on"],
        ),
        (
            reading.supply(supplied("OFF", "too much power", "You may turn it on", True), 1),
            [
                "TURN ON?",
                "supply",
                "Are hobs, irons and",
                "heaters off? They may",
                "start at once.",
                "A no  B turn on",
            ],
        ),
        (
            reading.voltage(watched(230140), 0),
            ["VOLTAGE", "normal", "fine  216.0 - 253.0 V", "A next  B week"],
        ),
        (
            reading.voltage(watched(230140, 212400, 248100), 0),
            ["VOLTAGE", "too low", "L1 230.1 V  normal", "L2 212.4 V  too low", "L3 248.1 V  normal"]
            + ["A next  B week"],
        ),
        (
            reading.voltage(watched(230140, 212400, 248100), 1),
            ["THIS WEEK  52 h seen", "good so far", "L1  223.1 - 242.0 V", "L2  223.1 - 242.0 V"]
            + ["L3  223.1 - 242.0 V", "A next  B now"],
        ),
        (
            reading.no_access(),
            ["WHO MAY ASK", "nobody", "No one has your consent", "to ask for your data.", "A next"],
        ),
    ],
    ids=lambda value: value.title if isinstance(value, pages.Page) else "",
)
def test_the_text_of_a_page_is_read_back(page: pages.Page, lines: list[str]) -> None:
    assert reader.read_text(pixels(page)) == lines


def test_every_small_glyph_is_read_back() -> None:
    rnd = random.Random(2)
    glyphs = [c for c in reader.SMALL[0] if c not in ' "\ue000\ue001\ue002\ue003\ue004']
    for start in range(0, len(glyphs), 8):
        word = "".join(rnd.sample(glyphs, 8))
        shown = pixels(pages.page("", word, (word, "x" + "".join(glyphs[start : start + 8])), "ok"))
        assert reader.read_text(shown)[-2:] == ["x" + "".join(glyphs[start : start + 8]), "A ok"]


def test_noise_is_read_as_nothing_at_all() -> None:
    rnd = random.Random(3)
    for _ in range(20):
        shown = [[rnd.random() < 0.5 for _ in range(128)] for _ in range(64)]
        assert reader.read_pin(shown) is None
        assert not any(len(line) > 3 for line in reader.read_text(shown))


def test_a_dark_display_says_nothing() -> None:
    assert reader.read_text([[False] * 128 for _ in range(64)]) == []
