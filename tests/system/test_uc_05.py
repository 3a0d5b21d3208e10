"""UC-05, manage outage data: a test for each numbered flow, on a real hub and a real broker.

Every alternative flow shows the household an event: it is read from the display's pixels.
"""

import json
import os
import signal
import time

import pytest
from market import Market, new_party

from meterhub.codec import base64url
from meterhub.store import heartbeat
from meterhub.store.record import Record
from meterhub_tools.simulators.p1_meter import P1Meter


class Cut(Market):
    """A hub with an outage behind it. cut, back: when its power went and came, Unix seconds.

    late_s: how much longer than four seconds that took: the telegrams of a machine that stood still are so old.
    """

    cut = back = late_s = 0

    def beaten(self):
        """Return the moment of the newest heartbeat on flash, as soon as it is one of today."""
        deadline = time.monotonic() + 20
        while True:
            beat = heartbeat.read(str(self.home.hub.data / "heartbeat"))
            if beat and beat.kind == heartbeat.BEAT and beat.at > time.time() - 60:
                return beat.at
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def power_cut(self, seconds=0):
        """Cut the power for two seconds; or leave the flash as it is when it was cut so many seconds ago."""
        self.beaten()
        time.sleep(2)
        self.kill()
        path = str(self.home.hub.data / "heartbeat")
        if seconds:
            self.cut = int(time.time()) - seconds
            heartbeat.write(path, heartbeat.pack(heartbeat.BEAT, self.cut))
        else:
            self.cut = heartbeat.read(path).at
        off = time.monotonic()
        time.sleep(2)
        self.back = time.time()
        self.start()
        self.late_s = max(0, time.monotonic() - off - 4)


@pytest.fixture(scope="module")
def market():
    with Cut() as market:
        market.power_cut()
        yield market


def go_home(market):
    market._on_loop(lambda: market.home.bench.press("A", long=True))


def shows(market, *words):
    """Let the household open its newest message; return what it reads there, and leave it."""
    go_home(market)
    market.press("B")
    market.reads("POWER CUT", "next")
    market.press("B")
    lines = market.reads("POWER CUT", *words)
    go_home(market)
    return lines


def answer_with(market, button, *words):
    """Wait until a message shows itself, turn its leaves and press a button until the household has `words` for it."""
    market.reads("POWER CUT", "No power")
    for _ in range(4):
        before = market.display()
        market.press(button)
        changed = time.monotonic() + 6  # a second press would be an answer to the next page
        while market.display() == before and time.monotonic() < changed:
            time.sleep(0.05)
        try:
            return market.reads(*words, timeout_s=1.5)
        except AssertionError:
            pass  # it was a leaf
    raise AssertionError((market.display(), market.home.hub.journal[-8:]))


def kept(market):
    """Return what flash holds of outages: the log, and what is announced."""
    return [path.read_bytes() for path in sorted(market.home.hub.data.glob("outage*"))]


def refused(market, role, cmd, arg, error):
    """Send a command that is refused, see that it is told and recorded, and that nothing has changed."""
    before = kept(market)
    sent = market.send(role, cmd, arg)
    answer = market.answer(sent)
    assert (answer["outcome"], (answer["error"] + " " + answer["field"]).strip()) == ("refused", error)
    assert (answer["party"], answer["data"]) == (role, {})
    market.journal(error.split()[0], f"UC-05 {cmd} {role} {sent.party.kid}/{sent.ctr}")
    assert kept(market) == before


def one_more(market, name, words, before):
    """Wait until there is one more entry of this name with `words` than in the journal `before`."""
    deadline = time.monotonic() + 15
    found = lambda entries: len([e for e in entries if e["name"] == name and words in e["detail"]])  # noqa: E731
    while found(market.home.hub.journal) == found(before):
        assert time.monotonic() < deadline, (name, words)
        time.sleep(0.05)


def plan(ref, start=3600, end=7200, **more):
    now = int(time.time())
    return {"ref": ref, "from": now + start, "to": now + end} | more


