"""The wiring drawings: true to the boards' files, committed as drawn, and readable: no wire runs through words."""

import itertools
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from meterhub_tools.dev import wiring
from meterhub_tools.dev.wiring_paper import Box, Paper, width

PAIRS = list[tuple[tuple[int, int], tuple[int, int]]]


@pytest.fixture(params=wiring.BOARDS)
def drawing(request: pytest.FixtureRequest) -> wiring.Drawing:
    made = wiring.Drawing(request.param)
    made.draw()
    return made


def segments(paper: Paper) -> Iterator[tuple[str, Box]]:
    """Every straight piece of every wire, as (net, box without breadth)."""
    for wire in paper.wires:
        for (x0, y0), (x1, y1) in itertools.pairwise(wire.points):
            assert x0 == x1 or y0 == y1, wire
            yield wire.net, Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def touch(one: Box, other: Box, apart: int = 0) -> bool:
    across = one.left <= other.right + apart and other.left <= one.right + apart
    return across and one.top <= other.bottom + apart and other.top <= one.bottom + apart


def crossed_words(paper: Paper) -> list[tuple[str, str]]:
    return [(net, words) for net, piece in segments(paper) for box, words in paper.words if touch(piece, box)]


def reached(paper: Paper, net: str, start: tuple[int, int]) -> list[Box]:
    """The pieces of a net that hang together with the point `start`."""
    rest = [piece for name, piece in segments(paper) if name == net]
    found = [Box(*start, *start)]
    grown = True
    while grown:
        joined = [piece for piece in rest if any(touch(piece, other) for other in found)]
        rest = [piece for piece in rest if piece not in joined]
        grown = bool(joined)
        found += joined
    return found


def test_there_is_a_drawing_of_every_microcontroller_board() -> None:
    assert len(wiring.BOARDS) == 5
    for board in wiring.BOARDS:
        assert (wiring.PICTURES / f"wiring-{board}.svg").read_text() == wiring.Drawing(board).draw()


def test_every_function_of_a_board_is_drawn_at_its_pin(drawing: wiring.Drawing) -> None:
    wanted = wiring.nets(drawing.pins)
    drawn = {pad.net: pad.label for pad in drawing.pads if pad.net in wanted.values()}
    assert len(wanted) == (18 if drawing.board == "ESP32_GENERIC" else 22) and set(drawn) == set(wanted.values())
    header = dict(reversed(pin.split("=")) for pin in drawing.header["left"] + drawing.header["right"] if "=" in pin)
    assert {net: header[str(number)] for number, net in wanted.items()} == drawn


def test_every_wire_joins_its_pin_with_all_the_parts_that_want_it(drawing: wiring.Drawing) -> None:
    edges = {side: drawing._edge(side) for side in (-1, 1)}
    for pad in drawing.pads:
        if pad.net and pad.net not in ("3V3", "5V", "GND"):
            pieces = reached(drawing.paper, pad.net, (drawing._pad_edge(pad.side), pad.y))
            ends = {piece.top for piece in pieces if edges[pad.side] in (piece.left, piece.right)}
            parts = [card for card in drawing._columns[pad.side] if pad.net in {net for _, net, _ in card.pins}]
            assert len(ends) == len(parts) >= 1, pad


@pytest.mark.parametrize("net", ["3V3", "5V", "GND"])
def test_every_part_that_wants_a_supply_gets_it(drawing: wiring.Drawing, net: str) -> None:
    fed = [(drawing._pad_edge(pad.side), pad.y) for pad in drawing._sources(net)]
    pieces = [piece for start in fed for piece in reached(drawing.paper, net, start)]
    for side in (-1, 1):
        ends = {piece.top for piece in pieces if drawing._edge(side) in (piece.left, piece.right)}
        assert len(ends) == sum(name == net for card in drawing._columns[side] for _, name, _ in card.pins)


def test_no_wire_runs_through_words(drawing: wiring.Drawing) -> None:
    assert len(drawing.paper.words) > 100
    assert crossed_words(drawing.paper) == []


def test_no_two_wires_lie_on_each_other(drawing: wiring.Drawing) -> None:
    pieces = list(segments(drawing.paper))
    for (one, a), (other, b) in itertools.combinations(pieces, 2):
        lengthwise = (a.left == a.right) == (b.left == b.right)
        assert one == other or not lengthwise or not touch(a, b, 4), (one, a, other, b)


def test_words_stay_on_the_sheet_and_apart(drawing: wiring.Drawing) -> None:
    for box, words in drawing.paper.words:
        assert box.left >= 0 and box.right <= drawing._wide and box.bottom <= drawing._high, words
    for (a, one), (b, other) in itertools.combinations(drawing.paper.words, 2):
        assert not touch(a, b), (one, other)


def test_words_in_a_card_stay_in_it(drawing: wiring.Drawing) -> None:
    for side in (-1, 1):
        near = drawing._edge(side)
        far = near + side * wiring.parts.WIDTH
        left, right = min(near, far), max(near, far)
        inside = [(box, words) for box, words in drawing.paper.words if left < (box.left + box.right) // 2 < right]
        assert len(inside) > 20
        for box, words in inside:
            assert box.top < wiring._TOP or (left < box.left and box.right < right), words


def test_a_drawing_is_an_svg_with_its_own_light_ground(drawing: wiring.Drawing) -> None:
    root = ElementTree.fromstring(drawing.draw())
    ground = root.find("{http://www.w3.org/2000/svg}rect")
    assert (ground.get("fill"), ground.get("width")) == ("#fdfcf8", root.get("width"))
    assert root.find("{http://www.w3.org/2000/svg}title").text.startswith("Wiring of the")


def test_a_wire_through_words_is_noticed() -> None:
    paper = Paper()
    paper.text(100, 100, "words", 12)
    paper.wire("A", "#000", [(0, 120), (90, 120), (90, 60)])
    assert crossed_words(paper) == []
    paper.wire("B", "#000", [(80, 100), (110, 100)])
    assert crossed_words(paper) == [("B", "words")]
    assert width("words", 24) > width("words", 12) > 20
