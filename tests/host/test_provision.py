"""`meterhub provision` through a real serial port, with the firmware on the unix port: every step, every refusal."""

import base64
import json
import sqlite3
import time

import pytest
from cabled_hub import CabledHub
from operator_desk import BROKER, Desk, leaks

from meterhub_tools.board.port import CablePulled, Line
from meterhub_tools.owner import documents, keys, registry
from meterhub_tools.owner.wishes import Wishes

PLAIN = ("--broker", "none", "--meter", "none")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")


@pytest.fixture
def hub(tmp_path):
    with CabledHub(tmp_path / "hub") as hub:
        yield hub


def asked(hub, verb, **words):
    with Line(hub.port) as line:
        return line.ask(verb, **words)


def settings_of(hub):
    return asked(hub, "settings")["settings"]


def entry_of(desk, hub):
    with registry.open_for_reading(desk.registry) as book:
        return book.hub(asked(hub, "hello")["hub"])


def steps(said):
    return [line.split()[0] for line in said.splitlines()]


def test_a_new_hub_becomes_the_operators_step_by_step(desk, hub):
    status, said = desk.provision(hub.port, *PLAIN, "--recipient", desk.folder / "recipient.json", "--note", "first")
    assert status == 0, said
    assert steps(said) == ["cable", "clock", "identity", "certificate", "settings", "registry", "online", "done:"]
    hello = asked(hub, "hello")
    root = keys.existing(desk.keys)
    assert (hello["owned"], hello["root"], hello["seq"], hello["name"]) == (True, root.kid, 2, "kitchen")
    assert hello["clock"] == "cable"
    assert abs(hello["at"] - time.time()) < 20
    assert settings_of(hub)["recipients"] == [desk.recipient]
    entry = entry_of(desk, hub)
    assert (entry.root, entry.name, entry.seq, entry.board, entry.note) == (root.kid, "kitchen", 2, "UNIX", "first")
    said = documents.check_certificate(entry.certificate, root.point)
    assert (said.hub, said.key, said.name) == (hello["hub"], entry.key, "kitchen")


def test_a_second_run_changes_only_the_number(desk, hub):
    words = (*PLAIN, "--recipient", desk.folder / "recipient.json", "--zone", "GMT0BST,M3.5.0/1,M10.5.0")
    assert desk.provision(hub.port, *words)[0] == 0
    before, settings = entry_of(desk, hub), settings_of(hub)
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 0
    assert "owns it already" in said
    after = entry_of(desk, hub)
    assert settings_of(hub) == settings
    assert (after.certificate, after.key, after.seq) == (before.certificate, before.key, before.seq + 1)


def test_secrets_are_kept_when_they_are_not_given_again_and_shown_nowhere(desk, hub, tmp_path):
    words = ("--broker", "mqtt://127.0.0.1:1", "--wait", "1", *desk.passwords())
    status, said = desk.provision(hub.port, *words)
    assert status == 1
    assert "online: TCP: nothing answers at 127.0.0.1:1" in said
    status, _ = desk.provision(hub.port, "--broker", "mqtt://127.0.0.1:1", "--wait", "1", "--user", "hub-user")
    assert status == 1
    stored = json.loads((hub.data / "settings.json").read_text())
    assert stored["wan"]["password"] == BROKER
    desk.run("settings", "get", "--port", hub.port)
    desk.run("settings", "get", "--port", hub.port, "--json")
    desk.run("info", "--port", hub.port)
    desk.run("hubs", "list", "--keys", desk.keys)
    journal = b"".join(path.read_bytes() for path in (hub.data / "journal").iterdir())
    book = desk.registry.read_bytes()
    assert leaks(desk.shown, hub.text(), journal.decode("latin-1"), book.decode("latin-1")) == []
    assert hub.journal("configured")
    pem = (desk.keys / "root-key.pem").read_text().splitlines()[1]
    assert pem not in desk.shown + hub.text()


def test_another_broker_does_not_get_the_password_of_the_old_one(desk, hub):
    assert desk.provision(hub.port, "--broker", "mqtt://127.0.0.1:1", "--wait", "1", *desk.passwords())[0] == 1
    words = ("--broker", "mqtt://127.0.0.2:1", "--wait", "1", "--user", "hub-user")
    status, said = desk.provision(hub.port, *words)
    assert status == 1
    assert "--password-file is missing" in said
    assert settings_of(hub)["wan"]["url"] == "mqtt://127.0.0.1:1"


