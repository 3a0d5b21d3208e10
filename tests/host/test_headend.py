"""Head-ends at a real broker, with simulated hubs: what is forged, doubled, lost, or interrupted half-way."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import paho.mqtt.client as mqtt
import pytest
from simulated_hub import SimulatedHub, Street, sealed
from world import Mosquitto, certificates

from meterhub.codec import base64url
from meterhub_tools.broker import Broker
from meterhub_tools.errors import ToolError
from meterhub_tools.headend import HeadEnd, Role, Store, Wish, load, wire
from meterhub_tools.roles import keys

PATIENCE_S = 20
ROLE, OTHER = Role.generate("acme", "SUP"), Role.generate("grid", "DNO")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    yield server
    server.kill()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'head-end.sqlite3'}"


@pytest.fixture
def store(url):
    store = Store(url)
    yield store
    store.close()


def address(broker):
    return f"mqtt://127.0.0.1:{broker.port}"


def known_hub(store, work=None, roles=(ROLE, OTHER)):
    hub = SimulatedHub(roles, work)
    store.admit([(hub.id, hub.point, "home")])
    return hub


async def until(true, patience_s=PATIENCE_S):
    async with asyncio.timeout(patience_s):
        while not true():
            await asyncio.sleep(0.02)


def scene(broker, store, hubs, play, resend_s=0.3, **more):
    """Run play(head, street) with a head-end and the hubs at the broker; return what it returns."""

    async def run():
        async with HeadEnd(ROLE, address(broker), store, **more) as head:
            await head.connected(PATIENCE_S)
            async with Street(broker.port, hubs, resend_s) as street:
                return await play(head, street)

    return asyncio.run(run())


# -- commands ----------------------------------------------------------------------------------------------------


def test_command_is_answered(broker, store):
    hub = known_hub(store)

    async def play(head, street):
        done = await head.command(hub.id, "read.power_now", {"a": 1})
        await until(lambda: not hub.waiting)
        return done

    done = scene(broker, store, [hub], play)
    assert (done.state, done.answer) == ("DONE", {"cmd": "read.power_now", "arg": {"a": 1}})
    assert hub.ran == [("read.power_now", {"a": 1}, done.ctr)]


def test_refusal_and_acceptance_are_told_apart(broker, store):
    answers = {
        "supply.enable": {"outcome": "refused", "error": "NOT_AUTHORISED", "field": "cmd", "data": {}},
        "message.send": {"outcome": "pending", "data": {"id": 3}},
    }
    hub = known_hub(store, lambda cmd, _: answers[cmd])

    async def play(head, street):
        refused = await head.command(hub.id, "supply.enable", {})
        accepted = await head.command(hub.id, "message.send", {"text": "hello"})
        final = asyncio.create_task(head.wait(accepted, settled=True))
        await asyncio.sleep(0.3)
        assert not final.done()
        body = {"re": accepted.re, "ctr": accepted.ctr, "cmd": accepted.cmd, "outcome": "done"}
        street.say(hub, ROLE.kid, hub.letter(ROLE.kid, "answer", **body, data={"action": "accept"}))
        return refused, accepted, await final

    refused, accepted, final = scene(broker, store, [hub], play)
    assert (refused.state, refused.error, refused.field) == ("REFUSED", "NOT_AUTHORISED", "cmd")
    assert (accepted.state, accepted.accepted) == ("DELIVERED", True)
    assert (final.state, final.answer) == ("DONE", {"action": "accept"})


def test_silent_hub_is_overdue_and_its_late_answer_counts(broker, store):
    hub = known_hub(store)

    async def play(head, street):
        street.silent = True
        late = await head.command(hub.id, "read.power_now", {}, life_s=1)
        assert late.state == "OVERDUE"
        _, answer = hub.command(late.token.encode())
        street.say(hub, ROLE.kid, answer)
        await until(lambda: store.transaction(late.kid, late.hub, late.ctr).state == "REFUSED")
        return store.transaction(late.kid, late.hub, late.ctr)

    assert scene(broker, store, [hub], play).error == "EXPIRED"


def test_command_that_cannot_be_is_refused_here(broker, store):
    hub, gone = known_hub(store), known_hub(store)
    store.change_state(gone.id, "withdrawn")

    async def play(head, street):
        for where, arg, said in (
            ("0" * 16, {}, "is not known here"),
            (gone.id, {}, "withdrawn"),
            (hub.id, {"x": "y" * 4000}, "OVERSIZED"),
        ):
            with pytest.raises(ToolError, match=said):
                await head.send(where, "read.power_now", arg)
        for life_s in (0, 604801):
            with pytest.raises(ToolError, match="1 second to 7 days"):
                await head.send(hub.id, "read.power_now", {}, life_s=life_s)

    scene(broker, store, [hub], play)
    assert store.transactions() == [] and hub.ran == []


# -- letters -----------------------------------------------------------------------------------------------------


def test_letters_are_collected_once_whatever_comes_twice(broker, store):
    hub = known_hub(store)

    async def play(head, street):
        first = hub.report(ROLE.kid, 1, wh=1)
        second = hub.report(ROLE.kid, 2, wh=2)
        for raw in (second, first, first, second, first):
            street.say(hub, ROLE.kid, raw)
        await until(lambda: not hub.waiting and head.done["again"] == 3)
        street.say(hub, ROLE.kid, first)  # replayed by somebody, long after
        await until(lambda: head.done["again"] == 4)
        return head.done["report"], head.done["again"]

    new, again = scene(broker, store, [hub], play, resend_s=0)
    assert (new, again) == (2, 4)
    assert [(one.seq, one.data) for one in store.readings()] == [(1, {"wh": 1}), (2, {"wh": 2})]


def test_what_is_forged_or_not_for_us_gets_no_receipt_and_stops_nothing(broker, store):
    hub, other, thief = known_hub(store), known_hub(store), SimulatedHub([ROLE])
    forged = {"v": 1, "hub": hub.id, "to": ROLE.kid, "n": 99, "at": 1, "clock": "synced", "kind": "report"}
    token = thief.sign(forged | {"schedule": 1, "seq": 1, "data": {}}, {"kid": hub.id})
    fake, _ = sealed(token.encode(), wire.public_key(ROLE.point))

    async def play(head, street):
        for raw in (fake, b"junk", b"x" * 20_000, hub.report(OTHER.kid, 1), other.report(ROLE.kid, 1)):
            street.say(hub, ROLE.kid, raw)
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 5))
        await until(lambda: set(hub.waiting) == {1} and sum(head.refused.values()) == 5)
        return dict(head.refused)

    refused = scene(broker, store, [hub, other], play, resend_s=0)
    # another hub's letter on this hub's topic is not authentic, as is one of a thief; another role's has another seal
    assert refused == {"NOT_AUTHENTIC": 3, "MALFORMED": 1, "OVERSIZED": 1}
    assert [one.seq for one in store.readings()] == [5]
    assert set(other.waiting) == {1}


def test_letter_that_the_database_does_not_take_stops_no_other(broker, store, url):
    hub = known_hub(store)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON headend_readings WHEN NEW.seq = 2 "
            "BEGIN SELECT RAISE(ABORT, 'fault'); END"
        )
    connection.close()

    async def play(head, street):
        for seq in (1, 2, 3):
            street.say(hub, ROLE.kid, hub.report(ROLE.kid, seq))
        await until(lambda: head.refused["RECORD_FAILED"] and set(hub.waiting) == {2})

    scene(broker, store, [hub], play, resend_s=0)
    assert [one.seq for one in store.readings()] == [1, 3]


# -- hubs --------------------------------------------------------------------------------------------------------


def test_hub_registers_itself_and_is_collected_from(broker, store):
    hub = SimulatedHub([ROLE])

    async def play(head, street):
        street.say(hub, ROLE.kid, hub.hello(ROLE.kid, model="pico"))
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
        await until(lambda: not hub.waiting)

    scene(broker, store, [hub], play)
    found = store.hub(hub.id)
    assert (found.state, found.key, found.hello["model"]) == ("commissioned", hub.point, "pico")


def test_hub_that_nobody_vouches_for_waits_until_somebody_does(broker, store):
    hub = SimulatedHub([ROLE])

    async def play(head, street):
        street.say(hub, ROLE.kid, hub.hello(ROLE.kid))
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
        await until(lambda: head.refused["NOT_AUTHORISED"] > 1 and set(hub.waiting) == {2})
        assert store.hub(hub.id).state == "pending" and not store.readings()
        store.change_state(hub.id, "whitelisted")
        await until(lambda: not hub.waiting)

    scene(broker, store, [hub], play, vouched=lambda _hub, _key: False)
    assert len(store.readings()) == 1


def test_strangers_do_not_fill_the_database(broker, store, monkeypatch):
    monkeypatch.setattr("meterhub_tools.headend.head_end.MOST_PENDING", 2)
    hubs = [SimulatedHub([ROLE]) for _ in range(4)]

    async def play(head, street):
        for hub in hubs:
            street.say(hub, ROLE.kid, hub.hello(ROLE.kid))
        await until(lambda: head.refused["STORE_FULL"] == 2 and head.done["hello"] == 2)

    scene(broker, store, hubs, play, resend_s=0, vouched=lambda _hub, _key: False)
    assert [hub.state for hub in store.hubs()] == ["pending", "pending"]


def test_suspended_hub_keeps_its_letters_until_it_is_back(broker, store):
    hub = known_hub(store)

    async def play(head, street):
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
        await until(lambda: not hub.waiting)
        store.change_state(hub.id, "suspended")
        await asyncio.sleep(1.5)
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 2))
        await until(lambda: head.refused["NOT_AUTHORISED"])
        assert len(store.readings()) == 1
        store.change_state(hub.id, "commissioned")
        await until(lambda: not hub.waiting)

    scene(broker, store, [hub], play)
    assert [one.seq for one in store.readings()] == [1, 2]


def test_change_of_state_is_seen_though_another_ones_clock_was_ahead(broker, url, store):
    hub, other = known_hub(store), known_hub(store)
    ahead = Store(url, lambda: time.time() + 5)

    async def play(head, street):
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
        street.say(other, ROLE.kid, other.report(ROLE.kid, 1))
        await until(lambda: not hub.waiting and not other.waiting)
        ahead.change_state(hub.id, "suspended")
        await until(lambda: head._known[hub.id].state == "suspended")
        store.change_state(other.id, "suspended")
        await until(lambda: head._known[other.id].state == "suspended", 4)

    scene(broker, store, [hub, other], play)
    ahead.close()


def test_stranger_whose_hello_is_lost_is_known_by_its_card(broker, store):
    hub = SimulatedHub([ROLE])
    card = {"v": 1, "hub": hub.id, "key": base64url.encode(hub.point), "at": 1_800_000_000, "name": "kitchen"}

    async def play(head, street):
        street.card(hub, hub.sign(card, {"typ": "mhx-card"}).encode())
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
        await until(lambda: not hub.waiting)

    scene(broker, store, [hub], play)
    assert (store.hub(hub.id).name, len(store.readings())) == ("kitchen", 1)


# -- several of them, and what dies under way ---------------------------------------------------------------------


def test_two_share_the_work_and_each_knows_what_the_other_has_heard(broker, url):
    store, second = Store(url), Store(url)
    hubs = [known_hub(store) for _ in range(12)]

    async def run():
        async with (
            HeadEnd(ROLE, address(broker), store) as one,
            HeadEnd(ROLE, address(broker), second) as two,
            Street(broker.port, hubs, 1.0) as street,
        ):
            await one.connected(PATIENCE_S)
            await two.connected(PATIENCE_S)
            for seq in range(5):
                for hub in hubs:
                    street.say(hub, ROLE.kid, hub.report(ROLE.kid, seq))
            both = [head.command(hub.id, "read.power_now", {}) for hub in hubs for head in (one, two)]
            done = await asyncio.gather(*both)
            await until(lambda: not any(hub.waiting for hub in hubs))
            return done, one.done, two.done

    done, one, two = asyncio.run(run())
    assert {given.state for given in done} == {"DONE"}
    assert all(len(hub.ran) == 2 for hub in hubs)
    assert one["report"] + two["report"] == 60 == len(store.readings())
    assert one["answer"] + two["answer"] == 24 and one["report"] and two["report"]
    store.close()
    second.close()


DYING = """
import asyncio, os, sys
from pathlib import Path
from meterhub_tools.headend import HeadEnd, Store, load

