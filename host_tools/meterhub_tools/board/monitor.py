"""`meterhub monitor`: what the hub on the cable does, one line for each of its events, until Ctrl-C.

A cable that is pulled, or a board that restarts, is waited for. What the hub writes is console.py's docstring.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from ..errors import ToolError
from .port import Line

_LOOK_S = 1.0
_AGAIN_S = 0.3


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "monitor",
        help="show what the hub on the cable does",
        description="Shows what the hub writes to its console, one line for each event, until Ctrl-C. A cable that "
        "is pulled, or a board that restarts, is waited for.",
    )
    parser.add_argument("--port", required=True, help="the hub's serial port")
    parser.add_argument("--json", action="store_true", help="print the events as they come, one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Show events until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):  # how it ends well
        for event in follow(args.port, say_on_stderr):
            print(json.dumps(event) if args.json else words(event), flush=True)
    return 0


def say_on_stderr(text: str) -> None:
    """Say something that is no event."""
    print(text, file=sys.stderr, flush=True)


def follow(
    port: str, tell: Callable[[str], None], opened: Callable[[Line], None] = lambda line: None
) -> Iterator[dict[str, Any]]:
    """Yield the hub's events for ever; opened(line) at the start and each time the port is back; tell(news of it).

    What is on the line besides events comes as {"ev": "text", "text": ...}. ToolError when there is no port at first.
    """
    line = Line(port)
    line.open()
    while True:
        text: list[str] = []
        line.on_text = text.append
        try:
            opened(line)
            while True:
                event = line.event(_LOOK_S)
                yield from ({"ev": "text", "text": one} for one in text)
                text.clear()
                if event is not None:
                    yield event
        except ToolError as error:
            tell(f"{error} Waiting for it.")
        finally:
            line.close()
        _reopen(line)
        tell(f"{port}: back")


def _reopen(line: Line) -> None:
    while True:
        with contextlib.suppress(ToolError):
            line.open()
            return
        time.sleep(_AGAIN_S)


def words(event: dict[str, Any]) -> str:
    """Return an event as one line for people."""
    kind = event["ev"]
    if kind == "text":
        return f"  | {event['text']}"
    if kind == "start":
        return f"start     hub {event.get('hub')} {event.get('name', '')!r} runs version {event.get('version')}"
    if kind == "journal":
        seen = f"{_time(event.get('at'))}  {event.get('kind', ''):<9} {event.get('name', '')}"
        return f"journal   {seen}  {event.get('detail', '')}".rstrip()
    if kind == "status":
        return f"status    {_time(event.get('at'))}  {_status(event)}"
    rest = {name: value for name, value in event.items() if name != "ev"}
    return f"{kind:<9} {json.dumps(rest)}"


def _status(event: dict[str, Any]) -> str:
    errors = event.get("errors")
    if isinstance(errors, dict):  # by reason
        errors = sum(errors.values())
    heap = f", {event['heap'] // 1024} KB free" if "heap" in event else ""
    counts = f"{event.get('telegrams')} telegrams, {errors} errors, {event.get('intervals')} intervals"
    return f"{counts}; clock {event.get('clock')}, WAN {event.get('wan')}{heap}"


def _time(at: Any) -> str:
    """Return a hub's time, which has none before its clock is set."""
    if not isinstance(at, int) or at <= 0:
        return "---------- --:--:--"
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