# -- an outage that nobody has planned -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["DNO", "SUP"])
def test_uc_05_bu_the_outages_are_told_and_received(market, role):
    sent = market.send(role, "read.outage_log")
    data = market.answer(sent, "done")["data"]
    one = data["outages"][0]
    assert (one["n"], one["start"], data["next"]) == (1, market.cut, 0)
    assert -3 - market.late_s <= one["end"] - market.back <= 5 + market.late_s
    assert one["seconds"] == one["end"] - one["start"]
    assert [one[name] for name in ("class", "min3", "phases", "planned", "estimated")] == ["short", 0, [], "", 1]
    assert one["clock"] == "meter"
    none = market.ask(role, "read.outage_log", {"from": one["end"] + 1})["data"]
    assert none["outages"] == []
    market.journal("command done", f"UC-05 read.outage_log {role} {sent.party.kid}/{sent.ctr}")
    market.all_received()


@pytest.mark.parametrize(
    ("seconds", "event", "code"), [(0, "supply restored", 0x8F35), (400, "supply restored 3 min", 0x8F36)]
)
def test_uc_05_bu_v1_a_supply_that_is_there_again_is_told_and_shown(market, seconds, event, code):
    if seconds:
        market.power_cut(seconds)
    for role in ("DNO", "SUP"):
        told = market.alert(role, event)
        assert (told["code"], told["data"]["start"], told["data"]["min3"]) == (code, market.cut, int(seconds > 0))
        assert told["data"]["seconds"] >= seconds - market.late_s
        assert len([c for c in market.letters if (c["party"], c.get("event")) == (role, event)]) == 1
    lasted = told["data"]["seconds"]
    said = f"{market.cut}-{told['data']['end']} {lasted} s estimated {'long' if seconds else 'short'} clock meter"
    assert market.journal(event)["detail"] == said
    logged = market.ask("DNO", "read.outage_log")["data"]["outages"]
    assert [one["seconds"] for one in logged if one["start"] == market.cut] == [lasted]
    shows(market, "Supply was off")


@pytest.mark.parametrize(
    ("role", "arg", "error"),
    [
        ("LC", {}, "NOT_AUTHORISED cmd"),
        ("DNO", {"from": 9, "to": 8}, "INVALID_VALUE arg.to"),
        ("DNO", {"first": "one"}, "MALFORMED arg.first"),
    ],
)
def test_uc_05_u_a1_a_request_that_is_not_valid_is_refused_told_and_shown(market, role, arg, error):
    refused(market, role, "read.outage_log", arg, error)
    shows(market, "Outage", error.split()[0].lower().replace("_", " "), role)


def test_uc_05_u_a2_a_log_that_flash_has_lost_is_told_by_name_and_shown(market):
    paths = [path for path in market.home.hub.data.glob("outage-log.*") if path.stat().st_size]
    whole = [path.read_bytes() for path in paths]
    for path, raw in zip(paths, whole, strict=True):
        path.write_bytes(raw[:12] + bytes((raw[12] ^ 4,)) + raw[13:])
    try:
        refused(market, "DNO", "read.outage_log", {}, "RETRIEVE_FAILED outage-log: no whole slot")
        shows(market, "Outage data", "retrieve failed", "DNO")
    finally:
        for path, raw in zip(paths, whole, strict=True):
            path.write_bytes(raw)
    assert market.ask("DNO", "read.outage_log")["data"]["outages"]


def test_uc_05_u_a2_an_outage_that_cannot_be_stamped_is_told_and_shown():
    with Cut() as market:
        market.beaten()
        market.kill()
        market.home.meter.p1 = P1Meter(market.home.meter.household, "2.2")  # it tells no time
        market.start()
        refused(market, "DNO", "read.outage_log", {}, "CLOCK_INVALID clock")
        shows(market, "Outage data", "clock invalid", "DNO")


