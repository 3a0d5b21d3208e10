"""The hub on the emulated Pico: memory while it works, the time to its first reading, and what it misses meanwhile.

The real image of MicroPython for the RP2040, once with the firmware frozen in, once as published, with the firmware
deployed as .mpy files. Memory is counted by pico/probe.py, which also takes away what a heap of 190 KB has less, and
what a TLS session holds: the emulated board's broker is behind its cable. Time is the board's own. What follows from
it about a board in somebody's hand: the bytes; of the time only what the processor takes, not its waits for flash.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import size
from board_home import START_S, Home, Prepared, deployed, frozen, put, settings, switched_on
from customer import check
from figures import Table
from history import END, REGISTERS
from house import P1_UART, PULSE0, Bridge
from worker import HERE, Broken

from meterhub_tools.board import deploy
from meterhub_tools.board.port import Line, Repl, wait_for_hub
from meterhub_tools.broker import Broker
from meterhub_tools.emulator import image
from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.errors import ToolError
from meterhub_tools.recipient import data_wish

HEAPS = {"whole heap": 0, "190 KB": 190 * 1024}
GOALS = {"frozen, 190 KB": 120 * 1024, ".mpy, 190 KB": 60 * 1024}
LOOK, HOLD, LOAD = 2, 3, 6  # GPIO, of pico/probe.py
PROBE_UART = 0
EDGE_MS, LOOK_MS, HOLD_MS, LOAD_MS = 5, 800, 500, 6000
EXPORT_DAYS = 30
PULSES, PULSES_PER_S = 480, 16
PUBLIC_KEY = ("ECDSA", "ECDH", "SPAKE2")  # of the self-test
SETTLED_MS = 5000  # the hub has told the broker who it is
SHOWN_MS = 11_000  # without a pulse the register is shown after ten seconds
STATUS_MS = 1500  # the hub tells once a second what it has counted
EVENT_S = 0.1
# other displays, a radio, what needs a network, what only a wipe needs and only a PC has; a package comes with its own
NOT_LOADED = ("__init__", "_crc_host", "digits", "hd44780", "max7219", "ntp", "radio", "tm1637", "wipe")
BOOT = "import gc\ngc.collect()\n_before = gc.mem_alloc()\nimport probe\nprobe.begin(_before, {})\n"
STATES = {
    "idle": "after its start, at its broker",
    "tls": "the same, a TLS session's 27 KB taken",
    "export": f"in an export of {EXPORT_DAYS} days, at the least",
    "tls export": "in an export with TLS, at the least",
    "all": "everything loaded",
    "tls all": "everything loaded, with TLS",
}

_DECODE = """
import gc, time
from meterhub.meters.p1 import P1Decoder
raw = {raw!r}
p1 = P1Decoder()
times = []
for _ in range(5):
    gc.collect()
    began = time.ticks_us()
    found = len(p1.feed(raw, len(raw)))
    times.append(time.ticks_diff(time.ticks_us(), began))
    assert found == 1
"""


def tables() -> list[Table]:
    """Return the tables of memory, of time, and of what was counted."""
    if not image.available():
        raise Broken("MicroPython's sources for the RP2040 are not in this checkout; type: make test")
    built = frozen()
    boards = {"frozen": built, ".mpy": deployed(built)}
    runs = {f"{kind}, {heap}": _memory(board, HEAPS[heap]) for kind, board in boards.items() for heap in HEAPS}
    return [
        _memory_table("Free heap of the hub on an emulated Pico, bytes", runs, 0),
        _memory_table("Largest free piece of it, bytes", runs, 1),
        _time_table({kind: first_reading(board) for kind, board in boards.items()}),
        _decode_table({kind: _decoding(board) for kind, board in boards.items()}),
        _count_table(runs, _pulses(boards["frozen"])),
    ]


# -- memory ------------------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What one board went through. looks: state -> (free, largest piece), the least of each; troubles: what failed."""

    looks: dict[str, tuple[int, int]]
    troubles: list[str]
    sent: int
    counted: int


