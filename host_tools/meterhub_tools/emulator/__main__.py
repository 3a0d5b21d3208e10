"""Runs an emulated Raspberry Pi Pico until Ctrl-C: python -m meterhub_tools.emulator --help."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from ..errors import ToolError
from .board import EmulatedPico

_DISPLAY = 0x3C


def main() -> int:
    """Start a board, say how to reach it, and keep it on."""
    parser = argparse.ArgumentParser(prog="python -m meterhub_tools.emulator", description=__doc__.partition(":")[0])
    parser.add_argument("--frozen", action="store_true", help="with the firmware in it, not the stock image")
    parser.add_argument("--flash", type=Path, metavar="FILE", help="the flash: read at the start, kept at the end")
    parser.add_argument("--no-display", action="store_true", help="nothing answers on the I2C bus")
    parser.add_argument("--fast", action="store_true", help="virtual time may run ahead of real time")
    args = parser.parse_args()
    try:
        _run(args)
    except ToolError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    flash = args.flash.read_bytes() if args.flash and args.flash.exists() else None
    kind = "frozen" if args.frozen else "stock"
    with EmulatedPico(kind, flash, pace=None if args.fast else 1.0) as pico:
        pico.listeners.append(_say)
        if not args.no_display:
            pico.connect_i2c(0, _DISPLAY)
        print(f"a Raspberry Pi Pico with the {kind} image: {pico.port} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
        if args.flash:
            args.flash.write_bytes(pico.flash)


def _say(event: dict) -> None:
    if event["ev"] in ("off", "usb", "fault"):
        print(" ".join(str(value) for value in event.values()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
