"""Meters on lines of their true speed, several at one hub: what they send, and what the hub counts while it works.

A minute each, on the 32-bit port: the hub exports thirteen months every few seconds, with all the signatures of an
export. With four meters at once it also works with public keys without a pause, which is what its self-test of them
does; an export and a self-test at the same time are too much for 190 KB, so this hub has what a Pico has in all.

The meters are the simulated ones on ptys; a line has so many bits a byte and so many a second as the meter's has, and
what does not fit into a receive buffer as large as a board's is lost. A telegram is sent when its last byte is out; of
mode C it is the readout, for which the hub has asked. What is counted is what the hub says: its status, and of the
pulses the register in the last export.
"""

import asyncio
import shutil
import sys
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

from export_broker import PATIENCE_S, Asker
from figures import Table
from history import DAYS, END, INTERVALS, REGISTERS
from store import filled
from worker import BUILD, Broken

from meterhub_tools import toolchain
from meterhub_tools.board.port import Line
from meterhub_tools.broker import Broker
from meterhub_tools.hub import Hub
from meterhub_tools.recipient import Card, Recipient, data_wish, link_wish
from meterhub_tools.simulators.bench import Bench
from meterhub_tools.simulators.household import HALF_HOUR_S, Household
from meterhub_tools.simulators.wire import RECEIVE_BUFFER_BYTES

sys.path.append(str(toolchain.ROOT / "tests/lib"))
from busy_lines import BusyLines, Heard, pulsing

MINUTE_S = 60
EXPORT_EVERY_S = 5  # a hub takes ten requests at once, and then one in ten seconds
LINES = {
    "p1": "P1, 115200 8N1",
    "sml": "SML, 9600 8N1",
    "dlms": "DLMS push, 2400 8E1",
    "mode-c": "IEC 62056-21 mode C, 300 to 9600 7E1",
}
PUBLIC_KEY = ("ECDSA", "ECDH", "SPAKE2")  # of the self-test
PULSE = {"protocol": "pulse", "input": "pulse0", "imp": 1000}
_BEGIN = END + 60
_YEAR_S = 365 * 86400


class Load(NamedTuple):
    """What a hub has to do. per_s: pulses a second; works: with public keys, all the time."""

    kinds: tuple[str, ...]
    per_s: int
    heap: str
    works: bool


LOADS = (
    Load(("p1", "sml"), 16, toolchain.HEAP_OF_A_BOARD, False),
    Load(("dlms", "mode-c"), 44, toolchain.HEAP_OF_A_BOARD, False),
    Load(tuple(LINES), 44, "240k", True),
)


@dataclass
class Run:
    """What one hub went through in its minute."""

    heard: dict[str, Heard] = field(default_factory=dict)
    pulses: int = 0
    counted: int = 0
    exports: int = 0
    tests: int = 0
    troubles: list[str] = field(default_factory=list)


def tables() -> list[Table]:
    """Return the one table."""
    home = Household(END - INTERVALS * HALF_HOUR_S)
    home.registers(_BEGIN + HALF_HOUR_S - 60)  # worked out once, for all meters
    columns = ["", "sent", "counted", "lost", "most bytes waiting"]
    table = Table("Sent to a busy 32-bit hub in a minute, and counted by it", columns)
    for load in LOADS:
        _add(table, load, asyncio.run(_minute(load, home)))
    table.notes += [
        "goal: 0 lost",
        f"waiting: in the line's receive buffer, which holds {RECEIVE_BUFFER_BYTES:,} bytes; exports: of {DAYS} days",
        f"key operations: rounds of the self-test's {', '.join(PUBLIC_KEY)}",
    ]
    return [table]


