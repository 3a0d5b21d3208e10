"""`meterhub role`, `meterhub command` and what `meterhub head-end` shows, typed as a person would, at a broker."""

import asyncio
import json
import stat
import threading
from datetime import UTC

import pytest
from simulated_hub import SimulatedHub, Street
from world import Mosquitto

from meterhub_tools import cli
from meterhub_tools.errors import ToolError
from meterhub_tools.headend import Store, load, send, show
from meterhub_tools.owner import keys as owner_keys
from meterhub_tools.roles import keys

NOW = 1_800_000_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    yield server
    server.kill()


@pytest.fixture
def desk(tmp_path, broker, capsys, monkeypatch):
    """Type `meterhub ...`; returns (status, what it said)."""
    monkeypatch.setenv("METERHUB_BROKER", f"mqtt://127.0.0.1:{broker.port}")
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def meterhub(*words):
        status = cli.main([*words, "--keys", str(tmp_path)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return meterhub


@pytest.fixture
def street(broker):
    """Let hubs stand at the broker: street(hub, ...)."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = []

    def stand(*hubs):
        one = Street(broker.port, hubs, 0.3)
        asyncio.run_coroutine_threadsafe(one.__aenter__(), loop).result(10)
        made.append(one)
        return one

    yield stand
    for one in made:
        asyncio.run_coroutine_threadsafe(one.__aexit__(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def known_hub(tmp_path, role, work=None, name="kitchen"):
    hub = SimulatedHub([role], work)
    store = Store(f"sqlite:///{tmp_path / 'head-end.sqlite3'}")
    store.admit([(hub.id, hub.point, name)])
    store.close()
    return hub


@pytest.fixture
def role(tmp_path):
    keys.new(tmp_path / "roles", "acme", "SUP")
    return load(tmp_path / "roles", "SUP")


# -- roles -------------------------------------------------------------------------------------------------------


def test_role_is_made_listed_and_readable_by_its_owner_alone(desk, tmp_path):
    assert desk("role", "list") == (0, "no role yet; `meterhub role new NAME --role SUP` makes one\n")
    status, said = desk("role", "new", "acme", "--role", "SUP", "--json")
    made = json.loads(said)
    assert status == 0
    path = tmp_path / "roles/acme.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(tmp_path / "roles", "acme").kid == made["kid"]
    status, said = desk("role", "list")
    head, row = said.splitlines()
    assert status == 0 and head.split() == ["NAME", "ROLE", "KEY", "MADE", "REVOKED"]
    assert row.split()[:3] == ["acme", "SUP", made["kid"]] and row.split()[4] == "-"
    assert json.loads(desk("role", "list", "--json")[1]) == [made]


def test_role_of_the_same_name_is_not_made_twice(desk, tmp_path):
    desk("role", "new", "acme", "--role", "SUP")
    before = (tmp_path / "roles/acme.pem").read_bytes()
    status, said = desk("role", "new", "acme", "--role", "DNO")
    assert status == 1 and "there is a role of this name" in said
    assert (tmp_path / "roles/acme.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../a", "x" * 25, "a b"])
def test_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(ToolError, match="is no name for a role"):
        keys.new(tmp_path / "roles", name, "SUP")


def test_key_that_others_can_read_is_not_used(tmp_path, role):
    (tmp_path / "roles/acme.pem").chmod(0o640)
    with pytest.raises(ToolError, match="others can read this key"):
        load(tmp_path / "roles", "acme")


def test_passphrase_is_wanted_and_wrong_ones_do_not_open(tmp_path, monkeypatch):
    monkeypatch.setenv("METERHUB_KEY_PASSPHRASE", "open sesame")
    kid = keys.new(tmp_path / "roles", "acme", "SUP").kid
    assert b"ENCRYPTED" in (tmp_path / "roles/acme.pem").read_bytes()
    assert load(tmp_path / "roles", "acme").kid == kid
    monkeypatch.setenv("METERHUB_KEY_PASSPHRASE", "open barley")
    with pytest.raises(ToolError, match="the passphrase is wrong"):
        load(tmp_path / "roles", "acme")


def test_role_is_found_by_its_kind_only_if_it_is_the_one(tmp_path, role):
    with pytest.raises(ToolError, match="no role is called DNO"):
        load(tmp_path / "roles", "DNO")
    keys.new(tmp_path / "roles", "other", "SUP")
    with pytest.raises(ToolError, match="2 roles are called SUP"):
        load(tmp_path / "roles", "SUP")
    keys.revoked(tmp_path / "roles", keys.entry(tmp_path / "roles", "other"), NOW)
    assert load(tmp_path / "roles", "SUP").kid == role.kid


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v": 2}', '{"v": 1, "role": "KING"}'])
def test_file_that_is_no_role_is_named(tmp_path, role, text):
    (tmp_path / "roles/bad.json").write_text(text)
    with pytest.raises(ToolError, match=r"bad\.json is no role"):
        keys.entries(tmp_path / "roles")


def test_owner_grants_and_revokes_with_the_root_key(desk, street, tmp_path, role):
    root = keys.root(tmp_path) if (tmp_path / owner_keys.FILE).exists() else owner_keys.load(tmp_path)
    hub = known_hub(tmp_path, root, lambda cmd, arg: {"outcome": "done", "data": {}})
    street(hub)
    status, said = desk(
        "role", "grant", "acme", "--hub", "kitchen", "--until", "+1d", "--floor", "5", "--replaces", "0" * 16
    )
    assert (status, said.split()[:2]) == (0, ["DONE", "credentials.update"])
    ((cmd, arg, _),) = hub.ran
    entry = keys.entry(tmp_path / "roles", "acme")
    assert cmd == "credentials.update"
    wanted = {"role": "SUP", "key": entry.key, "name": "acme", "floor": 5, "replaces": "0" * 16}
    assert arg == wanted | {"from": arg["from"], "until": arg["until"]}
    assert arg["until"] - arg["from"] == 86400
    status, _ = desk("role", "revoke", "acme")
    assert status == 0 and hub.ran[1][1] == {"kid": role.kid, "until": hub.ran[1][1]["until"]}
    assert keys.entry(tmp_path / "roles", "acme").revoked_at == hub.ran[1][1]["until"]
    status, said = desk("role", "grant", "acme", "--hub", "kitchen")
    assert status == 1 and "was revoked on" in said


def test_grant_that_ends_before_it_begins_is_refused(desk, tmp_path, role):
    owner_keys.load(tmp_path)
    status, said = desk("role", "grant", "acme", "--hub", "0" * 16, "--until", "1d")
    assert status == 2 and "--until is not later" in said


# -- commands ----------------------------------------------------------------------------------------------------


def test_answer_is_shown_as_a_table_and_as_json(desk, street, tmp_path, role):
    rows = {"register": "1-0:1.8.0", "unit": "Wh", "from": NOW, "readings": [[NOW, 12], [NOW + 1800, 3456]]}
    hub = known_hub(tmp_path, role, lambda cmd, arg: {"outcome": "done", "data": rows})
    street(hub)
    words = ("command", "--role", "SUP", "--hub", "kitchen", "read.profile_import", "register=1-0:1.8.0", "--wait")
    status, said = desk(*words, "--from", "2027-01-15", "--to", str(NOW))
    assert status == 0
    lines = said.splitlines()
    assert lines[0].startswith(f"DONE  read.profile_import to {hub.id}, ")
    assert [line.split() for line in lines[1:]] == [
        ["register", "1-0:1.8.0"],
        ["unit", "Wh"],
        ["from", "2027-01-15T08:00:00Z"],
        ["readings:"],
        ["2027-01-15T08:00:00Z", "12"],
        ["2027-01-15T08:30:00Z", "3456"],
    ]
    assert hub.ran[0][:2] == (
        "read.profile_import",
        {"register": "1-0:1.8.0", "from": NOW - 8 * 3600, "to": NOW},
    )
    told = json.loads(desk(*words, "--json")[1])
    assert (told["state"], told["hub"], told["kid"], told["answer"]) == ("DONE", hub.id, role.kid, rows)


def test_arguments_may_stand_before_and_behind_options(desk, street, tmp_path, role):
    hub = known_hub(tmp_path, role)
    street(hub)
    words = ("command", "--role", "SUP", "--hub", "kitchen", "read.max_demand", "res=day", "--from", str(NOW))
    assert desk(*words, "meter=E1", "--wait", "skip=1")[0] == 0
    assert hub.ran[0][:2] == ("read.max_demand", {"res": "day", "from": NOW, "meter": "E1", "skip": 1})


def test_commands_are_listed_with_who_may_give_them(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["command", "--list"])
    assert end.value.code == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert rows["supply.disable"].split()[1:] == ["SUP", "the", "hub's", "clock", "must", "be", "set"]
    assert "takes --at" in rows["set.tariff_price"]
    assert "ESP?" in rows["read.power_now"] and "CON" not in rows["read.power_now"]
    assert "prepay.topup" not in rows  # hubs know it, and do not do it yet


def test_registers_have_headings_and_units_and_a_refusal_says_why():
    told = {"registers": [["1-0:1.7.0", 306, 27, 0], ["1-0:2.7.0", 0, 99, -1]], "next": 1795136400}
    assert show.data(told) == [
        "next  2026-11-20T01:00:00Z",
        "registers:",
        "  register   value  unit  scale",
        "  1-0:1.7.0    306  W         0",
        "  1-0:2.7.0      0    99     -1",
    ]
    assert show.data({"registers": [["1-0:1.8.0", 30, 0]]})[1:] == [
        "  register   unit  scale",
        "  1-0:1.8.0  Wh        0",
    ]
    assert show.data({"registers": [[1, 2], [3]]}) == ["registers:", "  1  2", "  3"]
    assert show.data({"registers": ["1-0:1.8.0"]}) == ["registers:", "  1-0:1.8.0"]


def test_who_asks_for_a_hub_of_another_name_is_told_which_there_are(desk, tmp_path, role):
    known_hub(tmp_path, role)
    status, said = desk("command", "--role", "acme", "--hub", "hom", "read.power_now")
    assert status == 1 and "no hub is called 'hom' (known: kitchen); give its id" in said


def test_grant_without_the_owners_key_says_whose_it_is(desk, tmp_path, role):
    status, said = desk("role", "grant", "acme", "--hub", "0" * 16)
    assert status == 1 and "this is for the hubs' owner" in said


def test_refused_overdue_and_accepted_are_said_and_counted(desk, street, tmp_path, role):
    answers = {
        "supply.enable": {"outcome": "refused", "error": "WRONG_STATE", "field": "supply", "data": {}},
        "message.send": {"outcome": "pending", "data": {}},
    }
    hub = known_hub(tmp_path, role, lambda cmd, _: answers[cmd])
    one = street(hub)
    words = ("command", "--role", "acme", "--hub", hub.id, "--wait")
    status, said = desk(*words, "supply.enable")
    assert (status, said) == (1, f"REFUSED(WRONG_STATE)  supply.enable to {hub.id} (supply)\n")
    status, said = desk(*words, "message.send", "text=hello", "priority=2")
    assert status == 0 and said.startswith("DELIVERED  message.send") and "accepted" in said
    assert hub.ran[-1][1] == {"text": "hello", "priority": 2}
    one.silent = True
    status, said = desk(*words, "supply.enable", "--deadline", "1")
    assert status == 1 and said.startswith(f"OVERDUE  supply.enable to {hub.id}: no answer until ")


def test_without_waiting_it_is_delivered(desk, tmp_path, role):
    hub = known_hub(tmp_path, role)
    status, said = desk("command", "--role", "SUP", "--hub", hub.id, "read.power_now")
    assert (status, said) == (0, f"DELIVERED  read.power_now to {hub.id}: the broker has taken it\n")
    status, said = desk("head-end", "transactions")
    assert status == 0 and said.splitlines()[1].split()[1:4] == [hub.id, "read.power_now", "DELIVERED"]


def test_date_and_cancelling_go_into_the_command(desk, tmp_path, role):
    hub = known_hub(tmp_path, role)
    for at, wanted in (("2027-01-15T08:00", NOW), ("never", 0)):
        desk("command", "--role", "SUP", "--hub", hub.id, "set.tariff_price", "--at", at)
        (given, *_) = json.loads(desk("head-end", "transactions", "--json")[1])
        assert given["at"] == wanted


def test_the_owner_commands_with_the_root_key(desk, street, tmp_path):
    status, said = desk("command", "--role", "ROOT", "--hub", "0" * 16, "read.clock")
    assert status == 1 and "this is for the hubs' owner" in said
    owner_keys.load(tmp_path)
    root = keys.root(tmp_path)
    hub = known_hub(tmp_path, root, lambda cmd, arg: {"outcome": "done", "data": {}})
    street(hub)
    words = ("command", "--role", "ROOT", "--hub", hub.id, "set.change_of_tenancy", "--wait", "--from", "2026-11-01")
    for zone, start in (((), 1793491200), (("--zone", "Europe/Paris"), 1793487600)):
        status, said = desk(*words, *zone)
        assert status == 0 and said.startswith("DONE  set.change_of_tenancy"), said
        assert hub.ran[-1][:2] == ("set.change_of_tenancy", {"from": start})


def test_a_zone_that_there_is_not_is_wrong_usage(desk):
    with pytest.raises(SystemExit) as end:
        desk("command", "--role", "ROOT", "--hub", "0" * 16, "read.clock", "--zone", "Mars/Olympus")
    assert end.value.code == 2


def test_answers_to_others_are_left_to_the_head_end(desk, street, tmp_path, role):
    hub = known_hub(tmp_path, role)
    one = street(hub)
    one.say(hub, role.kid, hub.report(role.kid, 1))
    status, _ = desk("command", "--role", "SUP", "--hub", hub.id, "read.power_now", "--wait")
    assert status == 0
    assert set(hub.waiting) >= {1}
    assert desk("head-end", "readings") == (0, "no readings yet\n")


def test_hub_that_is_nowhere_known_is_said(desk, tmp_path, role, monkeypatch):
    monkeypatch.setattr("meterhub_tools.headend.options._CONNECT_S", 1)
    status, said = desk("command", "--role", "SUP", "--hub", "0" * 16, "read.power_now")
    assert status == 1 and "is not known" in said and said.count("\n") == 1
    status, said = desk("command", "--role", "SUP", "--hub", "attic", "read.power_now")
    assert status == 1 and "no hub is called 'attic'" in said


def test_broker_that_is_not_there_is_said(desk, tmp_path, role, monkeypatch):
    monkeypatch.setattr("meterhub_tools.headend.options._CONNECT_S", 1)
    hub = known_hub(tmp_path, role)
    words = ("command", "--role", "SUP", "--hub", hub.id, "read.power_now", "--broker", "mqtt://127.0.0.1:9")
    status, said = desk(*words)
    assert status == 1 and "the broker cannot be reached" in said and said.count("\n") == 1
    monkeypatch.delenv("METERHUB_BROKER")
    status, said = desk("command", "--role", "SUP", "--hub", hub.id, "read.power_now")
    assert status == 2 and "no broker" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--arg", "[1]"], "--arg wants a JSON object"),
        (["wh"], "'wh' is no NAME=VALUE"),
        (["=1"], "'=1' is no NAME=VALUE"),
        (["price=0.285"], "0.285 is a fraction"),
        (["--from", "yesterday"], "--from 'yesterday' is no time"),
        (["--deadline", "0"], "--deadline wants"),
        (["--settled"], "--settled goes with --hub and --wait"),
        (["--at", "soon"], "--at 'soon' is no time"),
    ],
)
def test_what_cannot_be_meant_is_said(desk, role, words, said):
    status, told = desk("command", "--role", "SUP", "--hub", "0" * 16, "read.power_now", *words)
    assert status == 2 and said in told


def test_values_are_json_where_they_can_be():
    class Args:
        arg, start, end = '{"a": [1, 2]}', "1d", "+2h"
        zone = UTC
        args = ("n=5", "yes=true", 'list=["a"]', "text=1-0:1.8.0", "none=null")

    found = send.arguments(Args, NOW)
    assert found == {
        "a": [1, 2],
        "from": NOW - 86400,
        "to": NOW + 7200,
        "n": 5,
        "yes": True,
        "list": ["a"],
        "text": "1-0:1.8.0",
        "none": None,
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2027-01-15", NOW - 8 * 3600),
        ("2027-01-15T09:00+01:00", NOW),
        ("now", NOW),
        ("7d", NOW - 604800),
        ("+1h", NOW + 3600),
        ("1800000001", NOW + 1),
    ],
)
def test_times_as_people_write_them(text, wanted):
    assert send.moment(text, NOW, "--from") == wanted


# -- what the head-end has ---------------------------------------------------------------------------------------


def test_hubs_are_listed_and_their_state_changed(desk, tmp_path, role):
    hub = known_hub(tmp_path, role)
    status, said = desk("head-end", "hubs")
    assert status == 0 and said.splitlines()[1].split()[:3] == [hub.id, "kitchen", "whitelisted"]
    assert desk("head-end", "state", "kitchen", "installed") == (0, f"{hub.id} is installed\n")
    status, said = desk("head-end", "state", "kitchen", "pending")
    assert status == 1 and "is installed; commissioned" in said
    status, said = desk("head-end", "state", "kitchen", "happy")
    assert status == 2 and "a state is one of" in said
    status, said = desk("head-end", "hubs", "more")
    assert status == 2 and "takes no further word" in said


def test_service_without_a_role_is_refused(desk):
    status, said = desk("head-end")
    assert status == 2 and "--role is missing" in said
