"""A meter that tells its power all the time and its totals once an hour, as those in Norway do: nothing is made up."""

import asyncio

from fastcrc import crc16
from world import Home

from meterhub.codec.load_profile import MEASURED, PARTIAL
from meterhub.store.columns import column_of
from meterhub.store.profile import Profile

HOURS = 3
STEP_S = 1800
OF_A_TOTAL = (b"1-0:1.8.", b"1-0:2.8.", b"0-1:24.2.1")


def without_totals(telegram):
    """Return a P1 telegram without its lines of totals."""
    lines = telegram.split(b"\r\n")[:-2]
    raw = b"\r\n".join([line for line in lines if not line.startswith(OF_A_TOTAL)]) + b"\r\n!"
    return raw + b"%04X\r\n" % crc16.arc(raw)


def test_a_total_that_is_told_once_an_hour_is_no_reading_at_the_half_hour(tmp_path):
    async def run():
        place = Home(tmp_path, "", [], history_s=HOURS * 3600 + STEP_S)
        async with place:
            start, sent = place.meter.household.start, 0
            for at in range(start, start + HOURS * 3600 + 60, 10):
                told = place.meter.p1.telegram(at)
                await place.line.catch_up(told if at % 3600 == 10 else without_totals(told))
                sent += 1
            await place.hub.wait_status("all telegrams", lambda s: s["telegrams"] == sent, 30)
            return place.meter.household

    household = asyncio.run(run())
    profile = Profile(str(tmp_path / "hub/profile"), [column_of("1-0:1.8.0"), column_of("1-0:2.8.0")])
    kept = list(profile.read(profile.first, profile.last))
    assert len(kept) >= 2 * HOURS - 2
    for entry in kept:
        full = entry.at % 3600 == 0
        last = household.registers(entry.at // 3600 * 3600 + 10)
        assert entry.quality == (MEASURED if full else PARTIAL)
        assert entry.values == (last.import_wh, last.export_wh)