def _add(table: Table, load: Load, run: Run) -> None:
    """Put what one hub went through into the table."""
    done = f"{run.exports} exports" + (f" and {run.tests} key operations" if load.works else "")
    table.add(f"{len(load.kinds)} meters and an input at once, {load.heap}; {done}", *[None] * 4)
    for name, heard in run.heard.items():
        lost = heard.sent - heard.counted
        table.add("  " + LINES[name], heard.sent, heard.counted, lost, heard.most_waiting_bytes)
    table.add(f"  pulses, {load.per_s} a second", run.pulses, run.counted, run.pulses - run.counted, None)
    table.notes += run.troubles


async def _minute(load: Load, home: Household) -> Run:
    data = BUILD / "hub-lines"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(filled(), data / "profile")
    recipient = Recipient("Green Co-op", Recipient.new_pem())
    bench = Bench()
    await bench.start()
    with Broker() as broker, BusyLines(load.kinds, home, _BEGIN) as lines:
        settings = {"schema": 1, "meters": [PULSE, *lines.settings], "profile": {"registers": REGISTERS}}
        settings |= {"wan": {"url": broker.url()}, "recipients": [recipient.public()]}
        options = {"uart": lines.uart, "bench": bench.address, "clock": "meter", "cable": load.works}
        hub = Hub(data, settings, bits=32, heapsize=load.heap, **options)
        asker = Asker(broker.url(), recipient, bench, lines.now)
        try:
            await hub.start()
            await lines.begin()
            return await _busy(hub, lines, asker, bench, load)
        finally:
            await asyncio.to_thread(asker.courier.stop)
            await hub.stop()
            await bench.stop()


async def _busy(hub: Hub, lines: BusyLines, asker: Asker, bench: Bench, load: Load) -> Run:
    await hub.wait_status("the time", lambda status: status["clock"] != "unset", PATIENCE_S)
    card = await asyncio.to_thread(asker.courier.wait_for_card, hub.id, PATIENCE_S)
    if card is None:
        raise Broken(f"the hub does not say who it is{hub.last_words()}")
    await asker.exchange(card, link_wish(REGISTERS, "half-hour", lines.now() + _YEAR_S))
    run, ended = Run(), threading.Event()
    before = await _register(hub, asker, card)
    pulses = asyncio.create_task(pulsing(bench, PULSE["input"], load.per_s, ended))
    works = asyncio.create_task(asyncio.to_thread(_key_operations, hub.cable, run, ended)) if load.works else None
    try:
        await _exports(hub, asker, card, run)
    finally:
        ended.set()
    run.pulses = await pulses
    if works:
        await works
    run.counted = await _register(hub, asker, card) - before
    run.heard = await lines.end(hub)
    failed = [entry for entry in hub.journal if entry["name"].isupper()]
    run.troubles += [f"the hub's journal: {entry['name']} {entry['detail']}" for entry in failed]
    return run


async def _exports(hub: Hub, asker: Asker, card: Card, run: Run) -> None:
    """Let the recipient have its data again and again, for a minute."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() < began + MINUTE_S:
        await _register(hub, asker, card)
        run.exports += 1
        await asyncio.sleep(max(0.0, began + EXPORT_EVERY_S * run.exports - loop.time()))


async def _register(hub: Hub, asker: Asker, card: Card) -> int:
    """Return the imported energy that is the last entry of an export of everything, Wh."""
    exchange, _ = await asker.exchange(card, data_wish("private", REGISTERS, "half-hour", *hub.status["have"]))
    if exchange.result is None:
        raise Broken(f"the export ended with {exchange.state}: {exchange.error}")
    entries = exchange.result.entries
    if len(entries) < INTERVALS:
        raise Broken(f"an export of everything has {len(entries)} entries")
    return int(entries[-1].values[0])


def _key_operations(cable: str, run: Run, ended: threading.Event) -> None:
    """Have the hub test its public-key operations all the time."""
    with Line(cable) as line:
        while not ended.is_set():
            line.ask("selftest", part=PUBLIC_KEY[run.tests % len(PUBLIC_KEY)], patience_s=PATIENCE_S)
            run.tests += 1
