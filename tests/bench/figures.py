"""Tables of figures, for people and for programs."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field


@dataclass
class Table:
    """One table. columns: the first names the row; rows: texts and numbers, None where there is no figure."""

    title: str
    columns: list[str]
    rows: list[list] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, *figures: object) -> None:
        """Append a row."""
        self.rows.append([name, *figures])

    def as_text(self) -> str:
        """Return the table laid out in columns."""
        cells = [self.columns, *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [self.title, "-" * len(self.title)]
        for row in cells:
            first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join([row[0].ljust(len(first)), *rest]).rstrip())
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def as_dict(self) -> dict:
        """Return the table for JSON."""
        return asdict(self)


def _shown(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.3g}" if abs(cell) < 1000 else f"{cell:.0f}"
    return f"{cell:,}".replace(",", " ") if isinstance(cell, int) else str(cell)


def rounds(count: int, contestants: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Let every contestant take its turn, `count` times; return what each of them returned, after one turn for warmth.

    On a machine that does other things too, neighbours in time are what can be compared.
    """
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(count + 1):
        for name, run in contestants.items():
            figure = run()
            if turn:
                found[name].append(figure)
    return found


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


median = statistics.median
