"""A hub on a real broker: TLS, outages in the middle of an export, and what bad messages get."""

import asyncio
import contextlib
import time

import pytest
from world import HISTORY_S, REGS, Asker, Home, Mosquitto, agreeing, another, everything, link, new_recipient

from meterhub_tools.recipient import data_wish


@contextlib.asynccontextmanager
async def flat(folder, tls=False, **home):
    """A broker, a hub that has lived through its history, and a recipient that is linked to it."""
    broker = Mosquitto(folder, tls).start()
    recipient = new_recipient()
    url = f"mqtts://localhost:{broker.port}" if tls else f"mqtt://127.0.0.1:{broker.port}"
    place = Home(folder, url, [recipient], **home)
    if tls:
        place.settings["wan"] |= {"ca": "ca.der", "server_name": "localhost"}
        (folder / "hub").mkdir()
        (folder / "hub/ca.der").write_bytes((folder / "ca.der").read_bytes())
    asker = Asker(recipient, broker.port, folder / "ca.pem" if tls else None)
    try:
        async with place:
            await place.live_through()
            yield broker, place, asker
    finally:
        asker.close()
        broker.kill()


async def ready(place, asker):
    """Link; return the card that tells the whole history."""
    card = await asker.card(place.hub.id, want=lambda c: c.have and c.have[1] - c.have[0] >= HISTORY_S)
    await link(place, asker, card)
    return card


def truth(place, at):
    registers = place.meter.household.registers(at)
    return registers.import_wh, registers.export_wh


@pytest.mark.parametrize("bits", [64, 32])
def test_both_modes_over_tls_give_every_half_hour_exactly(tmp_path, bits):
    async def run():
        options = {"bits": 32, "heapsize": "190k"} if bits == 32 else {}
        async with flat(tmp_path, tls=True, **options) as (_, place, asker):
            card = await ready(place, asker)
            for mode in ("server", "private"):
                got = await asker.exchange(card, everything(mode, card.have), agreeing(place, [another]))
                assert got.outcome == "done", got.error
                assert got.tried == 2  # the first PIN was wrong
                entries = [e for e in got.result.entries if e.quality == 1]
                assert len(entries) >= HISTORY_S // 1800
                assert all(e.values == truth(place, e.at) for e in entries)
            assert [event["detail"] for event in place.hub.journalled("EXECUTE_FAILED")] == []

    asyncio.run(run())


def test_a_broker_killed_in_the_middle_of_an_export_costs_nothing(tmp_path):
    async def run(folder):
        """Return how many bytes the line has lost: what a hub that was stopped with its machine has not read."""
        async with flat(folder) as (broker, place, asker):
            card = await ready(place, asker)
            before = place.hub.status["telegrams"]

            async def outage(run):
                pin = await agreeing(place)(run)
                if pin:
                    asyncio.get_running_loop().call_later(0.05, broker.kill)
                    asyncio.get_running_loop().call_later(4, broker.start)
                return pin

            started = time.monotonic()
            got = await asker.exchange(card, everything("private", card.have), outage, 90)
            assert got.outcome == "done" or got.error.name in ("NOT_RECEIVED", "PIN_EXPIRED")
            assert place.hub.journalled("LINK_DOWN")
            assert place.hub.journalled("link up")
            seconds = int(time.monotonic() - started)
            if not place.line.dropped_bytes:
                status = await place.hub.wait_status("telegrams", lambda s: s["telegrams"] >= before + seconds - 1, 5)
                assert not status["errors"]
            if got.outcome == "done":
                assert all(e.values == truth(place, e.at) for e in got.result.entries if e.quality == 1)
            return place.line.dropped_bytes

    for turn in range(3):
        folder = tmp_path / str(turn)
        folder.mkdir()
        if not (lost := asyncio.run(run(folder))):
            break
    assert not lost  # a machine stalls once; a hub that does not read while it has no link loses bytes each time


def test_a_broker_absent_at_start_is_waited_for_and_no_reading_is_lost(tmp_path):
    async def run():
        broker = Mosquitto(tmp_path)
        async with Home(tmp_path, f"mqtt://127.0.0.1:{broker.port}", []) as place:
            await place.live_through()
            assert place.hub.status["intervals"] >= HISTORY_S // 1800
            assert place.hub.journalled("LINK_DOWN")
            broker.start()
            await place.hub.wait_status("the WAN", lambda s: s["wan"] == "up", 40)
            broker.kill()

    asyncio.run(run())


