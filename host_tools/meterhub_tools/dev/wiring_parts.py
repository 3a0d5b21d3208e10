"""The parts of a wiring drawing: each a card with terminals on the side that faces the board.

A card is drawn in its own measures: `d` is the distance from the edge with the terminals, so that a card can stand on
either side of the board; rows are counted from the first terminal's.

Source   P1 Companion Standard 5.0.2, 5.7 (RJ12); EN 62053-31 (S0); IEC 62056-21 (optical head); EN 13757-2 (M-Bus);
         data sheets of MAX3485, MAX7219, TM1637, PCF8574
"""

from collections.abc import Callable
from typing import NamedTuple

from .wiring_paper import GREY, INK, Box, Paper

WIDTH = 336
ROW = 24
COLOURS = {
    "3V3": "#d62828",
    "5V": "#f08c00",
    "GND": "#1d1d1f",
    "request": "#0b7285",
    "rx": "#1971c2",
    "serial tx": "#2f9e44",
    "serial rx": "#087f5b",
    "driver": "#5c940d",
    "sda": "#7048e8",
    "scl": "#ae3ec9",
    "sck": "#c2255c",
    "mosi": "#e64980",
    "cs": "#a61e4d",
    "clk": "#5c7cfa",
    "dio": "#364fc7",
    "A": "#b07d2b",
    "B": "#7f5539",
    "pulse0": "#099268",
    "pulse1": "#0ca678",
    "supply": "#5f6b76",
    "supply_sense": "#343a40",
    "load1": "#9c36b5",
    "load2": "#e8590c",
    "load3": "#66a80f",
    "load4": "#1098ad",
}
_HEAD = 30
_LINE = 18
_CARD = "#ffffff"
_EDGE = "#c9d1d9"
_METAL = "#e9c46a"


