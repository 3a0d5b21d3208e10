"""UC-13, efficiency measures: a test for each numbered flow, on a real hub and a real broker."""

import time

import pytest
from market import Market
from sender import Sender


@pytest.fixture(scope="module")
def market():
    with Market() as market:
        yield market


def measure(name, **more):
    return {"id": name, "title": "Later wash " + name, "text": "Wash after 22:00 and save 3 a month."} | more


def propose(market, name, life_s=0, **more):
    """Propose a measure, and see it on the display; return what was sent."""
    market.press("A", long=True)
    if life_s:
        more["expiry"] = int(time.time()) + life_s
    sent = market.send("EFF", "efficiency.propose", measure(name, **more))
    answer = market.answer(sent)
    assert (answer["outcome"], list(answer["data"])) == ("pending", ["notice"]), answer
    market.reads("SAVE ENERGY", "Later wash " + name, "The EFF", "Wash after 22:00", "no", "yes")
    return sent


def record(sent, cmd="efficiency.propose"):
    return f"UC-13 {cmd} {sent.party.role} {sent.party.kid}/{sent.ctr}"


def measures(market):
    """What the hub keeps of measures: {id: state}."""
    kept = market.state("efficiency")
    return {one[1]: one[3] for one in kept["all"]} if kept else {}


def test_uc_13_b_the_household_approves_and_the_measure_is_carried_out(market):
    sent = propose(market, "b")
    market.journal("command pending", record(sent))
    assert market.refused("EFF", "efficiency.apply", {"id": "b"}) == "NOT_AVAILABLE arg.id"
    market.press("B")
    market.reads("you said yes")
    last = market.told(sent, "accept")
    assert (last["outcome"], last["error"], last["data"]["id"], last["data"]["by"]) == ("done", "", "b", "display")
    market.journal("command accept", record(sent))
    market.journal("accepted", f"The EFF|efficiency|{market.answer(sent)['data']['notice']}.1|")
    assert measures(market)["b"] == "approved"
    market.press("A", long=True)
    done = market.send("EFF", "efficiency.apply", {"id": "b", "text": "Your washer waits now."})
    assert market.answer(done)["outcome"] == "pending"
    assert measures(market)["b"] == "applied"
    market.reads("NOW", "1 new")
    market.press("B")
    market.reads("Later wash b", "read")
    market.press("B")
    market.reads("washer waits", "keep", "delete")
    read = market.told(done, "read")
    assert (read["outcome"], read["data"]["id"]) == ("done", "b")
    assert abs(read["data"]["applied"] - time.time()) < 30
    market.press("A")
    assert market.told(done, "save")["outcome"] == "done"
    market.journal("command save", record(done, "efficiency.apply"))
    assert market.refused("EFF", "efficiency.apply", {"id": "b"}) == "WRONG_STATE arg.id"
    market.journal("WRONG_STATE", "UC-13 efficiency.apply EFF")


def test_uc_13_b_the_consumption_behind_it_is_told_only_with_consent(market):
    assert market.refused("EFF", "read.import_registers") == "NOT_CONSENTED readings"
    market.journal("NOT_CONSENTED", "UC-01 read.import_registers EFF")
    market.press("A", long=True)
    asked = market.send("EFF", "consent.ask", {"scope": "readings", "until": int(time.time()) + 86400})
    market.reads("MAY THEY?", "Your readings?", "The EFF", "no")
    market.agree()
    assert market.told(asked, "accept")["data"]["scope"] == "readings"
    assert market.ask("EFF", "read.import_registers")["outcome"] == "done"
    assert market.refused("ESP", "read.import_registers") == "NOT_CONSENTED readings"


def test_uc_13_v1_the_household_declines(market):
    sent = propose(market, "v1")
    market.press("A")
    market.reads("you said no")
    last = market.told(sent, "decline")
    assert (last["outcome"], last["error"], last["data"]["id"]) == ("done", "", "v1")
    market.journal("CONSUMER_DECLINED", record(sent))
    market.journal("declined", f"|{sent.party.kid}|display")
    assert measures(market)["v1"] == "declined"
    assert market.refused("EFF", "efficiency.apply", {"id": "v1"}) == "WRONG_STATE arg.id"
    assert measures(market)["v1"] == "declined"


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "error"),
    [
        ("SUP", "efficiency.propose", measure("x"), "NOT_AUTHORISED cmd"),
        ("ESP", "efficiency.apply", {"id": "x"}, "NOT_AUTHORISED cmd"),
        ("EFF", "efficiency.propose", measure("x", title="x" * 17), "INVALID_VALUE arg.title"),
        ("EFF", "efficiency.propose", measure("x", text=""), "INVALID_VALUE arg.text"),
        ("EFF", "efficiency.propose", measure("x y"), "INVALID_VALUE arg.id"),
        ("EFF", "efficiency.propose", measure("x", saves=3), "MALFORMED arg.saves"),
        ("EFF", "efficiency.propose", measure("x", expiry=1700000000), "EXPIRED arg.expiry"),
        ("EFF", "efficiency.apply", {"id": "never-proposed"}, "NOT_AVAILABLE arg.id"),
        ("EFF", "efficiency.apply", {"id": 7}, "MALFORMED arg.id"),
    ],
)
def test_uc_13_a1_a_message_that_is_not_valid_is_refused_and_told(market, role, cmd, arg, error):
    before = market.state("notices"), market.state("efficiency")
    sent = market.send(role, cmd, arg)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    market.journal(error.split()[0], record(sent, cmd))
    assert (market.state("notices"), market.state("efficiency")) == before


def test_uc_13_a1_a_counter_that_was_used_proposes_nothing(market):
    before = market.state("notices")
    sent = market.send("EFF", "efficiency.propose", measure("x"), ctr=1)
    assert market.answer(sent)["error"] == "REPLAY"
    market.journal("REPLAY", record(sent))
    assert market.state("notices") == before


def test_uc_13_a1_what_nobody_answers_in_time_is_not_approved(market):
    sent = propose(market, "late", life_s=20)
    last = market.answer(sent, "refused")
    assert (last["error"], last["data"]["action"]) == ("CONSUMER_TIMEOUT", "none")
    market.journal("CONSUMER_TIMEOUT", record(sent))
    market.reads("NOW", "kW")
    assert "late" not in measures(market)
    assert market.refused("EFF", "efficiency.apply", {"id": "late"}) == "NOT_AVAILABLE arg.id"


def test_uc_13_a2_an_outcome_that_is_not_received_is_overdue_at_its_sender(market):
    market.press("A", long=True)
    with Sender(market, "EFF") as sender:
        given = sender.gives("efficiency.propose", measure("a2"))

        def final():
            market.reads("Later wash a2", "yes")
            market.press("B")
            return market.letter(lambda c: c.get("re") == given.re and c["outcome"] == "done")

        sender.overdue(given, final)
        assert sender.state(given).answer["action"] == "accept"
    assert measures(market)["a2"] == "approved"
