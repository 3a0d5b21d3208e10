"""The whole firmware in the real image: from a fresh board to the household's own half-hours."""

import asyncio
import json
import threading

import pytest
from house import BLINKS, BREATH_MS, HALF_HOUR_S, HISTORY_S, P1, PULSE0, House, kwh, write
from world import REGS, Asker, Mosquitto, everything, new_recipient

from meterhub_tools.board.port import Line
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.recipient import link_wish

NAME = "kitchen"
TELEGRAMS = 8
TRIES, GAP_MS = 30, 100  # a telegram takes 70 ms
PULSES, PULSES_PER_S = 160, 16


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
    """A board whose firmware is frozen into its image, with a day of history and nobody's as yet."""
    with EmulatedPico(frozen_image) as pico:
        house = House(pico)
        house.wire()
        yield house


@pytest.fixture(scope="module")
def recipient():
    return new_recipient("Green Co-op")


def test_a_fresh_board_comes_up_and_shows_its_name(house):
    said = house.greeted()
    assert said["board"] == "RPI_PICO"
    assert not said["owned"]
    assert said["clock"] == "unset"
    house.sees(said["hub"][:4])


def test_it_reads_its_meter_and_keeps_the_half_hours(house):
    assert house.meterhub("settings", "set", P1) == 0
    house.live_through()
    said = house.greeted()
    (meter,) = said["meters"]
    assert meter["telegrams"] == house.whole == house.sent
    assert meter["errors"] == {}
    assert said["intervals"] == house.sent
    assert said["clock"] == "meter"


def test_it_becomes_its_owners_by_the_key_ceremony(house, desk, broker, recipient, capsys):
    chosen = write(desk, "recipient.json", json.dumps(recipient.public()))
    words = ["provision", "--name", NAME, "--broker", "cable:", "--meter", "p1", "--recipient", str(chosen)]
    words += ["--keys", str(desk / "keys"), "--registry", str(desk / "registry.sqlite")]
    assert house.meterhub(*words) == 0, capsys.readouterr()
    said = house.greeted()
    assert said["owned"]
    assert said["name"] == NAME


def test_the_customer_gets_the_half_hours_by_the_pin_on_the_display(house, broker, recipient):
    began = house.now()
    with Counting(house), house.ticking(), house.bridge(broker.port):
        linked, fetched = asyncio.run(ask_for_everything(house, broker, recipient))
    assert linked.outcome == "linked", linked.error
    assert fetched.outcome == "done", fetched.error
    household = house.meter.household
    entries = [entry for entry in fetched.result.entries if entry.values[0] is not None]
    assert len(entries) > HISTORY_S // HALF_HOUR_S
    for entry in entries[:-1]:
        registers = household.registers(entry.at)
        if entry.at < began:
            assert entry.values == (registers.import_wh, registers.export_wh)
        else:  # a half-hour that ended meanwhile may lack the telegram that a write to the flash has cost
            assert household.registers(entry.at - 10).import_wh <= entry.values[0] <= registers.import_wh


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


# -- nothing that the meter says is lost ---------------------------------------------------------------------------


class Counting:
    """While the `with` lasts, every telegram that has come whole is counted, and none that has not."""

    def __init__(self, house):
        self._house = house

    def __enter__(self):
        self._before = self._house.greeted()["meters"][0]["telegrams"], self._house.whole
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            counted, whole = self._before
            after = self._house.greeted()["meters"][0]["telegrams"]
            assert after - counted == self._house.whole - whole > 0


def prove(line):
    """Have the hub sign."""
    line.ask("prove", patience_s=60, nonce="A" * 22)


def test_every_telegram_is_counted_while_it_signs(house):
    until = house.sent + TELEGRAMS
    lost = house.sent - house.whole
    with Counting(house), house.ticking(), Line(house.pico.port) as line:
        while house.sent < until:
            prove(line)
    assert house.sent - house.whole == lost


def test_writing_to_the_flash_costs_the_telegram_that_is_under_way_and_no_other(house):
    """The chip runs from the flash that it erases: for 45 ms nobody empties the receiver, which holds 3 ms."""
    lost = house.sent - house.whole
    with Counting(house), Line(house.pico.port) as line:
        for _ in range(TRIES):
            written = threading.Thread(target=line.ask, args=("selftest",), kwargs={"part": "flash"})
            written.start()
            while written.is_alive():
                house.telegram(house.now())
                house.pico.wait_ms(GAP_MS)
            if house.sent - house.whole > lost:
                break
        else:
            pytest.fail("no telegram met a write to the flash")
        whole = house.whole
        while house.whole == whole:  # one that comes whole ends the one before it, whatever that has lost
            house.telegram(house.now())
            house.pico.wait_ms(BREATH_MS)
    assert sum(house.greeted()["meters"][0]["errors"].values()) > 0


def test_every_pulse_is_counted_while_it_signs(house):
    assert house.meterhub("settings", "set", BLINKS) == 0
    before = house.import_wh()
    words = {"count": PULSES, "per_s": PULSES_PER_S}
    pulsing = threading.Thread(target=house.pico.pulse, args=(PULSE0,), kwargs=words)
    with Line(house.pico.port) as line:
        pulsing.start()
        while pulsing.is_alive():
            prove(line)
    house.sees(f"import {kwh(before + PULSES)} kWh")
