"""The head-end's memory: once means once, counters rise, and no order of letters makes a wrong state.

SQLite; with METERHUB_TEST_DATABASE=postgresql://... the same on a PostgreSQL database, which is emptied.
"""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from simulated_hub import SimulatedHub

from meterhub.errors import HubError
from meterhub_tools.errors import ToolError
from meterhub_tools.headend import Role, Store, Wish, tables, wire
from meterhub_tools.headend.store import AGAIN_S, HOLD_S, LIFE, SETTLE_S

ROLE = Role.generate("acme", "SUP")
NOON = 1_800_000_000


class Clock:
    def __init__(self):
        self.now = float(NOON)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def url(tmp_path):
    named = os.environ.get("METERHUB_TEST_DATABASE")
    if not named:
        return f"sqlite:///{tmp_path / 'head-end.sqlite3'}"
    database = tables.engine(named)
    tables.metadata.drop_all(database)
    database.dispose()
    return named


@pytest.fixture
def store(url, clock):
    store = Store(url, clock)
    yield store
    store.close()


@pytest.fixture
def hub(store):
    hub = SimulatedHub([ROLE])
    store.admit([(hub.id, hub.point, "home")])
    return hub


def opened(hub, raw):
    return wire.read(wire.unseal(raw, ROLE), hub.id, ROLE.kid, wire.public_key(hub.point))


def sign(wish, ctr, iat):
    claims = {"hub": wish.hub, "ctr": ctr, "iat": iat, "exp": iat + wish.life_s, "cmd": wish.cmd, "arg": wish.arg}
    return wire.command(ROLE, claims)


def give(store, hub, cmd="read.power_now", sender="one", **more):
    (given,) = store.give(ROLE.kid, sender, [Wish(hub.id, cmd, {"a": 1}, **more)], sign)
    return given


def answer(hub, given, outcome="done", error="", n=None, **data):
    body = {"re": given.re, "ctr": given.ctr, "cmd": given.cmd, "outcome": outcome, "error": error, "data": data}
    body |= {"n": n} if n else {}
    return opened(hub, hub.letter(ROLE.kid, "answer", **body))


def state(store, given):
    found = store.transaction(given.kid, given.hub, given.ctr)
    return found.state, found.error


# -- letters -----------------------------------------------------------------------------------------------------


def test_letter_is_kept_once(store, hub):
    told = [opened(hub, hub.report(ROLE.kid, seq, wh=seq)) for seq in (1, 2)]
    assert store.keep([told[0], told[0], told[1]]).new == {(hub.id, 1), (hub.id, 2)}
    assert store.keep([told[1], told[0]]).new == set()
    assert [(one.seq, one.data) for one in store.readings(hub.id)] == [(1, {"wh": 1}), (2, {"wh": 2})]


def test_letter_is_new_for_one_of_many_that_keep_it_at_once(url, store, hub):
    told = [opened(hub, hub.report(ROLE.kid, seq)) for seq in range(60)]
    others = [Store(url) for _ in range(3)]

    def keep(i):
        mine = told[i:] + told[:i]
        return [key for at in range(0, 60, 10) for key in others[i % 3].keep(mine[at : at + 10]).new]

    with ThreadPoolExecutor(6) as pool:
        found = [key for keys in pool.map(keep, range(6)) for key in keys]
    for one in others:
        one.close()
    assert len(found) == len(set(found)) == 60
    assert len(store.readings(hub.id)) == 60


def test_alert_is_kept_with_all_that_it_says(store, hub):
    store.keep([opened(hub, hub.letter(ROLE.kid, "alert", event="cover", code=0x8F3F, detail="open", data={"a": 1}))])
    (found,) = store.alerts()
    assert (found.hub, found.event, found.code, found.detail, found.data) == (
        hub.id,
        "cover",
        0x8F3F,
        "open",
        {"a": 1},
    )


def test_answer_that_nobody_here_asked_for_is_kept_as_it_is(store, hub):
    body = {"re": "A" * 43, "ctr": 5, "cmd": "x", "outcome": "done", "data": {"a": 1}}
    assert store.keep([opened(hub, hub.letter(ROLE.kid, "answer", **body))]).answered == []
    assert store.counts()["letters"] == 1


def test_letter_that_cannot_be_written_leaves_nothing_of_its_batch(store, hub):
    good, bad = (opened(hub, hub.report(ROLE.kid, seq)) for seq in (1, 2))
    bad.body["seq"] = None
    with pytest.raises(sa.exc.IntegrityError):
        store.keep([good, bad])
    assert store.counts()["letters"] == store.counts()["readings"] == 0
    assert store.keep([good]).new == {(hub.id, 1)}


# -- counters ----------------------------------------------------------------------------------------------------


