"""UC-07, distributed generation: a test for each numbered flow, on a real hub, a real broker and the bench's switches.

Load 2 is the generator's contactor; while it is closed the household feeds in.
"""

import time

import pytest
from flows import (
    HALF_HOUR_S,
    Sender,
    announce,
    choose,
    event,
    generate,
    half_hour_over_in,
    journalled,
    kwh,
    listens,
    moves,
    notice_state,
    payloads,
    reconnect,
    report,
    switch,
    to_page,
    until,
)
from market import Market

SETTINGS = {"supply": {"loads": 2, "offset_s": 0}, "voltage": {"watch": True}}
GENERATOR_W = 20000
A_DAY_S = 25 * 3600  # with the hour that a day can have more


@pytest.fixture(scope="module")
def market():
    with Market(SETTINGS) as market:
        at_rest(listens(market))
        yield market


def at_rest(market):
    assert market.ask("SUP", "set.aux_controller_state", {"load": 2, "on": False})["data"]["on"] == 0


def now():
    return int(time.time())


def registers(data):
    """Return {OBIS: Wh} of a report or an answer."""
    return {obis: value * 10**scale for obis, value, unit, scale in data["registers"] if unit == 30}


def is_true(market, data, low):
    """See that what was told of one direction is what the meter shows; low: the place of its first register."""
    shown = market.home.meter.household.registers(data["at"])
    told, direction = registers(data), 1 if low == 0 else 2
    assert [told[f"1-0:{direction}.8.{i}"] for i in (1, 2, 0)] == [*shown[low : low + 2], sum(shown[low : low + 2])]


