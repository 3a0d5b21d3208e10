"""UC-11, enable and disable: a test for each numbered flow, on a real hub, a real broker and the bench's contactor."""

import pytest
from flows import Sender, choose, journalled, listens, moves, reconnect, supply_page, switch, to_page, until
from market import Market

HIGH_W = 100000


@pytest.fixture(scope="module")
def market():
    with Market({"supply": {"switch": True}}) as market:
        yield listens(market)


def become(market, state):
    """Bring the supply into a state from any other one."""
    steps = {"enabled": ("enable",), "disabled": ("disable",), "armed": ("disable", "arm")}[state]
    for step in steps:
        assert market.ask("SUP", "supply." + step)["data"]["state"]
    assert shown(market) == (state, state == "enabled")


def shown(market):
    """Return (state that is written, where the contactor is)."""
    return market.state("supply")["state"], switch(market, 0).on


def act(market, cmd, arg, state, on):
    """Let the supplier act; see that the state is reached, told, confirmed and journalled."""
    sent = market.send("SUP", cmd, arg)
    answer = market.answer(sent)
    told = answer["data"]
    assert (answer["outcome"], answer["error"]) == ("done", "")
    assert (told["state"], told["on"], told["fault"], told["reason"]) == (state, int(on), "", "supplier")
    assert shown(market) == (state, on)
    journalled(market, "command done", cmd, sent, flow="11")
    market.journal("supply " + state, "supplier")
    assert market.ask("ADM", "read.supply_state")["data"] == told


def test_uc_11_b_disabled_armed_and_enabled_by_the_supplier(market):
    become(market, "enabled")
    act(market, "supply.disable", {"reason": "moved out"}, "disabled", False)
    supply_page(market, "OFF", "moved out", "ask your supplier")
    market.press("B")
    market.press("B")
    assert shown(market) == ("disabled", False)  # not the household's to turn on
    act(market, "supply.arm", {"reason": "welcome"}, "armed", False)
    supply_page(market, "OFF", "welcome", "you may turn it on")
    choose(market, "B", "a next b turn on")
    market.reads("turn on?")
    assert shown(market) == ("armed", False)
    market.press("B")
    moves(market, 0, True)
    told = market.letter(lambda c: c["kind"] == "alert" and c["event"] == "supply enabled")
    assert (told["party"], told["detail"], told["data"]["state"]) == ("SUP", "household", "enabled")
    supply_page(market, "ON", "turned on here")
    act(market, "supply.enable", {}, "enabled", True)
    supply_page(market, "ON", "by your supplier")


def test_uc_11_b_a_limit_disables_arms_and_restores(market):
    become(market, "enabled")
    market.home.meter.draw_more(9000)
    limit = {"threshold_w": 2000, "period_s": 2, "restoration_s": 4, "action": "disable"}
    sent = market.send("SUP", "set.load_limit", limit)
    assert market.answer(sent)["data"] == limit | {"count": market.state("supply")["trips"]}
    try:
        journalled(market, "command done", "set.load_limit", sent, flow="11")
        moves(market, 0, False)
        supply_page(market, "OFF", "too much power")
        assert (market.alert("SUP", "load limit")["code"], market.alert("SUP", "supply armed")["code"]) == (
            0x8F01,
            0x8F33,
        )
        market.journal("load limit", "8F01 over")
        market.home.meter.draw_more(0)
        moves(market, 0, True)
        back = market.letter(lambda c: c["kind"] == "alert" and c["code"] == 0x8F34)
        assert (back["event"], back["data"]["state"], back["data"]["on"]) == ("supply enabled", "enabled", 1)
        assert market.ask("ADM", "read.load_limit")["data"]["count"] >= 1
        assert market.ask("SUP", "reset.load_limit_counter")["data"]["count"] == 0
    finally:
        market.home.meter.draw_more(0)
        market.ask("SUP", "set.load_limit", limit | {"threshold_w": HIGH_W, "action": "unchanged"})
        become(market, "enabled")


