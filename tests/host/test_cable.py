"""The service line through a real pty, with pyserial on its other end: what a hub answers, and what it refuses."""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from cryptography.hazmat.primitives.asymmetric import ec

from meterhub_tools.hub import Hub, on_a_cable
from meterhub_tools.owner.keys import Root
from meterhub_tools.proof import check_signature

from meterhub.codec import base64url, jose  # isort: skip
from meterhub.trust import identity  # isort: skip

PATIENCE_S = 10
CA = b"\x30\x82" + bytes(400)
SECRET = "correct horse battery"


class Host:
    """Whoever holds the other end of the cable."""

    def __init__(self, hub: Hub) -> None:
        self.port = serial.serial_for_url(hub.cable, 115200, timeout=PATIENCE_S)
        self.port.write(b"\n")
        self.heard = b""
        self._number = secrets.randbelow(1 << 29)

    def line(self) -> str:
        raw = self.port.readline()
        assert raw.endswith(b"\n"), f"nothing more came after {raw!r}"
        self.heard += raw
        return raw.decode("ascii").strip()

    def next(self, **wanted: object) -> dict:
        """Return the next event with these fields."""
        while True:
            line = self.line()
            event = json.loads(line) if line.startswith("{") else {}
            if wanted.items() <= event.items():
                return event

    def ask(self, verb: str, **words: object) -> dict:
        self._number += 1
        self.port.write(json.dumps({"id": self._number, "do": verb} | words).encode() + b"\n")
        return self.next(ev="reply", id=self._number)

    def put(self, document: "dict | str") -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        for at in range(0, len(text), 500):
            assert self.ask("tray", data=text[at : at + 500], new=at == 0)["ok"]

    def give(self, verb: str, document: "dict | str") -> dict:
        self.put(document)
        return self.ask(verb)

    def restarted(self) -> "Host":
        self.next(ev="start")
        return self

    def settings(self) -> dict:
        return self.ask("settings")["settings"]


class Owned:
    """A hub and the key that owns it."""

    def __init__(self, host: Host, root: Root) -> None:
        self.host = host
        self.root = root
        nonce = base64url.encode(b"n" * 16)
        _, self.claims = jose.jws_claims(host.ask("prove", nonce=nonce)["token"], 2048)

    def certificate(self, signer: Root, root: Root, seq: int, **changes: object) -> str:
        claims = {"v": 1, "hub": self.claims["hub"], "key": self.claims["key"], "seq": seq, "name": "home", "at": 1}
        claims["root"] = base64url.encode(root.point)
        return signer.sign("mh-cert", claims | changes)

    def settings(self, number: int, document: dict, **changes: object) -> str:
        claims = {"v": 1, "hub": self.claims["hub"], "seq": number, "settings": document}
        return self.root.sign("mh-settings", claims | changes)


