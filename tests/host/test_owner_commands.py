"""`meterhub settings`, `info` and `selftest` on a hub's service line, and what a failing step is called."""

import json

import pytest
from cabled_hub import CabledHub
from operator_desk import BROKER, WIFI, Desk, leaks

from meterhub_tools.board.port import Line
from meterhub_tools.owner import document, online

SETTINGS = {
    "schema": 1,
    "name": "cellar",
    "wifi": {"ssid": "home", "password": WIFI},
    "wan": {"url": "mqtt://127.0.0.1:1", "user": "u", "password": BROKER},
}
PLAIN = ("--broker", "none")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture
def hub(tmp_path):
    with CabledHub(tmp_path / "hub", SETTINGS) as hub:
        yield hub


def settings_of(hub):
    with Line(hub.port) as line:
        return document.flat(line.ask("settings")["settings"])


def change(desk, hub, *changes):
    return desk.run("settings", "set", "--port", hub.port, "--keys", desk.keys, *changes)


# -- settings ----------------------------------------------------------------------------------------------------


def test_settings_are_shown_and_secrets_are_not(desk, hub):
    status, said = desk.run("settings", "get", "--port", hub.port)
    assert status == 0
    shown = dict(line.split(None, 1) for line in said.splitlines())
    assert shown["name"] == '"cellar"'
    assert (shown["wifi.password"], shown["wan.ca"]) == ("(set)", '""')
    status, said = desk.run("settings", "get", "--port", hub.port, "wan", "--json")
    assert json.loads(said) == {
        "wan.url": "mqtt://127.0.0.1:1",
        "wan.user": "u",
        "wan.password": True,
        "wan.ca": "",
        "wan.server_name": "",
    }
    assert json.loads(desk.run("settings", "get", "--port", hub.port, "name", "--json")[1]) == {"name": "cellar"}
    assert leaks(desk.shown, hub.text()) == []


def test_setting_that_does_not_exist_is_said(desk, hub):
    status, said = desk.run("settings", "get", "--port", hub.port, "nam")
    assert status == 1
    assert "nam is not a setting" in said


def test_settings_are_changed_and_the_hub_restarts_with_them(desk, hub):
    starts = hub.starts
    status, said = change(desk, hub, "name=1234", "price.import_e5=31000", "profile.months=12")
    assert status == 0, said
    assert "changed: name, price.import_e5, profile.months" in said
    found = settings_of(hub)
    assert (found["name"], found["price.import_e5"], found["profile.months"]) == ("1234", 31000, 12)
    assert hub.starts == starts + 1
    status, said = change(desk, hub, "name=1234")
    assert (status, said) == (0, "nothing to change\n")
    assert hub.starts == starts + 1


def test_the_keys_of_a_meter_come_from_a_file_are_shown_to_nobody_and_stay(desk, hub):
    key = "0123456789abcdef0123456789ABCDEF"
    meter = {"protocol": "dlms", "input": "serial", "key": key}
    status, said = change(desk, hub, "meters=" + json.dumps([meter]))
    assert (status, "meters=@FILE" in said, settings_of(hub)["meters"]) == (1, True, [])
    (desk.folder / "meters.json").write_text(json.dumps([meter]))
    assert change(desk, hub, f"meters=@{desk.folder / 'meters.json'}")[0] == 0
    shown = [meter | {"name": "dlms", "key": True}]
    assert settings_of(hub)["meters"] == shown
    assert change(desk, hub, "meters=" + json.dumps(shown)) == (0, "nothing to change\n")
    assert change(desk, hub, "meters=" + json.dumps([shown[0] | {"baud": 9600}]))[0] == 0
    assert json.loads((hub.data / "settings.json").read_text())["meters"] == [meter | {"name": "dlms", "baud": 9600}]
    assert leaks(desk.shown, hub.text()) == [] and key not in hub.text()


def test_list_is_given_in_json(desk, hub):
    assert change(desk, hub, 'profile.registers=["1-0:1.8.0"]')[0] == 0
    assert settings_of(hub)["profile.registers"] == ["1-0:1.8.0"]


