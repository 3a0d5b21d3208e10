"""Switches on the running firmware: the household's button, power cuts, the load limit, a demand-response event."""

import asyncio
import json
import time

from world import Home

from meterhub.codec import base64url
from meterhub.store.record import Record

SETTINGS = {"switch": True, "loads": 2}


def home(folder, **known):
    """Return a home with switches; known: what its record of the supply says."""
    place = Home(folder, "", [], history_s=0)
    place.settings["supply"] = SETTINGS
    if known:
        known = {"v": 1, "state": "enabled"} | known
        (folder / "hub").mkdir(exist_ok=True)
        Record(str(folder / "hub/supply")).save(json.dumps(known).encode())
    return place


async def moved(place, on, number=0):
    async with asyncio.timeout(40):
        while place.bench.switches[number].on != on:
            await asyncio.sleep(0.05)


async def journalled(place, name, many=1):
    async with asyncio.timeout(30):
        while len(place.hub.journalled(name)) < many:
            await asyncio.sleep(0.05)
    return place.hub.journalled(name)[-1]["detail"]


async def to_the_page(place, *words):
    """Press A until the display shows the page of the supply."""
    for _ in range(20):
        try:
            return await place.reads("supply", *words, timeout_s=1.5)
        except AssertionError:
            await place.press("A")
    raise AssertionError("no page of the supply")


def test_the_household_turns_it_on_and_a_power_cut_changes_nothing(tmp_path):
    async def run():
        place = home(tmp_path)
        async with place:
            await place.live_through()
            supply, loads = place.bench.switches[0], place.bench.switches[1]
            assert (supply.on, loads.on, place.bench.switches[3].on) == (False, True, False)
            await to_the_page(place, "off", "turn on")
            await place.press("B")
            await place.reads("turn on?")
            assert not supply.on
            await place.press("B")
            await moved(place, True)
            await place.reads("supply", "on", "turned on here")
            await place.hub.kill()
            await moved(place, False)  # nothing drives it any more
            await place.hub.start()
            await moved(place, True)
            assert await journalled(place, "supply enabled") == "supply household"

    asyncio.run(run())


def test_the_load_limit_turns_it_off_and_on_again(tmp_path):
    async def run():
        place = home(tmp_path, limit=[1, 10, 3, "disable"])  # so long there is to weld it
        async with place:
            place.bench.switches[0].take(1)
            place.meter.draw_more(9000)  # more than its sun gives at noon
            await place.live_through()
            await moved(place, False)
            assert await journalled(place, "load limit") == "supply 8F01 over"
            assert await journalled(place, "supply armed") == "supply 8F33 limit"
            await moved(place, True)
            assert await journalled(place, "supply enabled") == "supply 8F34 limit"
            place.bench.switches[0].stuck = True
            assert await journalled(place, "EXECUTE_FAILED") == "supply 81C0 disconnect"

    asyncio.run(run())


def test_what_is_disabled_stays_so_whatever_is_pressed(tmp_path):
    async def run():
        place = home(tmp_path, state="disabled", reason="supplier", text="moved out")
        async with place:
            await place.live_through()
            await to_the_page(place, "off", "moved out", "ask your supplier")
            for _ in range(3):
                await place.press("B")
            await place.hub.restart()
            await asyncio.sleep(2)
            assert (place.bench.switches[0].on, place.bench.switches[0].moved) == (False, 0)

    asyncio.run(run())


def test_an_event_that_was_agreed_to_before_a_power_cut_takes_place_and_ends(tmp_path):
    async def run():
        place = home(tmp_path)
        at = int(time.time()) + 20
        event = {
            "n": 1,
            "kind": "dr",
            "id": "ev1",
            "kid": "K" * 16,
            "program": "",
            "must": 0,
            "named": 1,
            "loads": [2],
        }
        event |= {"intervals": [[0, at, 10, 0, "SIMPLE", 1000]], "unknown": [], "action": "accept", "done": 0}
        event |= {"begun": 0, "acted": 0, "fault": 0}
        (tmp_path / "hub").mkdir()
        role = ["K" * 16, "LC", base64url.encode(bytes(65)), "Loads Ltd", 1, 0]
        Record(str(tmp_path / "hub/roles")).save(json.dumps([role]).encode())
        Record(str(tmp_path / "hub/demand")).save(json.dumps({"v": 1, "next": 2, "events": [event]}).encode())
        async with place:
            await place.live_through()
            await moved(place, True, 2)
            await moved(place, False, 2)
            assert at <= time.time() < at + 10 and place.bench.switches[1].on
            assert await journalled(place, "demand begins") == "ev1 SIMPLE"
            await place.hub.kill()
            place.bench.switches[2].stuck = True  # so that only the hub's word counts
            place.line.forget_unread()  # a hub without power hears nothing
            await place.hub.start()
            await asyncio.sleep(1)
            assert time.time() >= at + 10 or not place.bench.switches[2].drive
            place.bench.switches[2].stuck = False
            await moved(place, True, 2)
            assert time.time() >= at + 10
            kept = json.loads(Record(str(tmp_path / "hub/demand")).load())["events"][0]
            assert (kept["acted"], kept["fault"]) == (1, 0)

    asyncio.run(run())