class Dying(HeadEnd):
    async def _surely(self, work, *args):
        found = await super()._surely(work, *args)
        if work.__name__ == "keep" and args[0]:
            os._exit(9)  # the letters are stored; nobody has been told
        return found

async def main(broker, url, folder):
    async with Dying(load(Path(folder), "acme"), broker, Store(url)) as head:
        await head.connected(20)
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


def test_letter_is_not_doubled_by_a_death_between_store_and_receipt(broker, store, url, tmp_path):
    keys.new(tmp_path / "roles", "acme", "SUP")
    role = load(tmp_path / "roles", "acme")
    hub = known_hub(store, roles=[role])

    async def run():
        async with Street(broker.port, [hub], 0.3) as street:
            words = [sys.executable, "-c", DYING, address(broker), url, str(tmp_path / "roles")]
            dying = subprocess.Popen(words, stdout=subprocess.PIPE)
            assert await asyncio.to_thread(dying.stdout.readline) == b"ready\n"
            street.say(hub, role.kid, hub.report(role.kid, 1, wh=7))
            assert await asyncio.to_thread(dying.wait, PATIENCE_S) == 9
            assert len(store.readings()) == 1 and hub.waiting
            async with HeadEnd(role, address(broker), store) as head:
                await until(lambda: not hub.waiting)
                return head.done["report"]

    assert asyncio.run(run()) == 0
    assert [(one.seq, one.data) for one in store.readings()] == [(1, {"wh": 7})]


