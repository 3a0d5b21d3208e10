"""The head-end's memory: which hubs there are, what was asked of them, what they told. Each thing once.

Units    times are Unix seconds, UTC; sent_ms, answered_ms: milliseconds
Errors   ToolError for what a person asked for and cannot be had; SQLAlchemyError when the database is away: nothing of
         that call is kept then, and it may be made again.

Every method is one transaction of the database, keep() at most two. What many head-ends and many threads do at once is
settled there:

* a letter is new for exactly one of them, by the primary key (hub, n) of the letters;
* a counter is given out once, and higher than any before, also if the clock was put back. It starts from the clock's
  microseconds, so that a database that was lost does not start below what its hubs have seen;
* while a head-end has a command for a hub that the broker has not taken yet, no other one gets a counter for that hub
  (for HOLD_S at most), so that counters reach the hub in rising order;
* rows are locked in the order of their keys, so that two writers never wait for each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ..errors import ToolError
from . import tables, wire
from .tables import alerts, begin, counters, hubs, letters, readings, transactions, upsert
from .wire import Letter

HOLD_S = 5
AGAIN_S = (30, 120, 600, 3600, 86400)  # after which a command without an answer is sent again
SETTLE_S = 14 * 86400  # how long the final word on an accepted command may take, from its date on
SEEN_S = 60  # how exactly `seen_at` is kept
OPEN = ("PENDING", "DELIVERED")
_CHUNK = 500

# PR-16: what may follow on each state of a hub's life
LIFE = {
    "pending": ("whitelisted", "withdrawn"),  # it has said hello; nobody vouches for it
    "whitelisted": ("installed", "withdrawn"),  # the operator expects it
    "installed": ("commissioned", "suspended", "decommissioned", "withdrawn"),  # it has said hello
    "commissioned": ("suspended", "decommissioned", "recovery"),  # it has told something else
    "suspended": ("commissioned", "decommissioned", "recovery"),  # what it tells is left waiting
    "recovery": ("commissioned", "decommissioned"),
    "decommissioned": ("whitelisted", "withdrawn"),
    "withdrawn": (),
}
HEARD = ("whitelisted", "installed", "commissioned", "recovery")  # whose letters are taken


@dataclass(frozen=True)
class Hub:
    """A hub; `key` is its point, `since` when its `state` (of LIFE) began, `hello` the start-up data it sent last."""

    hub: str
    key: bytes
    name: str
    state: str
    since: int
    seen_at: int
    hello: dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """A command to be given. at: a future date, wire.NEVER to cancel what is staged; life_s: how long it is good."""

    hub: str
    cmd: str
    arg: dict[str, Any]
    at: int | None = None
    life_s: int = 60

    def claims(self, ctr: int, iat: int) -> dict[str, Any]:
        """Return the claims of the command that is made of it (firmware/meterhub/trust/command.py)."""
        claims = {"hub": self.hub, "ctr": ctr, "iat": iat, "exp": iat + self.life_s, "cmd": self.cmd, "arg": self.arg}
        return claims | ({} if self.at is None else {"at": self.at})


@dataclass(frozen=True)
class Transaction:
    """A command that was given, known by (kid, hub, ctr), and what is known of it.

    state      PENDING    signed and written down; the broker has not taken it yet
               DELIVERED  the broker has taken it; with `accepted` the hub has too: staged, or on the display
               DONE       the hub says so; `answer` is its data
               REFUSED    the hub says so; `error` is a name of meterhub.errors, `field` what it is about
               OVERDUE    no answer until `deadline`; one that still comes counts
    """

    kid: str
    hub: str
    ctr: int
    re: str
    cmd: str
    arg: dict[str, Any]
    at: int | None
    token: str
    state: str
    accepted: bool
    error: str
    field: str
    answer: dict[str, Any]
    sent_ms: int
    answered_ms: int
    deadline: int
    tries: int

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected."""
        return self.state not in OPEN


@dataclass(frozen=True)
class Reading:
    """A scheduled reading. seq rises by one per schedule: a gap is a missing one. data: as a read on demand has it."""

    hub: str
    n: int
    kid: str
    schedule: str
    seq: int
    at: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Alert:
    """What a hub told of its own accord. code: GBCS event code, 0 for none."""

    hub: str
    n: int
    kid: str
    event: str
    code: int
    detail: str
    at: int
    data: dict[str, Any]


