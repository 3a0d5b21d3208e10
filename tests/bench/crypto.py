"""Public-key operations: milliseconds each, on the 64-bit unix port, beside the pure-Python ecdsa library in CPython.

The targets are those of the project's design notes on cryptography, section 4, for the tables that the firmware has
(7 columns for G, 6 for SPAKE2's points; where the notes have no figure for these, the nearest slower table's). They
were taken on another machine in a quiet hour: `a * b % p`, which everything is made of, took 0.84 us there, and what
it takes here says how much slower this machine is now.
"""

from contextlib import ExitStack

from figures import Table, median, ratio, rounds
from worker import Broken, on_cpython, on_peers, on_port

ROUNDS = 41
NOTED_PRODUCT_US = 0.84
# operation: (what it is, target ms, order of the ecdsa library)
OPERATIONS = {
    "sign": ("ECDSA sign", 0.92, "sign"),
    "verify": ("ECDSA verify", 3.17, "verify"),
    "table": ("comb table of a key", None, ""),
    "verify_known": ("ECDSA verify, with the key's table", 1.26, ""),
    "mul_base": ("k * G", 0.68, ""),
    "ecdh": ("ECDH", 2.84, "ecdh"),
    "agree": ("ECDH-ES, a new content key", 3.52, ""),
    "spake_before": ("SPAKE2, before the peer's share", 2.14, ""),
    "spake_after": ("SPAKE2, after it", 3.13, ""),
}


def tables() -> list[Table]:
    """Return the one table."""
    with ExitStack() as stack:
        hub = stack.enter_context(on_port("public_key.py"))
        python = stack.enter_context(on_cpython("public_key.py"))
        peer = stack.enter_context(on_peers())
        for worker in (hub, python, peer):
            worker.ready()
        for worker in (hub, python):
            if not peer.ask("accept", *worker.ask("proof")):
                raise Broken("the ecdsa library does not agree with the firmware")
        slices: dict[str, list[float]] = {name: [] for name in OPERATIONS}

        def here(name: str) -> float:
            us, longest = hub.ask(name)
            slices.setdefault(name, []).append(longest / 1000)
            return us / 1000

        turns = {"products": lambda: here("products")}
        for name, (_, _, theirs) in OPERATIONS.items():
            turns[name] = lambda name=name: here(name)
            turns[f"{name} python"] = lambda name=name: python.ask(name)[0] / 1000
            if theirs:
                turns[f"{name} peer"] = lambda order=theirs: peer.ask(order)[0] / 1000
        return [_table(rounds(ROUNDS, turns), slices)]


def _table(found: dict[str, list[float]], slices: dict[str, list[float]]) -> Table:
    table = Table(
        "Public-key operations, ms",
        [
            "",
            "MicroPython",
            "target",
            "target here",
            "longest slice",
            "in CPython",
            "ecdsa library",
            "ecdsa / ours",
        ],
    )
    product_us = median(found["products"])
    slower = product_us / NOTED_PRODUCT_US
    for name, (what, target, _) in OPERATIONS.items():
        ours, python, peer = found[name], median(found[f"{name} python"]), found.get(f"{name} peer")
        against = [median(peer), ratio(peer, ours)] if peer else [None, None]
        here = target * slower if target else None
        table.add(what, median(ours), target, here, median(slices[name]), python, *against)
    faster = ratio(found["verify"], found["verify_known"])
    table.notes = [
        f"with the key's table a signature is verified {faster:.2f} times as fast as without it (goal: 2)",
        f"medians of {ROUNDS} turns, of the processor's time; a * b % p takes {product_us:.2f} us here and now,",
        f"{NOTED_PRODUCT_US} us where the targets were taken: target here = target x {slower:.2f}",
        "in CPython: the same code; ecdsa / ours: above 1 where MicroPython is faster than the library in CPython",
    ]
    return table