def test_recipients_that_somebody_left_on_a_new_hub_do_not_survive(desk, tmp_path):
    left = {"kid": "X", "name": "Mallory", "key": desk.recipient["key"]}
    with CabledHub(
        tmp_path / "hub", {"schema": 1, "recipients": [left], "wan": {"url": "mqtt://evil.example"}}
    ) as hub:
        assert desk.provision(hub.port, *PLAIN)[0] == 0
        found = settings_of(hub)
    assert found["recipients"] == []
    assert found["wan"]["url"] == ""


# -- who owns it -------------------------------------------------------------------------------------------------


def test_somebody_elses_hub_is_left_alone_and_both_ways_are_said(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    before = asked(hub, "hello")
    status, said = Desk(tmp_path / "thief").provision(hub.port, *PLAIN, name="mine")
    assert status == 1
    assert "identity: this hub belongs to root " + before["root"] in said
    assert "--handover" in said
    assert "button A" in said
    after = asked(hub, "hello")
    assert (after["root"], after["seq"], after["name"]) == (before["root"], before["seq"], "kitchen")
    assert hub.journal("NOT_AUTHENTIC") == []  # it was not even tried


def test_the_old_owner_hands_a_hub_over(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN, "--recipient", desk.folder / "recipient.json")[0] == 0
    heir = Desk(tmp_path / "heir")
    status, said = heir.provision(hub.port, *PLAIN, "--handover", desk.keys, name="hall")
    assert status == 0, said
    root = keys.existing(heir.keys)
    hello = asked(hub, "hello")
    assert (hello["root"], hello["seq"], hello["name"]) == (root.kid, 5, "hall")
    assert settings_of(hub)["recipients"] == []
    with registry.open_for_reading(heir.registry) as book:
        assert book.why_not(hello["hub"], book.hub(hello["hub"]).key) == ""
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert f"belongs to root {root.kid}" in said


def test_a_hand_over_by_a_third_root_is_none(desk, hub, tmp_path):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    keys.load(tmp_path / "third")
    status, said = Desk(tmp_path / "heir").provision(hub.port, *PLAIN, "--handover", tmp_path / "third")
    assert status == 1
    assert "this hub belongs to root" in said


def test_handing_over_wants_a_key_that_is_there(desk, hub, tmp_path):
    status, said = desk.provision(hub.port, *PLAIN, "--handover", tmp_path / "nowhere")
    assert status == 1
    assert "--handover" in said
    assert not (tmp_path / "nowhere").exists()


# -- cut off at any step -----------------------------------------------------------------------------------------


class Cut:
    """Pulls the cable at the n-th use of a verb, before the hub hears of it or after it has done it."""

    def __init__(self, monkeypatch, verb, after):
        true, cut = Line.ask, self

        def ask(line, asked, *args, **words):
            if asked == verb and not cut.done:
                cut.done = True
                if after:
                    true(line, asked, *args, **words)
                raise CablePulled(line.port)
            return true(line, asked, *args, **words)

        self.done = False
        monkeypatch.setattr(Line, "ask", ask)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("verb", ["clock", "prove", "own", "check", "configure"])
def test_cut_off_at_any_step_the_next_run_completes_it(desk, hub, monkeypatch, verb, after):
    words = (*PLAIN, "--recipient", desk.folder / "recipient.json")
    cut = Cut(monkeypatch, verb, after)
    status, said = desk.provision(hub.port, *words)
    assert status == 1
    assert "was the cable pulled" in said
    assert cut.done
    if (verb, after) == ("configure", True):
        time.sleep(1)  # it restarts
    status, said = desk.provision(hub.port, *words)
    assert status == 0, said
    hello, entry = asked(hub, "hello"), entry_of(desk, hub)
    assert hello["root"] == entry.root == keys.existing(desk.keys).kid
    assert hello["seq"] == entry.seq
    assert settings_of(hub)["recipients"] == [desk.recipient]


def test_cut_off_in_the_middle_of_a_hand_over(desk, hub, tmp_path, monkeypatch):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    heir = Desk(tmp_path / "heir")
    Cut(monkeypatch, "own", after=True)
    assert heir.provision(hub.port, *PLAIN, "--handover", desk.keys)[0] == 1
    status, said = heir.provision(hub.port, *PLAIN, "--handover", desk.keys)
    assert status == 0, said
    assert asked(hub, "hello")["root"] == keys.existing(heir.keys).kid


def test_a_registry_that_was_lost_is_written_anew(desk, hub):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    desk.registry.unlink()
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 0, said
    entry = entry_of(desk, hub)
    assert entry.seq == asked(hub, "hello")["seq"] == 4
    assert documents.check_certificate(entry.certificate, keys.existing(desk.keys).point).seq == 3


# -- what is refused, and where ----------------------------------------------------------------------------------


def test_nothing_at_the_port_is_the_cable(desk, tmp_path):
    status, said = desk.provision(str(tmp_path / "nothing"), *PLAIN)
    assert status == 1
    assert "cable: there is no port" in said


def test_a_computer_that_lives_in_the_past_sets_no_clock(desk, hub, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 86400.0)
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert "clock: this computer's clock says 1970-01-02" in said
    assert asked(hub, "hello")["owned"] is False


def test_a_hub_with_a_better_clock_keeps_it(desk, tmp_path):
    with CabledHub(tmp_path / "hub", clock="board") as hub:
        status, said = desk.provision(hub.port, *PLAIN)
        assert status == 0, said
        assert "clock        the hub's own is right" in said


def test_a_hub_whose_own_clock_is_wrong_is_refused(desk, tmp_path, monkeypatch):
    now = time.time()
    with CabledHub(tmp_path / "hub", clock="board") as hub:
        monkeypatch.setattr(time, "time", lambda: now + 5000)
        status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert "clock: the hub keeps its clock, " in said


class Impostor:
    """Changes what a hub answers to one verb."""

    def __init__(self, monkeypatch, verb, change):
        true = Line.ask

        def ask(line, asked, *args, **words):
            reply = true(line, asked, *args, **words)
            return change(reply) if asked == verb else reply

        monkeypatch.setattr(Line, "ask", ask)


def broken_signature(reply):
    head, claims, signature = reply["token"].split(".")
    return {"token": f"{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"}


def other_nonce(reply):
    """What was signed once before."""
    return {"token": OLD.setdefault("token", reply["token"])}


OLD: dict = {}


def test_a_proof_that_is_not_signed_by_the_hub_is_none(desk, hub, monkeypatch):
    Impostor(monkeypatch, "prove", broken_signature)
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert "identity: the board does not prove that it holds its key (NOT_AUTHENTIC" in said
    assert not desk.registry.exists()


def test_a_proof_from_before_is_none(desk, hub, monkeypatch):
    OLD.clear()
    OLD["token"] = asked(hub, "prove", nonce=base64.urlsafe_b64encode(bytes(24)).decode())["token"]
    Impostor(monkeypatch, "prove", other_nonce)
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert "identity: the board does not prove that it holds its key (REPLAY" in said


def test_another_hubs_proof_is_none(desk, hub, tmp_path, monkeypatch):
    true = Line.ask

    def ask(line, verb, *args, **words):
        if verb == "prove" and line.port == hub.port:
            return asked(other, "prove", nonce=words["nonce"])
        return true(line, verb, *args, **words)

    with CabledHub(tmp_path / "other") as other:
        monkeypatch.setattr(Line, "ask", ask)
        status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert "but its key is that of" in said


def test_a_hub_that_names_another_owner_afterwards_is_not_used(desk, hub, monkeypatch):
    Impostor(monkeypatch, "own", lambda reply: reply | {"root": "0000000000000000"})
    status, said = desk.provision(hub.port, *PLAIN)
    assert status == 1
    assert "certificate: the hub says that root 0000000000000000 owns it" in said


def test_a_setting_that_the_hub_refuses_is_named_and_nothing_is_installed(desk, hub):
    path = desk.file("settings.json", json.dumps({"schema": 1, "profile": {"interval_s": 7}}))
    status, said = desk.provision(hub.port, *PLAIN, "--settings", path)
    assert status == 1
    assert "settings: the hub says: profile.interval_s" in said
    assert settings_of(hub)["profile"]["interval_s"] == 1800
    assert asked(hub, "hello")["seq"] == 1  # the certificate is there: the next run goes on from it


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--broker", "http://x"), "--broker wants mqtt://"),
        (("--broker", "mqtt://user:geheim@x"), "--broker: give the user with --user"),
        (("--broker", "mqtt://x:port"), "--broker wants mqtt://"),
        (("--broker", "mqtt://x/path"), "--broker wants mqtt://"),
        (("--broker", "none", "--meter", "steam"), "--meter: there is no 'steam'"),
        (("--broker", "none", "--password-file", "x"), "--user, which is missing"),
        (("--broker", "none", "--wifi-password-file", "x"), "--wifi, which is missing"),
        (
            ("--broker", "none", "--wifi", "home", "--wifi-password-file", "nowhere"),
            "the file of a password is wanted",
        ),
        (("--broker", "none", "--recipient", "nowhere"), "meterhub website key"),
        (("--broker", "none", "--recipient", "{}"), "is no recipient"),
        (("--broker", "none", "--recipient", "{"), "is no recipient"),
        (("--broker", "none", "--settings", "nowhere"), "a settings document is wanted"),
        (("--broker", "mqtts://x", "--ca", "nowhere"), "--ca wants the one CA certificate"),
    ],
)
def test_what_is_wrong_at_first_sight_is_said_before_a_port_is_opened(desk, words, said):
    status, shown = desk.provision("/nowhere", *words)
    assert status == (1 if "nowhere" in words or "--recipient" in words else 2)  # what is in a file; what was typed
    assert said in shown
    assert "geheim" not in shown
    assert not desk.keys.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--broker is missing"),
        (("--broker", "mqtts://x"), "--ca is missing"),
        (("--broker", "none", "--wifi", "home"), "--wifi-password-file is missing"),
        (("--broker", "mqtt://x", "--user", "u"), "--password-file is missing"),
    ],
)
def test_what_a_new_hub_cannot_do_without_is_asked_for(desk, hub, words, said):
    status, shown = desk.provision(hub.port, *words)
    assert status == 1
    assert said in shown