class Probe:
    """The computer's side of pico/probe.py. looks, troubles: as in Run."""

    def __init__(self, pico: EmulatedPico) -> None:
        self._pico = pico
        self.looks: dict[str, tuple[int, int]] = {}
        self.troubles: list[str] = []

    def look(self, state: str) -> None:
        """Have the board count, under the name of `state`."""
        for said in self._edge(LOOK, LOOK_MS):
            free, piece = map(int, said.split())
            least = self.looks.get(state, (free, piece))
            self.looks[state] = min(free, least[0]), min(piece, least[1])

    def do(self, gpio: int, ms: float, what: str) -> bool:
        """Have the board do something, and give it so much time for it; return whether it could."""
        failed = self._edge(gpio, ms)
        self.troubles += [f"{what}: {said}" for said in failed]
        return not failed

    def _edge(self, gpio: int, ms: float) -> list[str]:
        sent = self._pico.uart(PROBE_UART).sent
        mark = len(sent)
        self._pico.press(gpio, EDGE_MS)
        self._pico.wait_ms(ms)
        return sent[mark:].decode().splitlines()

    @contextmanager
    def looking(self, state: str) -> Iterator[None]:
        """Have it count again and again."""
        ends = threading.Event()

        def work() -> None:
            with contextlib.suppress(ToolError):  # it has lost its power or started anew
                while not ends.is_set():
                    self.look(state)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join()


def _memory(board: Prepared, heap: int) -> Run:
    """Let a hub with so much heap (0: all) go through everything."""
    with switched_on(board) as home:
        with Repl(home.pico.port) as repl:
            files = {"/probe.py": (HERE / "pico/probe.py").read_bytes(), "/modules": _modules().encode()}
            put(repl, files | {"/boot.py": BOOT.format(heap).encode()})
            mark = home.pico.mark()
        home.pico.wait("usb", since=mark)
        boots = home.pico.status["boots"]
        with Broker() as broker, home.bridge(broker.port) as bridge:
            probe = Probe(home.pico)
            with home.ticking():
                _through_all(home, board, broker, bridge, probe)
            home.pico.wait_ms(STATUS_MS)
            counted = max(event.get("telegrams", 0) for event in bridge.events)
        if home.pico.status["boots"] > boots:
            probe.troubles.append("the watchdog has started the hub anew")
        return Run(probe.looks, probe.troubles, home.whole, counted)


def _through_all(home: Home, board: Prepared, broker: Broker, bridge: Bridge, probe: Probe) -> None:
    connected = _connected(bridge)
    home.pico.wait_ms(SETTLED_MS)
    probe.look("idle")
    if not connected:
        probe.troubles.append("the hub does not get as far as its broker")
        return
    if probe.do(HOLD, HOLD_MS, "TLS after the start"):
        probe.look("tls")
        probe.do(HOLD, HOLD_MS, "without TLS")
    if not _export(home, board, broker, probe, "export"):
        return
    with_tls = probe.do(HOLD, HOLD_MS, "TLS after an export")
    if with_tls and not _export(home, board, broker, probe, "tls export"):
        return
    probe.do(LOAD, LOAD_MS, "everything")
    if with_tls:
        probe.look("tls all")
        probe.do(HOLD, HOLD_MS, "without TLS")
    probe.look("all")


def _connected(bridge: Bridge) -> bool:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        if any(event.get("wan") == "up" for event in bridge.events):
            return True
        time.sleep(0.1)
    return False


def _export(home: Home, board: Prepared, broker: Broker, probe: Probe, state: str) -> bool:
    """Let the recipient have its data; return whether it got them."""
    wish = data_wish("private", REGISTERS, "half-hour", END - EXPORT_DAYS * 86400, END)
    try:
        with probe.looking(state):
            check(home.exchange(broker, board.hub, wish), EXPORT_DAYS)
    except (Broken, TimeoutError, ToolError):
        probe.troubles.append(f"does not go through: {STATES[state]}")
        return False
    return True


def _modules() -> str:
    """Return the names of all modules that this board may load, one a line."""
    names = [name.removesuffix(".mpy").replace("/", ".") for name in deploy.firmware_for(size.pico())]
    return "\n".join(name for name in names if name.split(".")[-1] not in NOT_LOADED)


