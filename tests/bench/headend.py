"""A thousand simulated hubs, one broker, one and two head-ends on this machine; the bare broker in their place.

The bare client is sent the same letters by the same hubs and sends them commands of the same size, signed before; it
opens, checks and stores nothing. So what the head-end costs is what it does, not what MQTT in Python costs.

On few processors the hubs, the broker and the head-ends share them, and what one of them takes the others lack. So
each table also says what processor time each took: that tells how many of them a larger machine would carry.
"""

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from figures import Table
from worker import BUILD, HERE, Broken, Worker

from meterhub_tools.broker import free_port
from meterhub_tools.headend import Store
from meterhub_tools.roles import keys

HUBS = int(os.environ.get("METERHUB_BENCH_HUBS", "1000"))
COMMANDS = 6  # for each hub, in each turn
LETTERS = 12
WINDOW = min(500, HUBS)  # hubs that are commanded at a time, by all head-ends together
TURNS = 3
_FEW = 10
_TICKS = os.sysconf("SC_CLK_TCK")
_CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
log_type error
user {user}
"""


class Broker:
    """A mosquitto that throws nothing away."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(_CONFIG.format(port=self.port, user=os.environ.get("USER", "root")))
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if not program:
            raise Broken("there is no mosquitto here")
        self._process = subprocess.Popen([program, "-c", config])
        due = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > due:
                    raise Broken("mosquitto does not listen") from None
                time.sleep(0.05)

    def seconds(self) -> float:
        """Return the processor time it has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def tables() -> list[Table]:
    """Return the three tables."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a thousand connections and more
    folder = BUILD / "headend"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    keys.new(folder / "roles", "bench", "SUP")
    broker = Broker(folder)
    try:
        with _part("hubs", broker, folder, HUBS) as hubs:
            hubs.ready()
            return _measured(Bench(broker, folder, hubs))
    finally:
        broker.stop()


def _part(kind: str, broker: Broker, folder: Path, *numbers: int) -> Worker:
    return Worker([sys.executable, HERE / "headend_part.py", kind, broker.port, folder, *numbers], dict(os.environ))


