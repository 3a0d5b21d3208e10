"""An SVG drawing that knows where its wires and its words are, so that a test can see that they keep apart.

Units    pixels of the drawing, integers; y grows downwards
Source   SVG 1.1; the widths of characters are those of Helvetica, rounded up
"""

from typing import NamedTuple
from xml.sax.saxutils import escape

SHEET = "#fdfcf8"
INK = "#26303a"
GREY = "#66717c"
_THOUSANDTHS = {  # of the type size; what is not named takes 560
    230: "ijl'",
    280: "ft .,:;!/I",
    340: "()r-²",
    500: "ckvsxyzJ",
    610: "TFZ+=−×",
    670: "ABEKPSVXY",
    730: "CDHNRUw",
    780: "GOQΩ",
    840: "mM",
    950: "W",
}
_WIDTHS = {one: thousandths for thousandths, all_of_it in _THOUSANDTHS.items() for one in all_of_it}


class Box(NamedTuple):
    """A rectangle: left, top, right, bottom."""

    left: int
    top: int
    right: int
    bottom: int


class Wire(NamedTuple):
    """One wire: what it carries, and its corners."""

    net: str
    points: tuple[tuple[int, int], ...]


def width(words: str, size: int, bold: bool = False) -> int:
    """Return how wide `words` are at most."""
    thousandths = sum(_WIDTHS.get(one, 560) for one in words)
    return thousandths * size * (107 if bold else 100) // 100_000 + 1


class Paper:
    """Collects shapes in the order of layers: what lies below, the wires, what lies on them, the words."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.words: list[tuple[Box, str]] = []
        self._below: list[str] = []
        self._wired: dict[str, tuple[list[str], list[str]]] = {}
        self._above: list[str] = []
        self._written: list[str] = []

    def box(self, at: Box, fill: str, edge: str = "none", corner: int = 6, above: bool = False) -> None:
        """Draw a rectangle with rounded corners."""
        left, top, right, bottom = at
        shape = f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" rx="{corner}"'
        (self._above if above else self._below).append(f'{shape} fill="{fill}" stroke="{edge}"/>')

    def circle(self, x: int, y: int, radius: int, fill: str, edge: str = "none", above: bool = True) -> None:
        """Draw a circle."""
        shape = f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" stroke="{edge}" stroke-width="2"/>'
        (self._above if above else self._below).append(shape)

    def line(self, points: list[tuple[int, int]], colour: str, thick: int = 2, fill: str = "none") -> None:
        """Draw a line of the drawing itself: a symbol's, not a wire's."""
        self._above.append(_path(points, colour, thick, fill))

    def wire(self, net: str, colour: str, points: list[tuple[int, int]], halo: str = SHEET) -> None:
        """Draw a wire; where two nets cross, the one that was drawn first passes below."""
        self.wires.append(Wire(net, tuple(points)))
        halos, strokes = self._wired.setdefault(net, ([], []))
        halos.append(_path(points, halo, 9, "none"))
        strokes.append(_path(points, colour, 3, "none"))

    def order(self, nets: tuple[str, ...]) -> None:
        """Let these nets pass below all others, the first one lowest."""
        self._wired = {net: ([], []) for net in nets} | self._wired

    def text(self, x: int, y: int, words: str, size: int = 13, **look: str) -> None:
        """Write `words`; y is the line's middle. look: anchor (start, middle, end), colour, weight (bold)."""
        anchor, colour, weight = look.get("anchor", "start"), look.get("colour", INK), look.get("weight", "normal")
        wide = width(words, size, weight == "bold")
        left = {"start": x, "middle": x - wide // 2, "end": x - wide}[anchor]
        self.words.append((Box(left, y - size // 2, left + wide, y + size // 2), words))
        self._written.append(
            f'<text x="{x}" y="{y + size * 36 // 100}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{colour}">{escape(words)}</text>'
        )

    def svg(self, wide: int, high: int, title: str) -> str:
        """Return the whole drawing as an SVG file's text, on a light sheet of its own."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
        font = 'font-family="Helvetica, Arial, Liberation Sans, sans-serif"'
        sheet = f'<rect width="{wide}" height="{high}" rx="14" fill="{SHEET}"/>'
        wired = [shape for halos, strokes in self._wired.values() for shape in halos + strokes]
        shapes = [*self._below, *wired, *self._above, *self._written]
        return "\n".join([f'{head} {font} role="img">', f"<title>{escape(title)}</title>", sheet, *shapes, "</svg>\n"])


def _path(points: list[tuple[int, int]], colour: str, thick: int, fill: str) -> str:
    corners = " ".join(f"{x},{y}" for x, y in points)
    return (
        f'<polyline points="{corners}" fill="{fill}" stroke="{colour}" stroke-width="{thick}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )
