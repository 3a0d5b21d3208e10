"""A hub on the unix port with simulated meters on ttys: every protocol, several at once, and found out by itself."""

import asyncio
import contextlib

import pytest
from meter_lines import KINDS, MeterLine, auto

from meterhub_tools.board.port import Line
from meterhub_tools.hub import Hub, on_a_cable

FOUND = {
    "p1": "p1 115200 8N1",
    "p1-old": "p1 9600 7E1",
    "sml": "sml 9600 8N1",
    "dlms": "dlms 2400 8E1",
    "dlms-keys": "dlms 2400 8E1",
    "mode-d": "iec62056 2400 7E1",
}


def run(folder, kinds, entry, work, **options):
    """Run work(hub, lines) with a hub that has these meters."""
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(MeterLine(kind)) for kind in kinds]
        settings = {"schema": 1, "meters": [entry(line) for line in lines]}
        hub = Hub(folder, settings, uart={line.name: line.wire.path for line in lines}, **options)

        async def live():
            await hub.start()
            try:
                return await work(hub, lines)
            finally:
                await hub.stop()

        result = asyncio.run(live())
        assert [line.wire.dropped_bytes for line in lines] == [0] * len(lines)
        assert not hub.journalled("EXECUTE_FAILED"), hub.journal
        return result


async def heard(hub, lines, count, patience_s=60):
    """Wait until every meter has told `count` telegrams."""
    return await hub.wait_status(
        f"{count} telegrams of each", lambda s: all(s["meters"][line.name] >= count for line in lines), patience_s
    )


@pytest.mark.parametrize(
    "kinds", [("p1-old", "sml", "dlms"), ("p1", "mode-d", "dlms-keys"), ("mode-c", "mbus", "modbus")]
)
def test_every_protocol_is_read_three_meters_at_once(tmp_path, kinds):
    async def work(hub, lines):
        await heard(hub, lines, 2)
        assert not [entry for entry in hub.journal if entry["name"] in ("METER_SILENT", "LINE_STUCK", "METER_CHANGED")]

    run(tmp_path / "hub", kinds, lambda line: line.settings, work)


def test_six_lines_that_nobody_has_described_are_found_out_and_remembered(tmp_path):
    async def work(hub, lines):
        await heard(hub, lines, 1)
        found = [entry["detail"].split(" ", 1) for entry in hub.journalled("meter found")]
        assert dict(found) == FOUND
        await hub.restart()
        await heard(hub, lines, 1, 25)
        assert len(hub.journalled("meter found")) == len(FOUND)  # and none again

    run(tmp_path / "hub", list(FOUND), auto, work)
    assert set(FOUND) <= set(KINDS)


def test_the_service_line_tells_of_each_meter_and_no_key(tmp_path):
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(MeterLine(kind)) for kind in ("p1", "dlms-keys")]
        settings = {"schema": 1, "meters": [line.settings for line in lines]}
        uart = {line.name: line.wire.path for line in lines}
        hub = stack.enter_context(on_a_cable(tmp_path / "hub", settings, uart=uart))
        with Line(hub.cable) as cable:
            assert cable.ask("selftest", part="meter", patience_s=40)["failed"] == []
            told = {meter["name"]: meter for meter in cable.ask("info")["meters"]}
            assert told["p1"]["protocol"] == "p1" and told["p1"]["telegrams"] > 0 and told["p1"]["age_s"] <= 15
            assert told["p1"]["serial"] and told["p1"]["serial"] != told["dlms-keys"]["serial"]
            shown = cable.ask("settings")["settings"]["meters"]
            assert [(one.get("key"), one.get("auth_key")) for one in shown] == [(None, None), (True, True)]


def test_silence_and_noise_are_said_once_while_they_last(tmp_path):
    async def work(hub, lines):
        await hub.wait_status("the first telegram", lambda s: s["meters"]["p1"] > 0)
        lines[0].hush()
        await hub.wait("stuck", lambda event: event.get("name") == "LINE_STUCK", 80)
        lines[0].speak()
        await hub.wait("the end", lambda event: event.get("name") == "meter is back", 10)
        return [(e["name"], e["detail"]) for e in hub.journal if e["name"].isupper() or e["name"].endswith("back")]

    said = run(
        tmp_path / "hub", ("p1", "sml"), lambda line: line.settings | {"baud": 2400 if line.name == "sml" else 0}, work
    )
    said.remove(("DISPLAY_FAILED", "ssd1306"))
    silent = [("METER_SILENT", "p1"), ("METER_SILENT", "sml")]
    assert sorted(said[:2]) == silent and said[2:] == [("LINE_STUCK", "sml noise"), ("meter is back", "p1")]


def test_a_meter_exchanged_under_the_same_line_is_said(tmp_path):
    async def work(hub, lines):
        await heard(hub, lines, 2)
        lines[0].meter.number = "80000002"
        await hub.wait("the exchange", lambda event: event.get("name") == "METER_CHANGED", 40)
        return [event["detail"] for event in hub.journalled("METER_CHANGED")]

    assert run(tmp_path / "hub", ("mode-c",), lambda line: line.settings, work) == ["mode-c 0"]