def test_uc_05_u_a3_data_that_cannot_be_sent_are_told_when_they_can_and_that_is_shown(market):
    hub = market.home.hub
    market.all_received()
    before = list(hub.journal)
    said = market.broker.log.stat().st_size
    os.kill(hub.pid, signal.SIGSTOP)  # so that the link is lost between the request and the answer
    try:
        sent = market.send("DNO", "read.outage_log")
        deadline = time.monotonic() + 10
        while b"Sending PUBLISH to " not in market.broker.log.read_bytes()[said:]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.2)
        market.broker.kill()
    finally:
        os.kill(hub.pid, signal.SIGCONT)
    one_more(market, "SEND_FAILED", f"to {sent.party.kid}", before)
    assert len(market.waiting()) == 1
    shows(market, "Outage data", "send failed", "DNO")
    hub.status = {}
    market.broker.start()
    answer = market.answer(sent, "done", timeout_s=60)
    assert answer["data"]["outages"]
    market.journal("SEND_FAILED", f"letter {answer['n']} to {sent.party.kid}")
    market.all_received()


def test_uc_05_u_a4_data_that_are_not_received_are_sent_again_and_that_is_shown(market):
    with market.deaf("DNO"):
        market.all_received()
        answer = market.ask("DNO", "read.outage_log")
        market.journal("NOT_RECEIVED", f"letter {answer['n']} to {market.parties['DNO'].kid}", 45)
        assert len(market.waiting()) == 1
        shows(market, "Outage data", "not received", "DNO")
    before = list(market.home.hub.journal)
    market.broker.kill()  # the next time it would be sent is in two minutes, or as soon as the link is there again
    one_more(market, "LINK_DOWN", "", before)
    market.broker.start()
    market.all_received()
    assert [c["data"] for c in market.letters if c["n"] == answer["n"]] == [answer["data"]]


# -- an outage that is planned -------------------------------------------------------------------------------------


def test_uc_05_bp_a_planned_outage_is_shown_accepted_and_confirmed(market):
    arg = plan("works-1", text="New cable.")
    sent = market.send("DNO", "outage.planned", arg)
    notice = market.answer(sent, "pending")["data"]["notice"]
    market.reads("POWER CUT", "No power", "DNO", "yes", "no")
    answer_with(market, "B", "you said yes")
    done = market.answer(sent, "done")
    assert (done["error"], done["party"]) == ("", "DNO")
    assert [done["data"][name] for name in ("action", "ref", "by")] == ["accept", "works-1", "display"]
    assert abs(done["data"]["at"] - time.time()) < 20
    market.journal("accepted", f"|outage|{notice}.1|{sent.party.kid}|display")
    market.journal("command accept", f"UC-05 outage.planned DNO {sent.party.kid}/{sent.ctr}")
    assert market.state("outages")["planned"][-1][:4] == ["works-1", arg["from"], arg["to"], "New cable."]


def test_uc_05_bp_the_owner_announces_one_without_a_market_role(market):
    root = new_party("ROOT")
    market.parties["ROOT"] = root
    owner = Record(str(market.home.hub.data / "owner"))
    owner.save(json.dumps({"root": base64url.encode(root.public), "seq": 1, "cert": ""}).encode())
    arg = plan("works-2")
    sent = market.send("ROOT", "outage.planned", arg)
    assert market.answer(sent, "pending")["party"] == "ROOT"
    answer_with(market, "B", "you said yes")
    assert market.answer(sent, "done")["data"]["ref"] == "works-2"
    assert market.state("outages")["planned"][-1][:3] == ["works-2", arg["from"], arg["to"]]
    stranger = market.command(new_party("ROOT"), "outage.planned", plan("works-3"))
    market.publish("command", stranger.token)
    market.journal("UNKNOWN_RECIPIENT", "command kid")
    assert market.state("outages")["planned"][-1][0] == "works-2"


