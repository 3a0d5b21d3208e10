"""A head-end: keeps many hubs for one role. It commands them, and collects what they tell.

Source   MHC 1 (wire.py); at-least-once from the hub (it repeats a letter until it has the receipt), exactly once by
         the database (store.py).
Units    times are Unix seconds, UTC
Errors   ToolError from command() and send() for a hub that cannot be commanded. What comes from outside and is not
         right raises nothing: it is counted in `refused` under its name, is not stored, and gets no receipt. While
         the database is away nothing is acknowledged, so that the broker and the hubs keep it.

    store = Store("sqlite:///head-end.sqlite3")
    async with HeadEnd(role, "mqtt://broker.example", store) as head:
        answer = await head.command(hub, "read.import_registers", {"from": 1750000000, "to": 1750086400})
        print(answer.state, answer.error, answer.answer)

Any number of head-ends may share a broker and a database: those with the same `group` share the letters among them
(MQTT 5), and all of them know all transactions. None of them keeps what another one would miss: a letter that one has
taken when it dies comes again, and a command that it has not got rid of is sent by another one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.exc import DBAPIError, OperationalError

from ..errors import ToolError
from ..recipient import read_card
from ..roles.keys import Role
from . import wire
from .line import Line, Message, background
from .store import HEARD, Hub, Kept, Store, Transaction, Wish
from .wire import Letter

from meterhub.errors import HubError  # isort: skip

GROUP = "meterhub"
MOST_PENDING = 10_000  # hubs that nobody vouches for
_BATCH = 256
_GATHER_S = 0.01  # a commit costs as much for one as for twenty
_TAKEN_S = 0.05
_TICK_S = 1.0
_LOOK_S = 0.1  # how often answers are looked for that another head-end has taken
_LOOKED_BACK_S = 60  # the clocks of head-ends differ, and a change is seen only when it is committed
_TURN_S = 0.02  # until a wish whose turn it was not is tried again
_PAUSE_S = 2.0  # until a database that is away is tried again
_MOST_CARDS = 1000
_LARGEST = 1 << 53
_SHORT = 2048  # characters of a command that surely fit into wire.MAX_COMMAND
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """What letters are judged by: the hub's key, and whether its letters are taken. key None: a stranger."""

    key: ec.EllipticCurvePublicKey | None
    state: str


@dataclass
class _Asked:
    """A wish, who waits for its being sent, and who for its answer."""

    wish: Wish
    given: asyncio.Future[Transaction]
    answered: asyncio.Future[Transaction] | None = None


