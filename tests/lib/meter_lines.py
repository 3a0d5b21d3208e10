"""Simulated meters on ptys, each with a thread of its own, and the entry of the setting `meters` that reads each.

The ptys are as particular as wires: while the hub's speed or format is another than the meter's, both hear garbage.
"""

import contextlib
import termios
import threading
import time
from typing import Any

from meterhub_tools.simulators import faults
from meterhub_tools.simulators.command import Clock, P1Line, Player
from meterhub_tools.simulators.dlms_meter import AUTH_KEY, KEY, DlmsMeter
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.iec62056_meter import Iec62056Meter, Iec62056PushMeter
from meterhub_tools.simulators.mbus_meter import MBusMeter
from meterhub_tools.simulators.modbus_meter import ModbusMeter
from meterhub_tools.simulators.sml_meter import SmlMeter
from meterhub_tools.simulators.wire import PtyWire

KEYS = {"key": KEY.hex(), "auth_key": AUTH_KEY.hex()}
# what a meter is called here: how it is made of a household, and what the hub is told of it
KINDS = {
    "p1": (P1Line, {"protocol": "p1"}),
    "p1-old": (lambda home: P1Line(home, "2.2"), {"protocol": "p1", "baud": 9600, "format": "7E1"}),
    "sml": (SmlMeter, {"protocol": "sml"}),
    "dlms": (lambda home: DlmsMeter(home, "hdlc", False), {"protocol": "dlms"}),
    "dlms-keys": (lambda home: DlmsMeter(home, "mbus", True), {"protocol": "dlms"} | KEYS),
    "mode-d": (Iec62056PushMeter, {"protocol": "iec62056", "every_s": 0}),
    "mode-c": (lambda home: Iec62056Meter(home, 9600), {"protocol": "iec62056", "every_s": 4}),
    "mbus": (lambda home: MBusMeter(home, 1), {"protocol": "mbus", "address": "1", "every_s": 4}),
    "modbus": (lambda home: ModbusMeter(home, "sdm120", 1), {"protocol": "modbus", "map": "sdm120", "every_s": 3}),
}


class CountingWire(PtyWire):
    """Counts the telegrams that have gone out whole; the ident line of mode C is none."""

    def __init__(self, meter: Any) -> None:
        super().__init__(meter.line)
        self.telegrams = 0
        self._is_asked = not meter.period_s

    def write(self, data: bytes) -> None:
        super().write(data)
        self.telegrams += not (self._is_asked and data.startswith(b"/"))


class MeterLine:
    """One meter on its pty, from `with` to its end. settings: its entry; home, at: its household, the time there."""

    def __init__(
        self, kind: str, fault: tuple = (), home: Household | None = None, at: int = 0, **settings: object
    ) -> None:
        make, usual = KINDS[kind]
        now = at or int(time.time())
        self.meter = make(home or Household(now - now % 86400))
        self.name = kind
        self.wire = CountingWire(self.meter)
        self.settings = {"name": kind, "input": kind} | usual | settings
        self._faults = faults.Faults(fault)
        self._clock = Clock(now, 1)
        self._ended = threading.Event()
        self._silent = threading.Event()
        self._quiet = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self) -> "MeterLine":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        self.wire.close()

    def hush(self) -> None:
        """Say nothing any more, once what has been begun is out: then it is quiet."""
        self._quiet.clear()
        self._silent.set()

    def speak(self) -> None:
        """Go on."""
        self._silent.clear()

    def now(self) -> int:
        """Return the time in the household, Unix seconds."""
        return self._clock.now()

    @property
    def is_quiet(self) -> bool:
        """Whether it has nothing more to say."""
        return self._quiet.is_set()

    @property
    def is_listened_to(self) -> bool:
        """Whether the hub has opened the line, and set it as the meter's is."""
        return self.wire.hub_line() == self.wire.line

    def _play(self) -> None:
        player = Player(self.meter, self.wire, self._clock, self._faults)
        with contextlib.suppress(OSError, termios.error):  # the line has been taken away
            while not self._ended.is_set():
                if self._silent.is_set():
                    self._quiet.set()
                    time.sleep(0.05)
                else:
                    player.play(lambda: self._ended.is_set() or self._silent.is_set())


def auto(line: MeterLine) -> dict:
    """Return the entry for a meter of which only the keys are known."""
    known = {key: value for key, value in line.settings.items() if key in ("name", "input", "key", "auth_key")}
    return known | {"protocol": "auto"}
