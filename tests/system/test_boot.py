"""What a hub does at its start with bad settings and damaged files, and on its meter line with every kind of junk."""

import asyncio
import json

import pytest
from world import HISTORY_S, Home

from meterhub_tools.simulators import p1_meter
from meterhub_tools.simulators.household import Household


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x10
    path.write_bytes(raw)


async def once(place):
    """Let the hub start and end once, so that its files are there."""
    async with place:
        await place.live_through()


def again(folder, url=""):
    place = Home(folder, url, [])
    place.settings["wan"]["url"] = url
    return place


@pytest.mark.parametrize(
    ("name", "told"), [("identity", "INTEGRITY_FAILED"), ("consents", "STORE_DAMAGED"), ("attempts", "STORE_DAMAGED")]
)
def test_a_damaged_record_is_named_and_the_hub_reads_on(tmp_path, name, told):
    async def run():
        await once(again(tmp_path))
        files = [path for path in (tmp_path / "hub").glob(f"{name}.?")]
        if not files:  # nothing has been agreed to yet: a record of somebody else's
            (tmp_path / "hub" / f"{name}.0").write_bytes(b"MHR1 not really a record")
            files = [tmp_path / "hub" / f"{name}.0"]
        else:
            for path in files:
                flip(path)
        damaged = {path: path.read_bytes() for path in files}
        place = again(tmp_path, "mqtt://127.0.0.1:1")
        async with place:
            assert place.hub.journalled(told)
            await place.live_through()
            assert place.hub.status["telegrams"] >= 1
            if name == "identity":
                assert place.hub.id == ""
                assert place.hub.status["wan"] == "off"
                assert {path: path.read_bytes() for path in files} == damaged, "the key was overwritten"

    asyncio.run(run())


def test_a_bad_setting_is_refused_by_name_and_the_last_good_document_stays_in_force(tmp_path):
    async def run():
        await once(again(tmp_path))
        place = again(tmp_path)
        place.settings["meters"][0]["baud"] = 12345
        async with place:
            refused = place.hub.journalled("SETTING_REFUSED")
            assert refused[0]["detail"].startswith("meters.p1.baud")
            await place.live_through()  # the line is still the one of before

    asyncio.run(run())


def test_a_households_pin_is_kept_as_what_cannot_be_read_off(tmp_path):
    async def run():
        place = again(tmp_path)
        place.settings["household"] = {"pin": "4711"}
        await once(place)
        documents = [tmp_path / "hub" / name for name in ("settings.json", "settings.json.good")]
        kept = [json.loads(path.read_bytes())["household"]["pin"] for path in documents]
        assert kept[0] == kept[1] and kept[0].startswith("h1.") and "4711" not in kept[0]
        assert not any(b"4711" in path.read_bytes() for path in (tmp_path / "hub").rglob("*") if path.is_file())

    asyncio.run(run())


def test_junk_on_the_meter_line_is_counted_and_the_next_good_telegram_is_read(tmp_path):
    async def run():
        place = again(tmp_path)
        async with place:
            home = Household(place.meter.household.start)
            meter = p1_meter.P1Meter(home)
            telegrams = [meter.telegram(home.start + 1800 * n) for n in range(6)]
            stream = (
                telegrams[0],
                p1_meter.wrong_crc(telegrams[1]),
                telegrams[1],
                p1_meter.truncated(telegrams[2], 400),
                telegrams[2],
                p1_meter.merged(telegrams[3], telegrams[4], 100),
                telegrams[3],
                p1_meter.noise(65536),
                telegrams[4],
                telegrams[5],
            )
            for piece in stream:
                await place.line.catch_up(piece)
            status = await place.hub.wait_status("the last", lambda s: s["intervals"] >= 6, 20)
            assert status["telegrams"] in (6, 7)  # a merged pair may hold one that is whole
            assert status["errors"]["crc"] >= 1
            assert status["errors"]["truncated"] >= 1
            assert sum(status["errors"].values()) >= 4
            assert status["have"] == [home.start - 1800, home.start + 5 * 1800]

    asyncio.run(run())


def test_the_display_may_be_missing_at_start_and_come_back(tmp_path):
    async def run():
        place = again(tmp_path)
        place.bench.unplug_display()
        async with place:
            assert place.hub.journalled("DISPLAY_FAILED")[0]["detail"] == "ssd1306"
            await place.live_through()
            assert place.hub.status["intervals"] >= HISTORY_S // 1800
            place.bench.plug_display()
            await place.reads("now", timeout_s=15)

    asyncio.run(run())
