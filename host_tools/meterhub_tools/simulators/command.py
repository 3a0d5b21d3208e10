"""`meterhub simulate KIND`: a meter of a household that never was, on a serial port or a pty, with faults to order.

--port takes a serial port (a USB adapter wired to the hub), --pty makes a device that the hub on this machine opens.
A pty is as particular as a wire: while the hub has set another speed or format than the meter, both hear garbage.
The kind `pulse` closes a contact with the port's RTS; with --pty it makes the bench of simulated pins instead, whose
address goes into the hub's pins.json.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ..errors import ToolError
from . import faults
from .bench import Bench
from .dlms_meter import AUTH_KEY, KEY, DlmsMeter
from .household import Household, Registers
from .iec62056_meter import Iec62056Meter, Iec62056PushMeter
from .mbus_meter import MBusMeter
from .modbus_meter import KINDS as MODBUS_KINDS
from .modbus_meter import ModbusMeter
from .p1_meter import P1Meter
from .pulse_meter import WIDTH_S, PulseMeter
from .sml_meter import SmlMeter
from .wire import Line, PortWire, PtyWire

_SILENCE_S = 2.0
_GAP_S = 0.1  # between the frames of one push
_PULSE_INPUT = "pulse0"


class Wire(Protocol):
    """The meter's end of a line."""

    line: Line

    def read(self, timeout_s: float) -> bytes: ...

    def write(self, data: bytes) -> None: ...


class P1Line:
    """The P1 meter as the others here are."""

    def __init__(self, household: Household, version: str = "5.0") -> None:
        self._meter = P1Meter(household, version)
        self.period_s = 1 if version == "5.0" else 10
        self.line = Line(9600, 7, "E", 1) if version == "2.2" else Line(115200)

    def frames(self, at: int) -> list[bytes]:
        """Return the telegram of `at`."""
        return [self._meter.telegram(at)]


def _iec62056(args: argparse.Namespace, home: Household) -> Any:
    return Iec62056PushMeter(home) if args.mode == "D" else Iec62056Meter(home, args.baud)


