"""Scenarios of the store on a simulated flash under the real littlefs, with the power going after every operation.

    power_cuts.py SCENARIO PROGRAM_BYTES SEED STRIDE      prints one JSON object, see campaign()

A good run is counted first. Then for n = 1, 1 + STRIDE, ...: the same run from the same flash, cut after operation n;
the board boots again, what it knows is checked, it goes on with what it had not acknowledged, and is cut again after
a number of operations that the seed draws (in every third life not at all), until all is done.
PROGRAM_BYTES: littlefs's program size, 256 on the RP2, 32 on the ESP32.

Runs on  the MicroPython unix port, whose littlefs it is
"""

import gc
import json
import os
import sys

import cut_scenarios
import vfs
from nor_flash import BLOCK, TOP, Device, Flash, Random

_BLOCKS = 48
_OTHERS = ("other.bin", "sub/another.txt")  # what no scenario touches


class Machine:
    """A board: its flash, and the power that comes and goes."""

    def __init__(self, flash, program, seed):
        self.flash = flash
        self.program = program
        self.random = Random(seed)
        self.device = Device(flash)

    def format(self):
        """Make a new file system."""
        vfs.VfsLfs2.mkfs(Device(self.flash), progsize=self.program)

    def boot(self, operations=-1):
        """Switch on, for so many operations, and mount."""
        self.halt()
        self.device = Device(self.flash, self.random)
        self.device.cut_after(operations)
        vfs.mount(vfs.VfsLfs2(self.device, progsize=self.program), TOP)

    def halt(self):
        """Switch off."""
        self.device.off = True
        try:
            vfs.umount(TOP)
        except OSError:  # it was not on
            return


def life(machine, scenario, done):
    """Do a boot's work and the steps from `done` on; return how many are acknowledged at the end of the power."""
    try:
        scenario.start()
        while done < scenario.count and not machine.device.off:
            scenario.step(done)
            done += not machine.device.off
    except Exception:  # whatever comes of it that there is no power
        if not machine.device.off:
            raise
    return done


def campaign(scenario, program, seed, stride=1, blocks=_BLOCKS):
    """Return {"operations" of a good run, "cuts", "boots", "checks", "failures": [what was wrong after which cut]}."""
    machine = Machine(Flash(blocks), program, seed)
    machine.format()
    machine.boot()
    others = _write_others()
    scenario.prepare()
    machine.halt()
    image = bytes(machine.flash.data)
    machine.boot()
    if life(machine, scenario, 0) != scenario.count:
        raise RuntimeError("the good run ended early")
    told = {"operations": machine.device.operations, "cuts": 0, "boots": 0, "checks": 0, "failures": []}
    for n in range(1, told["operations"] + 1, stride):
        machine.flash.data[:] = image
        machine.random = Random(seed + n)
        gc.collect()
        try:
            _lives(machine, scenario, n, others, told)
        except Exception as err:  # noqa: BLE001 - told, and the next cut is tried
            told["failures"].append("cut %d: %s %s" % (n, type(err).__name__, err))
    return told


def _lives(machine, scenario, n, others, told):
    done, cut = 0, n
    while True:
        machine.boot(cut)
        told["boots"] += 1
        done = life(machine, scenario, done)
        was_cut = machine.device.off
        told["cuts"] += was_cut
        machine.boot()
        scenario.start()
        done = scenario.check(done)
        if _read_others() != others:
            raise ValueError("a file of others has changed")
        told["checks"] += 1
        if not was_cut:
            return
        cut = -1 if machine.random.below(3) == 0 else machine.random.below(50)


def _write_others():
    os.mkdir(TOP + "/sub")
    for i, name in enumerate(_OTHERS):
        with open(TOP + "/" + name, "wb") as file:
            file.write(bytes([n * (7 + i) & 255 for n in range(BLOCK + 900 - 4500 * i)]))
    return _read_others()


def _read_others():
    found = []
    for name in _OTHERS:
        with open(TOP + "/" + name, "rb") as file:
            found.append(file.read())
    return found


def main(words):
    name, program, seed, stride = words
    sys.stdout.write(json.dumps(campaign(cut_scenarios.SCENARIOS[name](), int(program), int(seed), int(stride))))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