def test_a_password_file_with_more_in_it_is_refused(desk):
    words = ("--broker", "none", "--wifi", "home", "--wifi-password-file", desk.file("two", "one\ntwo\n"))
    status, said = desk.provision("/nowhere", *words)
    assert status == 1
    assert "has more than one line" in said


def test_settings_that_fit_no_tray_are_said(desk):
    root = keys.load(desk.keys)
    with pytest.raises(documents.ToolError, match="a hub takes 8192"):
        documents.settings(root, "0" * 16, 1, {"schema": 1}, bytes(6000))


def test_port_and_name_are_wanted(desk):
    status, said = desk.run("provision", "--keys", desk.keys)
    assert status == 2
    assert "--port and --name are wanted" in said


# -- for machines, and many at a time ----------------------------------------------------------------------------


def test_json_says_each_step_and_the_end(desk, hub):
    status, said = desk.provision(hub.port, *PLAIN, "--json")
    assert status == 0
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line.get("step") for line in lines[:-1]] == [
        "cable",
        "clock",
        "identity",
        "certificate",
        "settings",
        "registry",
        "online",
    ]
    assert lines[-1]["ok"] is True
    assert lines[-1]["hub"] == asked(hub, "hello")["hub"]


def test_json_says_which_step_has_failed(desk, hub):
    status, said = desk.provision(hub.port, "--json")
    assert status == 1
    end = json.loads(said.splitlines()[-1])
    assert (end["ok"], end["step"]) == (False, "settings")


