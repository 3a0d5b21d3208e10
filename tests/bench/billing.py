"""Private billing: what a hub, a customer and a verifier spend on it, and how many bytes go over the wire.

Seconds are the processor's, of one core. A month is 31 days of half-hours, import alone.
"""

import random
import sys
import time
from collections.abc import Callable

from figures import Table, median, rounds
from worker import Broken, on_cpython, on_port

from meterhub_tools import toolchain
from meterhub_tools.billing import group, prover, verifier
from meterhub_tools.billing.refusals import Refused
from meterhub_tools.board.port import Repl
from meterhub_tools.emulator import image
from meterhub_tools.emulator.board import EmulatedPico

sys.path.append(str(toolchain.ROOT / "tests/lib"))
import billing_house as houses

ROUNDS = 15
STEP_BITS = 16
KINDS: dict[str, tuple[dict, dict]] = {
    "time of use, 2 bands": (houses.linear(), {}),
    "blocks, totals opened": (houses.blocks(), {}),
    "blocks, totals hidden": (houses.blocks(), {"hidden": True}),
    "falling steps, 2 limits": (houses.falling(), {}),
    "rising steps, 1 limit": (houses.rising(), {}),
}
TWO_RISING = houses.rising(bands=[{"name": "all", "prices": [20000, 30000, 40000], "limits": [200, 500]}])

_ON_A_BOARD = """
import gc, time
from meterhub.trust import batches

KEY, DAY, NOTHING = b"k" * 32, 20454, (bytes(32), bytes(32))
READINGS = [(1000 + 137 * i, None) for i in range(1, 49)]


def timed(steps):
    gc.collect()
    count = longest = 0
    began = last = time.ticks_us()
    ends = False
    while not ends:
        try:
            next(steps)
        except StopIteration:
            ends = True
        now = time.ticks_us()
        longest = max(longest, time.ticks_diff(now, last))
        count += 1
        if not count % 64:  # whoever waits hears that it goes on
            print(end=" ")
        last = time.ticks_us()
    return time.ticks_diff(now, began) / 1000, longest / 1000


def day():
    place = (DAY, 1800, DAY * 48, 48, 255, 0)
    return timed(batches.whole_day(b"0123456789", b"c" * 16, KEY, place, NOTHING, (1000, None), READINGS))
"""
BOARD_ROUNDS = 5


def tables() -> list[Table]:
    """Return the tables of the hub, of a board, of a month, and of how it grows."""
    house = houses.House(31, houses.household("bench"))
    try:
        return [_hub(), _board(), _month(house), _growth()]
    except Refused as error:
        raise Broken(str(error)) from error


def _hub() -> Table:
    table = Table(
        "Commitments on the hub, ms", ["", "MicroPython", "longest slice", "32 bit", "longest slice", "in CPython"]
    )
    with (
        on_port("commitments.py") as hub,
        on_port("commitments.py", bits=32) as small,
        on_cpython("commitments.py") as pc,
    ):
        workers = {"hub": hub, "small": small, "pc": pc}
        for worker in workers.values():
            worker.ready()
        for name, what in (
            ("commit", "a half-hour"),
            ("register", "a register"),
            ("day", "a day, 48 half-hours"),
            ("month", "a month's bill and its proof, by time of use"),
        ):
            found = rounds(
                ROUNDS if name not in ("day", "month") else 3,
                {key: lambda worker=worker, name=name: worker.ask(name) for key, worker in workers.items()},
            )
            figures = {
                key: [median([one[i] / 1000 for one in of_key]) for i in (0, 1)] for key, of_key in found.items()
            }
            table.add(what, *figures["hub"], *figures["small"], figures["pc"][0])
    with on_port("billing_heap.py", bits=32, heapsize="190k") as worker:
        worker.ready()
        modules, work = worker.ask("load"), worker.ask("day")
        of_prover, proving = worker.ask("load_prover"), worker.ask("prove")
    with on_port("billing_applet.py", bits=32, heapsize="400k") as worker:
        worker.ready()
        desk, *most = worker.ask("desk"), worker.ask("most", 1), worker.ask("most", 2)
    table.notes = [
        f"memory on the 32-bit port: {modules} bytes of code and tables, from sources (frozen, they stay in flash),",
        f"{work} bytes of heap at most while a whole day is made at once (goal: 8192);",
        f"the applet with it, from its record to the broker: {most[0]} bytes, with what is fed in {most[1]};",
        f"at rest, with its code, in a hub whose household has agreed to it: {desk} bytes, and nothing in any other;",
        f"where the hub proves its bill itself {of_prover} bytes of code more, and {proving} bytes of heap at most",
    ]
    return table


