"""`meterhub capture`: records what comes from a meter's line, with times, into a file of capture_file.py's format.

It only listens. What it has read is in the file at once, so that nothing is lost when it is ended in any way.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

import serial

from ..errors import ToolError
from . import capture_file

_LOOK_S = 0.1
_MOST_AT_ONCE = 4096
_FORMAT_BITS, _FORMAT_PARITIES, _FORMAT_STOPS = "78", "NEO", "12"
_REVEALS = (
    "It holds what the meter has said: your readings, its serial number, perhaps your supplier's texts. "
    "Whoever gets the file can read them."
)


class Port(Protocol):
    """What is read."""

    in_waiting: int

    def read(self, size: int) -> bytes: ...


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "capture",
        help="record what a meter sends",
        description="Records what comes from a meter's line, with times, into a text file that `meterhub decode` and "
        "`meterhub demo --replay` take. It only listens. " + _REVEALS,
    )
    parser.add_argument("--port", required=True, help="the serial port that the meter is on")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="a new file, such as meter.cap")
    parser.add_argument("--baud", type=int, default=115200, metavar="N", help="the line's speed (115200)")
    parser.add_argument("--format", type=_format, default="8N1", help="bits, parity, stop bits (8N1)")
    parser.add_argument("--seconds", type=_seconds, default=0, metavar="N", help="how long (until Ctrl-C)")


def _format(text: str) -> str:
    kinds = (_FORMAT_BITS, _FORMAT_PARITIES, _FORMAT_STOPS)
    if len(text) != len(kinds) or any(letter not in kind for letter, kind in zip(text.upper(), kinds, strict=True)):
        raise argparse.ArgumentTypeError(f"{text} is not of the form 8N1 or 7E1")
    return text.upper()


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e7:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return found


def run(args: argparse.Namespace) -> int:
    """Record until the time is over or Ctrl-C; return 1 when nothing has come."""
    begun = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with _opened(args) as port, _created(args.out) as file:
        file.write(capture_file.heading(begun, f"{args.baud} {args.format}"))
        until = f"{args.seconds:g} s" if args.seconds else "until Ctrl-C"
        print(f"listening on {args.port}, {args.baud} {args.format}, {until}", file=sys.stderr, flush=True)
        count = Recorder(port, file).record(args.seconds)
    if not count:
        args.out.unlink()
        raise ToolError(f"nothing came from {args.port}; is the meter connected, and are --baud and --format its own?")
    print(f"{count} bytes in {args.out}. {_REVEALS}\nlook into it: meterhub decode {args.out}")
    return 0


def _opened(args: argparse.Namespace) -> Any:
    """Return the open port."""
    bits, parity, stop = args.format
    try:
        return serial.serial_for_url(args.port, args.baud, int(bits), parity, int(stop), timeout=_LOOK_S)
    except (serial.SerialException, OSError, ValueError) as error:
        raise ToolError(f"{args.port} cannot be opened: {error}") from None


def _created(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="ascii", newline="\n")
    except FileExistsError:
        raise ToolError(f"{path} exists; name a new file with --out") from None
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from None


class Recorder:
    """Writes what comes from `port` into `file`; now_s: a clock that never goes back."""

    def __init__(self, port: Port, file: TextIO, now_s: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._file = file
        self._now_s = now_s
        self.count = 0

    def record(self, seconds: float) -> int:
        """Record for so many seconds, 0 for ever; return how many bytes have come. Ctrl-C ends it well."""
        start = self._now_s()
        try:
            while not seconds or self._now_s() - start < seconds:
                piece = self._piece()
                if piece:
                    self._take(int((self._now_s() - start) * 1000), piece)
        except KeyboardInterrupt:
            pass
        finally:
            self._tell("\n")
        return self.count

    def _piece(self) -> bytes:
        """Return what has come, after a short while b""."""
        try:
            return self._port.read(max(1, min(self._port.in_waiting, _MOST_AT_ONCE)))
        except (serial.SerialException, OSError) as error:
            if self.count:
                raise ToolError(f"the port has gone after {self.count} bytes, which are saved: {error}") from None
            raise ToolError(f"the port has gone: {error}") from None

    def _take(self, at_ms: int, piece: bytes) -> None:
        self._file.write(capture_file.lines(at_ms, piece))
        self._file.flush()
        self.count += len(piece)
        self._tell(f"\r{self.count} bytes")

    def _tell(self, text: str) -> None:
        if sys.stderr.isatty():
            print(text, end="", file=sys.stderr, flush=True)
