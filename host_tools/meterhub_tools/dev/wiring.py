"""Draws each board's wiring from its pins.json and header.json: host_tools/pictures/wiring-<BOARD>.svg.

The board stands in the middle with its pins in their true order. On each side a column of parts; between them the
channel: supply rails beside the parts, then one lane for each signal, so that no two wires lie on each other. Pins
lie on multiples of a row, terminals half a row off, for the same reason.

Run it after a change of the boards: python -m meterhub_tools.dev.wiring
"""

import json
from typing import NamedTuple

from ..toolchain import ROOT
from . import wiring_parts as parts
from .wiring_paper import GREY, INK, Box, Paper
from .wiring_parts import COLOURS, ROW, Card

PICTURES = ROOT / "host_tools/pictures"
BOARDS = sorted(path.parent.name for path in ROOT.glob("boards/*/header.json"))

_MARGIN = 24
_TOP = 144
_BOARD_WIDTH = 356
_HEADROOM = 96
_RAILS = {"GND": 18, "3V3": 34, "5V": 50}
_FIRST_LANE, _LANE = 74, 12
_WORDS = {
    "request": "P1 request",
    "rx": "P1 data",
    "serial tx": "serial TX",
    "serial rx": "serial RX",
    "driver": "RS-485 DE",
    "sda": "I²C SDA",
    "scl": "I²C SCL",
    "sck": "SPI CLK",
    "mosi": "SPI DIN",
    "cs": "SPI CS",
    "clk": "TM1637 CLK",
    "dio": "TM1637 DIO",
    "A": "button A",
    "B": "button B",
    "supply_sense": "supply sense",
}
_CARDS = (parts.OLED, parts.CHARACTERS, parts.P1, parts.OPTICAL, parts.RS485, parts.MBUS, parts.S0, parts.BUTTONS)
_ALL = (*_CARDS, parts.TM1637, parts.MAX7219, parts.SUPPLY, parts.LOADS)
_SWITCHES = ("supply", "supply_sense", "load1", "load2", "load3", "load4")
_SUPPLY = ("GND", "3V3", "5V")


class Pad(NamedTuple):
    """One pin of the header. side: -1 left, 1 right; net: what is wired to it, "" when nothing is."""

    side: int
    number: int
    label: str
    net: str
    y: int


def nets(pins: dict) -> dict[int, str]:
    """Return the GPIO number of every function of a pins.json with the function's name in the drawing."""
    found = {pins["uart"]["serial"][name]: f"serial {name}" for name in ("tx", "rx")}
    found[pins["uart"]["serial"]["driver"]] = "driver"
    for part in ({name: pins["uart"]["p1"][name] for name in ("request", "rx")}, pins["button"], pins["pulse"]):
        found |= {number: name for name, number in part.items()}
    for part in (pins["i2c"], pins["spi"], pins["tm1637"]):
        found |= {number: name for name, number in part.items() if name not in ("id", "hz")}
    found |= {pins[name]: name for name in _SWITCHES if name in pins}
    return found


def load(board: str) -> tuple[dict, dict]:
    """Return a board's pins.json and header.json."""
    folder = ROOT / "boards" / board
    pins, header = (json.loads((folder / f"{name}.json").read_text()) for name in ("pins", "header"))
    return pins, header


