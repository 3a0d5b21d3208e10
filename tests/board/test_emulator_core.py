"""The emulator's own core does what rp2040js's does, where that errs what the manual says; translated, too."""

import json

from pico import run_node

ROUNDS = 2
PROGRAMS = 6000
SEED = 20261


def test_every_instruction_gives_the_same_registers_flags_memory_and_cycles(stock_image):
    said = json.loads(run_node("core_check.mjs", ROUNDS, SEED))
    assert said["different"] == []
    assert said["compared"] > 40_000 * ROUNDS


def test_what_is_translated_gives_the_same_and_is_forgotten_when_it_is_written_over(stock_image):
    said = json.loads(run_node("blocks_check.mjs", PROGRAMS, SEED, often="1"))
    assert said["different"] == []
    assert said["compared"] > 0.9 * PROGRAMS
    assert said["translated"] > 0.99 * said["compared"]