def test_a_broker_that_accepts_and_says_nothing_keeps_no_reading(tmp_path):
    async def run():
        async def mute(reader, writer):
            with contextlib.suppress(OSError):
                while await reader.read(100):
                    pass

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Home(tmp_path, f"mqtt://127.0.0.1:{port}", []) as place:
            await place.live_through()
            before = place.hub.status["telegrams"]
            await place.hub.wait_status("telegrams", lambda s: s["telegrams"] >= before + 4, 15)
            assert place.hub.status["wan"] == "down"
        server.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"server_name": "elsewhere.example"}, "certificate"),
        ({"ca": "stranger.der"}, "certificate"),
        ({"ca": "ca.pem"}, "DER"),
    ],
)
def test_a_wrong_name_or_ca_is_refused_by_name(tmp_path, change, why):
    async def run():
        broker = Mosquitto(tmp_path, tls=True).start()
        place = Home(tmp_path, f"mqtts://localhost:{broker.port}", [], clock="board")
        place.settings["wan"] |= {"ca": "ca.der", "server_name": "localhost", **change}
        (tmp_path / "hub").mkdir()
        for name in ("ca.der", "ca.pem", "stranger.der"):
            (tmp_path / "hub" / name).write_bytes((tmp_path / name).read_bytes())
        async with place:

            def told():
                return place.hub.journalled("LINK_DOWN") + place.hub.journalled("SETTING_REFUSED")

            if not told():
                await place.hub.wait("a refusal", lambda _: told(), 20)
            assert why in told()[-1]["detail"]
            status = await place.hub.wait_status("its status", lambda _: True, 20)
            assert status["wan"] != "up"
        broker.kill()

    asyncio.run(run())


def test_junk_and_oversized_messages_are_named_and_change_nothing(tmp_path):
    async def run():
        async with flat(tmp_path) as (_, place, asker):
            card = await ready(place, asker)
            asker.publish(card.hub, b"\xff" * 100)
            asker.publish(card.hub, b'{"t":"request","jws":"' + b"a" * 3000 + b'"}')
            asker.publish(card.hub, b"x" * 200_000)
            asker.publish(card.hub, b"{}", kind="nothing-here")
            for name in ("MALFORMED", "OVERSIZED", "UNSUPPORTED"):
                await place.hub.wait_status(name, lambda _, name=name: bool(place.hub.journalled(name)), 10)
            assert len(place.hub.journalled("OVERSIZED")) == 2
            got = await asker.exchange(card, everything("private", card.have), agreeing(place))
            assert got.outcome == "done"

    asyncio.run(run())


def test_three_wrong_pins_kill_the_request_and_the_display_says_so(tmp_path):
    async def run():
        async with flat(tmp_path) as (_, place, asker):
            card = await ready(place, asker)
            got = await asker.exchange(card, everything("private", card.have), agreeing(place, [another] * 3))
            assert got.error.name == "PIN_DEAD"
            await place.reads("3 wrong")
            again = await asker.exchange(card, everything("private", card.have), agreeing(place))
            assert again.error.name == "LOCKED_OUT"
            await place.hub.restart()
            await asker.card(card.hub)
            await place.hub.wait_status("the WAN", lambda s: s["wan"] == "up", 20)
            once_more = await asker.exchange(card, everything("private", card.have), agreeing(place))
            assert once_more.error.name == "LOCKED_OUT"

    asyncio.run(run())


def test_what_is_refused_has_one_name_each(tmp_path):
    async def run():
        async with flat(tmp_path) as (_, place, asker):
            card = await asker.card(place.hub.id, want=lambda c: c.have and c.have[1] - c.have[0] >= HISTORY_S)
            wish = everything("private", card.have)
            assert (await asker.exchange(card, wish, None)).error.name == "NOT_LINKED"
            await link(place, asker, card)
            early = data_wish("private", REGS, "half-hour", card.have[0] - 86400, card.have[1])
            outside = await asker.exchange(card, early, None)
            assert outside.error.name == "OUT_OF_RANGE"
            assert outside.have[0] == card.have[0]

            async def refusing(run):
                await place.reads("who asks")
                await asyncio.sleep(1)
                await place.press("A")

            assert (await asker.exchange(card, wish, refusing)).error.name == "CONSUMER_DECLINED"
            from meterhub_tools.recipient import revoke_wish

            assert (await asker.exchange(card, revoke_wish(), None)).outcome == "revoked"
            assert (await asker.exchange(card, wish, None)).error.name == "REVOKED"

    asyncio.run(run())
