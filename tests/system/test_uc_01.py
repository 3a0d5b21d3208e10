"""UC-01, obtain meter reading data: a test for each numbered flow, on a real hub and a real broker."""

import time
from datetime import UTC, datetime

import pytest
from market import Market

from meterhub_tools.simulators.p1_meter import P1Meter


@pytest.fixture(scope="module")
def market():
    with Market() as market:
        yield market


def report(market, role, name, seq, timeout_s=20.0):
    """Return the report `seq` of a role's schedule."""

    def wanted(claims):
        return claims["kind"] == "report" and (claims["party"], claims["schedule"], claims["seq"]) == (role, name, seq)

    return market.letter(wanted, timeout_s)


def schedules(market):
    """Return {id: [seq, slot, at, missed]} of what the hub keeps."""
    return {one[1]: one[10:] for one in market.state("schedules")["all"]}


def has_profile(market):
    return [path.read_bytes() for path in sorted((market.home.hub.data / "profile").iterdir()) if path.is_file()]


def test_uc_01_b1_a_schedule_that_is_due_sends_stamped_readings(market):
    said = market.ask("SUP", "schedule.set", {"id": "b1", "cmd": "read.import_registers", "period_s": 3600})
    assert said["outcome"] == "done"
    told = report(market, "SUP", "b1", 1)
    assert (told["cmd"], told["error"], told["missed"]) == ("read.import_registers", "", 0)
    assert abs(told["data"]["at"] - time.time()) < 10
    assert told["data"]["quality"] == 1
    assert schedules(market)["b1"][0] == 1
    market.journal("schedule.set", "b1")
    shown = market.ask("SUP", "schedule.read")["data"]["schedules"]
    assert [(one["id"], one["seq"]) for one in shown] == [("b1", 1)]
    assert market.ask("SUP", "schedule.delete", {"id": "b1"})["data"] == {"seq": 1}
    assert schedules(market) == {}


def test_uc_01_b1_what_is_scheduled_is_what_is_told_on_demand(market):
    begin = {"id": "same", "cmd": "read.profile_import", "arg": {"last_s": 1800}, "period_s": 3600}
    market.ask("SUP", "schedule.set", begin)
    told = report(market, "SUP", "same", 1)
    asked = market.ask("SUP", "read.profile_import", {"from": told["data"]["from"], "to": told["data"]["to"]})
    assert told["data"] == asked["data"]
    market.ask("SUP", "schedule.delete", {"id": "same"})


def test_uc_01_b1_a_period_is_changed_at_run_time(market):
    market.ask("DNO", "schedule.set", {"id": "often", "cmd": "read.power_now", "period_s": 86400})
    report(market, "DNO", "often", 1)
    market.ask("DNO", "schedule.set", {"id": "often", "cmd": "read.power_now", "period_s": 900})
    assert report(market, "DNO", "often", 2)["data"]["registers"]
    assert 0 < schedules(market)["often"][2] - time.time() <= 900
    market.ask("DNO", "schedule.delete", {"id": "often"})


def test_uc_01_b1_a_schedule_survives_a_power_cut(market):
    due = int(time.time()) + 15
    arg = {"id": "cut", "cmd": "read.power_now", "period_s": 60, "start": due - 60}
    market.ask("DNO", "schedule.set", arg)
    market.kill()
    before = schedules(market)
    market.start()
    told = report(market, "DNO", "cut", 1, 40)
    assert (told["due"], told["missed"], told["error"]) == (due, 0, "")
    assert before["cut"] == [0, 1, due, 0]
    assert schedules(market)["cut"] == [1, 2, due + 60, 0]
    market.ask("DNO", "schedule.delete", {"id": "cut"})


def test_uc_01_b1_a_key_that_ends_ends_its_schedule(market):
    now = int(time.time())
    arg = {"id": "end", "cmd": "read.power_now", "period_s": 60, "start": now + 15}
    assert market.ask("LC", "schedule.set", arg)["error"] == "NOT_AUTHORISED"
    assert market.ask("ADM", "schedule.set", arg)["outcome"] == "done"
    assert (
        market.ask("ADM", "credentials.update", {"kid": market.parties["ADM"].kid, "until": now + 1})["outcome"]
        == "done"
    )
    market.journal("schedule ended", "REVOKED", 30)
    assert schedules(market) == {}
    assert not [c for c in market.letters if c["kind"] == "report" and c["party"] == "ADM"]


def test_uc_01_b2_a_request_is_answered_with_the_registers_of_that_second(market):
    sent = market.send("SUP", "read.import_registers")
    data = market.answer(sent)["data"]
    assert abs(data["at"] - time.time()) < 10
    shown = market.home.meter.household.registers(data["at"])
    told = {obis: value * 10**scale for obis, value, unit, scale in data["registers"] if unit == 30}
    assert (told["1-0:1.8.1"], told["1-0:1.8.2"]) == (shown[0], shown[1])
    assert told["1-0:1.8.0"] == shown[0] + shown[1]
    gas = {row[0]: row for row in data["others"]}["0-1:24.2.1"]
    assert (gas[1], gas[2:4]) == (market.home.meter.household.registers(gas[4]).gas_dm3, [13, -3])
    market.journal("command done", f"UC-01 read.import_registers SUP {sent.party.kid}/{sent.ctr}")


