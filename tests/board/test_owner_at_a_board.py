"""The commands on a board with the firmware frozen into its image: its first owner, the wipe, its second owner."""

import json
import re
import subprocess

import pytest
from house import BUTTONS, DISPLAY, I2C_BUS, P1, House
from operator_desk import WIFI, Desk, leaks

from meterhub_tools.board.port import Line
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.owner import archive
from meterhub_tools.toolchain import ROOT

from meterhub.crypto import known_answers  # isort: skip
from meterhub.store.journal import Journal  # isort: skip

METERHUB = ROOT / ".venv/bin/meterhub"
HISTORY_S = 4 * 3600
TOO_SHORT_MS = 2000
VERDICT = re.compile(r"(\S+(?: \S)?) +(ok|FAILED|not judged) ")
PRICE = "price.import_e5=28500"


@pytest.fixture(scope="module")
def house(frozen_image):
    with EmulatedPico(frozen_image) as pico:
        house = House(pico, HISTORY_S)
        house.wire()
        house.greeted()
        yield house


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Who owns the board first."""
    return Desk(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """Who gets it later."""
    return Desk(tmp_path_factory.mktemp("second"))


@pytest.fixture(scope="module")
def backup(desk):
    """Where the first owner's backup lies, once it has been made."""
    return desk.folder / "kitchen.zip"


def done(house, desk, *words):
    """Type a command that must be carried out; return what it printed."""
    status, said = desk.run(*words, "--port", house.pico.port)
    assert status == 0, said
    return said


def refused(house, desk, *words):
    """Type a command that must say no; return its one line."""
    status, said = desk.run(*words, "--port", house.pico.port)
    assert status == 1
    assert len(said.splitlines()) == 1
    return said


def rows(text):
    """Return a table of two columns as a dict."""
    return dict(line.split(maxsplit=1) for line in text.splitlines())


def test_info_of_a_fresh_board_says_what_comes_next(house, desk):
    said = rows(done(house, desk, "info"))
    assert said["owner"] == "nobody: meterhub provision"
    assert said["firmware"].split()[1:3] == ["on", "RPI_PICO,"]
    assert "MicroPython v1.25.0" in said["firmware"]
    assert said["display"] == "ssd1306 works"
    assert (said["clock"], said["errors"]) == ("unset", "none")


def test_settings_are_got_set_and_checked(house, desk):
    said = done(house, desk, "settings", "set", PRICE, P1, f"wifi.password=@{wifi(desk)}")
    assert said.startswith("changed: meters, price.import_e5, wifi.password")
    assert rows(done(house, desk, "settings", "get", "price"))["price.import_e5"] == "28500"
    assert rows(done(house, desk, "settings", "get", "wifi"))["wifi.password"] == "(set)"
    (meter,) = json.loads(done(house, desk, "settings", "get", "meters", "--json"))["meters"]
    assert (meter["protocol"], meter["input"]) == ("p1", "p1")
    before = done(house, desk, "settings", "get", "--json")
    assert "profile.interval_s" in refused(house, desk, "settings", "set", "profile.interval_s=7")
    good = desk.file("good.json", json.dumps({"schema": 1, "name": "attic"}))
    bad = desk.file("bad.json", json.dumps({"schema": 1, "zone": "nowhere"}))
    assert "nothing has changed" in done(house, desk, "settings", "check", good)
    assert "zone" in refused(house, desk, "settings", "check", bad)
    assert done(house, desk, "settings", "get", "--json") == before


def wifi(desk):
    return desk.folder / "wifi.txt"


def test_selftest_gives_a_verdict_on_every_part(house):
    house.live_through()
    words = [METERHUB, "selftest", "--port", house.pico.port]
    said = []
    with house.ticking(), subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as tool:
        for line in tool.stdout:
            said.append(line)
            if hint := re.search(r"press button (.)", line):
                house.press(hint[1])
    verdicts = dict(found.groups() for line in said if (found := VERDICT.match(line)))
    wired = ["flash", "random", "clock", "meter", "display", "button A", "button B"]
    computed = [name for name, _ in known_answers.ALL] + ["CRC"]
    assert verdicts == dict.fromkeys(wired + computed, "ok") | dict.fromkeys(["pulse", "wan"], "not judged")
    assert (tool.returncode, said[-1]) == (0, "all that could be judged is good\n")


