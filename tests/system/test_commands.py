"""Signed commands on a real broker: who is believed, what is answered, and what a flood or a power cut does."""

import json
import random
import time

import pytest
from market import Market, new_party

from meterhub.codec import base64url


@pytest.fixture(scope="module")
def market():
    with Market() as market:
        yield market


def test_a_command_is_carried_out_answered_and_journalled(market):
    sent = market.send("SUP", "read.clock")
    answer = market.answer(sent)
    assert (answer["outcome"], answer["ctr"], answer["cmd"]) == ("done", sent.ctr, "read.clock")
    assert abs(answer["data"]["at"] - time.time()) < 20
    assert abs(answer["at"] - time.time()) < 20
    market.journal("command done", f"read.clock SUP {sent.party.kid}/{sent.ctr}")


def test_the_same_command_again_is_answered_again_and_not_done_again(market):
    sent = market.send("SUP", "read.clock")
    first = market.answer(sent)
    market.publish("command", sent.token)
    again = market.letter(lambda c: c.get("re") == sent.re and c["n"] != first["n"])
    assert (again["outcome"], again["data"]) == ("done", {})  # what was done is known, what was read is not kept


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"ctr": 1}, "REPLAY ctr"),
        ({"exp": 0}, "INVALID_VALUE exp"),
        ({"iat": 1700000000, "exp": 1700000100}, "EXPIRED exp"),
        ({"iat": int(time.time()) + 10**6, "exp": int(time.time()) + 10**6 + 100}, "INVALID_VALUE iat"),
        ({"exp": int(time.time()) + 10**6}, "INVALID_VALUE exp"),
        ({"cmd": "read.everything"}, "UNSUPPORTED cmd"),
        ({"cmd": "set.voltage_config"}, "NOT_AUTHORISED cmd"),
        ({"cmd": "read.balance"}, "UNSUPPORTED cmd"),
        ({"cmd": "supply.disable", "at": 1}, "INVALID_VALUE at"),
    ],
)
def test_what_is_authentic_and_cannot_be_is_refused_by_name(market, claims, error):
    market.ask("SUP", "read.clock")  # its counter is above 1 by now
    assert market.refused("SUP", **{"cmd": "read.clock"} | claims) == error
    market.journal(error.split()[0])


def unanswered(market, payload, name):
    """Publish what is not authentic; it is journalled, nobody hears of it, and the hub goes on."""
    before = len(market.home.hub.journalled(name))
    letters = [c for c in market.letters if c["kind"] == "answer"]
    market.publish("command", payload)
    market.ask("SUP", "read.clock")
    assert len(market.home.hub.journalled(name)) == before + 1
    assert len([c for c in market.letters if c["kind"] == "answer"]) == len(letters) + 1


def test_what_is_not_authentic_gets_no_answer_and_the_administrator_an_alert(market):
    good = market.command("SUP", "read.clock").token
    head, claims, _ = good.split(".")
    other = market.command("DNO", "read.clock").token
    body = json.loads(base64url.decode(claims))
    stranger = new_party("SUP")
    cases = [
        (b"x", "MALFORMED"),
        (b"\xff" * 40, "MALFORMED"),
        (b"a" * 5000, "OVERSIZED"),
        (good[:-20], "MALFORMED"),
        (".".join([head, claims, other.split(".")[2]]), "NOT_AUTHENTIC"),
        (market.command("SUP", "read.clock", hub="0" * 16).token, "WRONG_HUB"),
        (stranger.sign(body), "UNKNOWN_RECIPIENT"),
        (market.parties["SUP"].sign(body, "mh-time"), "MALFORMED"),
    ]
    for payload, name in cases:
        unanswered(market, payload, name)
        time.sleep(0.3)  # the log of what strangers do is filled slowly
    assert market.alert("ADM", "NOT_AUTHENTIC")["code"] == 0x8F3D


def test_a_letter_is_sent_again_until_it_is_received(market):
    with market.deaf("SUP"):
        answer = market.ask("SUP", "read.clock")
        market.broker.kill()
        market.home.hub.status = None
        market.broker.start()
        market.journal("LINK_DOWN")
    market.letter(lambda c: c["n"] == answer["n"])
    deadline = time.monotonic() + 60
    while waiting := market.waiting():
        assert time.monotonic() < deadline, waiting
        time.sleep(0.1)
    market.ask("SUP", "read.clock")


def test_a_valid_command_among_ten_thousand_that_are_junk_is_answered(market):
    random.seed(6)
    before = market.ask("ADM", "read.health")["data"]["heap"]  # what is free without what is only waiting to be let go
    good = market.command("SUP", "read.clock")
    stranger = new_party("SUP")
    forged = stranger.sign({"v": 1, "hub": market.home.hub.id, "ctr": 7, "iat": 0, "exp": 9, "cmd": "x", "arg": {}})
    for i in range(10000):
        if i == 5000:
            market.publish("command", good.token)
        market.publish("command", forged if i % 3 else random.randbytes(random.randrange(600)))
    assert market.answer(good, timeout_s=60)["outcome"] == "done"
    assert market.ask("SUP", "read.clock")["outcome"] == "done"
    assert market.ask("ADM", "read.health")["data"]["heap"] > before - 20000
    assert len(market.home.hub.journalled("start")) == 1
