"""`meterhub demo` as a program: the whole flow, captured streams, and that it leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from meterhub_tools.demo import command, stage
from meterhub_tools.errors import ToolError
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.modbus_meter import ModbusMeter
from meterhub_tools.simulators.p1_meter import P1Meter, noise, wrong_crc
from meterhub_tools.simulators.sml_meter import SmlMeter

from meterhub.meters.modbus_session import request_frame  # isort: skip

METERHUB = (sys.executable, "-m", "meterhub_tools.cli", "demo")
NOW = int(time.time())


@pytest.fixture
def place(tmp_path):
    """A folder for temporary files that has to be empty again in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []
    assert of_this_place(folder) == []


def of_this_place(folder):
    """Return the command lines of processes whose environment or arguments name `folder`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                if int(pid) != os.getpid() and str(folder).encode() in environ.read():
                    found.append(cmdline.read())
        except (OSError, ProcessLookupError):
            continue
    return found


def demo(place, *words, timeout=300):
    env = os.environ | {"TMPDIR": str(place)}
    return subprocess.run([*METERHUB, *words], env=env, capture_output=True, text=True, timeout=timeout)


def started(place, *words):
    env = os.environ | {"TMPDIR": str(place)}
    return subprocess.Popen([*METERHUB, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_captured_telegram_becomes_one_interval_whose_first_register_is_its_last(place, tmp_path):
    household = Household(NOW - 86400)
    capture = tmp_path / "capture.bin"
    at = NOW - 7200 - NOW % 1800 + 400
    capture.write_bytes(noise(300) + wrong_crc(P1Meter(household).telegram(at)) + P1Meter(household).telegram(at))
    done = demo(place, "--once", "--json", "--replay", str(capture))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["telegrams_read"] == 1
    for mode in report["modes"].values():
        assert mode["intervals_decrypted"] == 1
        assert mode["first_import_wh"] == mode["last_import_wh"] == household.registers(at).import_wh


def test_a_capture_of_a_meter_without_a_clock_is_stamped_by_the_hub(place, tmp_path):
    household = Household(NOW - 86400)
    capture = tmp_path / "capture.bin"
    capture.write_bytes(b"".join(SmlMeter(household).frames(NOW)))
    done = demo(place, "--once", "--json", "--replay", str(capture))
    assert done.returncode == 0, done.stderr
    mode = json.loads(done.stdout)["modes"]["server"]
    # within a minute after a half-hour's end the telegram is that end's reading, too
    assert mode["intervals_decrypted"] in (1, 2)
    assert mode["first_import_wh"] == mode["last_import_wh"] == household.registers(NOW).import_wh


def test_a_capture_without_a_good_telegram_is_refused_by_name(place, tmp_path):
    capture = tmp_path / "capture.bin"
    capture.write_bytes(wrong_crc(P1Meter(Household(NOW - 3600)).telegram(NOW)))
    done = demo(place, "--once", "--json", "--replay", str(capture))
    assert done.returncode == 1 and done.stdout == ""
    assert "capture.bin: no good telegram" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_what_a_meter_does_not_send_unasked_cannot_be_replayed(tmp_path):
    household = Household(NOW - 3600)
    capture = tmp_path / "capture.bin"
    request = request_frame(1, 4, 0, 20)
    capture.write_bytes(request + ModbusMeter(household, "sdm630").answer(request, NOW))
    with pytest.raises(ToolError, match="a modbus meter speaks when it is asked"):
        stage.meter_of(capture)
    frame = SmlMeter(household).frames(NOW)[0]
    capture.write_bytes(frame[8:-8])
    with pytest.raises(ToolError, match="without the frames"):
        stage.meter_of(capture)
    capture.write_bytes(frame)
    assert stage.meter_of(capture) == {"protocol": "sml", "input": "p1"}


def test_the_table_for_people_has_a_line_for_every_number():
    mode = {"intervals_decrypted": 19058, "readable_after_logoff": False, "seconds": {"exchange": 7.874}}
    report = {"hub_id": "0123456789ABCDEF", "telegrams_read": 19083, "intervals_stored": 19057}
    shown = command.table(report | {"modes": {"server": mode, "private": mode}})
    rows = {line[:28].strip(): line[28:].split() for line in shown.splitlines()}
    assert rows["telegrams read"] == ["19,083"]
    assert rows["intervals decrypted"] == ["19,058", "19,058"]
    assert rows["readable after logoff"] == ["no", "no"]
    assert rows["seconds: exchange"] == ["7.87", "7.87"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_ended_while_it_starts_leaves_nothing_behind(place, how):
    with started(place) as process:
        for line in process.stdout:
            if line.startswith("starting the hub"):
                break
        time.sleep(0.5)
        process.send_signal(how)
        assert process.wait(30) == 128 + how
        assert "Traceback" not in process.stderr.read()


def test_ctrl_c_is_how_the_running_demo_ends_well(place, tmp_path):
    capture = tmp_path / "capture.bin"
    capture.write_bytes(P1Meter(Household(NOW - 86400)).telegram(NOW - 7200))
    with started(place, "--replay", str(capture)) as process:
        for line in process.stdout:
            if "http://127.0.0.1:" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()


def test_files_that_are_to_be_kept_are_kept(place, tmp_path):
    capture = tmp_path / "capture.bin"
    capture.write_bytes(b"/nothing")
    kept = tmp_path / "kept"
    assert demo(place, "--once", "--replay", str(capture), "--keep", str(kept)).returncode == 1
    assert (kept / "hub/settings.json").exists() and (kept / "website/website.sqlite3").exists()
    shutil.rmtree(kept)


@pytest.mark.parametrize(
    "words",
    [
        ("--json",),
        ("--once", "--replay", "/no/such/file"),
        ("--broker", "http://host"),
        ("--broker", "mqtts://host"),
        ("--ca", "/etc/hostname"),
        ("--port", "70000"),
        ("--port", "x"),
    ],
)
def test_wrong_usage_is_said_in_words_and_exits_2(place, words):
    done = demo(place, *words)
    assert done.returncode == 2
    assert done.stderr and "Traceback" not in done.stderr