class Bench:
    """What is measured with: who commands changes, broker and hubs stay."""

    def __init__(self, broker: Broker, folder: Path, hubs: Worker) -> None:
        self._broker = broker
        self._folder = folder
        self._hubs = hubs
        self.wrong: list[str] = []
        self.given = 0
        self.told = 0

    def commands(self, kind: str, many: int, window: int, each: int = COMMANDS) -> dict:
        """Let `many` of `kind` command all hubs; return the figures."""
        parts = [_part(kind, self._broker, self._folder, i, many) for i in range(many)]
        try:
            for part in parts:
                part.ready()
                part.ask("sign", each)
            self._hubs.ask("facts")
            began, broker = time.monotonic(), self._broker.seconds()
            cpu = self._hubs.ask("facts")[3]
            for part in parts:
                part.send(f"command {each} {window // many}".encode())
            said = [part.answer() for part in parts]
            seconds = time.monotonic() - began
            time.sleep(0.5)  # the last receipts
            done, waiting, _, after = self._hubs.ask("facts")
        finally:
            for part in parts:
                part.__exit__()
        took = sorted(ms for _, _, each_took in said for ms in each_took)
        wanted = HUBS * each
        if kind == "head":
            self.given += wanted
            self.told += wanted
            if waiting:
                self.wrong.append(f"{waiting} answers have no receipt")
        if done != wanted or len(took) != wanted or -1 in took:
            self.wrong.append(f"{wanted} commands: {done} carried out, {len(took)} answered")
        per = 1e6 / wanted
        return {
            "rate": wanted / seconds,
            "p50": took[len(took) // 2],
            "p99": took[len(took) * 99 // 100],
            "head": per * sum(cpu_s for _, cpu_s, _ in said),
            "hubs": per * (after - cpu),
            "broker": per * (self._broker.seconds() - broker),
        }

    def letters(self, kind: str, many: int) -> dict:
        """Let the hubs pour letters that were sealed before onto `many` of `kind`; return the figures."""
        parts = [_part(kind, self._broker, self._folder, i, many) for i in range(many)]
        try:
            for part in parts:
                part.ready()
            wanted = self._hubs.ask("seal", LETTERS)
            before = [part.ask("collected") for part in parts]
            broker, began = self._broker.seconds(), time.monotonic()
            _, hubs_s = self._hubs.ask("pour", int(kind == "head"))
            while sum(part.ask("collected")[0] for part in parts) < wanted:
                if time.monotonic() - began > 30:
                    raise Broken("letters are lost")
                time.sleep(0.01)
            seconds = time.monotonic() - began
            after = [part.ask("collected") for part in parts]
            self._hubs.ask("facts")
        finally:
            for part in parts:
                part.__exit__()
        new = sum(b[0] - a[0] for a, b in zip(before, after, strict=True))
        if new != wanted:
            self.wrong.append(f"{wanted} letters: {new} collected")
        self.told += wanted if kind == "head" else 0
        per = 1e6 / wanted
        return {
            "rate": wanted / seconds,
            "head": per * sum(b[2] - a[2] for a, b in zip(before, after, strict=True)),
            "hubs": per * hubs_s,
            "broker": per * (self._broker.seconds() - broker),
        }

    def check(self) -> str:
        """Return whether what the database holds is exactly what was done."""
        store = Store(os.environ.get("METERHUB_BENCH_DATABASE") or f"sqlite:///{self._folder / 'head-end.sqlite3'}")
        counts = store.counts()
        store.close()
        if counts.get("DONE") != self.given or counts["letters"] != self.told:
            self.wrong.append(f"of {self.given} commands and {self.told} letters the database has {counts}")
        if self.wrong:
            raise Broken("; ".join(self.wrong))
        return f"{self.given} commands and {self.told} letters to head-ends: none lost, none doubled"


_WHO = {
    "bare client": ("bare", 1),
    "one head-end": ("head", 1),
    "two bare clients": ("bare", 2),
    "two head-ends": ("head", 2),
}


def _measured(bench: Bench) -> list[Table]:
    full: dict[str, list[dict]] = {name: [] for name in _WHO}
    few: dict[str, list[dict]] = {name: [] for name in _WHO}
    poured: dict[str, list[dict]] = {name: [] for name in _WHO}
    for _ in range(TURNS):
        for name, (kind, many) in _WHO.items():
            full[name].append(bench.commands(kind, many, WINDOW))
            few[name].append(bench.commands(kind, many, _FEW, 1))
            poured[name].append(bench.letters(kind, many))
    note = bench.check()
    us = ["client us", "hubs us", "broker us"]
    loaded = Table(
        f"{HUBS} hubs, {WINDOW} commanded at a time",
        ["", "commands/s", "messages/s", "p50 ms", "p99 ms", *us, "of bare"],
    )
    light = Table(
        f"{HUBS} hubs, {_FEW} commanded at a time", ["", "commands/s", "messages/s", "p50 ms", "p99 ms", *us]
    )
    reports = Table("Letters that were sealed before", ["", "letters/s", *us, "of bare"])
    for name in _WHO:
        for table, found in ((loaded, full), (light, few)):
            best = _middle(found[name])
            row = [
                best["rate"],
                3 * best["rate"],
                best["p50"],
                best["p99"],
                *(best[who] for who in ("head", "hubs", "broker")),
            ]
            table.add(name, *row, *([_part_of(found, name)] if table is loaded else []))
        best = _middle(poured[name])
        reports.add(name, best["rate"], *(best[who] for who in ("head", "hubs", "broker")), _part_of(poured, name))
    loaded.notes = [
        f"medians of {TURNS} turns; a command is three messages: command, answer, receipt;",
        "us: processor time for each command",
        f"two head-ends carry {_times(full):.2f} times what one carries (goal 1.8); goal for one: 0.70 of bare",
        note,
    ]
    reports.notes = [
        f"two head-ends carry {_times(poured):.2f} times what one carries; us: processor time for each letter"
    ]
    return [loaded, light, reports]


def _middle(found: list[dict]) -> dict:
    return sorted(found, key=lambda one: one["rate"])[len(found) // 2]


def _part_of(found: dict[str, list[dict]], name: str) -> float:
    bare = found["bare client" if _WHO[name][1] == 1 else "two bare clients"]
    return _ratio(found[name], bare)


def _times(found: dict[str, list[dict]]) -> float:
    return _ratio(found["two head-ends"], found["one head-end"])


def _ratio(of: list[dict], to: list[dict]) -> float:
    return sorted(a["rate"] / b["rate"] for a, b in zip(of, to, strict=True))[len(of) // 2]
