"""What the terminal is told while the demo starts: one line per step, with the seconds it took."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TextIO

_BAR = 24


class Progress:
    """Prints a line for each step to `out` and keeps the seconds."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.seconds: dict[str, float] = {}
        self.step_now = ""

    @contextlib.contextmanager
    def step(self, name: str, doing: str) -> Iterator[Callable[[int, int], None]]:
        """Time one step; gives a function that shows how far it is: far(done, total)."""
        self.step_now = doing
        started = time.monotonic()
        terminal = self._out.isatty()
        if terminal:
            self._say(f"… {doing}", "")

        def far(done: int, total: int) -> None:
            if terminal and done:
                gone = time.monotonic() - started
                left = gone * max(total - done, 0) / done
                bar = "█" * (_BAR * done // max(total, 1))
                self._say(f"… {doing} {bar:░<{_BAR}} {done:,} of {total:,}, {left:.0f} s left", "")

        try:
            yield far
        except BaseException:
            self._say(f"✗ {doing}" if terminal else f"{doing}: failed")
            raise
        self.seconds[name] = round(time.monotonic() - started, 2)
        self._say(f"✓ {doing} ({self.seconds[name]:.1f} s)" if terminal else f"{doing}: {self.seconds[name]:.1f} s")

    def _say(self, text: str, end: str = "\n") -> None:
        if self._out.isatty():
            text = f"\r\x1b[K{text}"
        print(text, end=end, file=self._out, flush=True)

    def line(self, text: str) -> None:
        """Print one line that is no step."""
        self._say(text)
