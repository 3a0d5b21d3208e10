"""One process of the head-end's bench: the hubs, a head-end that commands them, or a bare client in its place.

    headend_part.py hubs PORT FOLDER COUNT       headend_part.py head|bare PORT FOLDER NUMBER OF

Orders come line by line, answers are JSON. FOLDER holds the role's key, hubs.json and, unless a URL is in
METERHUB_BENCH_DATABASE, the database.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lib"))

from meterhub_tools import firmware  # noqa: F401  # isort: skip - puts the package meterhub on the path
from simulated_hub import SimulatedHub, Street

from meterhub_tools.headend import HeadEnd, Store, load, wire
from meterhub_tools.headend.line import Line

PATIENCE_S = 30
OPEN = 1000  # letters that the broker has not acknowledged


def database(folder):
    return os.environ.get("METERHUB_BENCH_DATABASE") or f"sqlite:///{folder / 'head-end.sqlite3'}"


async def until(true):
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.002)


# -- the hubs ----------------------------------------------------------------------------------------------------


class Hubs:
    """All hubs of the bench."""

    def __init__(self, port, folder, count):
        self.role = load(folder / "roles", "bench")
        self.hubs = [SimulatedHub([self.role]) for _ in range(count)]
        (folder / "hubs.json").write_text(json.dumps([[hub.id, hub.point.hex()] for hub in self.hubs]))
        self.street = Street(port, self.hubs)
        self.letters = []

    async def __aenter__(self):
        await self.street.__aenter__()
        return self

    async def __aexit__(self, *_):
        await self.street.__aexit__()

    async def seal(self, each):
        """Seal so many reports of each hub ahead."""
        data = {"registers": [["1-0:1.8.0", 12_345_678], ["1-0:2.8.0", 345]], "at": int(time.time())}
        self.letters = [(hub, hub.report(self.role.kid, seq, **data)) for seq in range(int(each)) for hub in self.hubs]
        return len(self.letters)

    async def pour(self, wants_receipts):
        """Send them; return the seconds until each has its receipt, or until the broker has them all."""
        began, cpu = time.monotonic(), time.process_time()
        clients = self.street._clients
        for i, (hub, raw) in enumerate(self.letters):
            self.street.say(hub, self.role.kid, raw)
            if not i % 100:
                await asyncio.sleep(0)
                while sum(client.open for client in clients.values()) > OPEN:
                    await asyncio.sleep(0.001)
        if int(wants_receipts):
            await until(lambda: not any(hub.waiting for hub in self.hubs))
        return time.monotonic() - began, time.process_time() - cpu

    async def facts(self):
        """Return commands done, letters without receipt, receipts, processor seconds; and begin to count anew."""
        found = [sum(len(hub.ran) for hub in self.hubs), sum(len(hub.waiting) for hub in self.hubs)]
        found += [self.street.receipts, time.process_time()]
        for hub in self.hubs:
            hub.ran.clear()
            hub.waiting.clear()
        self.street.receipts = 0
        return found


# -- what commands them --------------------------------------------------------------------------------------------


class Head:
    """A head-end. Its share of the hubs is every OF-th, from NUMBER on."""

    def __init__(self, port, folder, number, of):
        sys.setswitchinterval(0.0005)  # as the service does
        found = json.loads((folder / "hubs.json").read_text())
        self.hubs = [hub for hub, _ in found][number::of]
        self.role = load(folder / "roles", "bench")
        self.store = Store(database(folder))
        self.store.admit([(hub, bytes.fromhex(key), "") for hub, key in found], "commissioned")
        self.head = HeadEnd(self.role, f"mqtt://127.0.0.1:{port}", self.store)

    async def __aenter__(self):
        await self.head.__aenter__()
        await self.head.connected(PATIENCE_S)
        return self

    async def __aexit__(self, *_):
        await self.head.__aexit__()
        self.store.close()

    async def sign(self, each):
        """Do nothing: a head-end signs when it sends."""
        return 0

    async def command(self, each, window):
        """Give each hub so many commands, `window` hubs at a time; return seconds, processor seconds, sorted ms."""
        took = []

        async def one(hub):
            given = await self.head.command(hub, "read.power_now", {"register": "1-0:16.7.0"}, life_s=PATIENCE_S)
            took.append(given.answered_ms - given.sent_ms if given.state == "DONE" else -1)

        return await _all(self.hubs, int(each), int(window), one, took)

    async def collected(self):
        """Return how many letters this one has taken, and the processor seconds of this process."""
        return self.head.done["report"], self.head.done["again"], time.process_time()


class Bare:
    """A client that neither signs, opens, checks nor stores: it sends what lies ready, and counts what comes."""

    def __init__(self, port, folder, number, of):
        found = json.loads((folder / "hubs.json").read_text())
        self.hubs = [hub for hub, _ in found][number::of]
        self.role = load(folder / "roles", "bench")
        shared = [f"$share/bare/{wire.letters('+', self.role.kid)}"]  # as a head-end; of two, each must hear its own
        topics = shared if of == 1 else [wire.letters(hub, self.role.kid) for hub in self.hubs]
        self.line = Line(f"mqtt://127.0.0.1:{port}", None, topics, self._hear, lambda _: None)
        self.waiting = {}
        self.tokens = {}
        self.heard = 0

    async def __aenter__(self):
        self.task = asyncio.create_task(self.line.run())
        await self.line.connected.wait()
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def _hear(self, message):
        hub = message.topic.split("/")[1]
        self.heard += 1
        self.line.publish(wire.topic(hub, "received"), b'{"n":0,"mac":"AAAAAAAAAAAAAAAAAAAAAA"}', qos=0)
        self.line.ack(message)
        future = self.waiting.pop(hub, None)
        if future:
            future.set_result(None)

    async def sign(self, each):
        """Sign the commands ahead."""
        now = int(time.time())
        claims = {"iat": now, "exp": now + 600, "cmd": "read.power_now", "arg": {"register": "1-0:16.7.0"}}
        first = int(time.time() * 1_000_000)
        for hub in self.hubs:
            self.tokens[hub] = [
                wire.command(self.role, {"hub": hub, "ctr": first + i} | claims) for i in range(int(each))
            ]
        return len(self.hubs)

    async def command(self, each, window):
        """As Head.command()."""
        took = []

        async def one(hub):
            began = time.monotonic()
            future = self.waiting[hub] = asyncio.get_running_loop().create_future()
            self.line.publish(wire.topic(hub, "command"), self.tokens[hub].pop(0), hub)
            await future
            took.append(round(1000 * (time.monotonic() - began)))

        return await _all(self.hubs, int(each), int(window), one, took)

    async def collected(self):
        """As Head.collected()."""
        return self.heard, 0, time.process_time()


async def _all(hubs, each, window, one, took):
    """Run one(hub) `each` times for every hub, for at most `window` hubs at a time."""
    began, cpu = time.monotonic(), time.process_time()
    wanted = iter(hubs * each)
    busy = set()

    async def work():
        for hub in wanted:
            while hub in busy:  # its turn before has not ended: of the closed circle of hubs, seldom
                await asyncio.sleep(0.001)
            busy.add(hub)
            await one(hub)
            busy.discard(hub)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(work() for _ in range(window)))
    return time.monotonic() - began, time.process_time() - cpu, sorted(took)


def _say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def main(kind, port, folder, *numbers):
    """Carry orders out until there are no more."""
    part = {"hubs": Hubs, "head": Head, "bare": Bare}[kind](int(port), Path(folder), *map(int, numbers))
    async with part:
        _say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, *words = line.split()
            _say(await getattr(part, name)(*words))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