def test_selftest_names_what_fails(house, desk):
    house.pico.connect_i2c(I2C_BUS)
    try:
        status, said = desk.run("selftest", "--part", "display", "--port", house.pico.port)
    finally:
        house.pico.connect_i2c(I2C_BUS, DISPLAY)
    assert status == 1
    assert "ssd1306 does not answer: see its wires" in said
    assert said.splitlines()[-1].startswith("FAILED: display;")
    assert done(house, desk, "selftest", "--part", "display").endswith("all that could be judged is good\n")


def test_a_hub_with_an_owner_has_no_other(house, desk, second):
    hub = house.greeted()["hub"]
    wishes = ("--broker", "none", "--meter", "p1", "--wifi", "home", "--wifi-password-file", wifi(desk))
    status, said = desk.provision(house.pico.port, *wishes)
    assert status == 0, said
    done(house, desk, "settings", "set", PRICE)
    assert json.loads(done(house, desk, "info", "--json"))["owned"]
    before = house.greeted()["root"]
    status, said = second.provision(house.pico.port, "--broker", "none")
    assert status == 1
    assert f"this hub belongs to root {before}" in said
    assert (house.greeted()["root"], house.greeted()["hub"]) == (before, hub)


def test_a_backup_has_the_history_and_no_secret(house, desk, backup):
    said = done(house, desk, "backup", backup)
    kept = archive.load(backup)
    assert kept.about["hub"] == house.greeted()["hub"]
    assert archive.reach(kept.files).entries == house.greeted()["intervals"] >= HISTORY_S // 1800
    assert f"{archive.reach(kept.files).entries:,} intervals" in said
    assert kept.settings["wifi"]["password"] is True
    assert leaks(desk.shown) == []
    assert WIFI.encode() not in backup.read_bytes()


def power_on_holding_a(house, ms):
    """Switch the board off, and on again while A is held for so long."""
    house.pico.power_cut()
    house.pico.drive(BUTTONS["A"], 0)
    house.pico.start()
    house.sees("wipe")
    house.pico.wait_ms(ms)


def test_button_a_let_go_early_keeps_everything(house):
    before = house.greeted()
    power_on_holding_a(house, TOO_SHORT_MS)
    house.pico.drive(BUTTONS["A"], None)
    house.sees("kept")
    after = house.greeted()
    assert [after[name] for name in ("hub", "root", "seq", "intervals")] == [
        before[name] for name in ("hub", "root", "seq", "intervals")
    ]


def test_button_a_held_from_power_on_removes_all_and_makes_it_another_hub(house, second):
    before = house.greeted()
    power_on_holding_a(house, 0)
    house.sees("wiped")
    house.pico.drive(BUTTONS["A"], None)
    after = house.greeted()
    assert after["hub"] != before["hub"]
    assert (after["owned"], after["root"], after["seq"]) == (False, "", 0)
    assert (after["intervals"], after["have"], after["name"]) == (0, None, "meterhub")
    assert '"wifi.password": ""' in done(house, second, "settings", "get", "--json")
    empty = second.folder / "empty.zip"
    done(house, second, "backup", empty)
    assert security(second.folder, empty)[-1] == (1, "wiped", "button A at power-on")


def security(folder, backup):
    """Return the entries of a backup's security journal, newest first."""
    place = folder / "journal"
    place.mkdir()
    for name, raw in archive.load(backup).files.items():
        if name.startswith("journal/"):
            (folder / name).write_bytes(raw)
    return [(entry.seq, entry.name, entry.detail) for entry in Journal(str(place), None).last("security", 100)]


def test_a_wiped_hub_becomes_its_second_owners(house, second):
    status, said = second.provision(house.pico.port, "--broker", "none", "--meter", "p1", name="hall")
    assert status == 0, said
    said = json.loads(done(house, second, "info", "--json"))
    assert (said["owned"], said["name"]) == (True, "hall")


def test_a_backup_is_restored_onto_a_hub_that_takes_the_others_place(house, desk, second, backup):
    kept = archive.load(backup)
    assert "--replace-hub" in refused(house, second, "restore", backup)
    said = done(house, second, "restore", backup, "--replace-hub")
    assert "the hub reads the same" in said
    assert house.greeted()["intervals"] == archive.reach(kept.files).entries
    with Line(house.pico.port) as line:
        settings = line.ask("settings")["settings"]
    assert settings["price"]["import_e5"] == 28500