@pytest.mark.parametrize(
    ("role", "change", "error"),
    [
        ("SUP", {}, "NOT_AUTHORISED cmd"),
        ("DNO", {"to": 1}, "EXPIRED arg.to"),
        ("DNO", {"to": 1 << 40}, "INVALID_VALUE arg.to"),
        ("DNO", {"ref": "a b"}, "INVALID_VALUE arg.ref"),
        ("DNO", {"why": "x"}, "MALFORMED arg.why"),
    ],
)
def test_uc_05_p_a1_an_announcement_that_is_not_valid_is_refused_told_and_shown(market, role, change, error):
    refused(market, role, "outage.planned", plan("p-a1") | change, error)
    shows(market, "Planned outage", error.split()[0].lower().replace("_", " "), role)


def test_uc_05_p_a2_what_cannot_be_displayed_is_told_and_shown_when_it_can(market):
    before = list(market.home.hub.journal)
    market.home.bench.unplug_display()
    one_more(market, "DISPLAY_FAILED", "ssd1306", before)
    sent = market.send("DNO", "outage.planned", plan("p-a2"))
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"], answer["field"]) == ("refused", "DISPLAY_FAILED", "ihd")
    market.journal("DISPLAY_FAILED", f"UC-05 outage.planned DNO {sent.party.kid}/{sent.ctr}")
    market.home.bench.plug_display()
    answer_with(market, "B", "kW")  # it is read, and the page of the day is there again
    assert [c["outcome"] for c in market.letters if c.get("re") == sent.re] == ["refused"]


def test_uc_05_p_a3_the_household_declines(market):
    sent = market.send("DNO", "outage.planned", plan("p-a3"))
    notice = market.answer(sent, "pending")["data"]["notice"]
    answer_with(market, "A", "you said no")
    told = market.answer(sent, "refused")
    assert (told["error"], told["data"]["action"]) == ("CONSUMER_DECLINED", "decline")
    market.journal("declined", f"|outage|{notice}.1|{sent.party.kid}|display")
    market.journal("CONSUMER_DECLINED", f"UC-05 outage.planned DNO {sent.party.kid}/{sent.ctr}")
    assert market.state("outages")["planned"][-1][0] == "p-a3"  # the power is cut all the same
    shows(market, "No power")


def test_uc_05_p_a3_the_household_does_not_answer_in_time(market):
    sent = market.send("DNO", "outage.planned", plan("p-a3-late", -5, 20))
    notice = market.answer(sent, "pending")["data"]["notice"]
    market.reads("POWER CUT", "No power")
    told = market.answer(sent, "refused", timeout_s=45)
    assert (told["error"], told["data"]["action"]) == ("CONSUMER_TIMEOUT", "none")
    market.journal("CONSUMER_TIMEOUT", f"|outage|{notice}.1|{sent.party.kid}|")
    market.journal("CONSUMER_TIMEOUT", f"UC-05 outage.planned DNO {sent.party.kid}/{sent.ctr}")
    shows(market, "Planned outage", "timeout", "DNO")


def test_uc_05_p_a4_an_answer_that_cannot_be_sent_is_kept_and_told_when_it_can(market):
    market.all_received()
    sent = market.send("DNO", "outage.planned", plan("p-a4"))
    notice = market.answer(sent, "pending")["data"]["notice"]
    market.reads("POWER CUT", "No power")
    market.all_received()
    before = list(market.home.hub.journal)
    market.broker.kill()
    one_more(market, "LINK_DOWN", "", before)
    answer_with(market, "B", "you said yes")
    one_more(market, "SEND_FAILED", f"to {sent.party.kid}", before)
    assert len(market.waiting()) == 1
    market.journal("accepted", f"|outage|{notice}.1|{sent.party.kid}|display")
    shows(market, "Planned outage", "send failed", "DNO")
    market.home.hub.status = {}
    market.broker.start()
    done = market.answer(sent, "done", timeout_s=60)
    assert [done["data"][name] for name in ("action", "ref", "by")] == ["accept", "p-a4", "display"]