@dataclass
class Kept:
    """What keep() made of letters. new: (hub, n) of those that were not there; answered: what answers changed."""

    new: set[tuple[str, int]] = field(default_factory=set)
    answered: list[Transaction] = field(default_factory=list)


class Store:
    """The database at `url`. now: the clock, Unix seconds as a float."""

    def __init__(self, url: str, now: Callable[[], float] = time.time) -> None:
        self._db = tables.engine(url)
        self.now = now
        self._seen: dict[str, int] = {}

    def close(self) -> None:
        """Close the connections."""
        self._db.dispose()

    # -- hubs --------------------------------------------------------------------------------------------------------

    def hub(self, hub: str) -> Hub | None:
        """Return what is known of a hub, None when it is not known."""
        found = self._select(sa.select(hubs).where(hubs.c.hub == hub))
        return _hub(found[0]) if found else None

    def known(self, wanted: Sequence[str]) -> dict[str, Hub]:
        """Return those of these hubs that are known."""
        found: list[sa.Row[Any]] = []
        for i in range(0, len(wanted), _CHUNK):
            found += self._select(sa.select(hubs).where(hubs.c.hub.in_(wanted[i : i + _CHUNK])))
        return {row.hub: _hub(row) for row in found}

    def hubs(self, since: int = 0) -> list[Hub]:
        """Return the hubs whose state is as it is since then or later, by name."""
        wanted = sa.select(hubs).where(hubs.c.since >= since).order_by(hubs.c.name, hubs.c.hub)
        return [_hub(row) for row in self._select(wanted)]

    def admit(self, found: Iterable[tuple[str, bytes, str]], state: str = "whitelisted") -> None:
        """Keep hubs (id, point, name) that are not known yet; one that was pending goes on to `state`."""
        now = self._second()
        rows = [
            {"hub": hub, "key": key, "name": name, "state": state, "since": now, "seen_at": 0, "hello": "{}"}
            for hub, key, name in sorted(found)
        ]
        if not rows:
            return
        put = upsert(self._db, hubs)
        changed = {"state": put.excluded.state, "since": put.excluded.since, "name": put.excluded.name}
        waiting = sa.and_(hubs.c.state == "pending", hubs.c.key == put.excluded.key, put.excluded.state != "pending")
        with begin(self._db) as connection:
            connection.execute(put.on_conflict_do_update(index_elements=["hub"], set_=changed, where=waiting), rows)

    def change_state(self, hub: str, state: str) -> Hub:
        """Take a hub to the next state of its life; ToolError when that cannot follow on the present one."""
        with begin(self._db) as connection:
            found = connection.execute(sa.select(hubs).where(hubs.c.hub == hub).with_for_update()).first()
            if found is None:
                raise ToolError(f"hub {hub} is not known here")
            known = _hub(found)
            if state not in LIFE[known.state]:
                after = ", ".join(LIFE[known.state]) or "nothing"
                raise ToolError(f"hub {hub} is {known.state}; {after} can follow on that, not {state}")
            connection.execute(sa.update(hubs).where(hubs.c.hub == hub).values(state=state, since=self._second()))
        return Hub(hub, known.key, known.name, state, self._second(), known.seen_at, known.hello)

    # -- commands ----------------------------------------------------------------------------------------------------

    def give(
        self, kid: str, sender: str, wishes: Sequence[Wish], sign: Callable[[Wish, int, int], str]
    ) -> list[Transaction | None]:
        """Give each wish a counter, have it signed, and write it down: that is before it may be sent.

        sign(wish, ctr, iat) returns the token. None for a wish whose turn it is not yet: another head-end has a
        command for that hub under way, or an earlier one of `wishes` is for the same hub.
        """
        now_ms = int(self.now() * 1000)
        first: dict[str, Wish] = {}
        for wish in wishes:
            first.setdefault(wish.hub, wish)
        with begin(self._db) as connection:
            given = self._counters(connection, kid, sender, sorted(first))
            rows = {
                hub: _row(kid, sender, first[hub], ctr, sign(first[hub], ctr, now_ms // 1000), now_ms)
                for hub, ctr in given.items()
            }
            if rows:
                connection.execute(sa.insert(transactions), list(rows.values()))
        made = {hub: _transaction(row) for hub, row in rows.items()}
        return [made.get(wish.hub) if first[wish.hub] is wish else None for wish in wishes]

    def _counters(self, connection: sa.Connection, kid: str, sender: str, of: list[str]) -> dict[str, int]:
        """Return the next counter for each hub whose turn it is."""
        now = self.now()
        common = {"kid": kid, "ctr": int(now * 1_000_000), "holder": sender, "given_at": int(now)}
        rows = [common | {"hub": hub} for hub in of]
        put = upsert(connection, counters)
        c, new, t = counters.c, put.excluded, transactions.c
        higher = sa.case((new.ctr > c.ctr, new.ctr), else_=c.ctr + 1)
        # constants, and no parameters: those of many rows are one statement
        waiting: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
            t.kid == c.kid, t.hub == c.hub, t.ctr == c.ctr, t.state == sa.literal_column("'PENDING'")
        )
        hold: sa.ColumnElement[int] = sa.literal_column(str(HOLD_S))  # later than now: its clock was ahead
        old = sa.or_(c.given_at < new.given_at - hold, c.given_at > new.given_at + hold)
        put = put.on_conflict_do_update(
            index_elements=["kid", "hub"],
            set_={"ctr": higher, "holder": new.holder, "given_at": new.given_at},
            where=sa.or_(c.holder == new.holder, old, sa.not_(waiting.exists())),
        ).returning(c.hub, c.ctr)
        return {row.hub: row.ctr for row in connection.execute(put, rows)}

    def delivered(self, given: Iterable[tuple[str, str, int]]) -> None:
        """Note the commands (kid, hub, ctr) that the broker has taken; others may send to these hubs again."""
        with begin(self._db) as connection:
            self._delivered(connection, given)

    def _delivered(self, connection: sa.Connection, given: Iterable[tuple[str, str, int]]) -> None:
        rows = [{"b_kid": kid, "b_hub": hub, "b_ctr": ctr} for kid, hub, ctr in sorted(given)]
        if not rows:
            return
        t = transactions.c
        known = sa.and_(t.kid == sa.bindparam("b_kid"), t.hub == sa.bindparam("b_hub"), t.ctr == sa.bindparam("b_ctr"))
        connection.execute(sa.update(transactions).where(known, t.state == "PENDING").values(state="DELIVERED"), rows)

    def transaction(self, kid: str, hub: str, ctr: int) -> Transaction | None:
        """Return a command that was given."""
        t = transactions.c
        found = self._select(sa.select(transactions).where(t.kid == kid, t.hub == hub, t.ctr == ctr))
        return _transaction(found[0]._mapping) if found else None

    def transactions(self, hub: str = "", kid: str = "", limit: int = 100) -> list[Transaction]:
        """Return the latest commands, of one hub and one role if they are named."""
        t = transactions.c
        wanted = sa.select(transactions).order_by(t.sent_ms.desc(), t.ctr.desc()).limit(limit)
        wanted = wanted.where(t.hub == hub) if hub else wanted
        wanted = wanted.where(t.kid == kid) if kid else wanted
        return [_transaction(row._mapping) for row in self._select(wanted)]

    def answered(self, references: Sequence[str]) -> list[Transaction]:
        """Return those of the commands with these hashes (wire.reference()) that are answered, or overdue."""
        t = transactions.c
        found: list[sa.Row[Any]] = []
        for i in range(0, len(references), _CHUNK):
            some = t.re.in_(references[i : i + _CHUNK])
            found += self._select(sa.select(transactions).where(some, sa.or_(t.answer_n > 0, t.state == "OVERDUE")))
        return [_transaction(row._mapping) for row in found]

    def overdue(self) -> list[Transaction]:
        """Mark what is open beyond its deadline; return it. Of several head-ends one gets each."""
        t = transactions.c
        late = sa.select(transactions).where(t.state.in_(OPEN), t.deadline < self._second())
        late = late.order_by(t.kid, t.hub, t.ctr).limit(_CHUNK).with_for_update(skip_locked=True)
        with begin(self._db) as connection:
            found = [dict(row._mapping) | {"state": "OVERDUE"} for row in connection.execute(late)]
            rows = [{"b_kid": row["kid"], "b_hub": row["hub"], "b_ctr": row["ctr"]} for row in found]
            if rows:
                known = (
                    t.kid == sa.bindparam("b_kid"),
                    t.hub == sa.bindparam("b_hub"),
                    t.ctr == sa.bindparam("b_ctr"),
                )
                connection.execute(sa.update(transactions).where(*known).values(state="OVERDUE"), rows)
        return [_transaction(row) for row in found]

    def due_again(self, kid: str, sender: str, limit: int = 200) -> list[Transaction]:
        """Return the commands of `kid` that are to be sent again, whoever has sent them first: `sender` does now.

        Only the latest one of a hub: after it the hub would refuse an earlier one.
        """
        now = self._second()
        t = transactions.c
        latest = sa.select(counters.c.ctr).where(counters.c.kid == t.kid, counters.c.hub == t.hub).scalar_subquery()
        due = sa.and_(
            t.kid == kid, t.state.in_(OPEN), t.accepted == 0, t.again_at <= now, t.deadline >= now, t.ctr == latest
        )
        with begin(self._db) as connection:
            wanted = sa.select(transactions).where(due).order_by(t.kid, t.hub, t.ctr).limit(limit)
            found = [
                _transaction(row._mapping) for row in connection.execute(wanted.with_for_update(skip_locked=True))
            ]
            rows = [
                {"b_hub": one.hub, "b_ctr": one.ctr, "b_again": now + _pause(one.tries), "b_sender": sender}
                for one in found
            ]
            if rows:
                connection.execute(
                    sa.update(transactions)
                    .where(t.kid == kid, t.hub == sa.bindparam("b_hub"), t.ctr == sa.bindparam("b_ctr"))
                    .values(again_at=sa.bindparam("b_again"), tries=t.tries + 1, sender=sa.bindparam("b_sender")),
                    rows,
                )
        return found

    # -- letters -----------------------------------------------------------------------------------------------------

    def keep(self, told: Sequence[Letter], delivered: Iterable[tuple[str, str, int]] = ()) -> Kept:
        """Keep letters that are authentic, each once, with all that follows from them; and note what was delivered.

        When this returns they are on the disk, and their receipts may go out: also those of the ones that were there.
        """
        now_ms = int(self.now() * 1000)
        answers = {(one.to, one.hub, one.body["ctr"]) for one in told if one.kind == "answer"}
        if taken := set(delivered) - answers:  # a transaction of its own: both lock commands, each in their order
            self.delivered(taken)
        if not told:
            return Kept()
        with begin(self._db) as connection:
            asked = self._asked(connection, [one.body["re"] for one in told if one.kind == "answer"])
            once = {(one.hub, one.n): one for one in told}
            rows = [_letter_row(once[key], asked, now_ms // 1000) for key in sorted(once)]
            put = upsert(connection, letters).on_conflict_do_nothing().returning(letters.c.hub, letters.c.n)
            new = {(row.hub, row.n) for row in connection.execute(put, rows)}
            fresh = [once[key] for key in sorted(new)]
            self._collect(connection, fresh)
            self._live(connection, fresh)
            changed = [one for one in fresh if one.kind == "answer" and _applies(one, asked)]
            references = self._answer(connection, changed, asked, now_ms)
        return Kept(new, [_transaction(asked[reference]) for reference in references])

    def _asked(self, connection: sa.Connection, references: list[str]) -> dict[str, dict[str, Any]]:
        """Return the transactions, by reference, and let nobody else change them until the end of this one."""
        found: dict[str, dict[str, Any]] = {}
        wanted = sorted(set(references))
        for i in range(0, len(wanted), _CHUNK):
            rows = connection.execute(
                sa.select(transactions)
                .where(transactions.c.re.in_(wanted[i : i + _CHUNK]))
                .order_by(transactions.c.kid, transactions.c.hub, transactions.c.ctr)
                .with_for_update()
            )
            found |= {row.re: dict(row._mapping) for row in rows}
        return found

    def _collect(self, connection: sa.Connection, fresh: list[Letter]) -> None:
        common = [{"hub": one.hub, "n": one.n, "kid": one.to, "at": one.at, **_data(one)} for one in fresh]
        for table, kind, names in ((readings, "report", ("schedule", "seq")), (alerts, "alert", _ALERT)):
            rows = [
                row | {name: _said(one, name) for name in names}
                for row, one in zip(common, fresh, strict=True)
                if one.kind == kind
            ]
            if rows:
                connection.execute(sa.insert(table), rows)

    def _live(self, connection: sa.Connection, fresh: list[Letter]) -> None:
        """Let hubs go on in their lives: what they have said says that they are there."""
        now = self._second()
        hellos = [one for one in fresh if one.kind == "hello"]
        seen = sorted({one.hub for one in fresh if self._seen.get(one.hub, 0) <= now - SEEN_S})
        touched = {*seen, *(one.hub for one in hellos)}
        if touched:  # all at once, in their order
            wanted = sa.select(hubs.c.hub).where(hubs.c.hub.in_(touched)).order_by(hubs.c.hub)
            connection.execute(wanted.with_for_update()).all()
        for one in hellos:
            _hello(connection, one, now)
        if seen:
            rows = [{"b_hub": hub} for hub in seen]
            hub = hubs.c.hub == sa.bindparam("b_hub")
            connection.execute(sa.update(hubs).where(hub).values(seen_at=now), rows)
            talking = {one.hub for one in fresh if one.kind != "hello"}
            rows = [{"b_hub": hub} for hub in seen if hub in talking]
            waiting = sa.or_(hubs.c.state == "whitelisted", hubs.c.state == "installed")
            if rows:
                connection.execute(sa.update(hubs).where(hub, waiting).values(state="commissioned", since=now), rows)
            self._seen |= dict.fromkeys(set(seen) & talking, now)

    def _answer(
        self, connection: sa.Connection, told: list[Letter], asked: dict[str, dict[str, Any]], now_ms: int
    ) -> list[str]:
        """Write down what answers say; return the references of the commands that are changed by that."""
        changed: dict[str, dict[str, Any]] = {}
        for one in told:  # in the order of their numbers
            row = asked[one.body["re"]]
            if _applies(one, asked):
                row.update(_answered(one, row, now_ms))
                changed[row["re"]] = row
        if changed:
            t = transactions.c
            names = ("state", "accepted", "error", "field", "answer", "answer_n", "answered_ms", "deadline")
            rows = [
                {"b_kid": row["kid"], "b_hub": row["hub"], "b_ctr": row["ctr"]}
                | {f"v_{name}": row[name] for name in names}
                for row in changed.values()
            ]
            known = (t.kid == sa.bindparam("b_kid"), t.hub == sa.bindparam("b_hub"), t.ctr == sa.bindparam("b_ctr"))
            connection.execute(
                sa.update(transactions).where(*known).values({name: sa.bindparam(f"v_{name}") for name in names}), rows
            )
        return list(changed)

    def readings(self, hub: str = "", since: int = 0, limit: int = 1000) -> list[Reading]:
        """Return the latest scheduled readings since then, of one hub if it is named; the oldest of them first."""
        return [Reading(**row) for row in self._told(readings, hub, since, limit)]

    def alerts(self, hub: str = "", since: int = 0, limit: int = 1000) -> list[Alert]:
        """Return the latest alerts since then, of one hub if it is named; the oldest of them first."""
        return [Alert(**row) for row in self._told(alerts, hub, since, limit)]

    def counts(self) -> dict[str, int]:
        """Return how many hubs, letters, readings and alerts there are, and transactions in each state."""
        found = {}
        with begin(self._db) as connection:
            for name, table in (("hubs", hubs), ("letters", letters), ("readings", readings), ("alerts", alerts)):
                found[name] = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            states = sa.select(transactions.c.state, sa.func.count().label("many")).group_by(transactions.c.state)
            found |= {row.state: row.many for row in connection.execute(states)}
        return found

    # -- what the others are made of ---------------------------------------------------------------------------------

    def _told(self, table: sa.Table, hub: str, since: int, limit: int) -> list[dict[str, Any]]:
        wanted = sa.select(table).where(table.c.at >= since).order_by(table.c.at.desc(), table.c.n.desc()).limit(limit)
        rows = self._select(wanted.where(table.c.hub == hub) if hub else wanted)
        return [dict(row._mapping) | {"data": json.loads(row.data)} for row in reversed(rows)]

    def _select(self, wanted: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self._db.connect() as connection:
            return connection.execute(wanted).all()

    def _second(self) -> int:
        return int(self.now())


_ALERT = ("event", "code", "detail")


def _pause(tries: int) -> int:
    return AGAIN_S[min(tries, len(AGAIN_S) - 1)]


def _row(kid: str, sender: str, wish: Wish, ctr: int, token: str, now_ms: int) -> dict[str, Any]:
    now = now_ms // 1000
    return {
        "kid": kid,
        "hub": wish.hub,
        "ctr": ctr,
        "re": wire.reference(token),
        "cmd": wish.cmd,
        "arg": _json(wish.arg),
        "at": wish.at,
        "token": token,
        "state": "PENDING",
        "accepted": 0,
        "error": "",
        "field": "",
        "answer": "{}",
        "answer_n": 0,
        "sent_ms": now_ms,
        "answered_ms": 0,
        "deadline": now + wish.life_s,
        "again_at": now + _pause(0),
        "tries": 1,
        "sender": sender,
    }


def _letter_row(one: Letter, asked: dict[str, Any], now: int) -> dict[str, Any]:
    stray = one.kind == "answer" and one.body["re"] not in asked  # of a command that another database knows
    body = _json(one.body) if stray else ""
    row = {"hub": one.hub, "n": one.n, "kid": one.to, "kind": one.kind, "at": one.at, "clock": one.clock}
    return row | {"received_at": now, "body": body}


def _applies(one: Letter, asked: dict[str, dict[str, Any]]) -> bool:
    """Return whether an answer says more than what is known.

    Letters come in any order: the highest number is the last word. REPLAY is said of a copy of the command, and is
    believed only as long as nothing was said of the command itself.
    """
    row = asked.get(one.body["re"])
    if row is None or (row["hub"], row["kid"], row["ctr"]) != (one.hub, one.to, one.body["ctr"]):
        return False
    if one.body.get("error") == "REPLAY":
        return not row["answer_n"]
    later: bool = one.n > row["answer_n"]
    return later or bool(row["error"] == "REPLAY")


def _answered(one: Letter, row: dict[str, Any], now_ms: int) -> dict[str, Any]:
    body = one.body
    said = {
        "error": body.get("error", ""),
        "field": body.get("field", ""),
        "answer": _json(body.get("data", {})),
        "answer_n": one.n,
        "answered_ms": now_ms,
    }
    if body["outcome"] == "pending":
        until = max(now_ms // 1000, row["at"] or 0) + SETTLE_S
        return said | {"state": "DELIVERED", "accepted": 1, "deadline": until}
    return said | {"state": "DONE" if body["outcome"] == "done" else "REFUSED", "deadline": row["deadline"]}


def _hello(connection: sa.Connection, one: Letter, now: int) -> None:
    """Note what a hub says of itself. Whether it is expected has been decided: who is not, is pending."""
    said = sa.update(hubs).where(hubs.c.hub == one.hub).values(hello=_json(one.body.get("data", {})), seen_at=now)
    connection.execute(said)
    came = sa.update(hubs).where(hubs.c.hub == one.hub, hubs.c.state == "whitelisted")
    connection.execute(came.values(state="installed", since=now))


def _data(one: Letter) -> dict[str, str]:
    return {"data": _json(one.body.get("data", {}))}


def _said(one: Letter, name: str) -> Any:
    return str(one.body[name]) if name == "schedule" else one.body.get(name, "")


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, separators=(",", ":"))


def _hub(row: sa.Row[Any]) -> Hub:
    return Hub(row.hub, row.key, row.name, row.state, row.since, row.seen_at, json.loads(row.hello))


def _transaction(row: Any) -> Transaction:
    names = ("kid", "hub", "ctr", "re", "cmd", "at", "token", "state", "error", "field", "sent_ms", "answered_ms")
    found: dict[str, Any] = {name: row[name] for name in names} | {"deadline": row["deadline"], "tries": row["tries"]}
    return Transaction(
        **found, arg=json.loads(row["arg"]), accepted=bool(row["accepted"]), answer=json.loads(row["answer"])
    )