def test_command_of_one_that_died_is_sent_by_another(broker, url):
    clock = [time.time()]
    store = Store(url, lambda: clock[0])
    hub = known_hub(store)
    (given,) = store.give(
        ROLE.kid, "dead", [Wish(hub.id, "read.power_now", {}, life_s=600)], signed
    )  # written down, and never sent
    clock[0] += 31

    async def play(head, street):
        return await head.wait(given)

    assert scene(broker, store, [hub], play).state == "DONE"
    assert len(hub.ran) == 1
    store.close()


def signed(wish, ctr, iat):
    claims = {"hub": wish.hub, "ctr": ctr, "iat": iat, "exp": iat + wish.life_s, "cmd": wish.cmd, "arg": wish.arg}
    return wire.command(ROLE, claims)


def test_nothing_is_lost_while_the_broker_is_away(tmp_path, url):
    broker = Mosquitto(tmp_path).start()
    ahead = [0]
    store = Store(url, lambda: time.time() + ahead[0])
    hub = known_hub(store)

    async def run():
        async with HeadEnd(ROLE, address(broker), store) as head:
            await head.connected(PATIENCE_S)
            broker.kill()
            await until(lambda: not head.online)
            given = await head.send(hub.id, "read.power_now", {}, life_s=600)
            assert given.state == "PENDING"
            broker.start()
            async with Street(broker.port, [hub], 0.3) as street:
                street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
                await until(lambda: not hub.waiting)
                ahead[0] = 31  # what went out before the hub was back is gone: it is repeated
                return await head.wait(given)

    assert asyncio.run(run()).state == "DONE"
    assert len(hub.ran) == 1 and len(store.readings()) == 1
    broker.kill()
    store.close()


