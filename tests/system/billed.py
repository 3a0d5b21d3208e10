"""What tests of private billing share: a home whose meter lives through the past, the site that gets its batches."""

import asyncio
import contextlib
import time

from world import Asker, Home, Mosquitto, new_recipient

from meterhub_tools import batches
from meterhub_tools.simulators.household import HALF_HOUR_S


@contextlib.asynccontextmanager
async def linkable_home(folder, days):
    """A home with so many days behind it, and who may ask it; nothing may have gone wrong by its journal."""
    broker = Mosquitto(folder).start()
    recipient = new_recipient()
    home = Home(folder, f"mqtt://127.0.0.1:{broker.port}", [recipient], history_s=days * 86400)
    asker = Asker(recipient, broker.port)
    try:
        async with home:
            yield home, asker
            for name in ("EXECUTE_FAILED", "INTEGRITY_FAILED", "BILL_CHAIN"):
                assert home.hub.journalled(name) == []
    finally:
        asker.close()
        broker.kill()


class Past:
    """The home's clock while its meter lives through the past: what the meter has told last, and the time since.

    meter: simulators.p1_meter.P1Meter, from whose household's start on a telegram comes at the end of each interval,
    but for those whose ends are in `silent`.
    """

    def __init__(self, home, meter, step_s=HALF_HOUR_S):
        self.home, self.meter, self.step_s = home, meter, step_s
        self.start = meter.household.start
        self.silent = ()
        self.told, self.at, self.sent = 0, 0.0, 0

    def now(self):
        return self.told + time.monotonic() - self.at

    async def tell(self, at):
        """Send the telegram of the second `at`."""
        await self.home.line.catch_up(self.meter.telegram(at))
        self.sent += 1
        self.told, self.at = at, time.monotonic()

    async def live_until(self, stop):
        """Send the telegrams until `stop`; return when the hub has them."""
        at = self.told // self.step_s * self.step_s + self.step_s if self.told else self.start
        while at <= stop:
            if at not in self.silent:
                await self.tell(at)
            at += self.step_s
        await self.home.hub.wait_status("the past", lambda s: s["telegrams"] >= self.sent, 60)

    async def live_while(self, task):
        """Send fifty telegrams a second until `task` is done; none of them may be lost."""
        task = asyncio.ensure_future(task)
        while not task.done():
            await self.home.line.catch_up(self.meter.telegram(int(self.now())))
            self.sent += 1
            await asyncio.sleep(0.02)
        task.result()
        await self.home.hub.wait_status("all telegrams", lambda s: s["telegrams"] == self.sent, 30)
        assert self.home.hub.status["errors"] == {}


class Site:
    """The recipient: checks and stores each batch once, and answers unless it is deaf."""

    def __init__(self, asker, hub):
        self.asker, self.hub = asker, hub
        self.stored, self.copies, self.deaf = [], [], False
        self._seen = 0

    async def until(self, done, timeout_s=40):
        async with asyncio.timeout(timeout_s):
            while not done():
                for topic, payload in self.asker.seen[self._seen :]:
                    self._seen += 1
                    if topic == f"meterhub/{self.hub}/up/batch":
                        await self._take(payload)
                await asyncio.sleep(0.01)

    async def _take(self, payload):
        raw = batches.read(payload, await self.asker.card(self.hub))
        self.copies.append(raw)
        if not self.deaf:
            self.stored = batches.add(self.stored, raw)
            self.asker.publish(
                self.hub, batches.receipt(self.asker.recipient, self.hub, raw, int(time.time())), "batch"
            )
