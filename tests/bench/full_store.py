"""A hub with everything in its store on the emulated Pico: seconds from power-on, and heap, until it is open again.

The flash is written by the store's own code (unix/full_store.py): thirteen months of half-hours, every log of the
journal as full as it gets, identity, settings, last values, an outbox. The real RP2040 image with the firmware frozen
in boots on it, once as it is, and with pico/stopwatch.py. Time is the board's own, without its waits for flash.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from board import first_reading
from board_home import START_S, Home, Prepared, put, recipient, settings, switched_on
from figures import Table
from history import INTERVALS, history
from worker import BUILD, HERE, PROGRAMS, Broken

from meterhub_tools import toolchain
from meterhub_tools.board.port import Repl, wait_for_hub
from meterhub_tools.emulator import image
from meterhub_tools.emulator.board import FLASH_BYTES, EmulatedPico
from meterhub_tools.simulators.p1_meter import EQUIPMENT
from meterhub_tools.store.image import layouts

LIB = toolchain.ROOT / "tests/lib"
BLOCK = 4096
STOPWATCH_UART, EDGE = 0, 2  # of pico/stopwatch.py
AFTER_START_MS = 3000
MOST_MS, LOOK_MS = 60_000, 5
PARTS = {
    "journal": "the journal is open",
    "profile": "the profile is open",
    "last": "the last values are open",
    "line": "the meter's line is open",
    "random": "random numbers are gathered",
    "telegram": "the first telegram is in the registers and the profile",
    "outbox": "the outbox is open",
}
GOAL_S = {"last": "< 5", "outbox": "< 5", "telegram": "< 2"}
BYTES = {
    "mount": "the file system's mount holds",
    "held": "the open store holds",
    "least": "must be there for it to be opened",
}
_TIMES = "import time\nt = time.ticks_us()\nimport stopwatch\nstopwatch.times(t)\n"
_HEAP = "import stopwatch\nstopwatch.heap()\n"


def tables() -> list[Table]:
    """Return the tables of time and of heap."""
    if not image.available():
        raise Broken("MicroPython's sources for the RP2040 are not in this checkout; type: make test")
    board, told = full_board()
    heard, first = first_reading(board)
    parts = _times(board)
    found = _heap(board)
    if found["intervals"] != told["intervals"]:
        raise Broken(f"the board finds {found['intervals']} of {told['intervals']} intervals")
    times = Table("A full store: from power-on, seconds of the emulated Pico's time", ["", "frozen", "goal"])
    for name, words in PARTS.items():
        times.add(words, parts[name] / 1000, GOAL_S.get(name))
    times.add("as it is: the meter's line is heard", heard / 1000, None)
    times.add("as it is: the first telegram that counts has come to its end", first / 1000, "< 2")
    times.notes = [
        "what is in it: " + json.dumps(told),
        "the meter begins a telegram at every whole second after power-on; its line keeps 4 KB until somebody reads",
        "all but the last two rows: with the stopwatch, less the time that it takes to load itself",
    ]
    heap = Table("A full store: heap of the emulated Pico, bytes", ["", "frozen"])
    for name, words in BYTES.items():
        heap.add(words, found[name])
    heap.notes = [
        "beside the modules; journal, settings, profile, last values and outbox, with what opening them takes"
    ]
    return [times, heap]


def full_board() -> tuple[Prepared, dict]:
    """Return a board with a full store that has been started once, and what was put into it."""
    layout = layouts()["RPI_PICO"][-1]
    store, told = _written((FLASH_BYTES - layout) // BLOCK)
    with EmulatedPico("frozen", flash=b"\xff" * layout + store, pace=None) as pico:
        hub = wait_for_hub(pico.port, START_S)["hub"]
        pico.wait_ms(AFTER_START_MS)
        with Repl(pico.port) as repl:
            blocks = repl.eval("__import__('rp2').Flash().ioctl(4, 0)")
        if FLASH_BYTES - blocks * BLOCK != layout:
            raise Broken(f"the image's file system has {blocks} blocks, it does not begin at {layout}")
        pico.power_cut()
        return Prepared("frozen", pico.flash, hub), told


def _written(blocks: int) -> tuple[bytes, dict]:
    """Return a file system with a full store on it, and what it holds."""
    document = json.loads(settings({"protocol": "p1", "input": "p1"}))
    document["events"] = {"to": recipient().kid}
    chosen, path = BUILD / "full_store.json", BUILD / "full_store.bin"
    BUILD.mkdir(parents=True, exist_ok=True)
    chosen.write_text(json.dumps(document))
    pins = toolchain.ROOT / "boards/RPI_PICO/pins.json"
    given = (history(), EQUIPMENT, pins, chosen, document["events"]["to"], blocks, path)
    words = [toolchain.micropython(), "-X", "heapsize=24m", PROGRAMS / "full_store.py", *given]
    done = subprocess.run(
        [str(word) for word in words], env=toolchain.environment(LIB), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Broken(f"a full store: {done.stderr[-300:]}")
    told = json.loads(done.stdout)
    if told["intervals"] != INTERVALS + 1:
        raise Broken(f"a full store: {told}")
    return path.read_bytes(), told


def _times(board: Prepared) -> dict[str, float]:
    """Return the ms from power-on until each part of the start is over, without what the stopwatch has taken."""
    with _started(board, _TIMES) as (home, began):
        pico = home.pico
        own_ms = _said(home, "own")["own"] / 1000
        edge = next(event["ms"] for event in pico.events if event["ev"] == "pin" and not event["level"])
        zero = edge - began - own_ms
        while PARTS.keys() - (found := _said(home)).keys():
            passed = pico.virtual_ms - began - own_ms
            if passed > MOST_MS:
                raise Broken(f"a full store: the board says only {found}")
            pico.wait_ms(1000 - passed % 1000)
            home.telegram(home.now())
        return {name: zero + found[name] / 1000 for name in PARTS}


def _heap(board: Prepared) -> dict[str, float]:
    """Return what stopwatch.heap() finds."""
    with _started(board, _HEAP) as (home, _):
        return _said(home, "least")


@contextmanager
def _started(board: Prepared, boot: str) -> Iterator[tuple[Home, float]]:
    """Start a board with this boot.py; hand over its house, and when the power came on."""
    with switched_on(board) as home:
        with Repl(home.pico.port) as repl:
            put(repl, {"/stopwatch.py": (HERE / "pico/stopwatch.py").read_bytes(), "/boot.py": boot.encode()})
        home.pico.power_cut()
        home.pico.watch(EDGE)
        began = home.pico.virtual_ms
        home.pico.ask("power", on=True)  # not start(): USB may come up only when boot.py has ended
        yield home, began


def _said(home: Home, name: str = "") -> dict[str, float]:
    """Return the numbers that the stopwatch has said; wait for that of `name`."""
    ends = home.pico.virtual_ms + MOST_MS
    while True:
        lines = home.pico.uart(STOPWATCH_UART).sent.decode().rpartition("\n")[0].splitlines()
        found = {what: float(number) for what, number in map(str.split, lines)}
        if not name or name in found:
            return found
        if home.pico.virtual_ms > ends:
            raise Broken(f"a full store: the board says only {found}")
        home.pico.wait_ms(LOOK_MS)
