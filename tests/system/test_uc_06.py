"""UC-06, demand response: a test for each numbered flow, on a real hub, a real broker and the bench's switches."""

import time

import pytest
from flows import (
    HALF_HOUR_S,
    Sender,
    agree,
    announce,
    choose,
    event,
    half_hour_over_in,
    journalled,
    kept,
    kwh,
    listens,
    moves,
    notice_state,
    payloads,
    report,
    switch,
    to_page,
    until,
)
from market import Market

SETTINGS = {"supply": {"loads": 2, "offset_s": 0}}


@pytest.fixture(scope="module")
def market():
    with Market(SETTINGS) as market:
        yield listens(market)


def now():
    return int(time.time())


def on(market):
    return [switch(market, number).on for number in (1, 2)]


def moved(market):
    return [switch(market, number).moved for number in (1, 2)]


def test_uc_06_b_the_household_accepts_keeps_and_its_volumes_are_told():
    with half_hour_over_in(100) as clock, Market(SETTINGS, history_s=84 * 3600) as market:
        agree(listens(market), "ESP", clock)

        def peak(at):
            return event("peak", at + 20, 24, text="Evening peak", program="p1")

        sent, asked, start = announce(market, "ESP", "dr.event", peak)
        start += 20
        over = -(-(start + 24) // HALF_HOUR_S) * HALF_HOUR_S
        assert over - start < 100
        assert (asked["event"], asked["unsupported"]) == ("peak", [])
        assert [one["on"] for one in asked["equipment"]] == [1, 1]
        journalled(market, "command pending", "dr.event", sent)
        market.reads("demand", "save power", "the esp", "evening peak", "in 0:")
        assert (clock() < start, on(market), notice_state(market, "peak")) == (True, [True, True], "shown")
        choose(market, "A", "a ok b override")
        said = market.answer(sent, "done")
        assert (said["data"]["action"], said["data"]["event"], said["error"]) == ("accept", "peak", "")
        assert (said["data"]["acted"], said["at"] < start) == (0, True)  # what was confirmed is the answer
        journalled(market, "command accept", "dr.event", sent)
        market.journal("accepted", f"The ESP|demand|2.1|{sent.party.kid}|display")
        for number in (1, 2):
            moves(market, number, False)
        assert start <= clock() < start + 24
        market.journal("demand begins", "peak SIMPLE")
        to_page(market, "demand", "save power", "you said yes", "open")
        choose(market, "B", "a next b open")
        choose(market, "A", "a keep b override")
        market.journal("saved", "The ESP|demand|2.2")
        assert notice_state(market, "peak") == "saved"
        for number in (1, 2):
            moves(market, number, True)
        assert clock() >= start + 24
        complies(market, start, over)


def complies(market, start, over):
    """See that the report says what the household has used, and what it is used to."""
    told = report(market, "ESP", "dr peak", 90)
    assert (told["seq"], told["data"]["eventID"], told["data"]["programID"]) == (1, "peak", "p1")
    assert (told["data"]["action"], told["data"]["acted"]) == ("accept", 1)
    (part,) = told["data"]["resources"][0]["intervals"]
    assert part["intervalPeriod"] == {"start": over - HALF_HOUR_S, "duration": HALF_HOUR_S}
    truth = market.home.meter.household
    days = [over - day * 86400 for day in range(4)]
    used = [truth.registers(day).import_wh - truth.registers(day - HALF_HOUR_S).import_wh for day in days]
    found = payloads(told["data"])
    assert (found["USAGE"], found["BASELINE"]) == (kwh(used[0]), kwh((sum(used[1:]) + 1) // 3))
    assert (found["SIMPLE_LEVEL"], found["OPERATING_STATE"], found["DATA_QUALITY"]) == (3, "NORMAL", "MEASURED")
    assert market.ask("ESP", "dr.report", {"event": "peak"})["data"] == told["data"]
    assert kept(market, "peak")["done"] == 1


def test_uc_06_v1_the_household_overrides_and_the_switches_are_its_own_again(market):
    sent, _, start = announce(market, "LC", "dr.event", lambda at: event("v1", at + 14, 60))
    start += 14
    market.reads("demand", "save power", "override")
    assert now() < start
    moves(market, 1, False)
    moves(market, 2, False)
    choose(market, "B", "a ok b override")
    moves(market, 1, True, 10)
    moves(market, 2, True, 10)
    assert now() < start + 50  # long before its end
    said = market.answer(sent, "done")
    assert (said["error"], said["data"]["action"], said["data"]["acted"]) == ("", "override", 1)
    assert [one["held"] for one in said["data"]["loads"]] == [[], []]
    journalled(market, "CONSUMER_DECLINED", "dr.event", sent)
    market.journal("overridden", "The LC|demand|")
    assert (kept(market, "v1")["action"], notice_state(market, "v1")) == ("override", "overridden")
    told = market.ask("LC", "dr.report", {"event": "v1"})["data"]
    assert (told["action"], told["resources"][0]["resourceName"]) == ("override", "premises")
    assert payloads(told)["OPERATING_STATE"] == "NORMAL"
    assert market.ask("LC", "dr.event", {"id": "v1", "intervals": []})["data"]["action"] == "withdrawn"


def test_uc_06_v2_one_appliance_is_switched_and_its_result_is_told(market):
    before = switch(market, 1).moved

    def heater(at):
        return event("v2", at + 5, 20, value=1, target="load2")

    sent, asked, start = announce(market, "SUP", "dr.event", heater)
    start += 5
    assert [one["load"] for one in asked["equipment"]] == [2]
    market.reads("demand", "the sup")
    moves(market, 2, False)
    assert now() >= start
    choose(market, "A", "a ok b override")
    said = market.answer(sent, "done")["data"]
    assert (said["action"], said["acted"], said["fault"]) == ("accept", 1, 0)
    assert [(one["load"], one["wanted"], one["on"]) for one in said["loads"]] == [(2, 0, 0)]
    journalled(market, "command accept", "dr.event", sent)
    assert market.ask("SUP", "dr.report", {"event": "v2"})["data"]["resources"][0]["resourceName"] == "load2"
    moves(market, 2, True)
    assert (now() >= start + 20, switch(market, 1).moved) == (True, before)


def test_uc_06_v2_a_setting_of_one_appliance_is_changed(market):
    before = switch(market, 1).moved
    sent = market.send("LC", "set.aux_level_limit", {"load": 2, "percent": 0, "duration_s": 15})
    told = market.answer(sent)
    assert (told["outcome"], told["data"]["wanted"], told["data"]["on"]) == ("done", 0, 0)
    assert not switch(market, 2).on
    journalled(market, "command done", "set.aux_level_limit", sent)
    moves(market, 2, True)
    for state in (False, True):
        told = market.ask("SUP", "set.aux_controller_state", {"load": 2, "on": state})["data"]
        assert (told["own"], told["on"], switch(market, 2).on) == (state, state, state)
    assert switch(market, 1).moved == before


def test_uc_06_v2_an_appliance_follows_its_calendar_and_the_hand_until_it_turns_again(market):
    never, always = ({"load": 2, "zone": "UTC0", "days": [[0, on]]} for on in (0, 1))
    sent = market.send("SUP", "set.aux_calendar", never)
    told = market.answer(sent)["data"]
    assert (told["own"], told["on"], told["next"], len(told["calendar"])) == (0, 0, 0, 64)
    journalled(market, "command done", "set.aux_calendar", sent)
    market.journal("load calendar", "load2 off")
    market.ask("SUP", "set.aux_controller_state", {"load": 2, "on": True})
    moves(market, 2, True)
    market.kill()
    moves(market, 2, False)  # nothing drives it any more
    market.start()
    moves(market, 2, True)
    at = now() + 12
    assert market.ask("SUP", "set.aux_calendar", never, at=at)["data"] == {"staged": at}
    moves(market, 2, False)
    assert now() >= at
    assert market.ask("SUP", "set.aux_calendar", always)["data"]["on"] == 1
    moves(market, 2, True)
    assert market.refused("SUP", "set.aux_calendar", always | {"load": 3}) == "NOT_AVAILABLE load"
    assert market.refused("SUP", "set.aux_calendar", never | {"days": [[0, 2]]}) == "INVALID_VALUE arg.days[0][1]"
    assert market.refused("LC", "set.aux_calendar", never) == "NOT_AUTHORISED cmd"
    gone = market.ask("SUP", "set.aux_calendar", {"load": 2})["data"]
    assert (gone["calendar"], gone["on"]) == ("", 1)


def test_uc_06_v2_an_appliance_that_does_not_obey_is_told(market):
    to_page(market, "now", "next")
    switch(market, 2).stuck = True
    try:
        sent = market.send("LC", "set.aux_level_limit", {"load": 2, "percent": 0, "duration_s": 60})
        answer = market.answer(sent)
        assert (answer["outcome"], answer["error"], answer["field"]) == ("refused", "EXECUTE_FAILED", "load2")
        journalled(market, "EXECUTE_FAILED", "set.aux_level_limit", sent, "load2")
        assert market.state("loads")["held"] == []  # it is not tried again behind anybody's back

        def heater(at):
            return event("stuck", at + 5, 8, value=1, target="load2")

        sent, _, _ = announce(market, "LC", "dr.event", heater)
        market.reads("demand", "save power")
        told = market.alert("LC", "EXECUTE_FAILED", 25)
        assert (told["detail"], told["data"]["event"], told["data"]["fault"]) == ("demand", "stuck", 1)
        assert [(one["wanted"], one["on"]) for one in told["data"]["loads"]] == [(0, 1)]
        market.journal("EXECUTE_FAILED", "demand stuck")
        market.answer(sent, "done", timeout_s=25)  # nobody has answered
        found = market.ask("LC", "dr.report", {"event": "stuck"})["data"]
        assert payloads(found)["OPERATING_STATE"] == "ERROR"
    finally:
        switch(market, 2).stuck = False


def test_uc_06_v3_a_price_that_nobody_minds_is_no_action(market):
    before = moved(market)
    sent, _, start = announce(market, "SUP", "dr.event", lambda at: event("price", at + 16, 4, "PRICE", "0.425"))
    start += 16
    market.reads("demand", "price 0.425")
    assert now() < start
    said = market.answer(sent, "done", timeout_s=40)
    assert (said["error"], said["data"]["action"], said["data"]["acted"]) == ("", "none", 0)
    assert said["at"] >= start + 4
    journalled(market, "command none", "dr.event", sent)
    market.journal("CONSUMER_TIMEOUT", "The SUP|demand")
    assert (moved(market), notice_state(market, "price")) == (before, "expired")
    assert (kept(market, "price")["action"], kept(market, "price")["acted"]) == ("none", 0)


LATER = now() + 600
PERIOD = event("bad", LATER, 60)


def plans(market):
    """Return what the hub keeps of its events; one that is over is reported whenever its half-hour ends."""
    kept = market.state("demand")
    return kept | {"events": [one | {"done": 0} for one in kept["events"]]} if kept else kept


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "claims", "error"),
    [
        ("ADM", "dr.event", PERIOD, {}, "NOT_AUTHORISED cmd"),
        ("EFF", "dr.event", PERIOD, {}, "NOT_CONSENTED demand"),
        ("LC", "dr.event", PERIOD, {"ctr": 1}, "REPLAY ctr"),
        ("LC", "dr.event", PERIOD, {"iat": 1700000000, "exp": 1700000100}, "EXPIRED exp"),
        ("LC", "dr.event", event("bad", LATER, 60, value=1.5), {}, "MALFORMED arg.values"),
        ("LC", "dr.event", event("bad", LATER, 60, value=4), {}, "INVALID_VALUE arg.values"),
        ("LC", "dr.event", event("bad", LATER, 0), {}, "INVALID_VALUE arg.duration"),
        ("LC", "dr.event", event("bad", LATER - 3600, 60), {}, "EXPIRED arg.intervals"),
        ("LC", "dr.event", event("bad", LATER, 60, target="load4"), {}, "NOT_AVAILABLE load"),
        ("SUP", "set.aux_level_limit", {"load": 1, "percent": 0, "duration_s": 60}, {}, "NOT_AUTHORISED cmd"),
        ("LC", "set.aux_level_limit", {"load": 1, "percent": 50, "duration_s": 60}, {}, "INVALID_VALUE arg.percent"),
        ("LC", "dr.report", {"event": "none"}, {}, "NOT_AVAILABLE arg.event"),
    ],
)
def test_uc_06_a1_a_message_that_is_not_valid_is_rejected(market, role, cmd, arg, claims, error):
    if "ctr" in claims:
        market.ask("LC", "dr.event", event("bad", LATER, 60, value=4))  # its counter is above 1 by now
    to_page(market, "now", "next")
    before = plans(market), market.state("loads"), market.state("notices"), moved(market)
    sent = market.send(role, cmd, arg, **claims)
    answer = market.letter(lambda c: c["kind"] == "answer" and c["re"] == sent.re)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    assert abs(answer["at"] - time.time()) < 20
    journalled(market, error.split()[0], cmd, sent, error.split()[1])
    assert (plans(market), market.state("loads"), market.state("notices"), moved(market)) == before
    assert "demand" not in " ".join(market.display()).lower()


def test_uc_06_a2_a_confirmation_that_cannot_be_sent_is_overdue_and_comes_later(market):
    to_page(market, "now", "next")
    desk = Sender(market, "LC")
    with market.deaf("LC"):
        sent = desk.send("dr.event", event("a2", now() + 30, 10))
        market.answer(sent, "pending")
        market.reads("demand", "save power")
        market.broker.kill()
        market.journal("LINK_DOWN")
        choose(market, "A", "a ok b override")
        market.journal("SEND_FAILED", f"to {sent.party.kid}")
        journalled(market, "command accept", "dr.event", sent)
        desk.overdue(sent)
        moves(market, 1, False)  # what the household has agreed to takes place all the same
        moves(market, 2, False)
        until(lambda: (kept(market, "a2")["action"], kept(market, "a2")["acted"]) == ("accept", 1))
        moves(market, 1, True)
        market.home.hub.status = {}
        market.broker.start()
        assert desk.collect(sent)["action"] == "accept"
