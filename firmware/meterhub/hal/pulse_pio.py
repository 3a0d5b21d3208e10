"""A pulse input that a state machine of the RP2's PIO counts, which goes on while interrupts are off.

Source   RP2040 datasheet 3.4 (instructions), 3.5.7 (a forced instruction does not wait for the machine's clock)
Units    milliseconds as of ticks.now_ms()
Memory   the interrupt allocates nothing; assembling the program leaves half a kilobyte to be collected
Runs on  device only: RP2040, RP2350

Interrupts are off for some 45 ms while a sector of the flash is erased. The machine counts a pulse as soon as the
contact has been closed for long enough, and its interrupt reads the running count: what has come before the interrupt
could is in it. Each input has a machine of PIO 0 for itself; they share one program. A radio takes the last PIO.
"""
# ruff: noqa: F821 - the assembler defines the program's names
# pyright: reportUndefinedVariable=false, reportCallIssue=false

import rp2
from micropython import const

from .pulse import Pulse
from .ticks import now_ms

_WRAP = const(0x3FFFFFFF)
_HZ = const(20000)
# A level is looked at in every other cycle, from two cycles after the edge was seen: so many loops less than the width
# has that pulses and pauses of just that width are long enough, wherever between two cycles their edges lie.
_LOOPS_PER_MS = const(10)
_LOOPS_LESS = const(3)
_CLEAR = const(0xE040)  # set(y, 0)
_READ = const(0x405E)  # in_(y, 30), and what is in is pushed: a small int


@rp2.asm_pio(autopush=True, push_thresh=30)
def _program():
    """Keep in osr the loops of a width, in x those to go, and count down in y."""
    pull(block)
    wrap_target()
    label("closed")  # or it was when this began: that is no pulse
    wait(1, pin, 0)
    mov(x, osr)
    label("opening")
    jmp(pin, "still open")
    jmp("closed")
    label("still open")
    jmp(x_dec, "opening")
    label("open")
    wait(0, pin, 0)
    mov(x, osr)
    label("closing")
    jmp(pin, "open")
    jmp(x_dec, "closing")
    jmp(y_dec, "counted")
    label("counted")
    irq(rel(0))
    wrap()


class PIOPulse(Pulse):
    """pin: the input, a machine.Pin; number: its state machine; width_ms: the shortest pulse, and pause, there is."""

    def __init__(self, flag, pin, number: int, width_ms: int = 10) -> None:
        super().__init__(flag)
        self._pin = pin
        self._width_ms = width_ms
        self._machine = rp2.StateMachine(number, _program, freq=_HZ, in_base=pin, jmp_pin=pin)
        self._machine.put(width_ms * _LOOPS_PER_MS - _LOOPS_LESS)
        self._machine.exec(_CLEAR)  # now: an interrupt that a former use has left comes at once
        self._machine.irq(self._on_pulse, hard=True)
        self._machine.active(1)

    def _on_pulse(self, _):
        self._machine.exec(_READ)
        new = (-self._machine.get() - self.count) & _WRAP
        self.is_closed = False  # it was open a moment ago
        self.add(new, (now_ms() - self._width_ms) & _WRAP)

    def look(self, at_ms: int) -> None:
        """See whether the contact is closed; what it has counted needs no look."""
        self.is_closed = not self._pin.value()
