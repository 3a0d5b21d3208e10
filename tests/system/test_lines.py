"""Nothing is lost: four meters at the true speed of their lines and 44 pulses a second, while the hub exports."""

import asyncio
import threading

from busy_lines import BusyLines, pulsing
from world import Asker, Home, Mosquitto, agreeing, everything, link, new_recipient

START_WH = 5_000_000
PULSES_PER_S = 44
LEAST = {"p1": 4, "sml": 4, "dlms": 2, "mode-c": 1}  # telegrams: so that the others say something


def test_no_telegram_and_no_pulse_is_lost_while_the_hub_exports(tmp_path):
    async def run():
        broker = Mosquitto(tmp_path).start()
        asker = Asker(recipient := new_recipient(), broker.port)
        options = {"clock": "board", "bits": 32, "heapsize": "256k"}  # five meters and an export: not for 190 KB
        try:
            with BusyLines(tuple(LEAST)) as lines:
                place = Home(tmp_path, f"mqtt://127.0.0.1:{broker.port}", [recipient], uart=lines.uart, **options)
                counted = {"protocol": "pulse", "input": "pulse0", "imp": 1000, "start": START_WH}
                place.settings["meters"] = [counted, *lines.settings]
                async with place:
                    return await busy(place, asker, lines)
        finally:
            asker.close()
            broker.kill()

    heard, given, counted = asyncio.run(run())
    assert {name: one.counted for name, one in heard.items()} == {name: one.sent for name, one in heard.items()}
    assert all(heard[name].sent >= least for name, least in LEAST.items()), heard
    assert counted == given > PULSES_PER_S


async def busy(place, asker, lines):
    """Export while everything comes in; return what became of the telegrams, and the pulses given and counted."""
    await lines.begin()
    ended = threading.Event()
    pulses = asyncio.create_task(pulsing(place.bench, "pulse0", PULSES_PER_S, ended))
    card = await asker.card(place.hub.id, want=lambda c: c.have)
    await link(place, asker, card)
    await export(place, asker, card)
    ended.set()
    given = await pulses
    register = (await export(place, asker, card))[-1].values[0]
    heard = await lines.end(place.hub)
    assert not place.hub.journalled("EXECUTE_FAILED")
    return heard, given, register - START_WH


async def export(place, asker, card):
    """Return the entries of an export that has ended well."""
    run = await asker.exchange(card, everything("private", place.hub.status["have"]), agreeing(place))
    assert run.outcome == "done", run.error
    return run.result.entries
