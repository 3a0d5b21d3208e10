"""`meterhub head-end`: the service that keeps many hubs for a role, and what it has collected."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from typing import Any

from ..errors import UsageError
from ..roles import keys
from . import options, show
from .head_end import GROUP, HeadEnd
from .store import LIFE, Store

_SWITCH_S = (
    0.0005  # each packet waits so long for the thread that writes to the database; Python's own is ten times that
)
_KINDS = ("serve", "hubs", "state", "transactions", "readings", "alerts")


def _above_0(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "head-end",
        help="keep many hubs for a market role: commands, scheduled readings, alerts",
        description="Serves until SIGTERM or Ctrl-C: registers hubs that say hello, collects readings and alerts, "
        "sends again what has no answer, marks what is OVERDUE. Several of them share the work: same --broker, --db, "
        "--role and --group, on any MQTT 5 broker. The other words show what the database holds.",
    )
    parser.add_argument(
        "what", nargs="?", default="serve", choices=_KINDS, help="serve (the default), or what to show"
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help=f"state HUB STATE: one of {', '.join(LIFE)}")
    parser.add_argument("--role", metavar="ROLE", help="the role's name, or its kind: SUP, DNO, ...")
    parser.add_argument(
        "--group", default=GROUP, metavar="NAME", help="those that share the letters (%(default)s); '' for one alone"
    )
    parser.add_argument("--hub", default="", metavar="ID", help="only of this hub")
    parser.add_argument("--limit", type=_above_0, default=100, metavar="N", help="of what is shown (%(default)s)")
    parser.add_argument("--status", type=float, default=10, metavar="S", help="seconds between two lines of status")
    parser.add_argument("--json", action="store_true", help="for machines")
    options.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve, or show."""
    if args.words and args.what != "state":
        raise UsageError(f"{args.what} takes no further word; `meterhub head-end --help` tells more")
    if args.what == "serve":
        return _serve(args)
    known = options.store(args)
    try:
        return _state(args, known) if args.what == "state" else _show(args, known)
    finally:
        known.close()


# -- the service -------------------------------------------------------------------------------------------------


def _serve(args: argparse.Namespace) -> int:
    if not args.role:
        raise UsageError("--role is missing: for whom? `meterhub role list` shows the roles")
    role = keys.load(options.folder(args), args.role)
    broker = options.broker(args)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    known = options.store(args)
    vouched = {one.hub: one.key for one in options.registered(args)} if args.registry else None

    def expected(hub: str, key: bytes) -> bool:
        if vouched is not None and hub not in vouched:  # provisioned since then?
            vouched.update({one.hub: one.key for one in options.registered(args)})
        return vouched is None or vouched.get(hub) == key

    sys.setswitchinterval(_SWITCH_S)
    head = HeadEnd(role, broker, known, ca=args.ca, group=args.group, vouched=expected)
    try:
        asyncio.run(_until_told(head, args.status, args.json))
    finally:
        known.close()
    return 0


async def _until_told(head: HeadEnd, every_s: float, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with head:
        print(f"head-end of {head.role.name} ({head.role.role} {head.role.kid})", flush=True)
        status = asyncio.create_task(_status(head, every_s, as_json))
        ends = {status, asyncio.create_task(head.failed()), asyncio.create_task(_wait(told))}
        ended, others = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        for task in ended:
            task.result()
    print("stopped", flush=True)


async def _wait(told: asyncio.Event) -> None:
    await told.wait()


async def _status(head: HeadEnd, every_s: float, as_json: bool) -> None:
    """Print a line now, when the broker comes or goes or says why not, and every now and then."""
    before, shown, due = 0, None, 0.0
    since = time.monotonic()
    while True:
        if (head.online, head.trouble) != shown or time.monotonic() >= due:
            letters = sum(head.done[kind] for kind in ("answer", "report", "alert", "hello"))
            now = time.monotonic()
            rate = (letters - before) / max(now - since, 0.001)
            before, since, shown, due = letters, now, (head.online, head.trouble), now + every_s
            facts = _facts(head, letters)
            print(json.dumps(facts) if as_json else _line(head, facts, rate), flush=True)
        await asyncio.sleep(min(0.2, every_s))


def _facts(head: HeadEnd, letters: int) -> dict[str, Any]:
    names = ("sent", "sent again", "again", "overdue", "report", "alert", "answer", "hello")
    counts = {name: head.done[name] for name in names}
    return {
        "online": head.online,
        "trouble": head.trouble,
        "letters": letters,
        **counts,
        "refused": dict(head.refused),
    }


def _line(head: HeadEnd, facts: dict[str, Any], rate: float) -> str:
    where = "online" if head.online else f"no broker{f' ({head.trouble})' if head.trouble else ''}"
    refused = ", ".join(f"{name} {many}" for name, many in sorted(head.refused.items())) or "none"
    return (
        f"{where}  letters {facts['letters']} ({rate:.0f}/s, {facts['again']} came again)  "
        f"readings {facts['report']}  alerts {facts['alert']}  "
        f"commands {facts['sent']}, overdue {facts['overdue']}  refused: {refused}"
    )


# -- what there is -------------------------------------------------------------------------------------------------


def _state(args: argparse.Namespace, known: Store) -> int:
    if len(args.words) != 2 or args.words[1] not in LIFE:
        raise UsageError(f"state wants HUB STATE; a state is one of {', '.join(LIFE)}")
    found = known.change_state(options.hub_id(args.words[0], args, known), args.words[1])
    print(json.dumps({"hub": found.hub, "state": found.state}) if args.json else f"{found.hub} is {found.state}")
    return 0


def _show(args: argparse.Namespace, known: Store) -> int:
    hub = options.hub_id(args.hub, args, known) if args.hub else ""
    facts = _FACTS[args.what](known, hub, args.limit)
    if args.json:
        print(json.dumps(facts))
        return 0
    rows = [[_cell(name, fact[name]) for name in _COLUMNS[args.what]] for fact in facts]
    print("\n".join(show.table([_COLUMNS[args.what], *rows])) if rows else f"no {args.what} yet")
    return 0


def _cell(name: str, value: Any) -> Any:
    if name.endswith(("_at", "_ms")) or name in ("at", "since"):
        return show.moment(value // 1000 if name.endswith("_ms") else value)
    return value if isinstance(value, (str, int)) else json.dumps(value)


def _hubs(known: Store, hub: str, limit: int) -> list[dict[str, Any]]:
    found = [one for one in known.hubs() if hub in ("", one.hub)][:limit]
    return [
        {
            "hub": one.hub,
            "name": one.name,
            "state": one.state,
            "since": one.since,
            "seen_at": one.seen_at,
            "hello": one.hello,
        }
        for one in found
    ]


_FACTS = {
    "hubs": _hubs,
    "transactions": lambda known, hub, limit: [show.facts(one) for one in known.transactions(hub, limit=limit)],
    "readings": lambda known, hub, limit: [vars(one) for one in known.readings(hub, limit=limit)],
    "alerts": lambda known, hub, limit: [vars(one) for one in known.alerts(hub, limit=limit)],
}
_COLUMNS = {
    "hubs": ("hub", "name", "state", "since", "seen_at"),
    "transactions": ("sent_ms", "hub", "cmd", "state", "error", "field", "ctr"),
    "readings": ("at", "hub", "schedule", "seq", "data"),
    "alerts": ("at", "hub", "event", "code", "detail"),
}