@pytest.mark.parametrize(
    ("state", "role", "cmd", "arg", "claims", "error"),
    [
        ("enabled", "ADM", "supply.disable", {}, {}, "NOT_AUTHORISED cmd"),
        ("enabled", "DNO", "set.load_limit", {}, {}, "NOT_AUTHORISED cmd"),
        ("enabled", "SUP", "supply.arm", {}, {}, "WRONG_STATE enabled"),
        ("disabled", "SUP", "supply.enable", {}, {"ctr": 1}, "REPLAY ctr"),
        ("disabled", "ADM", "supply.arm", {}, {}, "NOT_AUTHORISED cmd"),
        ("enabled", "SUP", "supply.disable", {"reason": "x" * 41}, {}, "INVALID_VALUE arg.reason"),
        ("enabled", "SUP", "supply.disable", {"why": "x"}, {}, "MALFORMED arg.why"),
        ("enabled", "SUP", "set.load_limit", {"threshold_w": 0}, {}, "INVALID_VALUE arg.threshold_w"),
    ],
)
def test_uc_11_a1_a_request_that_is_not_valid_moves_nothing(market, state, role, cmd, arg, claims, error):
    become(market, state)
    page = supply_page(market, "ON" if state == "enabled" else "OFF", "by your supplier")
    before = market.state("supply"), switch(market, 0).moved, switch(market, 0).on
    sent = market.send(role, cmd, arg, **claims)
    answer = market.letter(lambda c: c["kind"] == "answer" and c["re"] == sent.re)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    journalled(market, error.split()[0], cmd, sent, error.split()[1], flow="11")
    assert (market.state("supply"), switch(market, 0).moved, switch(market, 0).on) == before
    assert to_page(market, "supply", "by your supplier") == page


def test_uc_11_a1_the_same_command_again_is_answered_again_and_moves_nothing(market):
    become(market, "enabled")
    sent = market.send("SUP", "supply.disable", {"reason": "once"})
    first = market.answer(sent)
    become(market, "enabled")
    before = switch(market, 0).moved
    market.publish("command", sent.token)
    again = market.letter(lambda c: c.get("re") == sent.re and c["n"] != first["n"])
    assert (again["outcome"], again["data"]) == ("done", {})
    assert (shown(market), switch(market, 0).moved) == (("enabled", True), before)


def test_uc_11_a2_a_confirmation_that_is_not_received_is_overdue_and_comes_later(market):
    become(market, "enabled")
    desk = Sender(market, "SUP")
    until(lambda: not market.waiting())
    with market.deaf("SUP"):
        sent = desk.send("supply.disable", {"reason": "a2"})
        moves(market, 0, False)
        answer = market.answer(sent)
        desk.overdue(sent)
        supply_page(market, "OFF", "a2")
        market.journal("NOT_RECEIVED", f"letter {answer['n']} to {sent.party.kid}", 60)
        assert (shown(market), len(market.waiting())) == (("disabled", False), 1)
        reconnect(market)
        assert desk.collect(sent) == answer["data"]
    assert shown(market) == ("disabled", False)


@pytest.mark.parametrize(
    ("state", "cmd", "code", "fault", "word"),
    [
        ("disabled", "supply.enable", 0x81BD, "connect", "OFF"),
        ("enabled", "supply.disable", 0x81C0, "disconnect", "ON"),
    ],
)
def test_uc_11_v1_the_contactor_is_stuck(market, state, cmd, code, fault, word):
    become(market, state)
    before = shown(market)
    moved = switch(market, 0).moved
    switch(market, 0).stuck = True
    try:
        sent = market.send("SUP", cmd, {"reason": "stuck"})
        answer = market.answer(sent)
        assert (answer["outcome"], answer["error"], answer["field"]) == ("refused", "EXECUTE_FAILED", f"{code:04X}")
        journalled(market, "EXECUTE_FAILED", cmd, sent, f"{code:04X}", flow="11")
        market.journal("EXECUTE_FAILED", f"supply {code:04X} {fault}")
        alert = market.letter(lambda c: c["kind"] == "alert" and (c["event"], c["code"]) == ("EXECUTE_FAILED", code))
        assert (alert["party"], alert["data"]["state"], alert["data"]["fault"]) == ("SUP", state, fault)
        assert (shown(market), switch(market, 0).moved) == (before, moved)
        assert switch(market, 0).drive == switch(market, 0).on  # it does not jump when it comes loose
        supply_page(market, word, "the switch is stuck")
        told = market.ask("ADM", "read.supply_state")["data"]
        assert (told["state"], told["fault"], told["on"]) == (state, fault, int(before[1]))
    finally:
        switch(market, 0).stuck = False
    act(market, cmd, {}, "enabled" if fault == "connect" else "disabled", fault == "connect")
