"""UC-09, interference and malfunction: a test for each numbered flow, on a real hub and a real broker."""

import time

import pytest
from market import Market

LOGS = ["read.tamper_log", "read.security_log", "read.hub_security_log"]
REST_S = 90  # it has ended a minute after it was seen last


@pytest.fixture(scope="module")
def market():
    with Market({"tamper": {"watch": True, "inputs": ["magnet"]}}) as market:
        time.sleep(4)  # what the contacts show in the first seconds is not judged yet
        yield market


def set_contact(market, name, closed):
    async def run():
        market.home.bench.set_contact(name, closed)

    market._on_loop(run)


def security_log(market):
    """Return what flash holds of the security log."""
    return [path.read_bytes() for path in sorted((market.home.hub.data / "journal").glob("security.*"))]


def test_uc_09_b_interference_is_told_its_history_asked_for_and_acted_upon(market):
    began = int(time.time())
    set_contact(market, "magnet", True)
    for role in ("ADM", "SUP"):
        told = market.alert(role, "tamper magnet")
        assert (told["code"], told["data"]["what"], told["data"]["lasts"]) == (0x8F76, "magnet", 1)
        assert abs(told["data"]["at"] - began) < 10
    market.journal("tamper magnet")
    assert market.state("tamper") == ["magnet"]
    for cmd in LOGS:
        sent = market.send("ADM", cmd, {"from": began - 5})
        data = market.answer(sent, "done")["data"]
        assert [row[2] for row in data["entries"] if row[2].startswith("tamper")] == ["tamper magnet"]
        assert (data["next"], data["damaged"]) == (0, 0)
        market.journal("command done", f"UC-09 {cmd} ADM {sent.party.kid}/{sent.ctr}")
    # ADM acts: somebody is sent there, who takes the magnet away
    set_contact(market, "magnet", False)
    for role in ("ADM", "SUP"):
        assert market.alert(role, "tamper magnet ended", REST_S)["data"]["lasts"] == 0
    entries = market.ask("ADM", "read.tamper_log", {"from": began - 5})["data"]["entries"]
    assert [row[2] for row in entries] == ["tamper magnet", "tamper magnet ended"]
    assert entries[0][1] <= entries[1][1]
    assert market.state("tamper") == []
    told = [(c["party"], c["event"]) for c in market.letters if c.get("event", "").startswith("tamper magnet")]
    assert sorted(told) == sorted((r, "tamper magnet" + w) for r in ("ADM", "SUP") for w in ("", " ended"))


def test_uc_09_b_a_malfunction_that_lasts_through_a_power_cut_is_told_once(market):
    told = lambda event: [c["party"] for c in market.letters if c.get("event") == event]  # noqa: E731
    market.letters.clear()
    set_contact(market, "magnet", True)
    market.alert("ADM", "tamper magnet")
    deadline = time.monotonic() + 10
    while market.state("tamper") != ["magnet"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    market.kill()
    market.start()
    time.sleep(5)
    assert sorted(told("tamper magnet")) == ["ADM", "SUP"]
    set_contact(market, "magnet", False)
    market.alert("ADM", "tamper magnet ended", REST_S)
    entries = market.ask("ADM", "read.tamper_log")["data"]["entries"]
    assert [row[2] for row in entries[-2:]] == ["tamper magnet", "tamper magnet ended"]


def test_uc_09_b_what_is_cleared_is_hidden_and_the_security_log_stays(market):
    assert market.refused("ADM", "clear.event_log") == "NOT_AUTHORISED cmd"
    before = market.ask("ADM", "read.tamper_log")["data"]["entries"]
    assert market.ask("SUP", "clear.event_log")["data"]["through"] > 0
    assert market.alert("ADM", "event log cleared")["code"] == 0x8F52
    assert market.ask("ADM", "read.tamper_log")["data"]["entries"] == before
    assert [row[2] for row in market.ask("ADM", "read.event_log")["data"]["entries"]] == ["event log cleared"]


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "error"),
    [
        ("SUP", "read.tamper_log", {}, "NOT_AUTHORISED cmd"),
        ("DNO", "read.hub_security_log", {}, "NOT_AUTHORISED cmd"),
        ("ADM", "read.tamper_log", {"from": 9, "to": 8}, "INVALID_VALUE arg.to"),
        ("ADM", "read.security_log", {"skip": 2}, "INVALID_VALUE arg.skip"),
        ("ADM", "read.event_log", {"from": "yesterday"}, "MALFORMED arg.from"),
        ("ADM", "read.tamper_log", {"category": "magnet"}, "MALFORMED arg.category"),
    ],
)
def test_uc_09_a1_a_request_that_is_not_valid_is_refused_and_told(market, role, cmd, arg, error):
    before = market.state("tamper"), security_log(market)
    sent = market.send(role, cmd, arg)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    market.journal(error.split()[0], f"UC-09 {cmd} {role} {sent.party.kid}/{sent.ctr}")
    state, log = market.state("tamper"), security_log(market)
    assert state == before[0]
    assert (log == before[1]) == (not error.startswith("NOT_AUTHORISED"))  # who has no right to it stands in it


def test_uc_09_a2_a_history_that_is_not_received_is_sent_again_and_that_is_recorded(market):
    answer = market.received_late("ADM", "read.tamper_log")
    again = market.ask("ADM", "read.tamper_log", {"first": 1})["data"]
    assert again["entries"][: len(answer["data"]["entries"])] == answer["data"]["entries"]