def new_root() -> Root:
    return Root(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = {"schema": 1, "name": "bench", "wifi": {"ssid": "home", "password": SECRET}}
    with on_a_cable(tmp_path / "hub", settings) as running:
        yield running


@pytest.fixture
def host(hub: Hub) -> Host:
    return Host(hub)


@pytest.fixture
def owned(host: Host) -> Owned:
    found = Owned(host, new_root())
    assert host.give("own", found.certificate(found.root, found.root, 1))["ok"]
    return found


# -- who is there ------------------------------------------------------------------------------------------------


def test_a_hub_says_who_it_is(hub: Hub, host: Host) -> None:
    said = host.ask("hello")
    assert (said["hub"], said["board"], said["name"]) == (hub.id, "UNIX", "bench")
    assert (said["owned"], said["root"], said["seq"]) == (False, "", 0)
    assert abs(said["at"] - time.time()) < 5


def test_info_tells_how_it_is(host: Host) -> None:
    said = host.ask("info")
    assert 0 < said["heap_largest"] <= said["heap_free"]
    assert said["errors"] == {"DISPLAY_FAILED": 1}
    assert said["wan"] == "off"
    assert said["loaded"] == ["service_desk"]
    assert "MicroPython" in said["micropython"]


def test_a_proof_is_signed_by_the_key_that_gives_the_id(hub: Hub, host: Host) -> None:
    nonce = base64url.encode(secrets.token_bytes(32))
    token = host.ask("prove", nonce=nonce)["token"]
    header, claims = jose.jws_claims(token, 2048)
    key = base64url.decode(claims["key"])
    check_signature(token, key)
    assert (header["typ"], claims["nonce"], claims["hub"]) == ("mh-proof", nonce, hub.id)
    assert identity.hub_id(key) == hub.id


@pytest.mark.parametrize("nonce", [None, 5, "", "AAAA", "A" * 44, "!" * 22])
def test_a_nonce_that_is_none_gets_no_proof(host: Host, nonce: object) -> None:
    assert host.ask("prove", nonce=nonce)["error"] == "MALFORMED"


# -- lines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"garbage", "MALFORMED"),
        (b"\xff\xfe\x80", "MALFORMED"),
        (b"{", "MALFORMED"),
        (b"[" * 1000, "MALFORMED"),
        (b"[]", "MALFORMED"),
        (b'{"do": "hello"}', "MALFORMED"),
        (b'{"id": "1", "do": "hello"}', "MALFORMED"),
        (b'{"id": true, "do": "hello"}', "MALFORMED"),
        (b'{"id": -1, "do": "hello"}', "MALFORMED"),
        (b'{"id": 1073741824, "do": "hello"}', "MALFORMED"),
        (b'{"id": 1.5, "do": "hello"}', "MALFORMED"),
        (b'{"id": 1}', "MALFORMED"),
        (b'{"id": 1, "do": ["hello"]}', "MALFORMED"),
        (b"x" * 1025, "OVERSIZED"),
        (b"x" * 300_000, "OVERSIZED"),
        (b'{"id": 1, "do": "hello", "more": "' + b"x" * 1024 + b'"}', "OVERSIZED"),
    ],
)
def test_a_line_that_is_no_request_gets_one_error_and_no_id(hub: Hub, host: Host, line: bytes, error: str) -> None:
    host.ask("hello")
    host.heard = b""
    host.port.write(line + b"\n")
    assert host.next(ev="reply")["error"] == error
    assert host.ask("hello")["ok"]
    replies = [one for one in map(json.loads, host.heard.splitlines()) if one["ev"] == "reply"]
    assert [reply.get("id") is None for reply in replies] == [True, False]
    assert not hub.journalled("EXECUTE_FAILED")


def test_a_line_of_1024_bytes_is_taken(host: Host) -> None:
    line = b'{"id": 7, "do": "hello", "x": "'
    host.port.write(line + b"x" * (1022 - len(line)) + b'"}\n')
    assert host.next(ev="reply")["id"] == 7


def test_control_bytes_and_empty_lines_count_for_nothing(host: Host) -> None:
    host.port.write(b'\r\n\n\x02\x00\n\r\x02{"id": 7,\t"do": "hello"}\r\n')
    assert host.next(ev="reply")["id"] == 7


def test_a_line_that_a_pulled_cable_left_half_way_spoils_only_itself(hub: Hub, host: Host) -> None:
    host.port.write(b'{"id": 1, "do": "conf')
    host.port.close()
    again = Host(hub)
    assert again.next(ev="reply")["error"] == "MALFORMED"
    assert again.ask("hello")["ok"]


def test_there_is_one_request_at_a_time(host: Host) -> None:
    host.port.write(b'{"id": 1, "do": "selftest", "part": "clock"}\n{"id": 2, "do": "hello"}\n')
    busy = host.next(ev="reply")
    assert (busy["id"], busy["error"]) == (2, "BUSY")
    assert host.next(ev="reply")["id"] == 1


