"""A hub whose journal somebody has altered says so once, and goes on."""

import asyncio

from meterhub_tools.hub import Hub


def broken(hub):
    return [entry["detail"] for entry in hub.journalled("INTEGRITY_FAILED")]


async def restarted(hub, count=0):
    """Cut the power, give it back, and wait until the journal has been checked and has said so much."""
    hub.journal.clear()
    await hub.restart()
    if len(broken(hub)) < count:
        await hub.wait("what is broken", lambda _: len(broken(hub)) >= count, 20)
    await asyncio.sleep(0.5)
    return broken(hub)


def test_an_altered_journal_is_told_once_and_the_hub_goes_on(tmp_path):
    async def run():
        hub = Hub(tmp_path / "hub", {"schema": 1, "display": {"driver": "none"}})
        try:
            await hub.start()
            for _ in range(3):
                assert await restarted(hub) == []
            await hub.kill()
            path = next(p for p in (tmp_path / "hub/journal").glob("event.?") if p.stat().st_size)
            raw = path.read_bytes()
            at = raw.index(b"start", raw.index(b"start") + 1)  # the entry of the second start, and its record's begin
            path.write_bytes(raw[: at - 15] + raw[at + 20 :])
            told = await restarted(hub, 1)
            assert len(told) == 1 and told[0].startswith("journal event ") and "missing before it" in told[0], told
            assert await restarted(hub) == []
            for slot in (tmp_path / "hub/journal").glob("anchor.?"):
                slot.unlink()
            assert await restarted(hub, 2) == ["journal anchor missing", *told]
            assert await restarted(hub) == []
        finally:
            await hub.stop()

    asyncio.run(run())
