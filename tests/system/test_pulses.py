"""A meter that only blinks: pulses on an input of the hub, counted over a power cut, out of the encrypted export."""

import asyncio

from world import Asker, Home, Mosquitto, agreeing, everything, link, new_recipient

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