class HeadEnd:
    """The head-end of `role` at `broker`, with the hubs and transactions of `store`.

    group: the name of the head-ends that share the letters; "" for one that is alone, at any MQTT 3.1.1 broker.
    hubs: a short visit to these: nothing is taken but the answers to such commands as are given here.
    vouched: says whether the operator expects a hub (id, point) that says hello; None: every hub is welcome.
    on_letter: hears each new letter once it is stored.
    """

    def __init__(
        self,
        role: Role,
        broker: str,
        store: Store,
        *,
        ca: Path | None = None,
        group: str = GROUP,
        hubs: Sequence[str] = (),
        vouched: Callable[[str, bytes], bool] | None = None,
        on_letter: Callable[[Letter], None] | None = None,
    ) -> None:
        self.role = role
        self.store = store
        self.name = secrets.token_hex(8)
        self.refused: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._vouched = vouched or (lambda _hub, _key: True)
        self._on_letter = on_letter
        self._only = set[str]() if hubs else None  # the kinds of commands whose answers are taken; None: every letter
        topics = [wire.letters(hub, role.kid) for hub in hubs or ("+",)]
        if group and not hubs:
            topics = [f"$share/{group}/{topic}" for topic in topics]
        self._line = Line(broker, ca, topics, self._on_message, self._on_taken)
        self._inbox: deque[Message] = deque()
        self._wishes: deque[_Asked] = deque()
        self._taken: list[tuple[str, str, int]] = []
        self._known: dict[str, _Known] = {}
        self._looked_at = 0
        self._away = False  # the database
        self._cards: set[str] = set()
        self._waiting: dict[str, list[asyncio.Future[Transaction]]] = {}
        self._something = asyncio.Event()
        self._wished = asyncio.Event()
        self._database = ThreadPoolExecutor(1, "database")
        self._storing: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[None] | None = None

    async def __aenter__(self) -> HeadEnd:
        self._failure = asyncio.get_running_loop().create_future()
        self._looked_at = int(self.store.now())
        work = (self._line.run(), self._collect(), self._give(), self._watch_time(), self._look())
        self._tasks = [background(one, self._fail) for one in work]
        return self

    async def __aexit__(self, *_: object) -> None:
        line, *others = self._tasks
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._storing:  # what is being written down is receipted still
            if self._away:
                self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)
        line.cancel()
        await asyncio.gather(line, return_exceptions=True)
        self._database.shutdown()
        if self._failure and self._failure.done():
            self._failure.exception()

    async def failed(self) -> None:
        """Return never; raise what has ended the head-end's work, which is a mistake in it."""
        if self._failure:
            await asyncio.shield(self._failure)

    def _fail(self, error: BaseException) -> None:
        _log.error("the head-end stops", exc_info=error)
        if self._failure and not self._failure.done():
            self._failure.set_exception(error)

    async def connected(self, patience_s: float) -> None:
        """Return when the broker is there; ToolError when it is not in time."""
        try:
            async with asyncio.timeout(patience_s):
                await self._line.connected.wait()
        except TimeoutError:
            why = self._line.trouble or "no answer"
            raise ToolError(f"the broker cannot be reached ({why}); check --broker and that it runs") from None

    @property
    def online(self) -> bool:
        """Whether the broker is there."""
        return self._line.connected.is_set()

    @property
    def trouble(self) -> str:
        """Return why not, as far as that is known."""
        return self._line.trouble

    # -- commands ----------------------------------------------------------------------------------------------------

    async def send(
        self, hub: str, cmd: str, arg: dict[str, Any], *, at: int | None = None, life_s: int = 60
    ) -> Transaction:
        """Sign a command, write it down and send it; return it then. at: a future date, or wire.NEVER to cancel.

        Without an answer it is sent again, and OVERDUE `life_s` from now; after that the hub refuses it, too.
        """
        return await self._ask(_Asked(await self._wish(hub, cmd, arg, at, life_s), _future()))

    async def _wish(self, hub: str, cmd: str, arg: dict[str, Any], at: int | None, life_s: int) -> Wish:
        """Return the wish, looked over."""
        known = await self._look_up([hub])
        if known[hub].key is None:
            raise ToolError(f"hub {hub} is not known here: it has not said hello, and nobody has told its key")
        if known[hub].state not in (*HEARD, "suspended"):
            raise ToolError(f"hub {hub} is {known[hub].state}: it is not commanded")
        if not 0 < life_s <= wire.MAX_LIFE_S:
            raise ToolError("a command is good for 1 second to 7 days")
        wish = Wish(hub, cmd, arg, at, life_s)
        if len(cmd) + len(json.dumps(arg)) > _SHORT:
            try:
                wire.unsigned(self.role, wish.claims(_LARGEST, _LARGEST))
            except HubError as error:
                raise ToolError(f"{cmd} cannot be sent: {error}") from None
        if self._only is not None:
            self._only.add(cmd)
        return wish

    async def _ask(self, asked: _Asked) -> Transaction:
        self._wishes.append(asked)
        self._wished.set()
        return await asked.given

    async def wait(self, given: Transaction, patience_s: float | None = None, *, settled: bool = False) -> Transaction:
        """Return the transaction when it is answered: DONE, REFUSED, or accepted by the hub; or when it is OVERDUE.

        settled: accepted is not enough. patience_s: return it as it is after so long.
        """
        future = _future()
        while True:
            self._waiting.setdefault(given.re, []).append(future)
            now = await self._fresh(given)
            if not _answered(now, settled):
                try:
                    async with asyncio.timeout(patience_s):
                        now = await future
                except TimeoutError:
                    self._forget(given.re, future)
                    return await self._fresh(given)
            self._forget(given.re, future)
            if _answered(now, settled):
                return now
            future = _future()

    async def taken(self, given: Transaction, patience_s: float) -> Transaction:
        """Return the transaction when the broker has taken it, or as it is after `patience_s`."""
        try:
            async with asyncio.timeout(patience_s):
                while given.state == "PENDING":
                    await asyncio.sleep(_TURN_S)
                    given = await self._fresh(given)
        except TimeoutError:
            pass
        return given

    async def meet(self, hub: str, patience_s: float) -> None:
        """Learn the key of a hub that is not known yet from the card that it leaves at the broker; ToolError."""
        try:
            async with asyncio.timeout(patience_s):
                if (await self._look_up([hub]))[hub].key is None:
                    self._ask_for_card(hub)
                while (await self._look_up([hub]))[hub].key is None:
                    await asyncio.sleep(_TURN_S)
        except TimeoutError:
            raise ToolError(
                f"hub {hub} is not known: it is in no registry here, and has left no card at the broker"
            ) from None

    async def command(
        self, hub: str, cmd: str, arg: dict[str, Any], *, at: int | None = None, life_s: int = 60
    ) -> Transaction:
        """Send a command and return it when it is answered, or OVERDUE."""
        answered = _future()
        given = await self._ask(_Asked(await self._wish(hub, cmd, arg, at, life_s), _future(), answered))
        try:
            return await answered
        finally:
            self._forget(given.re, answered)

    async def _fresh(self, given: Transaction) -> Transaction:
        return await self._surely(self.store.transaction, given.kid, given.hub, given.ctr) or given

    def _forget(self, reference: str, future: asyncio.Future[Transaction]) -> None:
        waiting = self._waiting.get(reference, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(reference, None)

    async def _give(self) -> None:
        """Give wishes their counters, in batches, and send them."""
        while True:
            await self._wished.wait()
            await asyncio.sleep(_GATHER_S)
            self._wished.clear()
            while self._wishes:
                asked = [self._wishes.popleft() for _ in range(min(_BATCH, len(self._wishes)))]
                asked = [one for one in asked if not one.given.done()]
                wishes = [one.wish for one in asked]
                given = await self._surely(self.store.give, self.role.kid, self.name, wishes, self._sign)
                later = [one for one, done in zip(asked, given, strict=True) if not self._send(one, done)]
                self._wishes.extendleft(reversed(later))
                if len(later) == len(asked):
                    await asyncio.sleep(_TURN_S)

    def _sign(self, wish: Wish, ctr: int, iat: int) -> str:
        return wire.command(self.role, wish.claims(ctr, iat))

    def _send(self, asked: _Asked, given: Transaction | None) -> bool:
        if given is None:
            return False
        if asked.answered:
            self._waiting.setdefault(given.re, []).append(asked.answered)
        self._publish(given)
        self.done["sent"] += 1
        if not asked.given.done():
            asked.given.set_result(given)
        return True

    def _publish(self, given: Transaction) -> None:
        self._line.publish(wire.topic(given.hub, "command"), given.token, (given.kid, given.hub, given.ctr))

    def _on_taken(self, known: tuple[str, str, int]) -> None:
        self._taken.append(known)
        if len(self._taken) == 1:  # that can wait: mostly the answer comes first, and both are one commit
            asyncio.get_running_loop().call_later(_TAKEN_S, self._something.set)

    # -- letters -----------------------------------------------------------------------------------------------------

    def _on_message(self, message: Message) -> None:
        self._inbox.append(message)
        self._something.set()

    async def _collect(self) -> None:
        """Take letters in batches: while one is written to the disk, the next one is opened."""
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHER_S)
            self._something.clear()
            while self._inbox or self._taken:
                batch = [self._inbox.popleft() for _ in range(min(_BATCH, len(self._inbox)))]
                taken, self._taken = self._taken, []
                opened = await self._open(batch)
                if self._storing:
                    await self._storing
                self._storing = asyncio.create_task(self._store(batch, opened, taken))
                await asyncio.sleep(0)
            if self._storing:
                await self._storing
                self._storing = None

    async def _open(self, batch: list[Message]) -> list[Letter]:
        """Return the letters that are authentic and expected."""
        known = await self._look_up({message.topic.split("/")[1] for message in batch})
        found = []
        for message in batch:
            hub = message.topic.split("/")[1]
            try:
                if message.topic.endswith("/card"):
                    await self._card(hub, message)
                    continue
                letter = wire.read(wire.unseal(bytes(message.payload), self.role), hub, self.role.kid, known[hub].key)
                if known[hub].key is None:
                    known[hub] = await self._welcome(hub, letter.key)
                if self._may(letter, known[hub].state):
                    found.append(letter)
            except HubError as error:
                self._count(hub, error, known[hub].key is None)
        return found

    def _may(self, letter: Letter, state: str) -> bool:
        if state not in HEARD and not (state == "pending" and letter.kind == "hello"):
            raise HubError("NOT_AUTHORISED", state)
        return self._only is None or letter.body.get("cmd") in self._only

    def _count(self, hub: str, error: HubError, stranger: bool) -> None:
        self.refused[error.name] += 1
        _log.info("a letter of hub %s is refused: %s", hub, error)
        if stranger and hub not in self._cards and len(self._cards) < _MOST_CARDS:
            self._ask_for_card(hub)  # perhaps it has said there who it is

    def _ask_for_card(self, hub: str) -> None:
        self._cards.add(hub)
        self._line.subscribe(f"meterhub/{hub}/up/card")

    async def _card(self, hub: str, message: Message) -> None:
        """Learn a hub's key from the card that lies at the broker, signed by the very key that gives the hub's id."""
        self._line.unsubscribe(message.topic)
        if len(message.payload) > wire.MAX_LETTER:
            raise HubError("OVERSIZED", "card")
        card = read_card(message.payload.decode("ascii", "replace"), hub)
        await self._welcome(hub, card.key, card.name)

    async def _welcome(self, hub: str, key: bytes, name: str = "") -> _Known:
        """Keep a hub that is met for the first time, with the key that gives its id."""
        expected = self._vouched(hub, key)
        pending = sum(1 for one in self._known.values() if one.state == "pending")
        if not expected and pending >= MOST_PENDING:
            raise HubError("STORE_FULL", "pending")
        await self._surely(self.store.admit, [(hub, key, name)], "whitelisted" if expected else "pending")
        self._known.pop(hub, None)
        return (await self._look_up([hub]))[hub]

    async def _store(self, batch: list[Message], opened: list[Letter], taken: list[tuple[str, str, int]]) -> None:
        """Store letters, then send their receipts, then let the broker forget them."""
        try:
            kept = await self._surely(self.store.keep, opened, taken)
        except DBAPIError:
            await self._surely(self.store.delivered, taken)
            kept, opened = await self._store_singly(opened)
        for letter in opened:
            self._line.publish(wire.topic(letter.hub, "received"), wire.receipt(letter), qos=0)
        for message in batch:
            self._line.ack(message)
        self._told(kept, opened)

    async def _store_singly(self, opened: list[Letter]) -> tuple[Kept, list[Letter]]:
        """Find the letter that the database does not take, and go on without it."""
        whole, stored = Kept(), []
        for letter in opened:
            try:
                kept = await self._surely(self.store.keep, [letter])
            except DBAPIError:
                self.refused["RECORD_FAILED"] += 1
                _log.exception("a letter of hub %s cannot be stored", letter.hub)
                continue
            whole.new |= kept.new
            whole.answered += kept.answered
            stored.append(letter)
        return whole, stored

    def _told(self, kept: Kept, opened: list[Letter]) -> None:
        for letter in opened:
            if (letter.hub, letter.n) not in kept.new:
                self.done["again"] += 1
                continue
            self.done[letter.kind] += 1
            kept.new.discard((letter.hub, letter.n))
            if self._on_letter:
                self._on_letter(letter)
        self._resolve(kept.answered)

    def _resolve(self, changed: Iterable[Transaction]) -> None:
        for given in changed:
            for future in self._waiting.pop(given.re, ()):
                if not future.done():
                    future.set_result(given)

    # -- hubs --------------------------------------------------------------------------------------------------------

    async def _look_up(self, hubs: Iterable[str]) -> dict[str, _Known]:
        """Return what is known of these hubs."""
        missing = [hub for hub in hubs if hub not in self._known]
        if missing:
            for hub, found in (await self._surely(self.store.known, missing)).items():
                self._known[hub] = _known(found)
        return {hub: self._known.get(hub) or _Known(None, "") for hub in hubs}

    # -- time --------------------------------------------------------------------------------------------------------

    async def _watch_time(self) -> None:
        """Mark what is overdue, send again what is due again, and notice what others have changed."""
        while True:
            await asyncio.sleep(_TICK_S)
            late = await self._surely(self.store.overdue)
            self.done["overdue"] += len(late)
            self._resolve(late)
            if self.online:
                for given in await self._surely(self.store.due_again, self.role.kid, self.name):
                    self._publish(given)
                    self.done["sent again"] += 1
            looked_at = int(self.store.now())
            changed = await self._surely(self.store.hubs, self._looked_at - _LOOKED_BACK_S)
            for found in changed:
                self._known[found.hub] = _known(found)
            self._looked_at = looked_at

    async def _look(self) -> None:
        """Resolve what others have heard the answers of."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._waiting:
                self._resolve(await self._surely(self.store.answered, list(self._waiting)))

    # -- the database, in its thread ---------------------------------------------------------------------------------

    async def _in_database(self, work: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._database, work, *args)

    async def _surely(self, work: Callable[..., _T], *args: Any) -> _T:
        """Do it as soon as the database is there."""
        pause_s = _TURN_S
        while True:
            try:
                found = await self._in_database(work, *args)
                self._away = False
                return found
            except OperationalError as error:
                self._away = True
                _log.warning("the database is away: %s", str(error.orig).strip())
                await asyncio.sleep(pause_s)
                pause_s = _PAUSE_S


def _future() -> asyncio.Future[Transaction]:
    return asyncio.get_running_loop().create_future()


def _known(found: Hub) -> _Known:
    return _Known(wire.public_key(found.key), found.state)


def _answered(given: Transaction, settled: bool) -> bool:
    return given.settled or (given.accepted and not settled)