def test_secret_comes_from_a_file_and_is_shown_nowhere(desk, hub):
    secret = "another-Geheim-4711"
    status, said = change(desk, hub, "wifi.password=@" + desk.file("new.txt", secret + "\n"))
    assert status == 0, said
    stored = json.loads((hub.data / "settings.json").read_text())
    assert stored["wifi"]["password"] == secret
    assert stored["wan"]["password"] == BROKER
    assert secret not in desk.shown + hub.text()
    assert leaks(desk.shown, hub.text()) == []


def test_a_households_pin_is_kept_as_a_hash(desk, hub):
    status, _ = change(desk, hub, "household.pin=@" + desk.file("pin.txt", "4711\n"))
    stored = json.loads((hub.data / "settings.json").read_text())["household"]["pin"]
    assert (status, stored[:3], len(stored)) == (0, "h1.", 46)
    assert "4711" not in desk.shown + hub.text()
    assert change(desk, hub, "name=Cellar")[0] == 0
    assert json.loads((hub.data / "settings.json").read_text())["household"]["pin"] == stored
    status, said = change(desk, hub, "household.pin=@" + desk.file("pin.txt", "471\n"))
    assert status != 0 and "four digits" in said


def test_secret_on_the_command_line_is_refused(desk, hub):
    status, said = change(desk, hub, "wifi.password=geheim")
    assert status == 1
    assert "wifi.password=@FILE" in said
    assert "geheim" not in said
    assert json.loads((hub.data / "settings.json").read_text())["wifi"]["password"] == WIFI


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("profile.interval_s=7", "profile.interval_s"),
        ("colour=red", "colour is not a setting"),
        ("price.import_e5=cheap", "price.import_e5"),
        ("name=", "name must have 1 to 32 characters"),
        ("name", "is no NAME=VALUE"),
        ("name=@nowhere", "NAME=@FILE".replace("NAME", "name")),
        ("wan.url=mqtts://x", "wan.ca"),
    ],
)
def test_refused_setting_is_named_and_nothing_has_changed(desk, hub, asked, said):
    before = (hub.data / "settings.json").read_bytes()
    status, shown = change(desk, hub, asked, "zone=UTC0") if "=" in asked else change(desk, hub, asked)
    assert status == 1
    assert said in shown
    assert (hub.data / "settings.json").read_bytes() == before


def test_owned_hub_takes_what_is_protected_from_its_owner_alone(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN, "--wait", "1")[0] == 0
    status, said = change(desk, hub, "wan.url=mqtt://127.0.0.1:2", "name=attic")
    assert status == 0, said
    assert settings_of(hub)["wan.url"] == "mqtt://127.0.0.1:2"
    thief = Desk(tmp_path / "thief")
    status, said = change(thief, hub, "name=mine")  # no trust is changed by a name
    assert status == 0, said
    status, said = change(thief, hub, "wan.url=mqtt://evil.example")
    assert status == 1
    assert "--keys" in said
    assert not thief.keys.exists()
    thief.provision("/nowhere", *PLAIN)
    status, said = change(thief, hub, "wan.url=mqtt://evil.example")
    assert status == 1
    assert "may change wan.url" in said
    assert settings_of(hub)["wan.url"] == "mqtt://127.0.0.1:2"


def test_check_changes_nothing_and_names_what_is_wrong(desk, hub):
    good = desk.file("good.json", json.dumps(SETTINGS | {"name": "attic"}))
    starts = hub.starts
    status, said = desk.run("settings", "check", "--port", hub.port, good)
    assert status == 0
    assert "nothing has changed" in said
    bad = desk.file("bad.json", json.dumps({"schema": 1, "wan": {"colour": 1}}))
    status, said = desk.run("settings", "check", "--port", hub.port, bad)
    assert status == 1
    assert "wan.colour is not a setting" in said
    for text, words in (("{", "is no JSON"), ("[]", "one JSON object is wanted"), (" " * 9000, "longer than")):
        status, said = desk.run("settings", "check", "--port", hub.port, desk.file("x.json", text))
        assert status == 1
        assert words in said
    assert (settings_of(hub)["name"], hub.starts) == ("cellar", starts)


