"""The host's handle on a hub process, tried with firmware of a few lines on the real interpreter."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from meterhub_tools.errors import ToolError
from meterhub_tools.hub import Hub

GOOD = """
    import json, os, sys, time
    board = json.load(open(os.getenv("METERHUB_BOARD")))
    boots = board["data"] + "/boots"
    try:
        count = int(open(boots).read()) + 1
    except OSError:
        count = 1
    with open(boots, "w") as file:
        file.write(str(count))
    print("no event")
    print(json.dumps({"ev": "start", "hub": "0123456789ABCDEF", "version": "9", "boots": count}))
    print(json.dumps({"ev": "journal", "kind": "event", "seq": 1, "at": 5, "name": "start", "detail": ""}))
    n = 0
    while True:
        n += 1
        print(json.dumps({"ev": "status", "telegrams": n, "intervals": 0, "have": None}))
        time.sleep(0.05)
"""
BROKEN = "raise ValueError('out of order')"


@pytest.fixture
def hub(tmp_path):
    made = []

    def make(program):
        firmware = tmp_path / "firmware"
        firmware.mkdir(exist_ok=True)
        (firmware / "main.py").write_text(textwrap.dedent(program))
        hub = Hub(tmp_path / "hub", {"schema": 1}, uart={"p1": "/dev/null"}, clock="meter")
        hub.main = firmware / "main.py"
        made.append(hub)
        return hub

    yield make
    assert not any(hub.running for hub in made)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def test_events_of_the_console_are_kept_and_told(hub):
    async def run():
        it, told = hub(GOOD), []
        it.listeners.append(told.append)
        await it.start()
        status = await it.wait_status("three telegrams", lambda s: s["telegrams"] >= 3)
        await it.stop()
        return it, told, status

    it, told, status = asyncio.run(run())
    assert it.id == "0123456789ABCDEF" and it.start_event["version"] == "9"
    assert status["telegrams"] >= 3
    assert it.journalled("start")[0]["at"] == 5
    assert list(it.stray_lines) == ["no event"]
    assert [event["ev"] for event in told[:3]] == ["start", "journal", "status"]
    assert told[-1]["ev"] == "end"


def test_the_board_and_the_settings_are_where_the_firmware_looks(hub, tmp_path):
    async def run():
        it = hub(GOOD)
        await it.start()
        await it.stop()

    asyncio.run(run())
    board = json.loads((tmp_path / "hub.board.json").read_text())
    assert board == {"data": str(tmp_path / "hub"), "uart": {"p1": "/dev/null"}, "clock": "meter", "net": True}
    assert json.loads((tmp_path / "hub/settings.json").read_text()) == {"schema": 1}


def test_a_power_cut_keeps_the_data_folder(hub):
    async def run():
        it = hub(GOOD)
        await it.start()
        first = it.pid
        await it.restart()
        await it.kill()
        return first, it.pid, it.start_event["boots"]

    first, second, boots = asyncio.run(run())
    assert first != second and boots == 2


def test_a_hub_that_ends_by_itself_is_an_error_with_its_last_words(hub):
    async def run():
        await hub(BROKEN).start()

    with pytest.raises(ToolError, match=r"ended by itself with 1; it said:(.|\n)*out of order"):
        asyncio.run(run())


def test_waiting_in_vain_names_what_did_not_come(hub):
    async def run():
        it = hub(GOOD)
        await it.start()
        try:
            await it.wait_status("a million telegrams", lambda s: s["telegrams"] > 10**6, 0.3)
        finally:
            await it.stop()

    with pytest.raises(ToolError, match="a million telegrams"):
        asyncio.run(run())


def test_lines_of_any_length_and_any_bytes_do_no_harm(hub):
    program = """
        import sys
        print("x" * 300000)
        sys.stdout.buffer.write(b"\\xff\\xfe{\\n[1]\\n{}\\n")
        print('{"ev": "start", "hub": "H"}')
        while True:
            pass
    """

    async def run():
        it = hub(program)
        await it.start()
        await it.stop()
        return it

    assert asyncio.run(run()).id == "H"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_hub_does_not_outlive_a_host_that_is_killed_outright(hub, tmp_path):
    hub(GOOD)
    program = f"""
        import asyncio, time
        from pathlib import Path
        from meterhub_tools.hub import Hub
        async def main():
            hub = Hub(Path({str(tmp_path)!r}) / "hub")
            hub.main = Path({str(tmp_path)!r}) / "firmware/main.py"
            await hub.start()
            print(hub.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    host = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    with host:
        pid = int(host.stdout.readline())
        assert is_alive(pid)
        host.send_signal(signal.SIGKILL)
    due = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < due:
        time.sleep(0.05)
    assert not is_alive(pid)