@pytest.mark.parametrize("verb", ["", "nonsense", "__init__", "answer", "x" * 900])
def test_a_verb_that_does_not_exist_is_unsupported(host: Host, verb: str) -> None:
    assert host.ask(verb)["error"] == "UNSUPPORTED"


# -- settings ----------------------------------------------------------------------------------------------------


def test_settings_come_back_as_they_were_sent_and_no_secret_is_ever_said(hub: Hub, host: Host) -> None:
    document = host.settings()
    assert document["wifi"] == {"ssid": "home", "password": True, "country": ""}
    assert document["wan"]["password"] == ""
    document["name"] = "attic"
    document["price"]["import_e5"] = 28500
    assert host.give("configure", document)["restart"] is True
    assert host.restarted().settings() == document
    assert json.loads((hub.data / "settings.json").read_text())["wifi"]["password"] == SECRET
    assert SECRET.encode() not in host.heard


def test_an_empty_secret_takes_the_old_one_away(hub: Hub, host: Host) -> None:
    document = host.settings()
    document["wifi"]["password"] = ""
    host.give("configure", document)
    assert host.restarted().settings()["wifi"]["password"] == ""
    assert SECRET not in (hub.data / "settings.json").read_text()


@pytest.mark.parametrize("verb", ["check", "configure"])
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schema": 2}, "schema"),
        ({"nonsense": 1}, "nonsense"),
        ({"name": ""}, "name"),
        ({"name": True}, "name"),
        ({"wifi": {"password": 5}}, "wifi.password"),
        ({"wifi": {"country": "nl"}}, "wifi.country"),
        ({"display": {"driver": "crt"}}, "display.driver"),
        ({"wan": {"url": "mqtt://"}}, "wan.url"),
        ({"wan": {"url": "mqtts://h"}}, "wan.ca"),
        ({"wan": {"url": "mqtts://h", "ca": "../ca.der"}}, "wan.ca"),
    ],
)
def test_bad_settings_are_refused_by_name_and_change_nothing(
    hub: Hub, host: Host, verb: str, change: dict, field: str
) -> None:
    before = (hub.data / "settings.json").read_bytes()
    refused = host.give(verb, {"schema": 1} | change)
    assert (refused["error"], refused["field"]) == ("SETTING_REFUSED", field)
    assert refused["says"].startswith(field)
    assert (hub.data / "settings.json").read_bytes() == before


@pytest.mark.parametrize("content", [b"-----BEGIN", b"\x30" + bytes(4096)], ids=["PEM", "longer than it may be"])
def test_a_ca_that_cannot_be_one_is_refused(hub: Hub, host: Host, content: bytes) -> None:
    (hub.data / "no.der").write_bytes(content)
    refused = host.give("check", {"schema": 1, "wan": {"url": "mqtts://h", "ca": "no.der"}})
    assert (refused["error"], refused["says"]) == ("SETTING_REFUSED", "wan.ca is not in DER")


def test_a_check_changes_nothing(hub: Hub, host: Host) -> None:
    before = (hub.data / "settings.json").read_bytes()
    assert host.give("check", {"schema": 1, "name": "other"})["ok"]
    assert (hub.data / "settings.json").read_bytes() == before


@pytest.mark.parametrize("document", ["{", "[]", "{}", " ", '{"schema": 1}x'])
def test_what_is_no_document_is_refused(host: Host, document: str) -> None:
    assert host.give("configure", document)["ok"] is False


def test_the_tray_is_bounded_and_empty_after_use(host: Host) -> None:
    assert host.ask("configure")["error"] == "WRONG_STATE"
    for piece in range(18):
        reply = host.ask("tray", data="x" * 460, new=not piece)
        assert reply["ok"] is (piece < 17)
    assert reply["error"] == "OVERSIZED"
    assert host.ask("check")["error"] == "WRONG_STATE"
    for data in (None, 5, ["x"]):
        assert host.ask("tray", data=data)["error"] == "MALFORMED"


# -- ownership ---------------------------------------------------------------------------------------------------