# -- info and selftest -------------------------------------------------------------------------------------------


def test_info_tells_people_and_machines(desk, hub):
    status, said = desk.run("info", "--port", hub.port)
    assert status == 0
    rows = dict(line.split(None, 1) for line in said.splitlines())
    assert rows["owner"] == "nobody: meterhub provision"
    assert {"hub", "firmware", "memory", "flash", "broker", "errors"} <= rows.keys()
    facts = json.loads(desk.run("info", "--port", hub.port, "--json")[1])
    assert facts["board"] == "UNIX"
    assert facts["heap_free"] > 0
    assert leaks(desk.shown) == []


@pytest.mark.parametrize("command", ["info", "selftest"])
def test_no_such_port_is_one_line(desk, command):
    status, said = desk.run(command, "--port", "/dev/nowhere")
    assert status == 1
    assert "there is no port /dev/nowhere" in said


def test_selftest_gives_a_verdict_for_each_part(desk, hub):
    status, said = desk.run("selftest", "--port", hub.port, "--json")
    lines = [json.loads(line) for line in said.splitlines()]
    verdicts = {line["part"]: line["ok"] for line in lines if "ok" in line}
    assert lines[-1] == {"failed": [part for part, ok in verdicts.items() if ok is False]}
    assert status == (1 if lines[-1]["failed"] else 0)
    assert verdicts["flash"] is True


def test_selftest_of_one_part(desk, hub):
    status, said = desk.run("selftest", "--port", hub.port, "--part", "flash")
    assert status == 0
    assert said.split()[:2] == ["flash", "ok"]
    assert "all that could be judged is good" in said
    status, said = desk.run("selftest", "--port", hub.port, "--part", "nose")
    assert status == 1
    assert "UNSUPPORTED" in said


def test_failed_part_ends_with_1_and_is_named(desk, hub, monkeypatch):
    true = Line.ask

    def ask(line, verb, *args, on_part=None, **words):
        if verb != "selftest":
            return true(line, verb, *args, on_part=on_part, **words)
        on_part({"part": "button A", "hint": "press button A"})
        on_part({"part": "button A", "ok": False, "says": "was not pressed"})
        return {"failed": ["button A"]}

    monkeypatch.setattr(Line, "ask", ask)
    status, said = desk.run("selftest", "--port", hub.port)
    assert status == 1
    assert said.splitlines()[0].split() == ["button", "A", "...", "press", "button", "A"]
    assert "FAILED: button A" in said


# -- what a failing step is called -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "begins", "holds"),
    [
        ("wifi wrong password", "Wi-Fi: ", "'home'"),
        ("wifi network not found", "Wi-Fi: ", "(network not found)"),
        ("dns the broker's name is not known: b.example", "DNS: ", "'b.example'"),
        ("tcp ECONNREFUSED", "TCP: ", "b.example:8883 (ECONNREFUSED)"),
        ("clock nobody has told the time", "clock: ", "nobody has told the time"),
        ("ca the broker's certificate is not signed by wan.ca", "CA: ", "--ca"),
        ("host name the broker's certificate is for another name", "host name: ", "not for 'b.example'"),
        ("tls -0x7780", "TLS: ", "speaks TLS"),
        ("credentials the broker refuses user or password", "credentials: ", "--password-file"),
        ("mqtt this is no broker", "MQTT: ", "b.example:8883"),
        ("cable nobody bridges it", "cable: ", "meterhub bridge"),
        ("something new", "broker: ", "something new"),
    ],
)
def test_each_step_has_its_sentence(trouble, begins, holds):
    settings = {"wan": {"url": "mqtts://b.example"}, "wifi": {"ssid": "home"}}
    for text in (trouble, "wan " + trouble):
        said = online.explain(text, settings)
        assert said.startswith(begins)
        assert holds in said
