"""What head-ends keep in common: one SQL database, SQLite by default, PostgreSQL by URL.

Source   this file is the schema; its version is in headend_about.
           hubs          hub, key (its point, 65 bytes), name, state, since, seen_at, hello (JSON of the latest one)
           counters      kid, hub, ctr (the highest one given), holder (to whom), given_at
           transactions  kid, hub, ctr: the command is known by; re (its hash), cmd, arg (JSON), at (future date; null:
                         none), token, state, accepted, error, field, answer (JSON of its data), answer_n (number of
                         that letter), sent_ms, answered_ms, deadline, again_at (when it is sent again), tries, sender
           letters       hub, n: a letter is taken once; kid, kind, at, clock, received_at, body (JSON, of those that
                         have no other place)
           readings      hub, n, kid, schedule, seq, at, data (JSON)
           alerts        hub, n, kid, event, code, detail, at, data (JSON)
Units    times are Unix seconds, UTC; sent_ms and answered_ms milliseconds
Errors   ToolError when the database cannot be opened, or is of a newer schema.

SQLAlchemy Core, and not the Django models that the website has: a program that imports the head-end has settings of
its own, which Django allows once in a process; and what is written here are batches of upserts whose rows come back
(INSERT .. ON CONFLICT .. RETURNING), which Core says in the same words to both databases and the ORM does not say.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import ToolError, UsageError

VERSION = 1
_PATIENCE_S = 30
metadata = sa.MetaData()


def _table(name: str, *columns: Any) -> sa.Table:
    return sa.Table(f"headend_{name}", metadata, *columns)


def _text(name: str, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **more)


def _number(name: str, **more: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, **{"nullable": False, **more})


about = _table("about", _number("version"))
hubs = _table(
    "hubs",
    _text("hub", primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
    _text("name"),
    _text("state"),
    _number("since"),
    _number("seen_at"),
    _text("hello"),
)
counters = _table(
    "counters",
    _text("kid", primary_key=True),
    _text("hub", primary_key=True),
    _number("ctr"),
    _text("holder"),
    _number("given_at"),
)
transactions = _table(
    "transactions",
    _text("kid", primary_key=True),
    _text("hub", primary_key=True),
    _number("ctr", primary_key=True, autoincrement=False),
    _text("re", unique=True),
    _text("cmd"),
    _text("arg"),
    _number("at", nullable=True),
    _text("token"),
    _text("state"),
    _number("accepted"),
    _text("error"),
    _text("field"),
    _text("answer"),
    _number("answer_n"),
    _number("sent_ms"),
    _number("answered_ms"),
    _number("deadline"),
    _number("again_at"),
    _number("tries"),
    _text("sender"),
)
# of those that are open, which are few beside those that are settled
_OPEN = sa.text("state IN ('PENDING', 'DELIVERED')")
sa.Index("headend_open", transactions.c.deadline, sqlite_where=_OPEN, postgresql_where=_OPEN)
letters = _table(
    "letters",
    _text("hub", primary_key=True),
    _number("n", primary_key=True, autoincrement=False),
    _text("kid"),
    _text("kind"),
    _number("at"),
    _text("clock"),
    _number("received_at"),
    _text("body"),
)
readings = _table(
    "readings",
    _text("hub", primary_key=True),
    _number("n", primary_key=True, autoincrement=False),
    _text("kid"),
    _text("schedule"),
    _number("seq"),
    _number("at"),
    _text("data"),
)
alerts = _table(
    "alerts",
    _text("hub", primary_key=True),
    _number("n", primary_key=True, autoincrement=False),
    _text("kid"),
    _text("event"),
    _number("code"),
    _text("detail"),
    _number("at"),
    _text("data"),
)


def engine(url: str) -> sa.Engine:
    """Return the database at `url` (sqlite:///FILE or postgres[ql]://...), its tables made when there are none."""
    address = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        if sa.make_url(address).get_backend_name() == "sqlite" and not sa.make_url(address).database:
            raise sa.exc.ArgumentError  # one that nobody can share, and that is gone with the process
        made = sa.create_engine(address, pool_pre_ping=not address.startswith("sqlite"), **_options(address))
        if made.dialect.name == "sqlite":
            _prepare_sqlite(made)
        with begin(made) as connection:
            if made.dialect.name == "postgresql":  # two that start at once would make the same tables
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(1836570978)"))
            metadata.create_all(connection)
            version = connection.scalar(sa.select(about.c.version))
            if version is None:
                connection.execute(sa.insert(about), {"version": VERSION})
    except sa.exc.ArgumentError:
        raise UsageError("--db wants sqlite:///FILE or postgresql://[USER[:PASSWORD]@]HOST/NAME") from None
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise ToolError(f"the database cannot be opened: {_why(error)}") from None
    if version not in (None, VERSION):
        raise ToolError(f"the database has schema {version}, this program knows {VERSION}; use the newer meterhub")
    return made


@contextlib.contextmanager
def begin(database: sa.Engine) -> Iterator[sa.Connection]:
    """Begin a transaction that is committed at the end, or leaves nothing behind."""
    if database.dialect.name != "sqlite":
        with database.begin() as connection:
            yield connection
        return
    with _turn(str(database.url.database)), database.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # one that became a writer later could not wait for its turn
        yield connection


@contextlib.contextmanager
def _turn(path: str) -> Iterator[None]:
    """Wait for the turn to write to the SQLite database `path`, beside other threads and processes.

    SQLite itself waits by looking again, up to 100 ms later: two head-ends would spend most of their time so.
    """
    with open(f"{path}.turn", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        yield


def upsert(database: sa.Engine | sa.Connection, table: sa.Table) -> Any:
    """Return an INSERT that has on_conflict_do_nothing() and on_conflict_do_update()."""
    return (postgresql if database.dialect.name == "postgresql" else sqlite).insert(table)


def _options(address: str) -> dict[str, Any]:
    # `timeout`: how long SQLite waits for the one writer that it allows
    return {"connect_args": {"timeout": _PATIENCE_S}} if address.startswith("sqlite") else {}


def _prepare_sqlite(made: sa.Engine) -> None:
    """Let readers and the writer work side by side, and a commit mean that it is on the disk."""

    @sa.event.listens_for(made, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun by begin(), and by nothing else
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")


def _why(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__