def test_uc_07_b_the_operator_has_generation_increased_and_both_directions_are_reported():
    with half_hour_over_in(70) as clock, Market(SETTINGS, history_s=A_DAY_S) as market:
        at_rest(listens(market))
        before = market.ask("DNO", "read.export_registers")["data"]

        def more(at):
            return event("gen", at + 18, 12, "DISPATCH_SETPOINT", "20.0", target="load2", program="p2")

        sent, asked, start = announce(market, "DNO", "dg.event", more)
        start += 18
        over = -(-(start + 12) // HALF_HOUR_S) * HALF_HOUR_S
        assert over - start < 70
        assert [(one["load"], one["on"]) for one in asked["equipment"]] == [(2, 0)]
        journalled(market, "command pending", "dg.event", sent)
        market.reads("generation", "the dno", "set-point 20.0 kw", "in 0:")
        assert (clock() < start, switch(market, 2).on, notice_state(market, "gen")) == (True, False, "shown")
        choose(market, "A", "a ok b override")
        assert market.answer(sent, "done")["data"]["action"] == "accept"
        journalled(market, "command accept", "dg.event", sent)
        moves(market, 2, True)
        assert clock() >= start
        generate(market, GENERATOR_W)
        market.journal("demand begins", "gen DISPATCH_SETPOINT")
        to_page(market, "now", "to the grid", "export")
        moves(market, 2, False)
        assert clock() >= start + 12
        generate(market, 0)
        reported(market, before)
        told = report(market, "DNO", "dg gen", 90)["data"]
        assert (told["eventID"], told["action"], told["acted"]) == ("gen", "accept", 1)
        assert told["resources"][0]["resourceName"] == "load2"
        truth = [market.home.meter.household.registers(at) for at in (over - HALF_HOUR_S, over)]
        used, fed_in = truth[1].import_wh - truth[0].import_wh, truth[1].export_wh - truth[0].export_wh
        found = payloads(told)
        assert (found["USAGE"], found["EXPORT"], found["NET"]) == (kwh(used), kwh(fed_in), kwh(used - fed_in))
        assert (found["SETPOINT"], found["OPERATING_STATE"]) == ("20.000", "NORMAL")
        assert fed_in > 20
        assert market.ask("DNO", "dr.report", {"event": "gen"})["data"] == told
        to_page(market, "today", "↑")  # what was generated, beside what was used


def reported(market, before):
    """See that the timetable's reports tell both directions, and that the quality was recorded."""
    ids = {"read.export_registers": 2, "read.import_registers": 0}
    for cmd, low in ids.items():
        arg = {"id": cmd[5:11], "cmd": cmd, "period_s": 3600}
        assert market.ask("DNO", "schedule.set", arg)["outcome"] == "done"
        is_true(market, report(market, "DNO", cmd[5:11])["data"], low)
    exported = report(market, "DNO", "export")["data"]
    assert registers(exported)["1-0:2.8.0"] - registers(before)["1-0:2.8.0"] > 20
    quality = market.ask("DNO", "read.power_quality", {"what": ["now", "counters"]})["data"]
    assert all(200_000 < mv < 260_000 for mv in quality["now"]["mv"])
    assert quality["phases"] == [1, 2, 3]


def test_uc_07_v1_the_household_generates_and_nobody_has_asked(market):
    before = market.ask("DNO", "read.export_registers")["data"]
    came = len(market.letters)
    generate(market, GENERATOR_W)
    to_page(market, "now", "to the grid", "export")
    time.sleep(4)
    generate(market, 0)
    for cmd, low in {"read.export_registers": 2, "read.import_registers": 0}.items():
        sent = market.send("DNO", "schedule.set", {"id": cmd[5:11], "cmd": cmd, "period_s": 3600})
        assert market.answer(sent)["outcome"] == "done"
        told = report(market, "DNO", cmd[5:11])
        assert (told["seq"], told["error"]) == (1, "")
        is_true(market, told["data"], low)
        market.ask("DNO", "schedule.delete", {"id": cmd[5:11]})
    exported = report(market, "DNO", "export")["data"]
    assert registers(exported)["1-0:2.8.0"] - registers(before)["1-0:2.8.0"] > 10
    assert {(one["kind"], one.get("cmd", "")[:9]) for one in market.letters[came:]} == {
        ("answer", "schedule."),
        ("report", "read.expo"),
        ("report", "read.impo"),
    }
    assert (market.state("demand"), market.state("notices"), switch(market, 2).moved) == (None, None, 2)


LATER = now() + 600


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "claims", "error"),
    [
        ("ADM", "dg.event", event("bad", LATER, 60), {}, "NOT_AUTHORISED cmd"),
        ("EFF", "dg.event", event("bad", LATER, 60), {}, "NOT_CONSENTED demand"),
        ("SUP", "read.export_registers", {}, {}, "NOT_AUTHORISED cmd"),
        ("DNO", "dg.event", event("bad", LATER, 60), {"ctr": 1}, "REPLAY ctr"),
        ("DNO", "dg.event", event("bad", LATER, 60, "DISPATCH_SETPOINT", 2.5), {}, "MALFORMED arg.values"),
        ("DNO", "dg.event", event("bad", LATER, 60, "DISPATCH_SETPOINT", "x"), {}, "INVALID_VALUE arg.values"),
        ("DNO", "dg.event", event("bad", LATER, 86401), {}, "INVALID_VALUE arg.duration"),
        ("DNO", "dg.event", event("bad", LATER, 60, target="roof"), {}, "INVALID_VALUE arg.target"),
        ("DNO", "read.power_quality", {"what": ["weather"]}, {}, "INVALID_VALUE arg.what"),
    ],
)
def test_uc_07_a1_a_request_that_is_not_valid_is_refused_and_told(market, role, cmd, arg, claims, error):
    market.ask("DNO", "read.power_now")  # its counter is above 1 by now
    to_page(market, "now", "next")
    before = market.state("demand"), market.state("notices"), switch(market, 2).moved
    sent = market.send(role, cmd, arg, **claims)
    answer = market.letter(lambda c: c["kind"] == "answer" and c["re"] == sent.re)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    assert abs(answer["at"] - time.time()) < 20
    market.journal(error.split()[0], f"{cmd} {role} {sent.party.kid}/{sent.ctr} {error.split()[1]}")
    assert (market.state("demand"), market.state("notices"), switch(market, 2).moved) == before
    assert "generation" not in " ".join(market.display()).lower()


def test_uc_07_a2_a_report_that_is_not_received_is_overdue_and_comes_later(market):
    desk = Sender(market, "DNO")
    until(lambda: not market.waiting())
    with market.deaf("DNO"):
        sent = desk.send("schedule.set", {"id": "a2", "cmd": "read.export_registers", "period_s": 3600})
        told = report(market, "DNO", "a2")
        desk.overdue(sent)
        assert desk.store.readings() == []
        market.journal("NOT_RECEIVED", f"letter {told['n']} to {sent.party.kid}", 60)
        assert len(market.waiting()) == 2  # the answer and the report
        reconnect(market)
        desk.collect(sent)
    (reading,) = desk.store.readings()
    assert (reading.n, reading.schedule, reading.seq, reading.data) == (told["n"], "a2", 1, told["data"])
    is_true(market, reading.data, 2)
    market.ask("DNO", "schedule.delete", {"id": "a2"})
