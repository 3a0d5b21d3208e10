"""Real meters' telegrams through the whole: serial line, hub, display, PIN, and out of the encrypted export."""

import asyncio
import json

import pytest
from world import REGS, Asker, Home, Mosquitto, agreeing, everything, link, new_recipient

from meterhub.codec.load_profile import CLOCK_UNSURE, OPEN

CAPTURES = (
    "dsmr_parser/v2_2.txt",
    "dsmr_parser/v4_2.txt",
    "dsmr_parser/v5.txt",
    "dsmr_parser/fluvius_v171.txt",
    "dsmr_parser/iskra_ie.txt",
    "amshan/dlde_example_data_b.txt",
)


def expected_wh(corpus, name, total):
    """Return what register `total` reads by the corpus' table: itself, or the sum of its tariffs; None for neither."""
    table = json.loads((corpus / "expected/p1.json").read_text())[name]

    def wh(obis):
        text, unit = table[obis]
        return round(float(text) * (1000 if unit.lower() == "kwh" else 1))

    if total in table:
        return wh(total)
    tariffs = [obis for obis in (f"{total[:-1]}{n}" for n in (1, 2, 3, 4)) if obis in table]
    return sum(map(wh, tariffs)) if tariffs else None


@pytest.mark.parametrize("name", CAPTURES)
def test_a_real_telegram_comes_out_of_the_export_as_it_went_in(name, corpus, tmp_path):
    noise = b"\x00\xff/garbage" * 700  # 6 KB of what was on the line before

    async def run():
        broker = Mosquitto(tmp_path).start()
        asker = Asker(recipient := new_recipient(), broker.port)
        try:
            async with Home(tmp_path, f"mqtt://127.0.0.1:{broker.port}", [recipient], clock="board") as place:
                await place.line.catch_up(noise + (corpus / "open/p1" / name).read_bytes())
                await place.hub.wait_status("the telegram", lambda s: s["telegrams"] == 1, 20)
                card = await asker.card(place.hub.id, want=lambda c: c.have)
                await link(place, asker, card)
                status = place.hub.status
                got = await asker.exchange(card, everything("private", status["have"]), agreeing(place))
                assert got.outcome == "done", got.error
                return got.result.entries
        finally:
            asker.close()
            broker.kill()

    entries = asyncio.run(run())
    assert 1 <= len(entries) <= 2  # two when a half-hour ended meanwhile
    for entry in entries:
        assert entry.values == tuple(expected_wh(corpus, name, total) for total in REGS)
    assert entries[-1].quality in (CLOCK_UNSURE, OPEN)  # its clock is years off, or its interval open