def _memory_table(title: str, runs: dict[str, Run], which: int) -> Table:
    table = Table(title, ["", *runs])
    for state, words in STATES.items():
        table.add(words, *(run.looks[state][which] if state in run.looks else None for run in runs.values()))
        if state == "idle" and which == 0:
            table.add("  goal, at least", *(GOALS.get(name) for name in runs))
    table.notes = ["counted after a collection; 190 KB: what the heap has more is taken before the firmware starts"]
    table.notes += [f"{name}: {trouble}" for name, run in runs.items() for trouble in run.troubles]
    return table


# -- time --------------------------------------------------------------------------------------------------------


def first_reading(board: Prepared) -> tuple[float, float]:
    """Return the ms from power-on until the hub has its serial line on, and until the first telegram that counts."""
    with switched_on(board) as home:
        pico = home.pico
        pico.power_cut()
        began = pico.virtual_ms
        pico.start()
        before = _bytes_heard(pico)
        while _bytes_heard(pico) == before:
            pico.uart(P1_UART).feed(b"\n")
        listens = pico.virtual_ms - began
        line = Line(pico.port)
        line.open()
        counted = 0
        while not counted:
            pico.wait_ms(1000 - (pico.virtual_ms - began) % 1000)
            home.telegram(home.now())
            ended = pico.virtual_ms - began
            counted = _telegrams(line)
        pico.wait_ms(3 * STATUS_MS)  # for those that have waited in the line's buffer, too
        counted = _telegrams(line) or counted
        line.close()
        return listens, ended - 1000 * (counted - 1)


def _decoding(board: Prepared) -> float:
    """Return the ms that the board takes for a telegram of version 5, the slowest of a few."""
    with switched_on(board) as home, Repl(home.pico.port) as repl:
        raw = home.meter.telegram(home.now())
        repl.exec(_DECODE.format(raw=raw), "to decode a telegram")
        us: list[int] = repl.eval("times")
    return max(us) / 1000


def _bytes_heard(pico: EmulatedPico) -> int:
    return pico.status["lines"][P1_UART]["heard"]


def _telegrams(line: Line) -> int:
    """Return how many telegrams the hub has told of since the last time, 0 when it has told nothing."""
    told = 0
    while (event := line.event(EVENT_S)) is not None:
        told = event.get("telegrams", told)
    return told


def _decode_table(ms: dict[str, float]) -> Table:
    table = Table("Decoding, ms of the board's time", ["", *ms, "goal"])
    table.add("a P1 telegram of version 5", *ms.values(), "< 100")
    return table


def _time_table(starts: dict[str, tuple[float, float]]) -> Table:
    table = Table("From power-on, seconds of the board's time", ["", *starts, "goal"])
    table.add("the meter's line is heard", *(heard / 1000 for heard, _ in starts.values()), None)
    table.add("the first telegram is counted", *(first / 1000 for _, first in starts.values()), "< 2")
    table.notes = ["the meter begins a telegram at every whole second after power-on"]
    return table


# -- what is missed ----------------------------------------------------------------------------------------------


def _pulses(board: Prepared) -> tuple[int, int, int]:
    """Return pulses sent and counted while the hub works with public keys, and how often it did."""
    with switched_on(board) as home:
        with Repl(home.pico.port) as repl:
            put(repl, {"/data/settings.json": settings({"protocol": "pulse", "input": "pulse0"})})
        wait_for_hub(home.pico.port, START_S)
        home.pico.wait_ms(SHOWN_MS)
        before = home.import_wh()
        pulsing = threading.Thread(target=home.pico.pulse, args=(PULSE0, PULSES, PULSES_PER_S))
        pulsing.start()
        done = 0
        with Line(home.pico.port) as line:
            while pulsing.is_alive():
                line.ask("selftest", part=PUBLIC_KEY[done % len(PUBLIC_KEY)], patience_s=START_S)
                done += 1
        home.pico.wait_ms(STATUS_MS)
        return PULSES, home.import_wh() - before, done


def _count_table(runs: dict[str, Run], pulses: tuple[int, int, int]) -> Table:
    table = Table("Sent to the hub, and counted by it, while it works with public keys", ["", "sent", "counted"])
    for name, run in runs.items():
        table.add(f"telegrams, one a second, through all of the above: {name}", run.sent, run.counted)
    sent, counted, done = pulses
    table.add(f"pulses, {PULSES_PER_S} a second, in {done} rounds of ECDSA, ECDH, SPAKE2", sent, counted)
    return table
