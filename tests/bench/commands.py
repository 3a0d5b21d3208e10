"""Signed commands: how many a second a hub verifies, carries out and answers; their bytes; the heap of a service.

The hub is the firmware on the unix port, without its WAN: a command goes in as the broker would bring it, its answer
comes out sealed, as the broker would take it. Times are the processor's. A key is new when the hub has no table of it:
then the answer goes out first, and the table is made after it.
"""

import json
import shutil
import time
from contextlib import ExitStack

from figures import Table, median
from worker import BUILD, Broken, Worker, on_port

from meterhub.codec import base64url
from meterhub.errors import HubError
from meterhub.store.record import Record
from meterhub.trust import matrix
from meterhub_tools import toolchain
from meterhub_tools.headend import wire
from meterhub_tools.roles.keys import Role
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.p1_meter import P1Meter

TURNS = 15
COMMANDS = {
    "read.clock": {},
    "read.import_registers": {},
    "message.send": {
        "id": "bench",
        "category": "general",
        "title": "Cheap tonight",
        "text": "Electricity is cheap tonight from eleven to five.",
    },
    "supply.disable": {},
}
_ROOMY = "1m"


def tables() -> list[Table]:
    """Return the tables: the path, the bytes, the heap."""
    role = Role.generate("bench", "SUP")
    with ExitStack() as stack:
        hubs = {bits: Hub(role, bits, stack) for bits in (64, 32)}
        for turn in range(TURNS + 1):
            for hub in hubs.values():
                hub.turn(warm=not turn)
    return [_path(hubs), _bytes(hubs[64]), _heap()]


class Hub:
    """A hub that knows `role`; told: {(command, "new" or "known"): answers of command_path.py}."""

    def __init__(self, role: Role, bits: int, stack: ExitStack) -> None:
        self._role = role
        self._ctr = 0
        self.told: dict[tuple[str, str], list[dict]] = {}
        self.sent: dict[str, int] = {}  # bytes of a command
        self.answered: dict[str, int] = {}  # of its answer, before it is signed and sealed
        code = toolchain.firmware_image() if bits == 32 else None
        heap = toolchain.HEAP_OF_A_BOARD if bits == 32 else ""
        folder = BUILD / f"commands{bits}"
        self._worker: Worker = stack.enter_context(
            on_port("command_path.py", _home(folder, role), bits=bits, heapsize=heap, code=code)
        )
        said = self._worker.answer()
        self._hub = said["hub"]
        self._key = wire.public_key(base64url.decode(said["key"]))
        now = int(time.time())
        if not self._worker.ask("telegram", P1Meter(Household(now - 86400)).telegram(now).hex()):
            raise Broken("the hub has read nothing from its meter")

    def turn(self, warm: bool) -> None:
        """Give each command once with a key that is new to the hub, and once with one that is known."""
        for cmd, arg in COMMANDS.items():
            for key in ("new", "known"):
                if key == "new":
                    self._worker.ask("forget")
                verify = self._worker.ask("verify", self._signed(cmd, arg))[0]
                told = self._give(cmd, arg) | {"verify": verify}
                if not warm:
                    self.told.setdefault((cmd, key), []).append(told)

    def _give(self, cmd: str, arg: dict) -> dict:
        token = self._signed(cmd, arg)
        told = self._worker.ask("take", token)
        try:
            unsealed = wire.unseal(told["letter"].encode(), self._role)
            letter = wire.read(unsealed, self._hub, self._role.kid, self._key)
        except HubError as error:
            raise Broken(f"{cmd}: the letter does not open: {error}") from None
        if letter.body["outcome"] == "refused" or letter.body["re"] != wire.reference(token):
            raise Broken(f"{cmd}: {letter.body}")
        self.sent[cmd] = len(token)
        self.answered[cmd] = len(base64url.decode(unsealed.token.split(".")[1]))
        return told

    def _signed(self, cmd: str, arg: dict) -> str:
        self._ctr += 1
        now = int(time.time())
        claims = {"hub": self._hub, "ctr": self._ctr, "iat": now, "exp": now + 600, "cmd": cmd, "arg": arg}
        return wire.command(self._role, claims)

    def ms(self, cmd: str, key: str, *parts: str) -> float:
        """Return the median of the sum of `parts`, ms."""
        return median([sum(told[part] for part in parts) for told in self.told[cmd, key]]) / 1000

    def letter_bytes(self, cmd: str) -> int:
        """Return the bytes of the last answer, sealed."""
        return len(self.told[cmd, "known"][-1]["letter"])


def _home(folder, role):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = {"schema": 1, "meters": [{"protocol": "p1", "input": "p1"}], "supply": {"switch": True}}
    (folder / "settings.json").write_text(json.dumps(settings))
    keys = [[role.kid, role.role, base64url.encode(role.point), "Bench", 0, 0]]
    Record(str(folder / "roles")).save(json.dumps(keys).encode())
    return folder


def _path(hubs: dict[int, Hub]) -> Table:
    columns = ["", "verify", "act", "seal", "all, ms", "a second"]
    table = Table("A command: verified, carried out, its answer on flash and sealed; ms of the processor", columns)
    for bits, hub in hubs.items():
        for key in ("new", "known"):
            for cmd in COMMANDS:
                verify, whole = hub.ms(cmd, key, "verify"), hub.ms(cmd, key, "first", "seal")
                act, seal = hub.ms(cmd, key, "first") - verify, hub.ms(cmd, key, "seal")
                table.add(f"{bits}-bit, {key} key: {cmd}", verify, act, seal, whole, 1000 / whole)
    for bits, hub in hubs.items():
        after = median([told["after"] for (_, key), all_of in hub.told.items() if key == "new" for told in all_of])
        table.notes.append(
            f"{bits}-bit: a table of a new key, made when its answer has gone out: {after / 1000:.2f} ms"
        )
    table.notes.append("act: rights, counter on flash, the service loaded and let go, its deed, the answer on flash")
    return table


def _bytes(hub: Hub) -> Table:
    table = Table("Bytes", ["", "command, signed", "answer", "answer, signed and sealed"])
    for cmd in COMMANDS:
        table.add(cmd, hub.sent[cmd], hub.answered[cmd], hub.letter_bytes(cmd))
    table.notes = ["the answer: its claims as JSON, before it is signed and sealed"]
    return table


def _heap() -> Table:
    """Return what each service takes of a board's heap; each in a process of its own."""
    table = Table("Heap of a service, 32-bit, from an image in place, bytes", ["", "loaded", "left when it is let go"])
    services = sorted({row[0] for row in map(matrix.row, matrix.commands()) if row and row[0]})
    for name in services:
        if not (toolchain.FIRMWARE / f"meterhub/services/{name}.py").is_file():
            continue  # UNSUPPORTED in this firmware
        with on_port("service_heap.py", bits=32, heapsize=_ROOMY, code=toolchain.firmware_image()) as worker:
            worker.ready()
            desk = worker.ask("desk")[0]
            table.add(name, *worker.ask("service", name))
    table.notes = [
        f"with what only the service itself loads, beside {desk} bytes of a hub that takes commands",
        "what is left, if anything, are names: a second time nothing more stays",
    ]
    return table