def _board() -> Table:
    """Return what commitments take on the emulated Pico, the firmware frozen in."""
    table = Table("Commitments on the emulated RP2040, frozen, ms of the board's time", ["", "whole", "longest slice"])
    if not image.available():
        table.notes = ["MicroPython's sources for the RP2040 are not in this checkout; type: make test"]
        return table
    with EmulatedPico("frozen", pace=None) as pico, Repl(pico.port) as repl:
        repl.exec(_ON_A_BOARD, "to get ready")
        for what, work, count in (
            ("a half-hour", "timed(batches.energy(KEY, DAY * 48, 137))", BOARD_ROUNDS),
            ("a register", "timed(batches.register(KEY, DAY, 2, 123456789))", BOARD_ROUNDS),
            ("a day, 48 half-hours", "day()", 1),
        ):
            found = [repl.eval(work, "to commit") for _ in range(count)]
            table.add(what, *(median([one[i] for one in found]) for i in (0, 1)))
    return table


def _timed(function: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    found = function()
    return time.process_time() - start, found


def _month(house: houses.House) -> Table:
    table = Table(
        "A month's bill, seconds of the processor",
        ["", "library", "open", "prove", "read batches", "verify", "bill and proof, bytes", "with batches"],
    )
    for name, (document, options) in {**KINDS, "rising steps, 2 limits": (TWO_RISING, {})}.items():
        for library in (group.OpenSSL(), group.Pycryptodome()):
            signed = houses.signed_tariff(document)
            opening, mine = _timed(
                lambda library=library: prover.House(house.batches, house.keys(), house.registers, library)
            )
            proving, made = _timed(
                lambda mine=mine, signed=signed, options=options: prover.prove_bill(
                    mine, signed, houses.NONCE, **options
                )
            )
            reading, batches = _timed(lambda library=library: verifier.Batches(house.batches, houses.HUB, library))
            parts = (signed, houses.SUPPLIER, houses.NONCE, *made)
            checking, _ = _timed(lambda batches=batches, parts=parts: verifier.check_bill(batches, *parts))
            size = sum(map(len, made))
            table.add(
                name, library.name, opening, proving, reading, checking, size, size + sum(map(len, house.batches))
            )
    table.notes = [
        "open: all commitments are worked out again from the readings. Goals: time of use below 1 s each way, 60 KB",
        f"with its batches, rising steps below 60 s each way; range proofs of {STEP_BITS} bits, of hidden blocks 32",
    ]
    return table


def _growth() -> Table:
    table = Table(
        "Growth with the intervals, OpenSSL, ms of the processor for each interval",
        ["", "intervals", "time of use: open and prove", "read and verify", "rising steps: prove", "verify", "bytes"],
    )
    for days in (7, 14, 28):
        house = houses.House(days, houses.household(random.Random(days).random()))
        count = 48 * days
        mine = prover.House(house.batches, house.keys(), house.registers)
        figures: list[object] = [count]
        size = 0
        for document in (houses.linear(), houses.rising()):
            signed = houses.signed_tariff(document)
            linear = document["kind"] == "linear"

            def prove(signed=signed, fresh=linear, house=house, mine=mine):
                one = prover.House(house.batches, house.keys(), house.registers) if fresh else mine
                return prover.prove_bill(one, signed, houses.NONCE)

            def verify(made, signed=signed, house=house):
                batches = verifier.Batches(house.batches, houses.HUB)
                return verifier.check_bill(batches, signed, houses.SUPPLIER, houses.NONCE, *made)

            proving, made = _timed(prove)
            checking, _ = _timed(lambda made=made, verify=verify: verify(made))
            figures += [1000 * proving / count, 1000 * checking / count]
            size = sum(map(len, made))
        table.add(f"{days} days", *figures, size // count)
    return table
