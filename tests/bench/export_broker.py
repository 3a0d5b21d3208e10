"""The same export through the whole: the hub as a process, its display and buttons, a broker, a recipient."""

import asyncio
import json
import shutil
import time
from pathlib import Path

from customer import SUB, check
from history import DAYS, END, REGISTERS
from worker import BUILD, Broken

from meterhub.errors import HubError
from meterhub_tools import toolchain
from meterhub_tools.broker import Broker
from meterhub_tools.hub import HEAP, Hub
from meterhub_tools.recipient import Card, Exchange, Recipient, data_wish, link_wish
from meterhub_tools.simulators import display_reader
from meterhub_tools.simulators.bench import Bench
from meterhub_tools.website.courier import Courier

PATIENCE_S = 60
_DAY_S = 86400


def over_broker(profile: Path, bits: int) -> dict[str, dict[str, float]]:
    """Return, for each mode, the seconds of an export of all of `profile`; the 32-bit hub stands for a board.

    "machine": all but the person's time from the question to the PIN; "data": of these from PIN to last reading.
    """
    return asyncio.run(_over_broker(profile, bits))


async def _over_broker(profile: Path, bits: int) -> dict[str, dict[str, float]]:
    data = BUILD / f"hub{bits}"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(profile, data / "profile")
    recipient = Recipient("Green Co-op", Recipient.new_pem())
    bench = Bench()
    await bench.start()
    with Broker() as broker:
        settings = {"schema": 1, "profile": {"registers": REGISTERS}, "wan": {"url": broker.url()}}
        settings["recipients"] = [recipient.public()]
        heap = toolchain.HEAP_OF_A_BOARD if bits == 32 else HEAP
        hub = Hub(data, settings, bench=bench.address, bits=bits, heapsize=heap)
        asker = Asker(broker.url(), recipient, bench)
        try:
            await hub.start()
            card = await asyncio.to_thread(asker.courier.wait_for_card, hub.id, PATIENCE_S)
            if card is None:
                raise Broken(f"the hub does not say who it is{hub.last_words()}")
            return await _figures(asker, card)
        finally:
            await asyncio.to_thread(asker.courier.stop)
            await hub.stop()
            await bench.stop()


async def _figures(asker: "Asker", card: Card) -> dict[str, dict[str, float]]:
    await asker.exchange(card, link_wish(REGISTERS, "half-hour", int(time.time()) + 365 * _DAY_S))
    found = {}
    for mode in ("private", "server"):
        run, parts = await asker.exchange(card, data_wish(mode, REGISTERS, "half-hour", END - DAYS * _DAY_S, END))
        check(run.result.entries if run.result else [], DAYS)
        found[mode] = parts
    return found


class Asker:
    """The recipient, and the household that agrees with it. bench: what shows its display and presses its buttons."""

    def __init__(self, url: str, recipient: Recipient, bench, now=time.time, patience_s: int = PATIENCE_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._recipient = recipient
        self._bench = bench
        self._now = now
        self._patience_s = patience_s
        self.courier = Courier(url, None, lambda _, raw: self._loop.call_soon_threadsafe(self._heard.put_nowait, raw))
        self.courier.start()

    async def exchange(self, card: Card, wish: dict) -> tuple[Exchange, dict[str, float]]:
        """Go through one exchange; return it and the seconds that its parts took."""
        while not self._heard.empty():
            self._heard.get_nowait()
        run = Exchange(self._recipient, card, SUB, wish, int(self._now()))
        began = time.monotonic()
        self._send(card, run.start())
        await self._until(run, card, "asked")
        asked = time.monotonic()
        await self._bench.wait_for(
            lambda pixels: "show PIN" in " ".join(display_reader.read_text(pixels)), self._patience_s
        )
        await self._bench.press("B")
        await self._until(run, card, "pin")
        pin = await self._bench.wait_for(display_reader.read_pin, self._patience_s)
        typed = time.monotonic()
        self._send(card, run.enter_pin(str(pin)))
        await self._until(run, card, "done")
        ended = time.monotonic()
        return run, {
            "machine": asked - began + ended - typed,
            "data": ended - typed,
        }

    async def _until(self, run: Exchange, card: Card, state: str) -> None:
        async with asyncio.timeout(self._patience_s):
            while run.state != state:
                raw = await self._heard.get()
                try:
                    self._send(card, run.feed(raw, int(self._now())))
                except HubError as error:
                    if json.loads(raw).get("t") != "end":  # of the exchange before
                        raise Broken(f"the recipient refuses what the hub sent: {error}") from None
                if run.settled and run.state != state:
                    raise Broken(f"the exchange ended with {run.state}: {run.error}")

    def _send(self, card: Card, messages: list[bytes]) -> None:
        for message in messages:
            self.courier.send(card.hub, message)
