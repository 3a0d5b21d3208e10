"""The whole firmware in the real image: from a fresh board to the household's own half-hours."""

import asyncio
import json
import time

import pytest
from house import PINS, House, write
from world import REGS, Asker, Mosquitto, everything, new_recipient

from meterhub_tools.board.port import Line, Repl
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.recipient import link_wish

NAME = "kitchen"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def house(frozen_image):
    """A board whose firmware is frozen into its image, with two days of history and nobody's as yet."""
    with EmulatedPico(frozen_image) as pico, House(pico) as house:
        with Repl(pico.port) as repl:
            repl.exec(f"f = open('/pins.json', 'w'); f.write({PINS.read_text()!r}); f.close()", "wire the board")
        yield house


@pytest.fixture(scope="module")
def recipient():
    return new_recipient("Green Co-op")


def greeted(house, patience_s=60):
    """Return what the hub says of itself, as soon as it has come up."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with Line(house.pico.port) as line:
                return line.hub | line.ask("info")
        except Exception:
            if time.monotonic() > deadline:
                raise


def test_a_fresh_board_comes_up_and_shows_its_name(house):
    said = greeted(house)
    assert said["board"] == "RPI_PICO"
    assert not said["owned"]
    assert said["clock"] == "unset"
    house.sees(said["hub"][:4])


def test_it_reads_its_meter_and_keeps_the_half_hours(house):
    assert house.meterhub("settings", "set", 'meters=[{"protocol": "p1", "input": "p1"}]') == 0
    house.live_through()
    said = greeted(house)
    assert [(meter["telegrams"], meter["errors"]) for meter in said["meters"]] == [(house.sent, {})]
    assert said["intervals"] == house.sent
    assert said["clock"] == "meter"


def test_it_becomes_its_owners_by_the_key_ceremony(house, desk, broker, recipient, capsys):
    chosen = write(desk, "recipient.json", json.dumps(recipient.public()))
    words = ["provision", "--name", NAME, "--broker", "cable:", "--meter", "p1", "--recipient", str(chosen)]
    words += ["--keys", str(desk / "keys"), "--registry", str(desk / "registry.sqlite")]
    assert house.meterhub(*words) == 0, capsys.readouterr()
    said = greeted(house)
    assert said["owned"]
    assert said["name"] == NAME


def test_the_customer_gets_the_half_hours_by_the_pin_on_the_display(house, broker, recipient):
    house.tick()
    with house.bridge(broker.port) as bridge:
        linked, fetched = asyncio.run(ask_for_everything(house, broker, recipient))
        free = bridge.ask("info")
    assert linked.outcome == "linked", linked.error
    assert fetched.outcome == "done", fetched.error
    household = house.meter.household
    entries = [entry for entry in fetched.result.entries if entry.values[0] is not None]
    assert len(entries) > 2 * 48
    for entry in entries[:-1]:
        registers = household.registers(entry.at)
        assert entry.values == (registers.import_wh, registers.export_wh)
    assert free["meters"][0]["errors"] == {}


async def ask_for_everything(house, broker, recipient):
    asker = Asker(recipient, broker.port)
    try:
        hub = await seen(asker)
        card = await asker.card(hub, 120, lambda card: card.have is not None)
        until = house.now() + 365 * 86400
        linked = await asker.exchange(card, link_wish(REGS, "half-hour", until), agreeing(house), 180, house.now)
        fetched = await asker.exchange(card, everything("private", card.have), agreeing(house), 240, house.now)
        return linked, fetched
    finally:
        asker.close()


async def seen(asker):
    async with asyncio.timeout(60):
        while not asker.cards:
            await asyncio.sleep(0.1)
    return next(iter(asker.cards))


def agreeing(house):
    """Return a person who agrees on the display and types what it shows."""

    async def person(run):
        if run.state == "asked":
            await asyncio.to_thread(house.sees, "who asks")
            await asyncio.to_thread(house.pico.wait_ms, 1000)
            await asyncio.to_thread(house.press, "B")
            return None
        return await asyncio.to_thread(house.pin)

    return person
