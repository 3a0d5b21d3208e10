"""The whole hub without power: after any write to its flash, again and again, and what it still knows each time."""

import contextlib
import itertools
import json
import threading

import pytest
from house import BLINKS, BREATH_MS, HALF_HOUR_S, PULSE0, START_S, House, kwh
from operator_desk import Desk

from meterhub_tools.board.port import Line, wait_for_hub
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.errors import ToolError
from meterhub_tools.owner import archive

from meterhub.store.columns import column_of  # isort: skip
from meterhub.store.profile import Profile  # isort: skip

HISTORY_S = 6 * 3600
LATER_S = 10  # the power is back, and the meter goes on
PULSES, PULSES_PER_S = 20, 20
LOOKED_MS = 11_000  # without a pulse the register is shown after ten seconds
SAVED_MS = 22_000  # ten pulses are saved ten seconds later at the latest


@pytest.fixture(scope="module")
def house(frozen_image):
    """A board that is wired, off, and has never started with its pins known."""
    with EmulatedPico(frozen_image) as pico:
        house = House(pico, HISTORY_S)
        house.wire()
        pico.power_cut()
        yield house


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("desk"))


class Blackout:
    """While the `with` lasts: the power goes after so many flash operations, and comes back at once.

    came: whether it did.
    """

    def __init__(self, pico: EmulatedPico, operations: int) -> None:
        self._pico = pico
        self._operations = operations
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._restore)
        self.came = False

    def __enter__(self) -> "Blackout":
        self._pico.listeners.append(self._listen)
        self._pico.cut_after(self._operations, torn=self._operations % 2 == 0)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._pico.cut_after(None)
        self._over.set()
        self._thread.join()
        self._pico.listeners.remove(self._listen)

    def _listen(self, event: dict) -> None:
        if event["ev"] == "off" and event["why"] == "cut":
            self.came = True
            self._over.set()

    def _restore(self) -> None:
        self._over.wait()
        if self.came:
            self._pico.start()


def first_words(pico: EmulatedPico) -> tuple[str, bool]:
    """Switch the hub on; return the id that it has told the world, "" for none, and whether its power stayed."""
    hub = ""
    with contextlib.suppress(ToolError):
        pico.start()
        line = Line(pico.port)
        line.open()
        try:
            hub = line.wait(lambda event: event["ev"] == "start", START_S)["hub"]
            return hub, bool(line.greet())
        finally:
            line.close()
    return hub, False


@pytest.mark.parametrize("torn", [False, True])
def test_power_that_goes_during_the_first_starts_leaves_a_hub_with_one_identity(house, torn):
    pico, told, lives = house.pico, set(), 0
    before = pico.flash
    for operations in itertools.count(1):
        pico.cut_after(operations, torn=torn)
        hub, stayed = first_words(pico)
        told |= {hub} - {""}
        lives += 1
        if stayed:
            break
    pico.cut_after(None)
    assert wait_for_hub(pico.port, START_S)["hub"] == hub
    assert told == {hub}
    assert lives > 3
    pico.power_cut()
    if not torn:
        pico.flash = before


def owned(house, desk) -> bool:
    """Return whether the hub has an owner; it has the one, all of it and its settings, or nobody."""
    said = house.greeted()
    with Line(house.pico.port) as line:
        settings = line.ask("settings")["settings"]
    ours = json.loads(desk.run("hubs", "list", "--keys", desk.keys, "--json")[1] or "[]") if said["owned"] else []
    assert [hub["hub"] for hub in ours] in ([], [said["hub"]])
    assert bool(said["root"]) == said["owned"]
    wired = [(meter["protocol"], meter["input"]) for meter in settings["meters"]]
    assert (settings["name"], wired) in (("meterhub", []), ("kitchen", [("p1", "p1")]))
    return said["owned"]


def test_power_that_goes_during_the_key_ceremony_leaves_an_owner_or_none_and_the_next_run_completes_it(house, desk):
    house.pico.start()
    hub, found = house.greeted()["hub"], []
    for operations in itertools.accumulate(itertools.count(1, 6)):
        with Blackout(house.pico, operations) as blackout:
            status, said = desk.provision(house.pico.port, "--broker", "none", "--meter", "p1")
        assert house.greeted()["hub"] == hub
        found.append(owned(house, desk))
        if not blackout.came:
            break
    assert status == 0, said
    assert found == sorted(found)
    assert set(found) == {False, True}


def test_power_that_goes_while_intervals_are_written_costs_none_of_them(house, desk):
    start = -(-house.meter.household.start // HALF_HOUR_S) * HALF_HOUR_S
    ends = range(start, house.now() - HALF_HOUR_S, HALF_HOUR_S)
    blackouts = 0
    for kept, end in enumerate(ends):
        with Blackout(house.pico, 1 + kept % 3) as blackout:
            house.telegram(end)
            house.pico.wait_ms(BREATH_MS)
        if blackout.came:
            blackouts += 1
            assert house.greeted()["intervals"] in (kept, kept + 1)
            house.telegram(end + LATER_S)
            house.pico.wait_ms(BREATH_MS)
    assert blackouts > 3
    found = entries(house, desk)
    assert list(found) == list(ends)
    for end in ends:
        assert found[end] in [house.meter.household.registers(at).import_wh for at in (end, end + LATER_S)]


def entries(house, desk) -> dict[int, int]:
    """Return what the hub has kept of its first register: a backup's intervals."""
    file = desk.folder / "backup.zip"
    assert desk.run("backup", file, "--port", house.pico.port)[0] == 0
    folder = desk.folder / "profile"
    folder.mkdir()
    for name, raw in archive.load(file).files.items():
        if name.startswith("profile/"):
            (desk.folder / name).write_bytes(raw)
    profile = Profile(str(folder), [column_of(obis) for obis in ("1-0:1.8.0", "1-0:2.8.0")])
    return {entry.at: entry.values[0] for entry in profile.read(profile.first, profile.last)}


def test_a_count_of_pulses_never_falls_below_what_was_saved(house, desk):
    """Of what came since then some may be lost, and while there was no power nothing is counted."""
    assert desk.run("settings", "set", BLINKS, "--port", house.pico.port)[0] == 0
    total, found = house.import_wh(), []
    for operations in itertools.count(1):
        with Blackout(house.pico, operations) as blackout:
            house.pico.pulse(PULSE0, PULSES, PULSES_PER_S, wait=False)  # the power may go while they come
            pass_by(house.pico, SAVED_MS)
        if not blackout.came:
            break
        pass_by(house.pico, LOOKED_MS)
        now = house.import_wh()
        found.append(now - total)
        total = now
    house.sees(f"import {kwh(total + PULSES)} kWh")
    assert len(found) > 1
    assert all(0 <= count <= PULSES for count in found)


def pass_by(pico: EmulatedPico, ms: float) -> None:
    """Let so much time of the board's pass as quickly as it can."""
    pico.set_pace(None)
    pico.wait_ms(ms)
    pico.set_pace(1.0)
