"""The demo's meter: a household, its P1 port, and the cable to the hub.

First it lives through the household's past, one telegram for every half-hour boundary, as fast as the hub reads; then
it sends one telegram a second, as a meter does.
"""

import asyncio
import time
from datetime import datetime

from ..simulators.household import HALF_HOUR_S, MAX_EXTRA_W, Household
from ..simulators.p1_meter import P1Meter
from ..simulators.serial_line import SerialLine

HISTORY_S = 393 * 86400  # thirteen months of half-hours: no thirteen months are shorter, and a hub keeps no more
_TRACE_S, _TRACE_STEP_S = 300, 5
_ASLEEP_S = 30
_BREATH = 8  # telegrams between two turns of the event loop at least


class DemoMeter:
    """A meter (`p1`) at the end of `line`; its household begins `history_s` seconds before now."""

    def __init__(self, line: SerialLine, history_s: int = HISTORY_S) -> None:
        self.line = line
        self.household = Household(int(time.time()) - history_s)
        self.p1 = P1Meter(self.household)
        self.sent = 0
        self.catching_up = True
        self.expected = history_s // HALF_HOUR_S + 1
        self.last_boundary = self.household.start

    async def catch_up(self) -> None:
        """Send the telegram of every half-hour boundary from the household's start until now."""
        at = self.household.start
        while at <= time.time():
            await self.line.catch_up(self.p1.telegram(at))
            self.sent += 1
            self.last_boundary = at
            at += HALF_HOUR_S
            if self.sent % _BREATH == 0:
                await asyncio.sleep(0)
        self.expected = self.sent
        self.catching_up = False

    async def live(self) -> None:
        """Send the telegram of every second until cancelled; after a long sleep go on at the present."""
        at = int(time.time()) + 1
        while True:
            late = time.time() - at
            if late > _ASLEEP_S:
                at += int(late)
            await asyncio.sleep(max(0.0, -late))
            self.sent += 1
            await self.line.send(self.p1.telegram(at))
            at += 1

    def draw_more(self, watts: int) -> None:
        """From the next second on, let the household draw `watts` more."""
        self.household.set_extra_w(int(time.time()) + 1, max(0, min(watts, MAX_EXTRA_W)))

    def event(self) -> dict:
        """Return what the meter's own display shows, for the page."""
        now = self.last_boundary if self.catching_up else int(time.time())
        shown = self.household.registers(now)
        return {
            "ev": "meter",
            "clock": datetime.fromtimestamp(now, self.household.zone).strftime("%d-%m-%y %H:%M"),
            "import_wh": shown.import_wh,
            "export_wh": shown.export_wh,
            "power_w": self.household.power_w(now),
            "trace_w": [self.household.power_w(at) for at in range(now - _TRACE_S, now + 1, _TRACE_STEP_S)],
            "tariff": self.household.tariff(now),
            "gas_dm3": shown.gas_dm3,
            "extra_w": self.household.extra_w,
            "cable": self.line.connected,
        }
