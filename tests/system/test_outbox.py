"""What a hub has to tell reaches its recipient over a real broker: each event once, in order, whatever goes down."""

import asyncio
import contextlib
import time

from world import Asker, Home, Mosquitto, new_recipient

from meterhub_tools import items


class Site:
    """The recipient: stores each item once, answers each delivery, and can be deaf."""

    def __init__(self, asker, home):
        self.asker, self.home = asker, home
        self.stored = {}
        self.deliveries = 0
        self.deaf = False
        self._seen = 0

    async def until(self, done, timeout_s):
        async with asyncio.timeout(timeout_s):
            while not done():
                for topic, payload in self.asker.seen[self._seen :]:
                    self._seen += 1
                    if topic.endswith("/up/outbox"):
                        await self._take(payload)
                await asyncio.sleep(0.05)

    async def _take(self, payload):
        recipient = self.asker.recipient
        told = items.read(payload, await self.asker.card(self.home.hub.id), recipient.kid)
        self.deliveries += 1
        for item in told.items:
            assert self.stored.setdefault((told.box, item.id), item) == item
        if not self.deaf:
            self.asker.publish(told.hub, items.receipt(recipient, told, int(time.time())), "receipt")


async def exchange_the_meter(home, number):
    """Let another meter stand behind the line, and return when the hub has journalled it."""
    before = len(home.hub.journalled("METER_CHANGED"))
    home.meter.p1.equipment = "E%016d" % number
    async with asyncio.timeout(20):
        while len(home.hub.journalled("METER_CHANGED")) == before:
            await asyncio.sleep(0.05)


async def cut_the_power(home, broker=None, asker=None):
    """Kill the hub and start it again, with a broker that the asker hears; return when it has heard its meter."""
    await home.hub.kill()
    if broker:
        broker.start()
        while not asker.seen:  # a delivery before it listens would come again after half a minute only
            asker.publish("nobody", b"")
            await asyncio.sleep(0.1)
    home.hub.status = None
    home.line.forget_unread()  # a hub without power hears nothing
    await home.hub.start()
    await home.hub.wait_status("telegrams", lambda s: s["telegrams"] > 3, 20)


def exchanges(site):
    return [(item.name, item.at) for item in site.stored.values() if item.name == "METER_CHANGED"]


def journalled(home):
    return [(entry["name"], entry["at"]) for entry in home.hub.journalled("METER_CHANGED")]


@contextlib.asynccontextmanager
async def waiting_home(folder):
    """A home that has to tell its recipient of events, the recipient, and a broker that is not there yet."""
    broker = Mosquitto(folder)
    recipient = new_recipient()
    home = Home(folder, f"mqtt://127.0.0.1:{broker.port}", [recipient], history_s=3600)
    home.settings["events"] = {"to": recipient.kid}
    asker = Asker(recipient, broker.port)
    try:
        async with home:
            await home.live_through()
            yield broker, home, Site(asker, home)
            assert not home.hub.journalled("EXECUTE_FAILED")
            assert not home.hub.journalled("INTEGRITY_FAILED")
    finally:
        asker.close()
        broker.kill()


def test_events_arrive_once_and_in_order_though_broker_and_hub_go_down(tmp_path):
    async def run():
        async with waiting_home(tmp_path) as (broker, home, site):
            await exchange_the_meter(home, 1)
            await cut_the_power(home)
            await exchange_the_meter(home, 2)
            site.deaf = True  # the first delivery gets no answer, and then the hub is killed
            await cut_the_power(home, broker, site.asker)
            await site.until(lambda: site.deliveries, 20)
            assert len(exchanges(site)) >= 2
            site.deaf = False
            await cut_the_power(home)
            await site.until(lambda: site.deliveries > 1, 20)
            await exchange_the_meter(home, 3)
            await site.until(lambda: len(exchanges(site)) == len(journalled(home)), 20)
            assert exchanges(site) == journalled(home)
            assert [number for _, number in site.stored] == list(range(1, len(site.stored) + 1))
            assert len({box for box, _ in site.stored}) == 1

            # what is no receipt of the recipient's, or comes again, changes nothing and is journalled
            first = next(payload for topic, payload in site.asker.seen if topic.endswith("/up/outbox"))
            told = items.read(first, await site.asker.card(home.hub.id), site.asker.recipient.kid)
            deliveries = site.deliveries
            for signer in (new_recipient("Stranger"), site.asker.recipient):
                site.asker.publish(told.hub, items.receipt(signer, told, 0), "receipt")
            await site.until(lambda: sum(e["detail"].startswith("receipt") for e in home.hub.journal) == 2, 10)
            assert site.deliveries == deliveries

    asyncio.run(run())