def test_counters_rise_also_when_the_clock_is_put_back(store, hub, clock):
    first = give(store, hub).ctr
    clock.now -= 86400
    second = give(store, hub).ctr
    clock.now += 2 * 86400
    assert first < second < give(store, hub).ctr < 1 << 53


def test_counters_of_a_lost_database_start_above_what_was_used(url, store, hub, clock, tmp_path):
    used = give(store, hub).ctr
    clock.now += 1
    fresh = Store(f"sqlite:///{tmp_path / 'new.sqlite3'}", clock)
    fresh.admit([(hub.id, hub.point, "home")])
    assert give(fresh, hub).ctr > used
    fresh.close()


def test_many_at_once_get_different_counters(url, store, hub):
    others = [Store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: give(others[i % 4], hub), range(40)))
    for one in others:
        one.close()
    assert len({given.ctr for given in found}) == 40


def test_another_one_waits_until_the_broker_has_the_command(store, hub, clock):
    given = give(store, hub, sender="one")
    assert give(store, hub, sender="two") is None
    assert give(store, hub, sender="one").ctr > given.ctr
    latest = store.transactions()[0]
    store.delivered([(given.kid, given.hub, given.ctr)])
    assert give(store, hub, sender="two") is None
    store.delivered([(latest.kid, latest.hub, latest.ctr)])
    assert give(store, hub, sender="two").ctr > latest.ctr
    clock.now += HOLD_S + 1
    assert give(store, hub, sender="three") is not None


def test_one_whose_clock_was_ahead_holds_nobody_up(url, store, hub, clock):
    ahead = Store(url, lambda: NOON + 10 * 365 * 86400)
    assert give(ahead, hub, sender="one") is not None  # and is never heard of again
    ahead.close()
    clock.now += HOLD_S + 1
    assert give(store, hub, sender="two") is not None


def test_two_wishes_for_one_hub_take_turns(store, hub):
    wishes = [Wish(hub.id, "a", {}), Wish(hub.id, "b", {})]
    first = store.give(ROLE.kid, "one", wishes, sign)
    assert first[0].cmd == "a" and first[1] is None


def test_command_that_cannot_be_signed_uses_no_counter_up(store, hub):
    def fail(*_):
        raise HubError("OVERSIZED", "command")

    with pytest.raises(HubError):
        store.give(ROLE.kid, "one", [Wish(hub.id, "a", {})], fail)
    assert store.transactions() == []
    assert give(store, hub, sender="two") is not None


# -- what becomes of a command -------------------------------------------------------------------------------------


def test_command_goes_from_pending_to_done(store, hub):
    given = give(store, hub)
    assert state(store, given) == ("PENDING", "")
    store.delivered([(given.kid, given.hub, given.ctr)])
    assert state(store, given) == ("DELIVERED", "")
    (done,) = store.keep([answer(hub, given, wh=5)]).answered
    assert (done.state, done.answer, done.accepted) == ("DONE", {"wh": 5}, False)


def test_refusal_names_the_reason(store, hub):
    given = give(store, hub)
    store.keep([answer(hub, given, "refused", "NOT_AUTHORISED")])
    assert state(store, given) == ("REFUSED", "NOT_AUTHORISED")


def test_accepted_command_waits_for_its_final_word(store, hub, clock):
    given = give(store, hub, at=NOON + 86400)
    store.keep([answer(hub, given, "pending")])
    found = store.transaction(given.kid, given.hub, given.ctr)
    assert (found.state, found.accepted) == ("DELIVERED", True)
    clock.now += 86400 + 120
    assert store.overdue() == [] and store.due_again(ROLE.kid, "one") == []
    store.keep([answer(hub, given, action="accept")])
    assert state(store, given) == ("DONE", "")


def test_accepted_command_without_final_word_is_overdue_at_last(store, hub, clock):
    given = give(store, hub)
    store.keep([answer(hub, given, "pending")])
    clock.now += SETTLE_S + 1
    assert [one.ctr for one in store.overdue()] == [given.ctr]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_no_order_of_the_answers_makes_another_state(store, hub, order):
    given = give(store, hub)
    told = [
        answer(hub, given, "pending", n=11),
        answer(hub, given, "done", n=12, action="accept"),
        answer(hub, given, "refused", "REPLAY", n=13),  # of a copy that came late
    ]
    for i in order:
        store.keep([told[i]])
    assert state(store, given) == ("DONE", "")


def test_replay_is_believed_when_nothing_else_was_said(store, hub):
    given = give(store, hub)
    store.keep([answer(hub, given, "refused", "REPLAY")])
    assert state(store, given) == ("REFUSED", "REPLAY")


def test_answer_of_another_hub_changes_nothing(store, hub):
    other = SimulatedHub([ROLE])
    store.admit([(other.id, other.point, "other")])
    given = give(store, hub)
    store.keep([answer(other, given)])
    assert state(store, given) == ("PENDING", "")


