"""The access matrix on the wire: every role sends every command, and what is not its own is refused and on record."""

import json

import pytest
from market import Market, new_party

from meterhub.codec import base64url
from meterhub.store.record import Record
from meterhub.trust import matrix

_AT_ONCE = 2  # a hub that is slow for a moment takes eight at once from its broker
_NO_KEYS = ("CON",)  # the household has no key: what it does, it does at the display


@pytest.fixture(scope="module")
def market():
    with Market() as market:
        root = market.parties["ROOT"] = new_party("ROOT")
        market.kill()
        owner = {"root": base64url.encode(root.public), "seq": 1, "cert": ""}
        Record(str(market.home.hub.data / "owner")).save(json.dumps(owner).encode())
        market.start()
        yield market


def asked(market, cmd):
    """Let every role send a command, with a parameter that none has; return {role: answer}."""
    answers = {}
    roles = [role for role in matrix.ROLES if role not in _NO_KEYS]
    for start in range(0, len(roles), _AT_ONCE):
        sent = [market.send(role, cmd, {"no_such_parameter": 1}) for role in roles[start : start + _AT_ONCE]]
        answers |= {one.party.role: market.answer(one) for one in sent}
    return answers


def test_every_role_and_every_command(market):
    """A role that may send it hears anything but NOT_AUTHORISED; any other hears that, and the security log has it."""
    wrong, refused = [], []
    for cmd in matrix.commands():
        _, _, permitted = matrix.row(cmd)
        for role, answer in asked(market, cmd).items():
            may = matrix.permission(permitted, role) in ("yes", "consent")
            if may == (answer["error"] == "NOT_AUTHORISED" and answer["field"] == "cmd"):
                wrong.append((cmd, role, answer["outcome"], answer["error"]))
            if not may:
                refused.append(f"{cmd} {role} {market.parties[role].kid}/{answer['ctr']} cmd")
    assert wrong == []
    logged = {entry["detail"].split(" ", 1)[1] for entry in market.home.hub.journalled("NOT_AUTHORISED")}
    assert set(refused) <= logged, sorted(set(refused) - logged)[:5]
    assert len(refused) > 500


def test_what_nobody_has_ever_heard_of_is_refused_to_everybody(market):
    assert {answer["error"] for answer in asked(market, "supply.burn").values()} == {"UNSUPPORTED"}
