"""`meterhub demo`: the whole on this machine, on one page; with --once the whole flow without a browser."""

import argparse
import asyncio
import contextlib
import json
import shlex
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .progress import Progress
    from .stage import Plan


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "demo",
        help="run the whole on this machine: meter, hub, display, website",
        description="Runs a simulated meter, a hub (the firmware in MicroPython's unix port), its display, a broker "
        "and the website, and shows them on one page. Ctrl-C ends it and leaves nothing behind.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--once", action="store_true", help="do the whole flow once in both modes, without a browser")
    parser.add_argument("--json", action="store_true", help="with --once: print one JSON object in place of a table")
    parser.add_argument(
        "--replay", type=_file, metavar="FILE", help="a captured serial stream in place of the household"
    )
    parser.add_argument(
        "--broker",
        type=_broker,
        metavar="URL",
        help="your own broker, mqtt[s]://[user:password@]host[:port], where the user may publish and read everything",
    )
    parser.add_argument("--ca", type=_file, metavar="FILE", help="with mqtts: PEM file of the CA of its certificate")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="put all files into DIR and leave them there")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="the page's port (default: a free one)")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port number")
    return int(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def _broker(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("mqtt", "mqtts") or not url.hostname:
        raise argparse.ArgumentTypeError(f"{text} is not of the form mqtt[s]://[user:password@]host[:port]")
    return text


def run(args: argparse.Namespace) -> int:
    """Carry the subcommand out; return the exit status."""
    from .progress import Progress
    from .stage import Plan

    wrong = _misfit(args)
    if wrong:
        print(f"meterhub demo: {wrong}", file=sys.stderr)
        return 2
    plan = Plan(args.broker or "", args.ca, args.replay, args.keep, args.port)
    if args.once:
        # standard output is for the report
        return asyncio.run(_until_signal(_once(plan, Progress(sys.stderr), args.json)))
    return asyncio.run(_until_signal(_live(plan, Progress(sys.stdout))))


def _misfit(args: argparse.Namespace) -> str:
    """Return which arguments do not fit together, "" when they all do."""
    if args.json and not args.once:
        return "--json goes with --once"
    if (args.broker or "").startswith("mqtts:") != bool(args.ca):
        return "--ca goes with a --broker of the form mqtts://..., and that needs it"
    return ""


async def _until_signal(work: "Coroutine[Any, Any, int]") -> int:
    """Run `work`; SIGINT and SIGTERM end it in order, whatever it is at."""
    doing = asyncio.create_task(work)
    caught: list[int] = []

    def end(number: int) -> None:
        caught.append(number)
        doing.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    with contextlib.suppress(asyncio.CancelledError):
        return await doing
    return 128 + caught[0] if caught else 1


async def _live(plan: "Plan", progress: "Progress") -> int:
    from .stage import Stage

    async with Stage(plan, progress, patient=True) as stage:
        await stage.during(stage.read_history())
        progress.line(f"\nOpen  {stage.page.url}  and press Ctrl-C here when you have seen enough.")
        progress.line(roles_hint(plan, stage.broker, stage.keys))
        with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C is how it ends well
            await stage.during(asyncio.Event().wait())
    return 0


async def _once(plan: "Plan", progress: "Progress", as_json: bool) -> int:
    from ..errors import ToolError
    from .once import Once
    from .stage import Stage

    try:
        async with Stage(plan, progress, patient=False) as stage:
            await stage.during(stage.read_history())
            report = await stage.during(Once(stage).run())
    except (ToolError, TimeoutError) as error:
        raise ToolError(f"failed while {progress.step_now}: {error or 'time is up'}") from error
    print(json.dumps(report) if as_json else table(report))
    return 0


def roles_hint(plan: "Plan", broker: str, keys: Path) -> str:
    """Return what to type to speak to the hub as a market role."""
    known = "" if plan.broker else f"METERHUB_BROKER={shlex.quote(broker)} "  # your own may have a password in it
    more = " with --broker" if plan.broker else ""
    return (
        f"To command the hub as a supplier, in another terminal{more} (README, Market roles):\n"
        f"  export {known}METERHUB_KEYS={shlex.quote(str(keys))}\n"
        "  meterhub role new acme --role SUP\n"
        "  meterhub role grant acme --hub home\n"
        "  meterhub command --role acme --hub home read.power_now --wait"
    )


def table(report: dict[str, Any]) -> str:
    """Return the report for people."""
    lines = [f"{'hub':<28}{report['hub_id']}"]
    lines += [f"{name.replace('_', ' '):<28}{report[name]:,}" for name in ("telegrams_read", "intervals_stored")]
    modes = report["modes"]
    lines += ["", f"{'':<28}" + "".join(f"{name + ' mode':>18}" for name in modes)]
    for row in next(iter(modes.values())):
        if row != "seconds":
            cells = [modes[name][row] for name in modes]
            shown = [("yes" if cell else "no") if isinstance(cell, bool) else f"{cell:,}" for cell in cells]
            lines.append(f"{row.replace('_', ' '):<28}" + "".join(f"{cell:>18}" for cell in shown))
    for step in next(iter(modes.values()))["seconds"]:
        cells = [modes[name]["seconds"].get(step, 0.0) for name in modes]
        lines.append(f"{'seconds: ' + step.replace('_', ' '):<28}" + "".join(f"{cell:>18.2f}" for cell in cells))
    return "\n".join(lines)
