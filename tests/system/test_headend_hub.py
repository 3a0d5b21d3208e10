"""The head-end and a real hub: provisioned on the cable, told of a role by its owner, commanded over a real broker."""

import asyncio
import json
import time

import pytest
from cabled_hub import CabledHub
from market import files
from operator_desk import Desk
from world import Mosquitto

from meterhub_tools.headend import HeadEnd, Store, load

PATIENCE_S = 20


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A broker, a hub at it, and an operator who owns the hub and has granted it the role acme."""
    folder = tmp_path_factory.mktemp("house")
    broker, desk = Mosquitto(folder), Desk(folder / "desk")
    broker.start()
    url = f"mqtt://127.0.0.1:{broker.port}"
    with CabledHub(folder / "hub") as hub:
        status, said = desk.provision(hub.port, "--broker", url, "--wait", PATIENCE_S)
        assert status == 0, said
        for words in (("new", "acme", "--role", "SUP"), ("grant", "acme", "--hub", "kitchen", "--broker", url)):
            status, said = desk.run("role", *words, "--keys", desk.keys)
            assert status == 0, said
        yield House(desk, hub, url, broker)
    broker.kill()


class House:
    def __init__(self, desk, hub, url, broker):
        self.desk, self.hub, self.url, self.broker = desk, hub, url, broker
        self.store = Store(f"sqlite:///{desk.keys / 'head-end.sqlite3'}")
        ((self.id, self.name),) = [(one.hub, one.name) for one in self.store.hubs()]

    def head(self):
        return HeadEnd(load(self.desk.keys / "roles", "acme"), self.url, self.store)

    def letters(self, kid):
        """Return how many letters to a role the broker has had from the hub."""
        topic = f"'meterhub/{self.id}/up/role-{kid}'"
        lines = self.broker.log.read_text().splitlines()
        return len([line for line in lines if "Received PUBLISH" in line and topic in line])

    def run(self, work):
        """Run `work(head-end)` with a head-end at the broker."""

        async def run():
            async with self.head() as head:
                await head.connected(PATIENCE_S)
                return await asyncio.wait_for(work(head), 3 * PATIENCE_S)

        return asyncio.run(run())


def until(fits, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := fits()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def test_a_command_is_done_and_its_answer_is_of_the_hub(house):
    given = house.run(lambda head: head.command(house.id, "read.clock", {}))
    assert (given.state, given.error) == ("DONE", "")
    assert abs(given.answer["at"] - time.time()) < 30
    assert house.store.transaction(given.kid, given.hub, given.ctr).state == "DONE"


def test_what_the_hub_refuses_is_refused_by_name(house):
    given = house.run(lambda head: head.command(house.id, "set.voltage_config", {}))
    assert (given.state, given.error, given.field) == ("REFUSED", "NOT_AUTHORISED", "cmd")
    given = house.run(lambda head: head.command(house.id, "read.clock", {"no": 1}))
    assert (given.state, given.error) == ("REFUSED", "MALFORMED")


def test_what_the_hub_tells_unasked_is_stored_once(house):
    async def alerted(head):
        while not (found := house.store.alerts(house.id)):
            await asyncio.sleep(0.05)
        while any(head.role.kid.encode() in raw for raw in files(house.hub.data / "letters").values()):
            await asyncio.sleep(0.05)  # a letter is kept until its receipt has come
        return found

    (alert,) = house.run(alerted)
    assert (alert.event, alert.code) == ("credentials", 0x8F70)


def test_a_hub_that_is_away_is_overdue_and_its_late_answer_counts(house):
    async def given(head):
        return await head.taken(await head.send(house.id, "read.clock", {}, life_s=15), PATIENCE_S)

    async def overdue_and_then(head):
        overdue = await head.wait(sent)
        house.hub.cut_power()
        while (found := house.store.transaction(sent.kid, sent.hub, sent.ctr)).state == "OVERDUE":
            await asyncio.sleep(0.05)
        return overdue, found

    house.hub.freeze()
    sent = house.run(given)
    assert sent.state == "DELIVERED"
    before = house.letters(sent.kid)
    house.hub.freeze(False)  # nobody hears its letter
    until(lambda: [e for e in house.hub.journal("command done") if f"/{sent.ctr}" in e["detail"]], "not done")
    until(lambda: house.letters(sent.kid) > before, "no letter")
    house.hub.freeze()
    overdue, late = house.run(overdue_and_then)
    assert overdue.state == "OVERDUE"
    assert (late.state, late.error, late.re) == ("DONE", "", sent.re)
    assert late.answered_ms > 1000 * late.deadline


def test_nothing_of_the_roles_key_is_in_what_was_printed(house):
    pem = (house.desk.keys / "roles/acme.pem").read_text().splitlines()[1]
    assert pem not in house.desk.shown
    assert (
        json.loads((house.desk.keys / "roles/acme.json").read_text())["kid"]
        in house.desk.run("role", "list", "--keys", house.desk.keys)[1]
    )