@pytest.mark.parametrize(("cmd", "count"), [("read.daily_log", 31), ("read.billing_log", 12)])
def test_uc_01_b2_the_logs_are_told(market, cmd, count):
    data = market.ask("SUP", cmd)["data"]
    assert len(data["at"]) == len(data["quality"]) == len(data["readings"][0]) == count


@pytest.fixture
def clockless():
    """A hub whose meter tells no time, after a power cut: nobody has told it what day it is."""
    with Market() as market:
        market.kill()
        market.home.meter.p1 = P1Meter(market.home.meter.household, "2.2")
        market.start()
        yield market


def test_uc_01_a1_a_reading_that_cannot_be_stamped_is_refused_and_told(clockless):
    market = clockless
    before = has_profile(market)
    sent = market.send("SUP", "read.import_registers")
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"], answer["field"]) == ("refused", "CLOCK_INVALID", "at")
    assert (answer["data"], answer["clock"]) == ({}, "unset")
    market.journal("CLOCK_INVALID", f"UC-01 read.import_registers SUP {sent.party.kid}/{sent.ctr} at")
    assert has_profile(market) == before
    arg = {"id": "x", "cmd": "read.power_now", "period_s": 60}
    assert market.refused("SUP", "schedule.set", arg) == "CLOCK_INVALID unset"
    assert market.state("schedules") is None


class BadFlash(Market):
    """A hub on whose flash no file of the profile can be begun: something stands in its place."""

    async def _enter(self):
        for ahead_s in (-7200, 7200):
            stem = f"{datetime.fromtimestamp(time.time() + ahead_s, UTC):%Y%m}a.lp.new"
            (self.folder / "hub/profile" / stem).mkdir(parents=True, exist_ok=True)
        await super()._enter()


def test_uc_01_a2_a_reading_that_cannot_be_stored_is_refused_and_told():
    with BadFlash() as market:
        market.journal("STORE_DAMAGED", "history")
        sent = market.send("SUP", "read.import_registers")
        answer = market.answer(sent)
        assert (answer["outcome"], answer["error"], answer["field"]) == ("refused", "RECORD_FAILED", "history")
        assert answer["data"] == {}
        market.journal("RECORD_FAILED", f"UC-01 read.import_registers SUP {sent.party.kid}/{sent.ctr} history")
        assert market.home.hub.status["intervals"] == 0
        market.ask("SUP", "schedule.set", {"id": "a2", "cmd": "read.import_registers", "period_s": 3600})
        told = report(market, "SUP", "a2", 1)
        assert (told["error"], told["field"], told["data"]) == ("RECORD_FAILED", "history", {})
        assert market.ask("SUP", "read.power_now")["data"]["registers"]  # of the moment, and never kept


def test_uc_01_a3_data_that_cannot_be_sent_is_told_when_it_can(market):
    due = int(time.time()) + 12
    market.ask("SUP", "schedule.set", {"id": "a3", "cmd": "read.import_registers", "start": due, "period_s": 3600})
    market.broker.kill()
    market.journal("LINK_DOWN")
    deadline = time.monotonic() + 40
    while schedules(market)["a3"][0] != 1:  # the letter first, then the place in the schedule
        assert time.monotonic() < deadline
        time.sleep(0.05)
    market.home.hub.status = {}
    market.broker.start()
    told = report(market, "SUP", "a3", 1, 60)
    market.journal("SEND_FAILED", f"letter {told['n']} to {market.parties['SUP'].kid}")
    assert told["due"] == due
    assert due - 2 <= told["data"]["at"] <= due + 8  # the reading of then, not of now
    assert len([c for c in market.letters if c["kind"] == "report" and c["schedule"] == "a3"]) == 1
    market.ask("SUP", "schedule.delete", {"id": "a3"})


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "error"),
    [
        ("LC", "read.import_registers", {}, "NOT_AUTHORISED cmd"),
        ("SUP", "read.export_registers", {}, "NOT_AUTHORISED cmd"),
        ("SUP", "read.import_registers", {"meter": 7}, "MALFORMED arg.meter"),
        ("SUP", "read.profile_import", {"from": "now"}, "MALFORMED arg.from"),
        ("SUP", "read.profile_import", {"from": 2000000000, "to": 1900000000}, "INVALID_VALUE arg.to"),
        ("SUP", "read.profile_import", {"from": 1000000000}, "OUT_OF_RANGE arg.from"),
        ("SUP", "schedule.set", {"id": "x", "cmd": "read.power_now", "period_s": 5}, "INVALID_VALUE arg.period_s"),
        ("SUP", "schedule.set", {"id": "x", "cmd": "supply.arm", "period_s": 60}, "INVALID_VALUE arg.cmd"),
        ("SUP", "schedule.delete", {"id": "x"}, "INVALID_VALUE arg.id"),
    ],
)
def test_uc_01_a4_a_request_that_is_not_valid_is_refused_and_told(market, role, cmd, arg, error):
    before, kept = market.state("schedules"), has_profile(market)
    sent = market.send(role, cmd, arg)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    market.journal(error.split()[0], f"UC-01 {cmd} {role} {sent.party.kid}/{sent.ctr}")
    assert market.state("schedules") == before
    # an interval may have ended meanwhile
    assert b"".join(has_profile(market)).startswith(b"".join(kept))