def test_overdue_is_told_to_one_and_a_late_answer_counts(url, store, hub, clock):
    given = give(store, hub, life_s=60)
    clock.now += 60
    assert store.overdue() == []
    clock.now += 1
    other = Store(url, clock)
    assert [one.ctr for one in other.overdue()] == [given.ctr]
    assert store.overdue() == []
    other.close()
    assert state(store, given) == ("OVERDUE", "")
    store.keep([answer(hub, given)])
    assert state(store, given) == ("DONE", "")


def test_command_without_answer_is_sent_again_by_whoever_is_there(store, hub, clock):
    given = give(store, hub, sender="dead", life_s=10_000)
    assert store.due_again(ROLE.kid, "two") == []
    for pause in AGAIN_S[:3]:
        clock.now += pause
        assert [one.token for one in store.due_again(ROLE.kid, "two")] == [given.token]
        assert store.due_again(ROLE.kid, "three") == []
    store.keep([answer(hub, given)])
    clock.now += 4000
    assert store.due_again(ROLE.kid, "two") == []


def test_earlier_command_is_not_sent_again_after_a_later_one(store, hub, clock):
    give(store, hub, life_s=1000)
    later = give(store, hub, life_s=1000)
    clock.now += AGAIN_S[0]
    assert [one.ctr for one in store.due_again(ROLE.kid, "one")] == [later.ctr]


def test_command_is_not_sent_again_after_its_deadline(store, hub, clock):
    give(store, hub, life_s=20)
    clock.now += AGAIN_S[0]
    assert store.due_again(ROLE.kid, "one") == []


# -- hubs --------------------------------------------------------------------------------------------------------


def test_hub_goes_on_in_its_life_by_what_it_says(store, clock):
    hub = SimulatedHub([ROLE])
    store.admit([(hub.id, hub.point, "")], "pending")
    store.admit([(hub.id, SimulatedHub([ROLE]).point, "thief")])
    assert store.hub(hub.id).state == "pending"
    store.admit([(hub.id, hub.point, "home")])
    assert (store.hub(hub.id).state, store.hub(hub.id).name) == ("whitelisted", "home")
    store.keep([opened(hub, hub.hello(ROLE.kid, model="x"))])
    found = store.hub(hub.id)
    assert (found.state, found.hello["model"], found.seen_at) == ("installed", "x", NOON)
    store.keep([opened(hub, hub.report(ROLE.kid, 1))])
    assert store.hub(hub.id).state == "commissioned"
    store.admit([(hub.id, hub.point, "again")])
    assert store.hub(hub.id).state == "commissioned"


@pytest.mark.parametrize("before", LIFE)
def test_every_state_leads_only_where_the_table_says(store, before):
    hub = SimulatedHub([ROLE])
    for after in LIFE:
        with store._db.begin() as connection:
            connection.execute(sa.delete(tables.hubs))
        store.admit([(hub.id, hub.point, "")], before)
        if after in LIFE[before]:
            assert store.change_state(hub.id, after).state == store.hub(hub.id).state == after
        else:
            with pytest.raises(ToolError, match=before):
                store.change_state(hub.id, after)


def test_many_hubs_tell_something_at_once(store):
    many = [SimulatedHub([ROLE]) for _ in range(5)]
    store.admit([(hub.id, hub.point, "") for hub in many])
    told = [opened(hub, raw) for hub in many for raw in (hub.hello(ROLE.kid), hub.report(ROLE.kid, 1))]
    assert len(store.keep(told).new) == 10
    assert {hub.state for hub in store.hubs()} == {"commissioned"}


def test_hub_that_is_not_known_has_no_state(store):
    with pytest.raises(ToolError, match="is not known"):
        store.change_state("0" * 16, "suspended")


# -- the database ------------------------------------------------------------------------------------------------


def test_what_is_there_is_found_again(url, store, hub, clock):
    given = give(store, hub)
    store.keep([answer(hub, given, wh=1), opened(hub, hub.report(ROLE.kid, 1))])
    again = Store(url, clock)
    assert state(again, given) == ("DONE", "") and len(again.readings()) == 1
    again.close()


def test_newer_schema_is_refused(tmp_path):
    path = tmp_path / "x.sqlite3"
    Store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE headend_about SET version = 2")
    connection.close()
    with pytest.raises(ToolError, match="has schema 2"):
        Store(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "--db wants"),
        ("sqlite://", "--db wants"),
        ("sqlite:////nowhere/at/all.sqlite3", "cannot be opened"),
        ("postgresql://nobody:secret@127.0.0.1:9/none", "cannot be opened"),
    ],
)
def test_database_that_cannot_be_had_is_one_sentence(url, said):
    with pytest.raises(ToolError, match=said) as caught:
        Store(url)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)