def test_a_hub_is_owned_and_handed_over_by_signature_only(hub: Hub, owned: Owned) -> None:
    host, stranger = owned.host, new_root()
    said = host.ask("hello")
    assert (said["owned"], said["root"], said["seq"]) == (True, owned.root.kid, 1)
    for token, error in (
        (owned.certificate(stranger, stranger, 2), "NOT_AUTHENTIC"),
        (owned.certificate(owned.root, owned.root, 1), "REPLAY"),
        (owned.certificate(owned.root, owned.root, 2, hub="0" * 16), "WRONG_HUB"),
    ):
        assert host.give("own", token)["error"] == error
        assert hub.journalled(error)
    assert host.ask("hello")["seq"] == 1
    assert host.give("own", owned.certificate(owned.root, stranger, 2))["root"] == stranger.kid
    assert host.give("own", owned.certificate(owned.root, owned.root, 3))["error"] == "NOT_AUTHENTIC"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"wan": {"url": "mqtt://elsewhere"}}, "wan.url"),
        ({"wan": {"user": "u"}}, "wan.user"),
        ({"wan": {"password": "p"}}, "wan.password"),
        ({"recipients": [{"kid": "k", "name": "n", "key": base64url.encode(bytes(65))}]}, "recipients"),
    ],
)
def test_who_only_has_the_cable_does_not_change_who_may_ask(hub: Hub, owned: Owned, change: dict, field: str) -> None:
    refused = owned.host.give("configure", owned.host.settings() | change)
    assert (refused["error"], refused["field"]) == ("NOT_AUTHORISED", field)
    assert hub.journalled("NOT_AUTHORISED")


def test_who_has_the_cable_changes_the_rest_of_an_owned_hub(owned: Owned) -> None:
    document = owned.host.settings()
    document["name"] = "attic"
    assert owned.host.give("configure", document)["ok"]
    assert owned.host.restarted().settings()["name"] == "attic"


def test_signed_settings_and_their_ca_take_effect_together(hub: Hub, owned: Owned) -> None:
    host = owned.host
    document = host.settings()
    document["wan"] = {"url": "mqtts://broker.example", "user": "hub", "password": "new secret"}
    token = owned.settings(2, document, ca=base64.b64encode(CA).decode())
    assert host.give("configure", token)["restart"] is True
    document = host.restarted().settings()
    assert document["wan"]["url"] == "mqtts://broker.example"
    assert (hub.data / document["wan"]["ca"]).read_bytes() == CA
    assert host.ask("hello")["seq"] == 2
    assert host.give("configure", token)["error"] == "REPLAY"
    assert hub.journalled("REPLAY")
    other = owned.settings(3, document, ca=base64.b64encode(CA + b"other").decode())
    assert host.give("configure", other)["ok"]
    host.restarted()
    assert len(list(hub.data.glob("ca-*.der"))) == 1


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"hub": "0" * 16}, "WRONG_HUB", "hub"),
        ({"seq": 1}, "REPLAY", "seq"),
        ({"settings": {"schema": 1, "name": ""}}, "SETTING_REFUSED", "name"),
        ({"settings": {"schema": 1, "wan": 5}}, "SETTING_REFUSED", "wan"),
        ({"settings": {"schema": 1, "wan": {"url": "mqtts://h"}}}, "SETTING_REFUSED", "wan.ca"),
        ({"ca": base64.b64encode(b"-----BEGIN").decode()}, "MALFORMED", "ca"),
        ({"settings": {"schema": 1, "wan": 5}, "ca": base64.b64encode(CA).decode()}, "SETTING_REFUSED", "wan"),
    ],
)
def test_signed_settings_that_do_not_fit_change_nothing(
    hub: Hub, owned: Owned, changes: dict, error: str, field: str
) -> None:
    before = (hub.data / "settings.json").read_bytes()
    refused = owned.host.give("configure", owned.settings(2, {"schema": 1}, **changes))
    assert (refused["error"], refused["field"]) == (error, field)
    assert owned.host.ask("hello")["seq"] == 1
    assert (hub.data / "settings.json").read_bytes() == before
    assert not list(hub.data.glob("ca-*.der"))