def test_a_batch_goes_on_after_a_failure(desk, tmp_path):
    with CabledHub(tmp_path / "one") as one, CabledHub(tmp_path / "two") as two:
        rows = [
            "port,name,wifi,wifi-password-file,broker,note",
            f"{one.port},flat 1,home,wifi.txt,,",
            f"{tmp_path}/nothing,flat 2,home,wifi.txt,,",
            "",
            f"{two.port},flat 3,home,wifi.txt,none,with a balcony",
        ]
        path = desk.file("hubs.csv", "\n".join(rows))
        status, said = desk.run("provision", "--batch", path, "--keys", desk.keys, "--broker", "none")
        assert status == 1
        ends = [line for line in said.splitlines() if "done at" in line or "FAILED at" in line]
        assert [line.split("  ")[0] for line in ends] == ["flat 1", "flat 2", "flat 3"]
        assert "FAILED at" in ends[1]
        assert "cable: there is no port" in ends[1]
        assert entry_of(desk, two).note == "with a balcony"
        assert settings_of(one)["wifi"] == {"ssid": "home", "password": True, "country": ""}
        assert leaks(desk.shown, one.text(), two.text()) == []
        status, said = desk.run("provision", "--batch", path, "--keys", desk.keys, "--broker", "none", "--json")
        assert status == 1
        found = [json.loads(line) for line in said.splitlines()]
        assert [line["ok"] for line in found if "ok" in line] == [True, False, True]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "one column 'port' is wanted"),
        ("port,name", "names no hub"),
        ("port,name,wifi_password\na,b,geheim", "no password stands in this file"),
        ("port,name,colour\na,b,red", "there is no column 'colour'"),
        ("port,name\na", "2 cells are wanted"),
        ("port,name\n,b", "port and name are wanted"),
        ("port,name\na,b\na,c", "stands there twice"),
        ("port,name,meter\na,b,steam", "line 2: --meter"),
        ('port,name\n"a', "is no CSV file"),
    ],
)
def test_a_list_that_will_not_do_is_refused_as_a_whole(desk, content, said):
    status, shown = desk.run("provision", "--batch", desk.file("hubs.csv", content), "--keys", desk.keys)
    assert status == 1
    assert said in shown
    assert "geheim" not in shown
    assert not desk.keys.exists()


