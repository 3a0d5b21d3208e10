"""UC-04, monitor power quality: a test for each numbered flow, on a real hub and a real broker."""

import time

import pytest
from flows import to_page
from market import Market

from meterhub_tools.simulators import faults

CONFIG = {"sag_s": 3, "average_period_s": 60}


@pytest.fixture(scope="module")
def market():
    with Market({"voltage": {"watch": True}}) as market:
        assert market.ask("DNO", "set.voltage_config", CONFIG)["outcome"] == "done"
        yield market


def plant(market, fault):
    """Let the grid have a fault, from two seconds from now on."""
    home = market.home.meter.household
    one = faults.planted(fault)
    home.planted.append(one._replace(start_s=int(time.time()) + 2 - home.start + one.start_s))


@pytest.mark.parametrize("role", ["DNO", "ADM"])
def test_uc_04_b_the_quality_that_was_asked_for_is_told(market, role):
    for _ in range(5):
        sent = market.send(role, "read.power_quality")
        data = market.answer(sent, "done")["data"]
        if data["now"]["age_s"] < 5:
            break
        time.sleep(1)  # the machine has stood still, and the meter with it
    assert abs(data["at"] - time.time()) < 10
    assert data["phases"] == [1, 2, 3]
    home = market.home.meter.household
    shown = [[phase.dv * 100 for phase in home.phases(data["at"] - age)] for age in range(-1, 5)]
    assert data["now"]["mv"] in shown
    assert data["now"]["age_s"] < 5
    assert data["limits"]["extreme under-voltage"] == data["limits"]["interrupted"] == [0, 0, 0]
    assert {"counters", "week", "weeks", "interruptions", "meter"} < set(data)
    market.journal("command done", f"UC-04 read.power_quality {role} {sent.party.kid}/{sent.ctr}")
    parts = market.ask(role, "read.power_quality", {"what": ["now", "limits"]})["data"]
    assert set(parts) == {"phases", "at", "now", "limits"}


def test_uc_04_b_a_parameter_out_of_tolerance_is_told_unasked_once_each(market):
    asked = len([c for c in market.letters if c["kind"] == "alert" and c["event"].startswith("sag")])
    plant(market, "sag@0+20/2")
    begun = market.alert("DNO", "sag", 25)
    assert (begun["code"], begun["detail"], begun["data"]["phase"]) == (0x802C, "L2", 2)
    assert abs(begun["data"]["at"] - time.time()) < 20
    limits = market.ask("ADM", "read.power_quality", {"what": ["limits", "counters"]})["data"]
    assert limits["limits"]["sag"] == [0, 1, 0]
    assert limits["counters"]["sag"] == [0, 1, 0]
    ended = market.alert("DNO", "sag ended", 40)
    assert (ended["code"], ended["detail"]) == (0x8099, "L2")
    assert market.ask("DNO", "read.power_quality", {"what": ["limits"]})["data"]["limits"]["sag"] == [0, 0, 0]
    told = [c for c in market.letters if c["kind"] == "alert" and c["event"].startswith("sag")]
    assert len(told) - asked == 2
    assert {c["party"] for c in told} == {"DNO"}
    assert [e["detail"] for e in market.home.hub.journal if e["name"] in ("sag", "sag ended")] == ["L2", "L2"]


def test_uc_04_b_the_household_sees_its_voltage_and_the_week(market):
    before = time.time()
    shown = to_page(market, "VOLTAGE", "L1", "L2", "L3", "B week")
    home = market.home.meter.household
    for place, line in enumerate(shown[2:5]):
        assert line.endswith(" normal")
        seconds = range(int(before) - 5, int(time.time()) + 2)
        assert line.split()[:3] in [[f"L{place + 1}", f"{home.phases(at)[place].dv / 10:.1f}", "V"] for at in seconds]
    assert shown[1] == "normal"
    market.press("B")
    market.reads("THIS WEEK", "A next", "B now")
    market.press("A")
    market.reads("WHO MAY ASK")


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "error"),
    [
        ("SUP", "read.power_quality", {}, "NOT_AUTHORISED cmd"),
        ("ADM", "set.voltage_config", {"sag_s": 9}, "NOT_AUTHORISED cmd"),
        ("DNO", "read.voltage_log", {"from": 5, "to": 4}, "INVALID_VALUE arg.to"),
        ("ADM", "read.power_quality", {"what": ["colour"]}, "INVALID_VALUE arg.what"),
        ("ADM", "read.power_quality", {"phase": 1}, "MALFORMED arg.phase"),
        ("DNO", "set.voltage_config", {"sag_s": "9"}, "MALFORMED arg.sag_s"),
        ("DNO", "set.voltage_config", {"sag_s": 9, "sag_mv": 260000}, "INVALID_VALUE arg.sag_mv"),
    ],
)
def test_uc_04_a1_a_request_that_is_not_valid_is_refused_and_told(market, role, cmd, arg, error):
    before = market.state("voltage")
    sent = market.send(role, cmd, arg)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    assert abs(answer["at"] - time.time()) < 20
    market.journal(error.split()[0], f"UC-04 {cmd} {role} {sent.party.kid}/{sent.ctr}")
    assert market.state("voltage") == before
    assert market.ask("DNO", "read.voltage_config")["data"]["config"]["sag_s"] == CONFIG["sag_s"]


def log_file(market):
    """Return the file of the voltage log, as soon as a period is in it."""
    deadline = time.monotonic() + 130
    while True:
        found = [path for path in (market.home.hub.data / "voltage").glob("*.vl") if path.stat().st_size > 16]
        if found:
            return max(found)
        assert time.monotonic() < deadline
        time.sleep(0.2)


def flip(path, place):
    """Turn a bit in a file over."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes((byte ^ 4,)))


def test_uc_04_a2_what_flash_has_lost_is_told_by_name(market):
    path = log_file(market)
    whole = market.ask("DNO", "read.voltage_log")["data"]
    assert (whole["period_s"], whole["damaged"]) == (60, 0)
    assert 2200 < whole["rows"][0][1] < 2400
    flip(path, 19)
    try:
        sent = market.send("DNO", "read.voltage_log")
        answer = market.answer(sent)
        assert (answer["outcome"], answer["error"], answer["data"]) == ("refused", "RETRIEVE_FAILED", {})
        assert path.name in answer["field"]
        market.journal("RETRIEVE_FAILED", f"UC-04 read.voltage_log DNO {sent.party.kid}/{sent.ctr} {answer['field']}")
        rest = market.ask("DNO", "read.voltage_log", {"skip": 1})["data"]
        assert rest["damaged"] == 1
        assert whole["rows"][0] not in rest["rows"]
    finally:
        flip(path, 19)
    assert market.ask("DNO", "read.voltage_log")["data"]["rows"][0] == whole["rows"][0]


def test_uc_04_a3_what_is_not_received_is_sent_again_and_that_is_recorded(market):
    answer = market.received_late("DNO", "read.power_quality", {"what": ["limits", "counters"]})
    again = market.ask("DNO", "read.power_quality", {"what": ["limits", "counters"]})["data"]
    assert again["counters"] == answer["data"]["counters"]