def test_a_hub_without_owner_takes_no_signed_settings(host: Host) -> None:
    unowned = Owned(host, new_root())
    assert host.give("configure", unowned.settings(1, {"schema": 1}))["error"] == "NOT_AUTHENTIC"


def test_what_a_power_cut_left_staged_is_thrown_away_at_the_next_start(hub: Hub, host: Host) -> None:
    (hub.data / "settings.json.next").write_text('{"schema": 1, "name": "never"}')
    host.ask("restart")
    assert host.restarted().settings()["name"] == "bench"
    assert not (hub.data / "settings.json.next").exists()


def test_a_damaged_owner_is_no_missing_owner(hub: Hub, owned: Owned) -> None:
    for path in hub.data.glob("owner.?"):
        path.write_bytes(b"MHR1 damaged")
    said = owned.host.ask("hello")
    assert (said["owned"], said["root"]) == (True, "")
    assert owned.host.give("own", owned.certificate(owned.root, owned.root, 9))["error"] == "INTEGRITY_FAILED"
    assert owned.host.give("configure", {"schema": 1, "name": "mine"})["error"] == "INTEGRITY_FAILED"
    assert "mine" not in (hub.data / "settings.json").read_text()


# -- the rest ----------------------------------------------------------------------------------------------------


def test_who_is_at_the_cable_tells_the_time_until_somebody_better_does(tmp_path: Path) -> None:
    with on_a_cable(tmp_path / "hub", {"schema": 1}, clock="meter") as hub:
        host = Host(hub)
        assert host.ask("hello")["clock"] == "unset"
        refused = {5: "CLOCK_INVALID", 1 << 33: "CLOCK_INVALID", -1: "INVALID_VALUE", "now": "MALFORMED"}
        for at, error in refused.items():
            assert host.ask("clock", at=at)["error"] == error
        assert host.ask("clock", at=1790000000)["clock"] == "cable"
        assert host.ask("clock", at=1790000100)["ok"]
        assert 0 <= host.ask("hello")["at"] - 1790000100 < 5


def test_a_synchronised_clock_is_left_alone(host: Host) -> None:
    assert host.ask("clock", at=1790000000)["error"] == "WRONG_STATE"


def test_the_self_test_judges_one_part_when_asked_for_it(hub: Hub, host: Host) -> None:
    said = host.ask("selftest", part="flash")
    assert said["failed"] == []
    part = [one for one in map(json.loads, host.heard.splitlines()) if one["ev"] == "part"]
    assert [(one["part"], one["ok"]) for one in part] == [("flash", True)]
    assert not (hub.data / "selftest").exists()
    assert host.ask("selftest", part="display")["failed"] == ["display"]
    assert host.ask("selftest", part="meter")["failed"] == []  # not in the settings: no verdict
    for part in ("nonsense", 5, ["flash"]):
        assert host.ask("selftest", part=part)["error"] == "UNSUPPORTED"
    assert host.ask("info")["loaded"] == ["service_desk"]


def test_a_restart_comes_after_the_answer(hub: Hub, host: Host) -> None:
    host.ask("hello")
    host.heard = b""
    assert host.ask("restart")["ok"]
    assert b'"start"' not in host.heard
    assert host.restarted().ask("hello")["hub"] == hub.id


def test_a_full_flash_is_said_and_changes_nothing(hub: Hub, host: Host) -> None:
    before = (hub.data / "settings.json").read_bytes()
    (hub.data / "settings.json.new").mkdir()  # the file cannot be written, as on a file system without room
    refused = host.give("configure", {"schema": 1, "name": "other"})
    assert refused["error"] == "RECORD_FAILED"
    assert (hub.data / "settings.json").read_bytes() == before
