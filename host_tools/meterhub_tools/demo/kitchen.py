"""The person in front of the display: reads it by its pixels, presses its buttons, remembers the PIN."""

import asyncio
from collections.abc import Callable

from ..errors import ToolError
from ..simulators import display_reader
from ..simulators.bench import Bench

PATIENCE_S = 30.0


class Kitchen:
    """Stands at `bench`."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def agree(self, code: str) -> str:
        """Wait until the display asks, press B on that page, and return the PIN (nine digits) shown with `code`."""
        await self._see("a request", lambda pixels: _asks(display_reader.read_text(pixels)))
        await self._bench.press("B")
        return await self.read_pin(code)

    async def read_pin(self, code: str) -> str:
        """Return the PIN on the display; ToolError when it stands beside another code."""
        pin = await self._see("a PIN", display_reader.read_pin)
        shown = display_reader.read_code(self._bench.display.pixels())
        if shown != code:
            raise ToolError(f"the display shows code {shown}, the website {code}")
        return str(pin)

    async def _see(self, what: str, condition: Callable[[display_reader.Pixels], object]) -> object:
        try:
            return await self._bench.wait_for(condition, PATIENCE_S)
        except asyncio.TimeoutError:
            lines = display_reader.read_text(self._bench.display.pixels())
            raise ToolError(f"the display never showed {what}; it shows {lines}") from None


def _asks(lines: list[str]) -> bool:
    return bool(lines) and lines[-1].endswith("B show PIN")
