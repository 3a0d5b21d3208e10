"""The time: a hub that nobody has told it asks at a real broker, and believes the signed answer."""

import asyncio

from world import Mosquitto

from meterhub_tools.demo.eavesdropper import broker_of
from meterhub_tools.hub import Hub
from meterhub_tools.owner import keys, orders

from meterhub.codec import base64url  # isort: skip


def test_a_hub_asks_for_the_time_and_is_told_it_by_who_may(tmp_path):
    async def run():
        broker = Mosquitto(tmp_path).start()
        grid = keys.load(tmp_path / "grid")
        recipient = {"kid": grid.kid, "name": "Grid Ltd", "key": base64url.encode(grid.point)}
        url = f"mqtt://127.0.0.1:{broker.port}"
        settings = {"schema": 1, "recipients": [recipient], "may": {"time": grid.kid}, "wan": {"url": url}}
        hub = Hub(tmp_path / "hub", settings, clock="meter")
        serving = asyncio.create_task(orders.serve(broker_of(url), grid.sign))
        try:
            await asyncio.sleep(0.5)
            await hub.start()
            told = await hub.wait("the time", lambda event: event.get("name") == "clock set", 30)
            assert told["detail"] == f"signed by {grid.kid} +0 s set"
            assert told["at"] > 1_790_000_000
            assert not hub.journalled("REPLAY")
        finally:
            serving.cancel()
            await hub.stop()
            broker.kill()

    asyncio.run(run())
