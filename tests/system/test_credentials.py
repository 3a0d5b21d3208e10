"""Subscriptions change over the wire: new keys in, old ones out, counters floored, nobody reads beyond his time.

The hub is owned: `meterhub provision` has made its certificate through the cable, and ROOT is the key of that.
"""

import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from market import Market, Party, new_party
from operator_desk import Desk

from meterhub.codec import base64url

_CREDENTIALS_UPDATED = 0x8F70


def owned(market, folder):
    """Let `meterhub provision` own the market's hub; return the owner, able to sign."""
    desk = Desk(folder)
    settings = desk.file("settings.json", json.dumps(market.home.settings))
    url = f"mqtt://127.0.0.1:{market.broker.port}"
    status, said = desk.provision(market.home.hub.cable, "--settings", settings, "--broker", url, "--wait", 20)
    assert status == 0, said
    pem = (desk.keys / "root-key.pem").read_bytes()
    scalar = serialization.load_pem_private_key(pem, None).private_numbers().private_value
    root = market.parties["ROOT"] = Party("ROOT", scalar)
    return root


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    with Market(cable=True) as market:
        owned(market, tmp_path_factory.mktemp("owner") / "desk")
        yield market


def key_of(party, **more):
    return {"role": party.role, "key": base64url.encode(party.public), "name": "New " + party.role} | more


def install(market, by, party, name, **more):
    """Let `by` bring in a new key; its holder listens from now on as `name`."""
    market.parties[name] = party
    answer = market.ask(by, "credentials.update", key_of(party, **more))
    assert (answer["outcome"], answer["data"]["kid"]) == ("done", party.kid), answer
    told = market.letter(lambda c: c["party"] == party.role and c["to"] == party.kid)
    assert (told["event"], told["code"]) == ("credentials", _CREDENTIALS_UPDATED)
    return answer


def entry(market, party):
    return next(one for one in market.state("roles") if one[0] == party.kid)


def test_the_owner_brings_in_any_role_and_ends_it(market):
    esp = new_party("ESP")
    install(market, "ROOT", esp, "ESP2")
    assert market.ask(esp, "read.charging")["error"] != "REVOKED"
    market.journal("credentials", f"{esp.kid} is ESP by {market.parties['ROOT'].kid}")
    assert market.ask("ROOT", "credentials.update", {"kid": esp.kid, "until": 0})["outcome"] == "done"
    assert market.refused(esp, "read.charging") == "REVOKED kid"


def test_a_supplier_is_changed_without_a_visit(market):
    old = market.parties["SUP"]
    market.ask(old, "read.clock")
    new = new_party("SUP")
    began = int(time.time()) - 2
    answer = install(market, "TCOS", new, "SUP2", floor=1000)
    assert answer["data"]["ended"] == [old.kid]
    assert began <= entry(market, new)[4] == entry(market, old)[5]
    assert market.refused(old, "read.clock") == "REVOKED kid"
    assert market.refused(new, "read.clock", ctr=1000) == "REPLAY ctr"
    assert market.ask(new, "read.clock", ctr=1001)["outcome"] == "done"
    # no way back, and no look at what was before
    own = {"key": base64url.encode(old.public), "role": "SUP", "name": "Old"}
    assert market.refused(old, "credentials.update", own) == "REVOKED kid"
    assert market.refused(new, "credentials.update", key_of(new, **{"from": began - 99})) == "NOT_AUTHORISED arg.from"
    # a power cut makes none of it undone
    market.kill()
    market.start()
    assert market.refused(old, "read.clock") == "REVOKED kid"
    assert market.ask(new, "read.clock")["outcome"] == "done"
    market.parties["SUP"] = new
    market.parties["OLD"] = old


def test_a_change_with_a_date_is_one_when_the_date_has_come(market):
    old, new = market.parties["SUP"], new_party("SUP")
    start = int(time.time()) + 15
    install(market, "TCOS", new, "SUP3", **{"from": start})
    assert market.ask(old, "read.clock")["outcome"] == "done"
    assert market.refused(new, "read.clock") == "REVOKED kid"
    while time.time() < start + 3:
        time.sleep(0.2)
    assert market.ask(new, "read.clock")["outcome"] == "done"
    assert market.refused(old, "read.clock") == "REVOKED kid"
    market.parties["SUP"] = new


def test_a_role_renews_its_own_key_and_reads_on(market):
    old, new = market.parties["DNO"], new_party("DNO")
    install(market, "DNO", new, "DNO2", replaces=old.kid, **{"from": entry(market, old)[4]})
    assert entry(market, new)[4] == entry(market, old)[4]
    assert market.refused(old, "message.status") == "REVOKED kid"
    assert market.ask(new, "message.status")["error"] != "REVOKED"


@pytest.mark.parametrize(
    ("by", "role", "error"),
    [
        ("ADM", "SUP", "NOT_AUTHORISED arg.role"),
        ("LC", "DNO", "NOT_AUTHORISED arg.role"),
        ("TCOS", "ADM", "NOT_AUTHORISED arg.role"),
        ("ESP", "ESP", "NOT_AUTHORISED cmd"),
        ("INST", "INST", "NOT_AUTHORISED cmd"),
        ("ROOT", "ROOT", "INVALID_VALUE arg.role"),
    ],
)
def test_nobody_brings_in_what_is_not_his_to_bring_in(market, by, role, error):
    before = market.state("roles")
    assert market.refused(by, "credentials.update", key_of(new_party(role))) == error
    assert market.state("roles") == before


def test_nobody_takes_the_owners_or_another_roles_key_for_his_own(market):
    before = market.state("roles")
    for victim in ("ROOT", "DNO"):
        taken = key_of(market.parties[victim]) | {"role": "ADM"}
        assert market.refused("ADM", "credentials.update", taken) == "INVALID_VALUE arg.key"
    assert market.state("roles") == before


def test_tables_of_keys_that_are_gone_are_gone(market):
    party = new_party("ESP")
    install(market, "ROOT", party, "ESP3")
    table = market.home.hub.data / "keys" / f"{party.kid}.tab"
    market.ask(party, "read.charging")
    deadline = time.monotonic() + 20
    while not table.exists():
        assert time.monotonic() < deadline, list(table.parent.iterdir())
        time.sleep(0.1)
    assert market.ask("ROOT", "credentials.update", {"kid": party.kid, "until": 0})["outcome"] == "done"
    assert not table.exists()


def test_a_refused_command_of_a_gone_key_sent_again_is_answered_the_same_and_journalled_once(market):
    sent = market.send("ESP3", "read.clock")
    first = market.answer(sent)
    assert first["error"] == "REVOKED"
    market.publish("command", sent.token)
    again = market.letter(lambda c: c.get("re") == sent.re and c["n"] != first["n"])
    assert again["error"] == "REVOKED"
    assert (
        len([e for e in market.home.hub.journalled("REVOKED") if f"{sent.party.kid}/{sent.ctr} " in e["detail"]]) == 1
    )
