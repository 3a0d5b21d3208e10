"""UC-14, display messages: a test for each numbered flow, on a real hub and a real broker."""

import time

import pytest
from market import Market
from sender import Sender
from world import Asker, link, new_recipient


@pytest.fixture(scope="module")
def market():
    with Market() as market:
        yield market


def message(name, **more):
    arg = {"id": name, "category": "general", "title": "Hello " + name, "text": "Your meter is read on Monday."}
    return arg | more


def ask(market, role, arg):
    """Send a message that the hub takes; return what was sent."""
    sent = market.send(role, "message.send", arg)
    answer = market.answer(sent)
    assert (answer["outcome"], list(answer["data"])) == ("pending", ["notice"]), answer
    return sent


def said(market, sent, *actions):
    """Wait until the household has done `actions`, and nothing else; return the last letter of it."""
    wanted = lambda c: c.get("re") == sent.re and c["data"].get("action") == actions[-1]  # noqa: E731
    last = market.letter(wanted)
    told = [c["data"]["action"] for c in market.letters if c.get("re") == sent.re and c["outcome"] == "done"]
    assert told == list(actions)
    market.journal(names(actions[-1]), record("message.send", sent))
    return last


def names(action):
    return "CONSUMER_DECLINED" if action == "decline" else "command " + action


def record(cmd, sent):
    return f"UC-14 {cmd} {sent.party.role} {sent.party.kid}/{sent.ctr}"


def state(market, sent, name):
    """What the sender is told of its message: (state, what was said)."""
    one = market.ask(sent.party, "message.status", {"id": name})["data"]["messages"][0]
    return one["state"], one["said"]


def test_uc_14_b_the_household_approves_and_the_sender_hears_of_it(market):
    sent = ask(market, "SUP", message("b", answer="accept"))
    market.journal("command pending", record("message.send", sent))
    market.reads("Hello b", "read on Monday", "The SUP", "no", "yes")
    assert state(market, sent, "b") == ("shown", "")
    pressed = int(time.time())
    market.press("B")
    market.reads("you said yes")
    last = said(market, sent, "accept")
    assert (last["error"], last["data"]["id"], last["data"]["by"]) == ("", "b", "display")
    assert pressed <= last["data"]["at"] <= last["at"] <= time.time() + 2
    assert state(market, sent, "b") == ("accepted", "accept")
    market.journal("accepted", f"The SUP|general|{market.answer(sent)['data']['notice']}.1|{sent.party.kid}|display")


@pytest.mark.parametrize(("role", "button", "end"), [("ESP", "A", "save"), ("EFF", "B", "delete")])
def test_uc_14_b_a_message_is_read_and_kept_or_deleted(market, role, button, end):
    sent = ask(market, role, message(end, category="advance"))
    market.press("A", long=True)
    market.reads("NOW", "1 new")
    market.press("B")
    market.reads("SOON", "Hello " + end, "The " + role, "read")
    market.press("B")
    market.reads("read on Monday", "keep", "delete")
    said(market, sent, "read")
    market.press(button)
    said(market, sent, "read", end)
    assert state(market, sent, end)[0] == end + "d"
    market.press("A", long=True)


def test_uc_14_b_a_message_is_withdrawn(market):
    sent = ask(market, "SUP", message("back", answer="accept"))
    market.reads("Hello back")
    gone = market.send("SUP", "message.withdraw", {"id": "back"})
    assert market.answer(gone)["outcome"] == "done"
    market.journal("command done", record("message.withdraw", gone))
    said(market, sent, "withdrawn")
    market.reads("NOW", "kW")
    assert state(market, sent, "back") == ("withdrawn", "")


def test_uc_14_b_a_power_cut_between_the_message_and_the_answer_loses_nothing():
    with Market() as market:
        sent = ask(market, "SUP", message("cut", answer="accept"))
        market.reads("Hello cut")
        market.kill()
        market.start()
        market.reads("Hello cut", "yes")
        market.press("B")
        said(market, sent, "accept")


def test_uc_14_b_marketing_comes_only_with_consent(market):
    assert market.refused("ESP", "message.send", message("ad", category="marketing")) == "NOT_CONSENTED arg.category"
    market.journal("NOT_CONSENTED", "UC-14 message.send ESP")
    for action in ("decline", "accept"):
        asked = market.send("ESP", "consent.ask", {"scope": "marketing", "until": int(time.time()) + 86400})
        assert market.answer(asked)["outcome"] == "pending"
        market.reads("MAY THEY?", "Advertising?", "The ESP", "no")
        if action == "accept":
            market.agree()
        else:
            market.press("A")
        told = market.letter(
            lambda c, re=asked.re, action=action: c.get("re") == re and c["data"].get("action") == action
        )
        assert (told["outcome"], told["data"]["scope"]) == ("done", "marketing")
        market.journal(names(action), record("consent.ask", asked))
        market.press("A", long=True)
        if action == "decline":
            assert market.refused("ESP", "message.send", message("ad", category="marketing"))[:13] == "NOT_CONSENTED"
    sent = ask(market, "ESP", message("ad", category="marketing", answer="accept"))
    market.reads("OFFER", "Hello ad", "yes")
    assert market.refused("EFF", "message.send", message("ad", category="marketing"))[:13] == "NOT_CONSENTED"
    market.press("A")
    said(market, sent, "decline")


def test_uc_14_v1_the_household_declines(market):
    sent = ask(market, "SUP", message("v1", answer="accept"))
    market.reads("Hello v1", "no", "yes")
    market.press("A")
    market.reads("you said no")
    last = said(market, sent, "decline")
    assert (last["outcome"], last["error"], last["data"]["by"]) == ("done", "", "display")
    assert state(market, sent, "v1") == ("declined", "decline")
    market.journal("declined", f"|{sent.party.kid}|display")