class Card(NamedTuple):
    """One part. pins: (row, net, depth to which its wire is drawn); above, below: lines of text; rows: how many."""

    title: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    rows: int
    pins: tuple[tuple[int, str, int], ...]
    draw: "Callable[[Pen], None]"

    @property
    def first_row(self) -> int:
        """How far the first row lies below the card's top."""
        wanted = _HEAD + _LINE * len(self.above) + 28
        return -(-(wanted - ROW // 2) // ROW) * ROW + ROW // 2

    @property
    def height(self) -> int:
        """The card's height, a multiple of a row's."""
        wanted = self.first_row + ROW * self.rows + _LINE * len(self.below) + 10
        return -(-wanted // ROW) * ROW


class Pen:
    """Draws one card's inside. side: -1 on the left of the board, 1 on its right."""

    def __init__(self, paper: Paper, edge: int, side: int, row_0: int) -> None:
        self.paper = paper
        self._edge, self._side, self._row_0 = edge, side, row_0

    def at(self, d: int, row: int, dy: int = 0) -> tuple[int, int]:
        """Return the point at distance `d`, `dy` pixels below the middle of a row."""
        return self._edge + self._side * d, self._row_0 + ROW * row + dy

    def text(self, d: int, row: int, words: str, size: int = 13, **look: str) -> None:
        """Write words that begin at `d` and grow away from the board (anchor "end": towards it)."""
        outward, inward = ("end", "start") if self._side < 0 else ("start", "end")
        anchor = {"start": outward, "end": inward, "middle": "middle"}[look.pop("anchor", "start")]
        x, y = self.at(d, row, int(look.pop("dy", "0")))
        self.paper.text(x, y, words, size, anchor=anchor, **look)

    def box(self, near: tuple[int, int, int], far: tuple[int, int, int], fill: str, edge: str = GREY) -> None:
        """Draw a rectangle between two points (d, row, dy)."""
        (x0, y0), (x1, y1) = self.at(*near), self.at(*far)
        self.paper.box(Box(min(x0, x1), y0, max(x0, x1), y1), fill, edge, 4, above=True)

    def wire(self, net: str, *points: tuple[int, ...]) -> None:
        """Draw a wire through points (d, row) or (d, row, dy)."""
        self.paper.wire(net, COLOURS[net], [self.at(*point) for point in points], _CARD)

    def line(self, *points: tuple[int, int, int], fill: str = "none") -> None:
        """Draw a symbol's line through points (d, row, dy)."""
        self.paper.line([self.at(*point) for point in points], INK, 2, fill)

    def dot(self, net: str, d: int, row: int) -> None:
        """Mark a joint."""
        self.paper.circle(*self.at(d, row), 5, COLOURS[net])

    def resistor(self, d: int, row: int, ohms: str) -> None:
        """Draw a resistor that lies in a row's wire, beginning at `d`."""
        self.box((d, row, -10), (d + 56, row, 10), "#f3e9d2", INK)
        self.text(d + 28, row, ohms, 12, anchor="middle")


def frame(paper: Paper, card: Card, left: int, top: int, side: int) -> Pen:
    """Draw the card's frame, words and terminals at this place; return the pen for its inside."""
    edge = left if side > 0 else left + WIDTH
    paper.box(Box(left, top, left + WIDTH, top + card.height - 10), _CARD, _EDGE, 10)
    paper.text(left + 14, top + 20, card.title, 16, weight="bold")
    for number, words in enumerate(card.above):
        paper.text(left + 14, top + _HEAD + 10 + _LINE * number, words, 12, colour=GREY)
    under = top + card.first_row + ROW * card.rows + 6
    for number, words in enumerate(card.below):
        paper.text(left + 14, under + _LINE * number, words, 12, colour=GREY)
    pen = Pen(paper, edge, side, top + card.first_row)
    for row, net, depth in card.pins:
        pen.wire(net, (0, row), (depth, row))
        pen.paper.circle(*pen.at(0, row), 5, _CARD, COLOURS[net])
    return pen


# -- modules that are bought ready-made -----------------------------------------------------------------------------


def _module(
    title: str,
    above: tuple[str, ...],
    rows: tuple[tuple[str, str], ...],
    picture: Callable[[Pen, int], None],
    below: tuple[str, ...] = (),
) -> Card:
    """A module whose pins, (label, net), stand in one row as on the module itself."""

    def draw(pen: Pen) -> None:
        pen.box((44, 0, -16), (318, len(rows) - 1, 16), "#eef2f6")
        for row, (label, net) in enumerate(rows):
            pen.paper.circle(*pen.at(44, row), 6, _METAL, COLOURS[net])
            pen.text(60, row, label, 13, weight="bold")
        picture(pen, len(rows))

    return Card(title, above, below, len(rows), tuple((row, net, 44) for row, (_, net) in enumerate(rows)), draw)


def _oled(pen: Pen, rows: int) -> None:
    pen.box((124, 0, -6), (308, rows - 1, 6), "#10151b")
    pen.text(216, 1, "1.234 kW", 22, anchor="middle", colour="#7fdbff", weight="bold")
    pen.text(216, 2, "today 8.1 kWh", 13, anchor="middle", colour="#7fdbff", dy="4")


def _characters(pen: Pen, rows: int) -> None:
    pen.box((124, 0, -2), (308, rows - 1, 2), "#9ccc3c")
    pen.text(216, 1, "now    1.234 kW", 15, anchor="middle", colour="#2b3a0a")
    pen.text(216, 2, "today  8.1 kWh", 15, anchor="middle", colour="#2b3a0a")


def _digits(words: str) -> Callable[[Pen, int], None]:
    def draw(pen: Pen, rows: int) -> None:
        pen.box((124, 0, 0), (308, rows - 1, 0), "#2a0d0d")
        pen.text(216, 0, words, 30, anchor="middle", colour="#ff4d3d", weight="bold", dy=str(ROW * (rows - 1) // 2))

    return draw


def _head(pen: Pen, rows: int) -> None:
    x, y = pen.at(240, 0, ROW * (rows - 1) // 2)
    pen.paper.circle(x, y, 44, "#3a4149", GREY)
    pen.paper.circle(x, y - 18, 9, "#b197fc", _CARD)
    pen.paper.circle(x, y + 18, 9, "#1d1d1f", _CARD)


def _two_wires(near: str, far: str, what: str) -> Callable[[Pen, int], None]:
    def draw(pen: Pen, rows: int) -> None:
        pen.box((218, 0, -4), (308, rows - 1, 4), "#2f9e44")
        pen.text(130, 0, what, 12, colour=GREY, dy=str(ROW * (rows - 1) // 2))
        for row, label in ((0, near), (rows - 1, far)):
            pen.paper.circle(*pen.at(234, row, 10 if row == 0 else -10), 7, _METAL, INK)
            pen.text(250, row, label, 14, colour=_CARD, weight="bold", dy="10" if row == 0 else "-10")

    return draw


OLED = _module(
    "OLED display, SSD1306 or SH1106",
    ("128 × 64, I²C, address 0x3C; pull-ups are on the module",),
    (("GND", "GND"), ("VCC", "3V3"), ("SCL", "scl"), ("SDA", "sda")),
    _oled,
)
CHARACTERS = _module(
    "Characters, HD44780 with PCF8574",
    ("20 × 4 or 16 × 2, I²C, address 0x27 or 0x3F",),
    (("GND", "GND"), ("VCC", "5V"), ("SDA", "sda"), ("SCL", "scl")),
    _characters,
    (
        "Its pull-ups go to 5 V, which the board's pins do not bear:",
        "take them off the module, or put a level shifter in.",
    ),
)
MAX7219 = _module(
    "Eight digits, MAX7219",
    ("SPI",),
    (("VCC", "5V"), ("GND", "GND"), ("DIN", "mosi"), ("CS", "cs"), ("CLK", "sck")),
    _digits("1234.567"),
    ("At 5 V it reads 3.5 V and more as high: put a 74HCT125 in,", "or a diode (1N4001) into VCC."),
)
TM1637 = _module(
    "Four digits, TM1637",
    ("two wires; works on 3.3 V",),
    (("CLK", "clk"), ("DIO", "dio"), ("VCC", "3V3"), ("GND", "GND")),
    _digits("12:34"),
)
OPTICAL = _module(
    "Optical head",
    ("infrared LED and phototransistor with TTL levels, 3.3 V", "(IEC 62056-21); RX is the head's input"),
    (("VCC", "3V3"), ("GND", "GND"), ("RX", "serial tx"), ("TX", "serial rx")),
    _head,
)
RS485 = _module(
    "RS-485, MAX3485",
    ("3.3 V transceiver; DE and RE are joined",),
    (("VCC", "3V3"), ("GND", "GND"), ("DE+RE", "driver"), ("DI", "serial tx"), ("RO", "serial rx")),
    _two_wires("A", "B", "to the meter"),
    ("120 Ω between A and B at each end of a long line.",),
)
MBUS = _module(
    "M-Bus, level converter",
    ("TTL to M-Bus master; it makes the bus voltage itself.", "RXD is its input"),
    (("VCC", "5V"), ("GND", "GND"), ("RXD", "serial tx"), ("TXD", "serial rx")),
    _two_wires("M+", "M−", "to the meters"),
    ("TXD must not rise above 3.3 V: else 1 kΩ in, 2 kΩ to GND.",),
)


# -- parts that are soldered ----------------------------------------------------------------------------------------

_RJ12 = ("+5 V", "data request", "data ground", "(free)", "data", "power ground")


def _draw_p1(pen: Pen) -> None:
    pen.box((180, 0, -16), (320, 5, 16), "#dee2e6")
    for row, name in enumerate(_RJ12):
        pen.box((176, row, -6), (200, row, 6), _METAL)
        pen.text(206, row, str(row + 1), 13, weight="bold")
        pen.text(222, row, name, 13)
    pen.text(168, 0, "open: see below", 12, anchor="end", colour=GREY)
    pen.resistor(52, 3, "1 kΩ")
    pen.wire("3V3", (108, 3), (140, 3), (140, 4))
    pen.dot("rx", 140, 4)


P1 = Card(
    "P1 port of the meter",
    ("RJ12, 6 pins. The data line is an open collector that is", "inverted; the hub's receiver turns it round."),
    (
        "Pin 1 may feed the board's 5 V (250 mA) instead of USB.",
        "Meters that want 4 V on pin 2: join it to pin 1 instead.",
    ),
    6,
    ((1, "request", 176), (2, "GND", 176), (3, "3V3", 52), (4, "rx", 176), (5, "GND", 176)),
    _draw_p1,
)


def _draw_s0(pen: Pen) -> None:
    for row, net, name in ((0, "pulse0", "meter 1"), (3, "pulse1", "meter 2")):
        pen.resistor(52, row, "1 kΩ")
        pen.wire("3V3", (108, row), (140, row), (140, row + 1))
        pen.dot(net, 140, row + 1)
        pen.box((196, row + 1, -14), (318, row + 2, 14), "#dee2e6")
        for under, label in ((1, "S0+"), (2, "S0−")):
            pen.box((192, row + under, -6), (216, row + under, 6), _METAL)
            pen.text(222, row + under, label, 13, weight="bold")
        pen.text(258, row + 1, name, 12, colour=GREY, dy="12")


S0 = Card(
    "S0 pulse outputs, one or two",
    (
        "a transistor that closes for each pulse (EN 62053-31,",
        "27 V at most); a reed contact is wired the same way",
    ),
    (),
    6,
    tuple(
        pin
        for row, net in ((0, "pulse0"), (3, "pulse1"))
        for pin in ((row, "3V3", 52), (row + 1, net, 192), (row + 2, "GND", 192))
    ),
    _draw_s0,
)


def _draw_buttons(pen: Pen) -> None:
    for row, words in ((0, "A, left"), (1, "B, right")):
        pen.paper.circle(*pen.at(110, row), 4, _CARD, INK)
        pen.paper.circle(*pen.at(160, row), 4, _CARD, INK)
        pen.line((110, row, -8), (160, row, -8))
        pen.line((135, row, -8), (135, row, -13))
        pen.wire("GND", (164, row), (200, row), (200, 2))
        pen.text(216, row, words, 13, weight="bold")
    pen.dot("GND", 200, 1)


BUTTONS = Card(
    "Two buttons",
    ("contacts to ground; the chip pulls them up",),
    (),
    3,
    ((0, "A", 106), (1, "B", 106), (2, "GND", 200)),
    _draw_buttons,
)


def _draw_supply(pen: Pen) -> None:
    pen.wire("5V", (150, 0), (150, 1, -9))
    pen.wire("5V", (200, 0), (200, 1, -16))
    pen.dot("5V", 150, 0)
    pen.line((150, 1, 0), (150, 3, -14))
    pen.line((200, 1, 0), (200, 2, 0), (150, 2, 0))
    pen.paper.circle(*pen.at(150, 2), 4, INK)
    pen.line((150, 1, -9), (140, 1, 7), (160, 1, 7), (150, 1, -9), fill=_CARD)  # the diode, cathode to +5 V
    pen.line((140, 1, -9), (160, 1, -9))
    pen.box((184, 1, -16), (216, 1, 16), "#f3e9d2", INK)
    pen.text(132, 1, "1N4148", 12, anchor="end")
    pen.text(200, 1, "coil", 12, anchor="middle")
    pen.resistor(28, 3, "1 kΩ")
    pen.wire("supply", (84, 3), (136, 3))
    pen.wire("supply", (108, 3), (108, 5))
    pen.dot("supply", 108, 3)
    pen.box((98, 4, -9), (118, 4, 9), "#f3e9d2", INK)
    pen.dot("GND", 108, 5)
    pen.text(92, 4, "10 kΩ", 12, anchor="end")
    pen.line((138, 3, -12), (138, 3, 12))
    pen.line((138, 3, -4), (150, 3, -14))
    pen.line((138, 3, 4), (150, 3, 14), (143, 3, 13), (150, 3, 14), (148, 3, 7))
    pen.line((150, 3, 14), (150, 4, 0))
    pen.wire("GND", (150, 4), (150, 5))
    pen.text(166, 3, "NPN, 2N2222", 12)
    for row, name in ((0, "NO"), (2, "COM")):
        pen.paper.circle(*pen.at(254, row), 5, _METAL, INK)
        pen.text(268, row, name, 13, weight="bold")
    pen.line((254, 2, -5), (244, 0, 6))
    pen.paper.circle(*pen.at(200, 6), 4, _CARD, INK)
    pen.paper.circle(*pen.at(250, 6), 4, _CARD, INK)
    pen.line((246, 6, -3), (204, 6, -12))
    pen.wire("GND", (254, 6), (290, 6), (290, 7))
    pen.text(225, 6, "feedback", 12, anchor="middle", dy="-20")


SUPPLY = Card(
    "The supply: relay or contactor",
    (
        "5 V coil; a ready-made module has the same parts on it.",
        "An auxiliary contact of the contactor is the feedback",
    ),
    ("Mains on the contacts is an electrician's work.",),
    8,
    ((0, "5V", 200), (3, "supply", 28), (5, "GND", 150), (6, "supply_sense", 196), (7, "GND", 290)),
    _draw_supply,
)


def _relays(pen: Pen, rows: int) -> None:
    for row in range(2, rows):
        pen.box((224, row, -9), (300, row, 9), "#1c7ed6")
        pen.text(262, row, f"load {row - 1}", 12, anchor="middle", colour=_CARD)


LOADS = _module(
    "Load switches, up to four",
    ("a relay module with transistor inputs, on when high", "(a 10 kΩ from each input to GND, as beside)"),
    (("VCC", "5V"), ("GND", "GND"), ("IN1", "load1"), ("IN2", "load2"), ("IN3", "load3"), ("IN4", "load4")),
    _relays,
    ("Mains on the contacts is an electrician's work.",),
)
