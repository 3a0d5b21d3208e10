"""The hub with a cable: a whole export through it, the wipe at power-on, and what is let go when nobody asks."""

import asyncio
import contextlib
import json
import threading

import pytest
from world import HISTORY_S, Asker, Home, Mosquitto, agreeing, everything, link, new_recipient

from meterhub_tools.board.bridge import Tunnel
from meterhub_tools.board.port import Line

BOARD = {"bits": 32, "heapsize": "190k"}
IDLE_S = 62  # a little more than after which an applet and the service desk are let go


class Bridge:
    """The computer at the other end of the cable, in a thread of its own."""

    def __init__(self, port: str, broker: int) -> None:
        self.line = Line(port)
        self.line.open()
        self.tunnel = Tunnel("mqtt", "127.0.0.1", broker)
        self.tunnel.join(self.line)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        while not self._ends.is_set():
            self.line.event(0.05)

    def pull(self) -> None:
        """Pull the cable: nobody says goodbye."""
        self._ends.set()
        self._thread.join()
        self.line.close()


@contextlib.asynccontextmanager
async def bridged(folder, **options):
    broker = Mosquitto(folder).start()
    recipient = new_recipient()
    asker = Asker(recipient, broker.port)
    place = Home(folder, "cable:", [recipient], cable=True, **options)
    try:
        async with place:
            yield place, asker, broker
    finally:
        asker.close()
        broker.kill()


async def ask(place, verb):
    """Ask over the cable, in a thread: the hub's other end of it is in this one."""

    def once():
        with Line(place.hub.cable) as line:
            return line.ask(verb)

    return await asyncio.to_thread(once)


@pytest.mark.parametrize("options", [{}, BOARD], ids=["64", "32"])
def test_a_hub_without_a_network_exports_through_the_cable(tmp_path, options):
    async def run():
        async with bridged(tmp_path, net=False, **options) as (place, asker, broker):
            await place.live_through()
            bridge = await asyncio.to_thread(Bridge, place.hub.cable, broker.port)
            try:
                card = await asker.card(place.hub.id, 60, lambda c: c.have and c.have[1] - c.have[0] >= HISTORY_S)
                await link(place, asker, card)
                got = await asker.exchange(card, everything("private", card.have), agreeing(place))
                assert got.outcome == "done", got.error
                assert len([e for e in got.result.entries if e.quality == 1]) >= HISTORY_S // 1800
            finally:
                await asyncio.to_thread(bridge.pull)
            assert not place.hub.journalled("EXECUTE_FAILED")

    asyncio.run(run())


def test_nobody_at_the_cable_is_named_and_whoever_comes_is_taken(tmp_path):
    async def run():
        async with bridged(tmp_path, clock="board") as (place, _asker, broker):
            await place.hub.wait("LINK_DOWN", lambda event: event.get("name") == "LINK_DOWN", 20)
            assert place.hub.journalled("LINK_DOWN")[0]["detail"] == "wan cable nobody bridges it"
            bridge = await asyncio.to_thread(Bridge, place.hub.cable, 1)  # no broker there
            await place.hub.wait("the broker", lambda event: "cannot reach" in event.get("detail", ""), 30)
            await asyncio.to_thread(bridge.pull)
            bridge = await asyncio.to_thread(Bridge, place.hub.cable, broker.port)
            await place.hub.wait("the link", lambda event: event.get("name") == "link up", 90)
            await asyncio.to_thread(bridge.pull)

    asyncio.run(run())


def test_button_a_held_at_power_on_makes_it_another_hub(tmp_path):
    async def run():
        place = Home(tmp_path, "", [], cable=True)
        async with place:
            await place.live_through()
            before = place.hub.id
            await place.hub.kill()
            place.bench.set_button("A", True)
            starting = asyncio.create_task(place.hub.start())
            await place.reads("wipe", "hold a")
            await place.reads("wiped", "let go of a")
            place.bench.set_button("A", False)
            await starting
            assert place.hub.id != before
            wiped = place.hub.journalled("wiped")
            assert [(entry["seq"], entry["kind"]) for entry in wiped] == [(1, "security")]
            assert (await ask(place, "settings"))["settings"]["name"] == "meterhub"
            assert (await ask(place, "hello"))["owned"] is False
            assert not list((tmp_path / "hub/profile").glob("*.lp"))
            assert not (tmp_path / "hub/wiping").exists()

    asyncio.run(run())


def test_button_a_let_go_in_time_removes_nothing(tmp_path):
    async def run():
        place = Home(tmp_path, "", [], cable=True)
        async with place:
            before = place.hub.id
            await place.hub.kill()
            place.bench.set_button("A", True)
            starting = asyncio.create_task(place.hub.start())
            await place.reads("wipe", "hold a")
            place.bench.set_button("A", False)
            await starting
            assert place.hub.id == before
            assert not place.hub.journalled("wiped")

    asyncio.run(run())


def test_a_wipe_that_a_power_cut_has_broken_off_goes_on_at_the_next_start(tmp_path):
    async def run():
        place = Home(tmp_path, "", [], cable=True)
        async with place:
            before = place.hub.id
            await place.hub.kill()
            (tmp_path / "hub/wiping").touch()
            for path in (tmp_path / "hub").glob("owner.?"):
                path.unlink()
            await place.hub.start()
            assert place.hub.id != before
            assert len(place.hub.journalled("wiped")) == 1
            assert not (tmp_path / "hub/wiping").exists()

    asyncio.run(run())


def test_what_nobody_has_asked_for_in_a_minute_gives_its_memory_back(tmp_path):
    async def run():
        broker = Mosquitto(tmp_path).start()
        recipient = new_recipient()
        asker = Asker(recipient, broker.port)
        place = Home(tmp_path, f"mqtt://127.0.0.1:{broker.port}", [recipient], cable=True, **BOARD)
        try:
            async with place:
                await place.live_through()
                card = await asker.card(place.hub.id, want=lambda c: c.have and c.have[1] - c.have[0] >= HISTORY_S)
                free = []
                for _ in range(2):
                    await asyncio.sleep(IDLE_S)
                    at_rest = await ask(place, "info")
                    assert at_rest["loaded"] == ["service_desk"]
                    free.append(at_rest["heap_free"])
                    asker.publish(card.hub, json.dumps({"t": "request"}).encode())
                    await place.hub.wait("the applet", lambda event: event.get("name") == "MALFORMED", 10)
                    busy = await ask(place, "info")
                    assert busy["loaded"] == ["service_desk", "applets.export"]
                    assert free[-1] - busy["heap_free"] > 2000
                assert free[0] - free[1] < 2000, free  # names that are interned once; no module
        finally:
            asker.close()
            broker.kill()

    asyncio.run(run())
