"""The emulator's own core does what rp2040js's does, and where that errs what the architecture says."""

import json

from pico import run_node

ROUNDS = 6
SEED = 20261


def test_every_instruction_gives_the_same_registers_flags_memory_and_cycles(stock_image):
    said = json.loads(run_node("core_check.mjs", ROUNDS, SEED))
    assert said["different"] == []
    assert said["compared"] > 40_000 * ROUNDS
