"""Streams through the firmware's own decoders: in MicroPython's unix port, or in this Python.

All decoders of the protocols in question are tried on every stream; the one with the most good frames is right, and
of equals the first in ATTEMPTS: a P1 telegram without CRC is a message of IEC 62056-21 mode D too. What comes without
the frame that its standard gives it has no check sum, so that is believed only where nothing in a frame was found.

The keys go to the decoders through a pipe: a command line can be read by everybody on this machine.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import firmware, toolchain
from ..errors import ToolError
from .files import Stream

PROTOCOLS = ("p1", "iec62056", "sml", "dlms", "mbus", "modbus")
_PROGRAM = toolchain.ROOT / "host_tools/unix/decode.py"
_HEAP = "8m"
_FEED_BYTES = 512  # what a UART hands over at once
# decoder (see _PROGRAM), its protocol, whether what it reads is in a frame
ATTEMPTS = (
    ("p1", "p1", True),
    ("p1-encrypted", "p1", True),
    ("sml", "sml", True),
    ("mbus", "mbus", True),
    ("dlms", "dlms", True),
    ("iec62056", "iec62056", True),
    ("modbus", "modbus", True),
    ("sml-file", "sml", False),
    ("dlms-apdu", "dlms", False),
)
# where nothing was good: how much an error says for its being this protocol; other errors 1
_TELLING = {"refused": 6, "not authentic": 5, "replay": 5, "key missing": 5, "unsupported": 4, "too many": 4, "crc": 3}
_TELLING |= {"damaged": 2, "parity": 2, "truncated": 2, "unsupported CI": 2, "garbage": 0, "unsupported P1": 0}
_CHEAP = {("modbus", "crc"), ("modbus", "truncated"), ("iec62056", "truncated")}  # what any bytes may look like


@dataclass
class Result:
    """What one decoder has made of one stream."""

    protocol: str
    framed: bool
    telegrams: list[dict[str, Any]] = field(default_factory=list)  # those of _PROGRAM, and "readings"
    errors: dict[str, int] = field(default_factory=dict)

    def merit(self) -> tuple[int, ...]:
        """Return what tells the right one of several results: the largest."""
        frames, errors = len(self.telegrams), sum(self.errors.values())
        return bool(frames and self.framed), frames, "garbage" not in self.errors, self._told(), -errors

    def is_sure(self) -> bool:
        """Return whether the bytes are of this protocol, good or not."""
        return bool(self.telegrams) or self._told() > 1

    def _told(self) -> int:
        return max((self._weight(reason) for reason in self.errors), default=0)

    def _weight(self, reason: str) -> int:
        """Return how much an error says for this protocol, by the longest name in _TELLING that it begins with."""
        known = max((name for name in _TELLING if reason.startswith(name)), key=len, default="")
        return 1 if (self.protocol, reason) in _CHEAP else _TELLING.get(known, 1)


@dataclass(frozen=True)
class Told:
    """What the user says about the meters; keys in hexadecimal, "" where there is none."""

    protocol: str = "auto"
    key: str = field(default="", repr=False)
    auth_key: str = field(default="", repr=False)
    zone: str = "CET-1CEST,M3.5.0,M10.5.0/3"
    map_text: str = ""


def decode(files: Sequence[Sequence[Stream]], told: Told, on_cpython: bool = False) -> list[Result]:
    """Return the best result for each file, which is given as the ways in which it can be read."""
    attempts = [entry for entry in ATTEMPTS if told.protocol in ("auto", entry[1])]
    orders = [_heading(told)]
    for ways in files:
        orders += [_orders(name, stream) for stream in ways for name, _, _ in attempts]
    said = _run("".join(orders), on_cpython)
    found = []
    for ways in files:
        results = [next(said) for _ in ways for _ in attempts]
        for result, (_, protocol, framed) in zip(results, attempts * len(ways), strict=True):
            result.protocol, result.framed = protocol, framed
        found.append(max(results, key=Result.merit))
    return found


def _heading(told: Told) -> str:
    lines = [f"keys {told.key or '-'} {told.auth_key or '-'}", f"zone {told.zone}"]
    if told.map_text:
        lines.append(f"map {told.map_text.encode().hex()}")
    return "\n".join(lines) + "\n"


def _orders(decoder: str, stream: Stream) -> str:
    """Return what _PROGRAM must be told so that it reads a stream."""
    lines = [f"decoder {decoder}"]
    for piece in stream.pieces:
        lines += [f"feed {piece[i : i + _FEED_BYTES].hex()}" for i in range(0, len(piece), _FEED_BYTES)]
        lines.append("silence")
    return "\n".join([*lines, "end"]) + "\n"


def _run(orders: str, on_cpython: bool) -> Iterator[Result]:
    """Yield a Result for each stream in the orders, its protocol not yet filled in."""
    env = toolchain.environment() | {"PYTHONPATH": f"{toolchain.FIRMWARE}:{firmware.SHIMS}"}
    words = [sys.executable] if on_cpython else [str(toolchain.micropython()), "-X", f"heapsize={_HEAP}"]
    done = subprocess.run([*words, _PROGRAM], input=orders, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ToolError(f"a decoder failed, which is a bug: {''.join(last)[:200]}")
    return _results(done.stdout.splitlines())


def _results(lines: Iterable[str]) -> Iterator[Result]:
    result, readings, empty = Result("", True), [], 0
    for line in lines:
        said = json.loads(line)
        if "reading" in said:
            readings.append(said["reading"])
        elif "telegram" in said:
            telegram = said["telegram"] | {"readings": readings}
            if readings or telegram["texts"]:
                result.telegrams.append(telegram)
            else:
                empty += 1  # noise can look like a frame with nothing in it
            readings = []
        else:
            result.errors = said["errors"] | ({"empty": empty} if empty else {})
            yield result
            result, empty = Result("", True), 0