def test_nothing_is_receipted_while_the_database_is_away(broker, store, url):
    hub = known_hub(store)

    async def play(head, street):
        blocker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        street.say(hub, ROLE.kid, hub.report(ROLE.kid, 1))
        await asyncio.sleep(1)
        assert hub.waiting and not street.receipts
        blocker.execute("ROLLBACK")
        blocker.close()
        await until(lambda: not hub.waiting)

    scene(broker, store, [hub], play)
    assert len(store.readings()) == 1


def test_many_letters_come_through_tls(tmp_path, store):
    broker = Mosquitto(tmp_path, tls=True).start()
    hub = known_hub(store)

    async def run():
        async with HeadEnd(ROLE, f"mqtts://localhost:{broker.port}", store, ca=tmp_path / "ca.pem") as head:
            await head.connected(PATIENCE_S)
            publisher = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
            publisher.tls_set(str(tmp_path / "ca.pem"))
            publisher.connect("localhost", broker.port)
            publisher.loop_start()
            for seq in range(200):
                publisher.publish(wire.letters(hub.id, ROLE.kid), hub.report(ROLE.kid, seq), 1)
            await until(lambda: head.done["report"] == 200)
            publisher.disconnect()
            publisher.loop_stop()

    asyncio.run(run())
    broker.kill()