METERS: dict[str, Callable[[argparse.Namespace, Household], Any]] = {
    "p1": lambda args, home: P1Line(home, args.version),
    "iec62056": _iec62056,
    "sml": lambda args, home: SmlMeter(home),
    "dlms": lambda args, home: DlmsMeter(home, args.link, args.encrypted),
    "mbus": lambda args, home: MBusMeter(home, args.address),
    "modbus": lambda args, home: ModbusMeter(home, args.model, args.address),
    "pulse": lambda args, home: PulseMeter(home, args.imp),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the arguments of `meterhub simulate`."""
    parser = subparsers.add_parser(
        "simulate",
        help="a simulated meter on a serial port or pty",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=sorted(METERS))
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", help="the serial port that the meter is on")
    where.add_argument("--pty", action="store_true", help="make a pty and print its name (this is usual)")
    parser.add_argument("--household", type=Path, metavar="FILE", help="JSON: seed, start, zone, opening")
    parser.add_argument("--speed", type=_positive, default=1, metavar="N", help="household seconds in one (1)")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        type=_fault,
        metavar="KIND[:P]",
        help=f"{', '.join(faults.KINDS)}; KIND@START+SECONDS[/PHASE] of the grid: {', '.join(faults.GRID_DV)}",
    )
    parser.add_argument("--any-line", action="store_true", help="on a pty: no garbage, however the hub has set it")
    parser.add_argument("--version", choices=("2.2", "4.2", "5.0"), default="5.0", help="p1: of the standard (5.0)")
    parser.add_argument("--mode", choices=("C", "D"), default="C", help="iec62056: asked, or unasked (C)")
    parser.add_argument(
        "--baud", type=int, choices=(300, 600, 1200, 2400, 4800, 9600, 19200), default=9600, help="iec62056: mode C"
    )
    parser.add_argument("--link", choices=("hdlc", "mbus"), default="hdlc", help="dlms: link layer (hdlc)")
    parser.add_argument("--encrypted", action="store_true", help="dlms: with keys that are printed")
    parser.add_argument("--address", type=int, default=1, help="mbus, modbus: the meter's (1)")
    parser.add_argument("--model", choices=MODBUS_KINDS, default="sdm120", help="modbus (sdm120)")
    parser.add_argument("--imp", type=_positive, default=1000, help="pulse: impulses per kWh (1000)")


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _fault(text: str) -> str:
    try:
        _ = faults.planted(text) if "@" in text else faults.parsed(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
    return text


def run(args: argparse.Namespace) -> int:
    """Be the meter until Ctrl-C."""
    home, begins_at = household(args.household, int(time.time()))
    plant(home, begins_at, [text for text in args.fault if "@" in text])
    meter = METERS[args.kind](args, home)
    clock = Clock(begins_at, args.speed)
    if args.kind == "pulse":
        return _pulses(args, meter, clock)
    wire = PortWire(args.port, meter.line) if args.port else PtyWire(meter.line, args.any_line)
    try:
        _greet(args, wire.path, meter.line)
        Player(meter, wire, clock, faults.Faults([text for text in args.fault if "@" not in text])).play()
    except KeyboardInterrupt:
        return 0
    finally:
        wire.close()
    return 0


def _greet(args: argparse.Namespace, path: str, line: Line) -> None:
    print(f"{args.kind}: {path}, {line.baud} baud {line.bits}{line.parity}{line.stop}; Ctrl-C ends it")
    if args.kind == "dlms" and args.encrypted:
        print(f"key {KEY.hex()}, authentication key {AUTH_KEY.hex()}")
    sys.stdout.flush()


def household(path: Path | None, now: int) -> tuple[Household, int]:
    """Return the household that a file describes, and the time to begin at: its start, or now without a file."""
    if path is None:
        return Household(now - now % 86400), now
    try:
        given = json.loads(path.read_text())
        start = given.pop("start", now)
        if isinstance(start, str):
            start = int(datetime.fromisoformat(start).timestamp())
        if "opening" in given:
            given["opening"] = Registers(**given["opening"])
        return Household(start, **given), start
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as exc:
        raise ToolError(f"{path} describes no household ({exc}); it is JSON with seed, start, zone, opening") from exc


def plant(home: Household, begins_at: int, wanted: list[str]) -> None:
    """Plant faults of the grid, each so many seconds after `begins_at`."""
    for fault in map(faults.planted, wanted):
        home.planted.append(fault._replace(start_s=begins_at - home.start + fault.start_s))


class Clock:
    """The household's time: it begins at a moment and runs `speed` times as fast as ours."""

    def __init__(self, begins_at: int, speed: int) -> None:
        self._begins_at = begins_at
        self._speed = speed
        self._began = time.monotonic()

    def now(self) -> int:
        """Return its Unix seconds."""
        return self._begins_at + int((time.monotonic() - self._began) * self._speed)


class Player:
    """A meter at its line: pushes what is due, answers what it is asked."""

    def __init__(self, meter: Any, wire: Wire, clock: Clock, bad_line: faults.Faults) -> None:
        self._meter = meter
        self._wire = wire
        self._clock = clock
        self._faults = bad_line

    def play(self, until: Callable[[], bool] = lambda: False) -> None:
        """Go on until `until` says so."""
        while not until():
            if self._meter.period_s:
                self._push()
            else:
                self._serve()

    def _push(self) -> None:
        due = time.monotonic() + self._meter.period_s
        for i, frame in enumerate(self._meter.frames(self._clock.now())):
            time.sleep(_GAP_S if i else 0)
            self._wire.write(self._faults.spoil(frame))
        time.sleep(max(0.0, due - time.monotonic()))

    def _serve(self) -> None:
        data = self._wire.read(_SILENCE_S)
        at = self._clock.now()
        for what, value in self._meter.on_bytes(data, at) if data else self._meter.on_silence(at):
            if what == "pause":
                time.sleep(value)
            elif what == "line":
                self._wire.line = self._meter.line = value
            else:
                self._wire.write(self._faults.spoil(value))


def _pulses(args: argparse.Namespace, meter: PulseMeter, clock: Clock) -> int:
    try:
        if args.port:
            _on_rts(PortWire(args.port, Line(9600)), meter, clock)
        else:
            asyncio.run(_on_bench(meter, clock))
    except KeyboardInterrupt:
        pass
    return 0


def _on_rts(wire: PortWire, meter: PulseMeter, clock: Clock) -> None:
    print(f"pulse: RTS of {wire.path}, {meter.imp_per_kwh} imp/kWh; Ctrl-C ends it", flush=True)
    told = meter.pulses(clock.now())
    while True:
        for _ in range(min(meter.pulses(clock.now()) - told, 1)):
            wire.pulse(WIDTH_S)
            told += 1
        time.sleep(WIDTH_S)


async def _on_bench(meter: PulseMeter, clock: Clock) -> None:
    bench = Bench()
    await bench.start()
    print(f'pulse: "bench": "{bench.address}" for pins.json, input {_PULSE_INPUT}, ', end="")
    print(f"{meter.imp_per_kwh} imp/kWh; Ctrl-C ends it", flush=True)
    told = meter.pulses(clock.now())
    while True:
        await asyncio.sleep(WIDTH_S)
        due = meter.pulses(clock.now()) - told
        if due and "gpio" in bench.connected:
            bench.pulse(_PULSE_INPUT, due)
            told += due