class Drawing:
    """One board's drawing."""

    def __init__(self, board: str) -> None:
        self.board = board
        self.pins, self.header = load(board)
        self.paper = Paper()
        self.paper.order(_SUPPLY)
        self._nets = nets(self.pins)
        self._columns = {side: self._column(side) for side in (-1, 1)}
        lanes = max(len(self._signals(side)) for side in (-1, 1))
        self._channel = _FIRST_LANE + _LANE * lanes + 20
        self._left = _MARGIN + parts.WIDTH + self._channel
        self._right = self._left + _BOARD_WIDTH
        self._wide = self._right + self._channel + parts.WIDTH + _MARGIN
        heights = [sum(card.height for card in column) for column in self._columns.values()]
        self._high = _TOP + max(heights[0], heights[1] + self._legend_height()) + _MARGIN
        rows = max(len(self.header["left"]), len(self.header["right"]))
        room = self._high - _TOP - _MARGIN - ROW * rows
        self._first_pin = _TOP + max(_HEADROOM, room // 2) // ROW * ROW
        self.pads = self._all_pads()

    def _all_pads(self) -> list[Pad]:
        pads = []
        count = len(self.header["left"])
        for side, name in ((-1, "left"), (1, "right")):
            for row, pin in enumerate(self.header[name]):
                label, _, number = pin.partition("=")
                net = self._nets.get(int(number), "") if number else self._supply(label)
                own = row + 1 if side < 0 else 2 * count - row
                pads.append(Pad(side, own, label, net, self._first_pin + ROW * row))
        return pads

    def _supply(self, label: str) -> str:
        return "5V" if label == self.header["5V"] else label if label in _SUPPLY else ""

    def _side_of(self, net: str) -> int:
        number = next(number for number, name in self._nets.items() if name == net)
        return -1 if any(pin.endswith(f"={number}") for pin in self.header["left"]) else 1

    def _row_of(self, card: Card, side: int) -> int:
        """Return where on the header the first of the card's signals lies."""
        order = [pin.partition("=")[2] for pin in self.header["left" if side < 0 else "right"]]
        numbers = {name: str(number) for number, name in self._nets.items()}
        return min(order.index(numbers[net]) for _, net, _ in card.pins if net not in _SUPPLY)

    def _column(self, side: int) -> list[Card]:
        """Return the parts whose pins are on that side, in the order of the pins."""
        own = [card for card in self._all() if all(self._side_of(n) == side for _, n, _ in _wires(card))]
        return sorted(own, key=lambda card: (self._group(card, side), _ALL.index(card)))

    def _all(self) -> list[Card]:
        """Return the parts that the board has pins for."""
        return [card for card in _ALL if all(net in self._nets.values() for _, net, _ in _wires(card))]

    def _group(self, card: Card, side: int) -> int:
        """Parts that share a line stand together: at the first one's place."""
        together = [other for other in self._all() if _shares(card, other)]
        return min(self._row_of(other, side) for other in together)

    def _signals(self, side: int) -> set[str]:
        return {net for card in self._columns[side] for _, net, _ in card.pins if net not in _SUPPLY}

    # -- the drawing itself ---------------------------------------------------------------------------------------

    def draw(self) -> str:
        """Return the whole drawing as SVG."""
        self.paper.text(_MARGIN, 38, f"meterhub on the {self.header['name']}", 26, weight="bold")
        words = f"boards/{self.board}: every part is optional. Pull the USB plug before you wire."
        self.paper.text(_MARGIN, 68, words, 15, colour=GREY)
        terminals = {side: self._draw_column(side) for side in (-1, 1)}
        self._draw_board()
        self._draw_supply(terminals)
        for side in (-1, 1):
            self._draw_signals(side, terminals[side])
        self._draw_legend()
        return self.paper.svg(self._wide, self._high, f"Wiring of the {self.header['name']}")

    def _draw_column(self, side: int) -> dict[str, list[int]]:
        """Draw a side's parts; return where the terminals of each net are."""
        left = _MARGIN if side < 0 else self._right + self._channel
        top = _TOP
        found: dict[str, list[int]] = {}
        for card in self._columns[side]:
            card.draw(parts.frame(self.paper, card, left, top, side))
            for row, net, _ in card.pins:
                found.setdefault(net, []).append(top + card.first_row + ROW * row)
            top += card.height
        return found

    def _edge(self, side: int) -> int:
        """Return where the parts of that side end and the channel begins."""
        return _MARGIN + parts.WIDTH if side < 0 else self._right + self._channel

    def _draw_board(self) -> None:
        top, bottom = self._first_pin - _HEADROOM + 12, self._first_pin + ROW * len(self.header["left"]) + 12
        colour = "#2b6e4f" if self.board.startswith("RPI") else "#2d333b"
        if self.header["usb"] == "bottom":
            bottom += 24
        self.paper.box(Box(self._left, top, self._right, bottom), colour, INK, 14)
        middle = (self._left + self._right) // 2
        usb = top - 8 if self.header["usb"] == "top" else bottom - 24
        self.paper.box(Box(middle - 38, usb, middle + 38, usb + 32), "#ced4da", GREY, 5)
        self.paper.text(middle, usb + 16, "USB", 13, anchor="middle", weight="bold")
        self.paper.text(middle, top + 46, self.header["name"], 17, anchor="middle", colour="#fff", weight="bold")
        for pad in self.pads:
            self._draw_pad(pad)

    def _draw_pad(self, pad: Pad) -> None:
        x = self._left if pad.side < 0 else self._right
        inward = -pad.side
        self.paper.box(Box(x - 14, pad.y - 9, x + 14, pad.y + 9), "#e9c46a", INK, 4, above=True)
        if self.header["numbered"]:
            self.paper.text(x, pad.y, str(pad.number), 12, anchor="middle")
        anchor = "start" if inward > 0 else "end"
        self.paper.text(x + inward * 20, pad.y, pad.label, 13, anchor=anchor, colour="#fff", weight="bold")
        if pad.net and pad.net not in _SUPPLY:
            near, far = x + inward * 66, x + inward * 160
            self.paper.box(Box(min(near, far), pad.y - 9, max(near, far), pad.y + 9), COLOURS[pad.net], "#fff", 9)
            words = _WORDS.get(pad.net, pad.net)
            self.paper.text((near + far) // 2, pad.y, words, 12, anchor="middle", colour="#fff", weight="bold")

    def _draw_supply(self, terminals: dict[int, dict[str, list[int]]]) -> None:
        """Draw the rails: ground from a pin of each side, 3.3 V and 5 V around the board's upper end."""
        for number, net in enumerate(("5V", "3V3", "GND")):
            over = _TOP - 16 * (number + 1) + 4
            ends = {side: terminals[side].get(net, []) for side in (-1, 1)}
            sources = self._sources(net)
            for side in (-1, 1):
                ys = ends[side] + [pad.y for pad in sources if pad.side == side]
                if net != "GND":
                    ys.append(over)
                x = self._edge(side) - side * _RAILS[net]
                self.paper.wire(net, COLOURS[net], [(x, min(ys)), (x, max(ys))])
                self._branches(net, x, self._edge(side), ends[side], (min(ys), max(ys)))
            if net != "GND":
                xs = [self._edge(side) - side * _RAILS[net] for side in (-1, 1)]
                self.paper.wire(net, COLOURS[net], [(xs[0], over), (xs[1], over)])
            for pad in sources:
                x = self._edge(pad.side) - pad.side * _RAILS[net]
                self._branches(net, x, self._pad_edge(pad.side), [pad.y], (0, 0))

    def _sources(self, net: str) -> list[Pad]:
        """Return the pins that supply a rail: one on each side for ground, the first one for the others."""
        own = [pad for pad in self.pads if pad.net == net]
        if net != "GND":
            return own[:1]
        middle = self._first_pin + ROW * len(self.header["left"]) // 2
        return [min((p for p in own if p.side == side), key=lambda p: abs(p.y - middle)) for side in (-1, 1)]

    def _branches(self, net: str, x: int, to: int, ys: list[int], ends: tuple[int, int]) -> None:
        for y in ys:
            self.paper.wire(net, COLOURS[net], [(x, y), (to, y)])
            if y not in ends:
                self.paper.circle(x, y, 5, COLOURS[net])

    def _pad_edge(self, side: int) -> int:
        return self._left - 14 if side < 0 else self._right + 14

    def _draw_signals(self, side: int, terminals: dict[str, list[int]]) -> None:
        pads = {pad.net: pad for pad in self.pads if pad.net and pad.net not in _SUPPLY and pad.side == side}
        upward = sorted((p for p in pads.values() if _mean(terminals[p.net]) < p.y), key=lambda p: p.y)
        downward = sorted((p for p in pads.values() if p not in upward), key=lambda p: -p.y)
        for number, pad in enumerate(upward + downward):
            ys = terminals[pad.net]
            x = self._pad_edge(side) + side * (18 + _LANE * number)
            span = (min(*ys, pad.y), max(*ys, pad.y))
            self.paper.wire(pad.net, COLOURS[pad.net], [(self._pad_edge(side), pad.y), (x, pad.y)])
            self.paper.wire(pad.net, COLOURS[pad.net], [(x, span[0]), (x, span[1])])
            self._branches(pad.net, x, self._edge(side), ys, span)
            if pad.y not in span:
                self.paper.circle(x, pad.y, 5, COLOURS[pad.net])

    def _legend_height(self) -> int:
        return 9 * ROW

    def _draw_legend(self) -> None:
        left, top = self._right + self._channel, self._high - _MARGIN - self._legend_height()
        self.paper.box(
            Box(left, top + 10, left + parts.WIDTH, top + self._legend_height() - 10), "#f1f3f5", "none", 10
        )
        for row, (net, words) in enumerate((("3V3", "3.3 V"), ("5V", "5 V"), ("GND", "ground"), ("rx", "a signal"))):
            y = top + 34 + ROW * row
            self.paper.wire(net, COLOURS[net], [(left + 16, y), (left + 70, y)], "#f1f3f5")
            self.paper.text(left + 84, y, words)
        x, y = left + 240, top + 46
        self.paper.wire("5V", COLOURS["5V"], [(x - 60, y), (x, y)], "#f1f3f5")
        self.paper.wire("rx", COLOURS["rx"], [(x - 30, y - 18), (x - 30, y + 18)], "#f1f3f5")
        self.paper.text(x + 12, y, "not joined")
        y += 48
        self.paper.wire("rx", COLOURS["rx"], [(x - 60, y), (x, y)], "#f1f3f5")
        self.paper.wire("rx", COLOURS["rx"], [(x - 30, y), (x - 30, y + 18)], "#f1f3f5")
        self.paper.circle(x - 30, y, 5, COLOURS["rx"])
        self.paper.text(x + 12, y, "joined")
        lines = (
            "Optical head, RS-485 and M-Bus share one serial line:",
            "wire one of the three. Of the displays, wire the one that",
            "the settings name (display.driver).",
        )
        for number, words in enumerate(lines):
            self.paper.text(left + 16, top + 140 + 20 * number, words, 12)


def _wires(card: Card) -> list[tuple[int, str, int]]:
    return [pin for pin in card.pins if pin[1] not in _SUPPLY]


def _shares(one: Card, other: Card) -> bool:
    signals = {net for _, net, _ in _wires(one)}
    return bool(signals & {net for _, net, _ in other.pins})


def _mean(ys: list[int]) -> int:
    return sum(ys) // len(ys)


def main() -> None:
    """Draw all boards anew."""
    for board in BOARDS:
        (PICTURES / f"wiring-{board}.svg").write_text(Drawing(board).draw())


if __name__ == "__main__":
    main()