# -- the list of hubs --------------------------------------------------------------------------------------------


def test_hubs_are_listed_and_shown(desk, hub):
    assert desk.provision(hub.port, *PLAIN, "--note", "in the cellar")[0] == 0
    id = asked(hub, "hello")["hub"]
    status, said = desk.run("hubs", "list", "--keys", desk.keys)
    assert status == 0
    assert said.split()[:3] == [id, "kitchen", "UNIX"]
    assert json.loads(desk.run("hubs", "list", "--keys", desk.keys, "--json")[1])[0]["note"] == "in the cellar"
    for name in ("kitchen", id[:6].lower()):
        status, said = desk.run("hubs", "show", name, "--keys", desk.keys, "--json")
        assert status == 0
        assert json.loads(said)["hub"] == id
    status, said = desk.run("hubs", "show", "cellar", "--keys", desk.keys)
    assert status == 1
    assert "no hub is called 'cellar'" in said


def test_a_hub_for_which_the_registry_does_not_vouch_is_shown_so(desk, hub):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    with sqlite3.connect(desk.registry) as connection:
        connection.execute("UPDATE hubs SET certificate = 'a.b.c'")
    connection.close()
    status, said = desk.run("hubs", "show", "kitchen", "--keys", desk.keys)
    assert status == 1
    assert "its certificate does not verify" in said


def test_a_registry_of_a_newer_program_is_left_alone(desk, hub):
    assert desk.provision(hub.port, *PLAIN)[0] == 0
    with sqlite3.connect(desk.registry) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    for words in (("hubs", "list", "--keys", desk.keys), ("provision", "--port", hub.port, "--name", "x", *PLAIN)):
        status, said = desk.run(*words, *(("--keys", desk.keys) if words[0] == "provision" else ()))
        assert status == 1
        assert "has schema 2, this program knows 1" in said


def test_without_a_registry_there_is_a_hint(desk):
    status, said = desk.run("hubs", "list", "--keys", desk.keys)
    assert status == 1
    assert "`meterhub provision` makes it" in said


def test_who_was_told_of_events_and_is_no_recipient_any_more_is_told_no_more():
    one, two = ({"kid": kid, "name": kid, "key": base64.urlsafe_b64encode(bytes(65)).decode()} for kid in "ab")
    base = {"recipients": [one], "events": {"to": "a"}}
    for kept, recipients in (({}, [two]), ({"to": "a"}, [one, two])):
        wishes = Wishes(name="x", broker="none", recipient=tuple(json.dumps(each) for each in recipients))
        assert wishes.document(base).get("events", {}) == kept
