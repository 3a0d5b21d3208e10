"""Several meters at once at a hub that has other things to do: every telegram and every pulse of theirs is counted.

The lines have their true speed, and a receive buffer as large as a board's (simulators/wire.py).
"""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from typing import NamedTuple

from meter_lines import MeterLine

from meterhub_tools.errors import ToolError
from meterhub_tools.hub import Hub
from meterhub_tools.simulators.bench import Bench
from meterhub_tools.simulators.household import Household

_PERIOD_S = {"dlms": 2}  # instead of ten: the line is busy more than half of the time
_LOOK_S = 0.02
_BEGIN_S, _END_S, _COUNT_S = 20, 15, 5


class Heard(NamedTuple):
    """What became of one meter's telegrams. most_waiting_bytes: in the hub's receive buffer."""

    sent: int
    counted: int
    most_waiting_bytes: int


class BusyLines:
    """Meters of these kinds (meter_lines.KINDS), from `with` to its end; those that send unasked wait for begin().

    settings, uart: what the hub is told of them; home, at: as MeterLine takes them.
    """

    def __init__(self, kinds: Sequence[str], home: Household | None = None, at: int = 0) -> None:
        self._lines = [MeterLine(kind, home=home, at=at) for kind in kinds]
        self._stack = contextlib.ExitStack()
        self.settings = [line.settings for line in self._lines]
        self.uart = {line.name: line.wire.path for line in self._lines}

    def __enter__(self) -> "BusyLines":
        for line in self._lines:
            line.meter.period_s = _PERIOD_S.get(line.name, line.meter.period_s)
            if line.meter.period_s:
                line.hush()
            self._stack.enter_context(line)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def now(self) -> int:
        """Return the time in the household, Unix seconds."""
        return self._lines[0].now()

    async def begin(self) -> None:
        """Let the meters send as soon as the hub listens to all of them."""
        pushing = [line for line in self._lines if line.meter.period_s]
        async with asyncio.timeout(_BEGIN_S):
            while not all(line.is_listened_to for line in pushing):
                await asyncio.sleep(_LOOK_S)
        for line in pushing:
            line.speak()

    async def end(self, hub: Hub) -> dict[str, Heard]:
        """Let the meters finish what they are sending, and the hub what it is reading; return what became of it."""
        for line in self._lines:
            line.hush()
        async with asyncio.timeout(_END_S):
            while not all(line.is_quiet for line in self._lines):
                await asyncio.sleep(_LOOK_S)
        sent = {line.name: line.wire.telegrams for line in self._lines}
        with contextlib.suppress(ToolError):  # what has not come by then is lost
            await hub.wait_status(
                "the last telegrams", lambda s: all(s["meters"][name] >= sent[name] for name in sent), _COUNT_S
            )
        told = hub.status["meters"]
        return {
            line.name: Heard(sent[line.name], told[line.name], line.wire.most_waiting_bytes) for line in self._lines
        }


async def pulsing(bench: Bench, name: str, per_s: int, ended: threading.Event) -> int:
    """Give `per_s` pulses a second on an input of `bench`, one by one, until `ended`; return how many."""
    while "gpio" not in bench.connected:
        await asyncio.sleep(_LOOK_S)
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while not ended.is_set():
        bench.pulse(name)
        sent += 1
        await asyncio.sleep(max(0.0, began + sent / per_s - loop.time()))
    return sent