def test_uc_14_v1_the_first_decision_counts_wherever_it_is_made():
    site = new_recipient()
    with Market({"recipients": [site.public()], "may": {"notices": site.kid}}) as market:

        async def linked():
            asker = Asker(site, market.broker.port)
            try:
                await link(market.home, asker, await asker.card(market.home.hub.id))
            finally:
                asker.close()

        market.run(linked)
        sent = ask(market, "SUP", message("site", answer="accept"))
        market.reads("Hello site")
        decision = {"v": 1, "hub": market.home.hub.id, "sub": "anna", "at": int(time.time())}
        decision["notice"] = market.answer(sent)["data"]["notice"]
        market.publish("order", site.sign(decision | {"decision": "decline", "sub": "bob"}, "mh-decision"))
        market.journal("NOT_LINKED", "order sub")
        assert state(market, sent, "site") == ("shown", "")
        market.publish("order", site.sign(decision | {"decision": "decline"}, "mh-decision"))
        assert said(market, sent, "decline")["data"]["by"] == "website"
        market.publish("order", site.sign(decision | {"decision": "accept"}, "mh-decision"))
        market.journal("WRONG_STATE", "order state")
        assert state(market, sent, "site") == ("declined", "decline")
        market.journal("declined", f"|{sent.party.kid}|website")


@pytest.mark.parametrize(
    ("role", "more", "error"),
    [
        ("LC", {}, "NOT_AUTHORISED cmd"),
        ("DNO", {}, "NOT_AUTHORISED arg.category"),
        ("EFF", {"category": "tariff"}, "NOT_AUTHORISED arg.category"),
        ("SUP", {"category": "gossip"}, "INVALID_VALUE arg.category"),
        ("SUP", {"text": "x" * 161}, "INVALID_VALUE arg.text"),
        ("SUP", {"title": "turned \u202e"}, "INVALID_VALUE arg.title"),
        ("SUP", {"priority": "4"}, "MALFORMED arg.priority"),
        ("SUP", {"expiry": 1700000000}, "EXPIRED arg.expiry"),
        ("SUP", {"answer": "pay"}, "INVALID_VALUE arg.answer"),
        ("SUP", {"url": "https://example.org"}, "MALFORMED arg.url"),
    ],
)
def test_uc_14_a1_a_request_that_is_not_valid_is_refused_and_told(market, role, more, error):
    before, shown = market.state("notices"), messages(market)
    sent = market.send(role, "message.send", message("a1", **more))
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    market.journal(error.split()[0], record("message.send", sent))
    assert (market.state("notices"), messages(market)) == (before, shown)


def messages(market):
    """What the hub keeps of the messages' words."""
    folder = market.home.hub.data / "notices"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_uc_14_a1_a_command_that_comes_again_is_shown_once(market):
    sent = ask(market, "SUP", message("again", answer="accept"))
    first = market.answer(sent)
    before = market.state("notices")
    market.publish("command", sent.token)
    again = market.letter(lambda c: c.get("re") == sent.re and c["n"] != first["n"])
    assert (again["outcome"], again["data"]) == ("pending", {})
    assert market.refused("SUP", "message.send", message("other"), ctr=sent.ctr) == "REPLAY ctr"
    market.journal("REPLAY", record("message.send", sent))
    assert [one[:4] for one in market.state("notices")["rows"]] == [one[:4] for one in before["rows"]]
    market.reads("Hello again")
    market.press("A")
    said(market, sent, "decline")


def test_uc_14_a1_a_hub_without_a_display_says_so():
    with Market() as market:

        async def unplug():
            market.home.bench.unplug_display()

        market.run(unplug)
        time.sleep(2)  # until it has been missed
        assert market.refused("SUP", "message.send", message("dark")) == "DISPLAY_FAILED ihd"
        market.journal("DISPLAY_FAILED", "UC-14 message.send SUP")
        assert not market.state("notices")


def test_uc_14_a1_what_nobody_answers_in_time_is_told(market):
    sent = ask(market, "SUP", message("late", answer="accept", expiry=int(time.time()) + 10))
    market.reads("Hello late")
    last = market.answer(sent, "refused")
    assert (last["error"], last["data"]["action"]) == ("CONSUMER_TIMEOUT", "none")
    market.journal("CONSUMER_TIMEOUT", record("message.send", sent))
    market.reads("NOW", "kW")
    assert state(market, sent, "late") == ("expired", "")


def test_uc_14_a2_a_report_that_is_not_received_is_overdue_at_its_sender(market):
    with Sender(market, "SUP") as sender:
        given = sender.gives("message.send", message("a2", answer="accept"))

        def final():
            market.reads("Hello a2", "yes")
            market.press("B")
            return market.letter(lambda c: c.get("re") == given.re and c["outcome"] == "done")

        sender.overdue(given, final)
        assert sender.state(given).answer["action"] == "accept"


def test_uc_14_b_who_does_not_know_the_pin_decides_nothing():
    with Market({"household": {"pin": "0102"}}) as market:
        sent = ask(market, "SUP", message("pin", answer="accept"))
        for pin, told in (("0100", "wrong PIN"), ("0102", "you said yes")):
            market.reads("Hello pin", "yes")
            market.press("B")
            market.reads("YOUR PIN", "0___")
            assert state(market, sent, "pin") == ("shown", "")
            for digit in pin:
                for _ in range(int(digit)):
                    market.press("A", 0.3)
                market.press("B", 0.3)
            market.reads(told)
            if told == "wrong PIN":
                assert state(market, sent, "pin") == ("shown", "")
                market.press("A", long=True)
                market.press("A", long=True)  # out of the entry, to the message that shows itself
        said(market, sent, "accept")