def test_stranger_among_the_brokers_is_not_believed(tmp_path, store):
    broker = Mosquitto(tmp_path, tls=True).start()

    async def run():
        (tmp_path / "other").mkdir()
        certificates(tmp_path / "other")
        async with HeadEnd(ROLE, f"mqtts://localhost:{broker.port}", store, ca=tmp_path / "other/ca.pem") as head:
            await head.connected(2)

    with pytest.raises(ToolError, match=r"(?i)certificate"):
        asyncio.run(run())
    broker.kill()


def test_broker_that_is_not_there_is_said(store):
    async def run():
        async with HeadEnd(ROLE, "mqtt://127.0.0.1:9", store) as head:
            await head.connected(1)

    with pytest.raises(ToolError, match="cannot be reached"):
        asyncio.run(run())


def test_broker_without_shared_subscriptions_is_told_from_one_that_is_away(store):
    async def run(broker):
        async with HeadEnd(ROLE, broker.url(), store) as head:
            await head.connected(3)

    with Broker() as broker, pytest.raises(ToolError, match="MQTT 5, try --group ''"):
        asyncio.run(run(broker))


@pytest.mark.parametrize("where", ["http://a", "mqtt://", "mqtt://a:x", "nonsense"])
def test_address_that_is_none_is_said(store, where):
    async def run():
        HeadEnd(ROLE, where, store)

    with pytest.raises(ToolError, match="--broker wants"):
        asyncio.run(run())


# -- the service -------------------------------------------------------------------------------------------------


def test_service_collects_and_ends_cleanly(broker, store, url, tmp_path):
    keys.new(tmp_path / "roles", "acme", "SUP")
    role = load(tmp_path / "roles", "acme")
    hub = SimulatedHub([role])
    words = [sys.executable, "-m", "meterhub_tools.cli", "head-end", "--role", "SUP", "--broker", address(broker)]
    words += ["--db", url, "--keys", str(tmp_path), "--status", "0.2", "--json"]

    async def run():
        with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"}) as service:
            first = await asyncio.to_thread(service.stdout.readline)
            while not json.loads(await asyncio.to_thread(service.stdout.readline))["online"]:
                pass
            async with Street(broker.port, [hub], 0.3) as street:
                street.say(hub, role.kid, hub.hello(role.kid))
                street.say(hub, role.kid, hub.report(role.kid, 1))
                await until(lambda: not hub.waiting)
            service.send_signal(signal.SIGTERM)
            said = await asyncio.to_thread(service.communicate)
            return first, said[0], service.returncode

    first, said, status = asyncio.run(run())
    assert role.kid in first.decode() and status == 0
    assert said.decode().splitlines()[-1] == "stopped"
    assert len(store.readings()) == 1
