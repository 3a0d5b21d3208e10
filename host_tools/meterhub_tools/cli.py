"""The command `meterhub`: one subcommand per file, imported when it is asked for.

A subcommand's module has `add_parser(subparsers)`, which adds its arguments under its own name, and
`run(args) -> int`, which does the work and returns the exit status: 0 done, 1 the device or the data said no.
Adding a subcommand is adding its file and a line to COMMANDS.
"""

import argparse
import errno
import importlib
import os
import sys
import types
from collections.abc import Sequence
from importlib.metadata import version

from .errors import ToolError, UsageError

# name: (module of this package, what it does in a few words)
COMMANDS = {
    "demo": ("demo.command", "run the whole on this machine: meter, hub, display, website"),
    "flash": ("board.flash", "put MicroPython onto a board"),
    "deploy": ("board.deploy", "put the firmware onto a board that runs MicroPython"),
    "provision": (
        "owner.provision",
        "make a hub yours: its certificate, settings, clock, and a place in the registry",
    ),
    "hubs": ("owner.hubs", "list or show the hubs that were provisioned here"),
    "monitor": ("board.monitor", "show what the hub on the cable does"),
    "info": ("owner.info", "versions, memory, link, errors of the hub on the cable"),
    "settings": ("owner.settings", "get, set or check the settings of the hub on the cable"),
    "order": ("owner.orders", "tell hubs the time, signed"),
    "selftest": ("owner.selftest", "try every wired part of the hub on the cable"),
    "backup": ("owner.backup", "save a hub's settings and history"),
    "restore": ("owner.restore", "put a backup onto a hub"),
    "bridge": ("board.bridge", "connect a hub without radio to its broker, through the cable"),
    "website": ("website.command", "serve the website where customers ask for and see their data"),
    "role": ("roles.command", "market roles: make their keys, have hubs know them, or know them no more"),
    "command": (
        "headend.send",
        "give a hub a signed command as a market role or its owner, and see its answer",
    ),
    "head-end": ("headend.service", "keep many hubs for a market role: commands, scheduled readings, alerts"),
    "decode": ("decode.command", "what is in captures of a meter's line, read with the firmware's decoders"),
    "capture": ("decode.capture", "record what a meter sends, with times, into a file"),
    "simulate": ("simulators.command", "a simulated meter on a serial port or pty, with faults to order"),
    "store": ("store.command", "what a hub keeps, from its folder or from an image of its flash"),
    "tariff": ("tariffs.command", "check, show and sign a tariff, and what energy costs by it"),
    "bill": ("billing.command", "private billing: bills that prove themselves without giving the readings away"),
    "proof": ("proof_command", "check the proof of an export: did this hub say so, is anything changed?"),
}

_WELCOME = """\
meterhub: a communications hub for the home, and the tools around it
  meterhub demo           see it work on this machine      meterhub simulate   a meter on a serial port or pty
With a board on the cable (--port /dev/ttyACM0), one after the other:
  meterhub flash          MicroPython onto it      meterhub deploy     the firmware onto it
  meterhub provision      make it yours            meterhub selftest   is everything wired right?
  meterhub monitor        see what it does         meterhub info       how is it?
later: meterhub settings, meterhub order, meterhub backup, meterhub restore, meterhub store, meterhub hubs, \
meterhub bridge; for market roles: meterhub role, meterhub command, meterhub head-end
  meterhub capture        record a meter's line            meterhub decode     what is in a capture
  meterhub website        where customers see their data  meterhub proof, meterhub tariff, meterhub bill
`meterhub COMMAND --help` tells about one. Exit status: 0 done, 1 the device or the data said no, 2 wrong usage."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the subcommand that the command line `words` names; return the exit status. argparse's no: SystemExit(2)."""
    try:
        try:
            return _run(sys.argv[1:] if words is None else words)
        finally:
            sys.stdout.flush()  # what cannot be written shows here, and not when Python ends
    except BrokenPipeError:  # the reader of our output (`| head`) has gone: nothing left to say
        _forget_the_output()
        return 1
    except OSError as exc:
        if exc.errno != errno.ENOSPC:
            raise
        _forget_the_output()
        print(f"meterhub: {exc.strerror}", file=sys.stderr)
        return 1


def _forget_the_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: Sequence[str]) -> int:
    if not words:
        print(_WELCOME)
        return 0
    parser = _parser(words)
    args = parser.parse_args(words)
    try:
        return int(_module(args.command).run(args))
    except ToolError as exc:
        print(f"meterhub {args.command}: {' '.join(str(exc).split())}", file=sys.stderr)
        return 2 if isinstance(exc, UsageError) else 1
    except KeyboardInterrupt:
        return 130  # what a shell reports for a program that Ctrl-C has ended


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of all subcommands; only the one that is asked for is imported, with all its arguments."""
    parser = argparse.ArgumentParser(prog="meterhub", description="The host's side of meterhub.")
    parser.add_argument("--version", action="version", version=f"meterhub {version('meterhub-tools')}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, (_, says) in COMMANDS.items():
        if name == asked:
            _module(name).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=says)
    return parser


def _module(name: str) -> types.ModuleType:
    return importlib.import_module(f".{COMMANDS[name][0]}", __package__)


if __name__ == "__main__":
    sys.exit(main())
