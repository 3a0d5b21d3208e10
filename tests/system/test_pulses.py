"""A meter that only blinks: pulses on an input of the hub, counted over a power cut, out of the encrypted export."""

import asyncio
import contextlib
import os
import signal
import time

from world import Asker, Home, Mosquitto, agreeing, everything, link, new_recipient

from meterhub.store.kept import Kept
from meterhub.store.last import LastValues
from meterhub.store.record import Record

START_WH = 5_000_000


def test_pulses_come_out_as_a_register_that_never_falls(tmp_path):
    async def run():
        broker = Mosquitto(tmp_path).start()
        asker = Asker(recipient := new_recipient(), broker.port)
        place = Home(tmp_path, f"mqtt://127.0.0.1:{broker.port}", [recipient], clock="board")
        place.settings["meters"] = [{"protocol": "pulse", "input": "pulse0", "imp": 500, "start": START_WH}]
        try:
            async with place:
                await place.hub.wait_status("the first look", lambda s: s["telegrams"] > 0, 20)
                for _ in range(100):
                    place.bench.pulse("pulse0", 3)
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.5)
                card = await asker.card(place.hub.id, want=lambda c: c.have)
                await link(place, asker, card)
                got = await asker.exchange(card, everything("private", place.hub.status["have"]), agreeing(place))
                assert got.outcome == "done", got.error
                assert not place.hub.journalled("EXECUTE_FAILED")
                return got.result.entries[-1].values
        finally:
            asker.close()
            broker.kill()

    assert asyncio.run(run()) == (START_WH + 300 * 1000 // 500, None)


def test_whoever_stops_the_hub_takes_no_pulse_from_it(tmp_path):
    """Ctrl-C, as a deploy does it, even when it comes again and again."""

    async def run(pulses):
        place = Home(tmp_path, "", [], clock="board")
        place.settings["meters"] = [{"protocol": "pulse", "input": "pulse0"}]
        del place.settings["wan"]
        async with place:
            await place.hub.wait_status("the first look", lambda s: s["telegrams"] > 0, 20)
            place.bench.pulse("pulse0", pulses)
            await place.hub.wait_status("the pulses", lambda s: s["telegrams"] > 1, 20)
            with contextlib.suppress(ProcessLookupError):  # it may have ended before the last one comes
                for _ in range(12):
                    os.kill(place.hub._process.pid, signal.SIGINT)
                    time.sleep(0.002)
            await asyncio.wait_for(place.hub._process.wait(), 10)
        record = Record(str(tmp_path / "hub/last/pulse"))
        return LastValues(record, Kept(NothingKept()), "pulse").pulses

    assert asyncio.run(run(3)) == 3
    assert asyncio.run(run(4)) == 7


class NothingKept:
    def kept(self):
        return b""
