"""The requests that are under way, in memory: the website's own exchanges, and those it only relays for a page.

One Desk per process. Messages from hubs come in on the courier's thread, customers' on those of the web server, time
on one more; each run has its lock. Waiting pages are woken when its `version` rises.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import DatabaseError, close_old_connections

from .. import items, notices
from ..recipient import MAX_UP, Card, Exchange, Recipient, Request
from . import ledger
from .courier import Courier
from .gate import Gate
from .models import Link
from .vault import Vault

from meterhub.codec import base64url, jose  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

if TYPE_CHECKING:
    from .bills import Order

KEPT_S = 900  # a settled run can be looked at for so long
RELAYED = ("proof", "want", "done", "cancel")
_INBOX = 32
_RELAY_LIFE_S = 2 * mhx.MAX_LIFE_S + 120
_log = logging.getLogger(__name__)
Send = Callable[[bytes], None]


class Run:
    """What both kinds have: who began it, for which hub, and a bell for those who wait for it."""

    request: Request
    received = 0

    def __init__(self, link: Link, vault_key: str, wish: dict, send: Send) -> None:
        self.id = secrets.token_urlsafe(12)
        self.link = link
        self.vault_key = vault_key
        self.wish = wish
        self.version = 0
        self.settled_at = 0.0
        self.data_id = ""
        self.order: Order | None = None  # the bill that it is for
        self.entry_pk = 0
        self._send = send
        self.bell = threading.Condition(threading.RLock())

    def start(self) -> None:
        """Send the request."""
        self._out([self.request.message()])

    def ring(self) -> None:
        """Wake whoever waits."""
        with self.bell:
            self.version += 1
            self.bell.notify_all()

    def wait(self, seen: int, timeout_s: float) -> None:
        """Return when `version` is no longer `seen`, or after `timeout_s`."""
        with self.bell:
            self.bell.wait_for(lambda: self.version != seen, timeout_s)

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen."""
        raise NotImplementedError

    @property
    def error(self) -> HubError | None:
        """Why it was refused, if it was."""
        raise NotImplementedError

    def feed(self, raw: bytes) -> None:
        """Take a message of the hub; HubError when it is refused."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop it."""
        raise NotImplementedError

    def tick(self, now: int) -> None:
        """Let time pass."""
        raise NotImplementedError

    def status(self) -> dict:
        """Return what the page shows, without anything secret."""
        raise NotImplementedError

    def _out(self, messages: list[bytes]) -> None:
        for message in messages:
            self._send(message)


class ServerRun(Run):
    """The website runs the exchange: links, revocations, data in server mode, and bills that the hub makes."""

    relays = False

    def __init__(self, link: Link, vault_key: str, wish: dict, send: Send, recipient: Recipient, card: Card) -> None:
        super().__init__(link, vault_key, wish, send)
        self.exchange = Exchange(recipient, card, link.sub, wish, int(time.time()))
        self.request = self.exchange.request

    @property
    def settled(self) -> bool:
        return self.exchange.settled

    @property
    def error(self) -> HubError | None:
        return self.exchange.error

    def feed(self, raw: bytes) -> None:
        """Take a message of the hub; HubError when it is refused."""
        with self.bell:
            self._out(self.exchange.feed(raw, int(time.time())))
            self.ring()

    def enter_pin(self, pin: str) -> None:
        """Prove the PIN; HubError when it cannot be one."""
        with self.bell:
            self._out(self.exchange.enter_pin(pin))
            self.ring()

    def cancel(self) -> None:
        """Stop it."""
        with self.bell:
            self._out(self.exchange.cancel())
            self.ring()

    def tick(self, now: int) -> None:
        """Let time pass."""
        with self.bell:
            self._out(self.exchange.tick(now))
            if self.exchange.settled:
                self.ring()

    def status(self) -> dict:
        """Return what the page shows, without anything secret."""
        x = self.exchange
        with self.bell:
            return {
                "state": x.state,
                "left": x.left,
                "deadline": x.deadline,
                "received": x.received,
                "chunks": x.chunks,
                "error": x.error.name if x.error else "",
                "version": self.version,
                "data": self.data_id,
            }


class RelayRun(Run):
    """The page runs the exchange: the website signs the request, hands messages on, and never sees PIN or keys."""

    relays = True

    def __init__(self, link: Link, vault_key: str, wish: dict, send: Send, recipient: Recipient, card: Card) -> None:
        super().__init__(link, vault_key, wish, send)
        self.card = card
        self.request = Request(recipient, card.hub, link.sub, wish, int(time.time()))
        self.outcome = ""
        self._error: HubError | None = None
        self.chunks = 0
        self._inbox: list[tuple[int, str]] = []
        self._count = 0
        self._dies_at = time.monotonic() + _RELAY_LIFE_S

    @property
    def settled(self) -> bool:
        return bool(self.outcome)

    @property
    def error(self) -> HubError | None:
        return self._error

    def feed(self, raw: bytes) -> None:
        """Keep a message of the hub for the page; see only whether it is the end."""
        message = mhx.parse(raw, ("asked", "offer", "ack", "chunk", "end"), MAX_UP)
        with self.bell:
            if message["t"] == "ack":
                self.chunks = mhx.whole(message, "chunks", 0, 1 << 16)
            elif message["t"] == "chunk":
                self.received += 1
            elif message["t"] == "end":
                self._note_end(message)
            if len(self._inbox) < _INBOX:
                self._count += 1
                self._inbox.append((self._count, raw.decode()))
            self.ring()

    def _note_end(self, message: dict) -> None:
        claims = self.request.signed(message, self.card.key)
        if claims.get("result") == "refused" and claims.get("error") != "WRONG_PIN":
            self._settle("refused", str(claims.get("error"))[:32], str(claims.get("field"))[:32])
        elif claims.get("result") == "done":
            self._settle("done")

    def post(self, raw: bytes) -> None:
        """Hand a message of the page on to the hub; HubError when it is not one of this request."""
        message = mhx.parse(raw, RELAYED, mhx.MAX_MESSAGE)
        if message.get("rid") != self.request.rid:
            raise HubError("WRONG_REQUEST", "rid")
        with self.bell:
            if self.settled:
                raise HubError("WRONG_STATE", "t")
            self._out([raw])
            if message["t"] == "cancel":
                self._settle("refused", "CANCELLED")

    def fetch(self, after: int, timeout_s: float) -> list[tuple[int, str]]:
        """Return [(number, message)] that came after number `after`, waiting for at most `timeout_s`."""
        with self.bell:
            self._inbox = [item for item in self._inbox if item[0] > after]
            self.bell.wait_for(lambda: self._inbox or self.settled, timeout_s)
            return list(self._inbox)

    def cancel(self) -> None:
        """Stop it."""
        with self.bell:
            if not self.settled:
                h = mhx.base64url.encode(self.request.h)
                self.post(b'{"t":"cancel","rid":"%s","h":"%s"}' % (self.request.rid.encode(), h.encode()))
                self.ring()

    def tick(self, _now: int) -> None:
        """Let time pass: a page that went away leaves its run behind."""
        with self.bell:
            if not self.settled and time.monotonic() > self._dies_at:
                self._settle("refused", "NOT_RECEIVED")
                self.ring()

    def _settle(self, outcome: str, error: str = "", field: str = "") -> None:
        self.outcome = outcome
        self._error = HubError(error, field) if error else None

    def status(self) -> dict:
        """Return what the relay can know."""
        with self.bell:
            error = self.error.name if self.error else ""
            return {"state": self.outcome or "relayed", "error": error, "version": self.version, "data": ""}


class Desk:
    """All runs of the process, and the thread that lets time pass for them."""

    def __init__(self, recipient: Recipient, vault: Vault, gate: Gate) -> None:
        self.recipient = recipient
        self.vault = vault
        self.gate = gate
        self.courier: Courier
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def start(self, courier: Courier) -> None:
        """Begin to work."""
        self.courier = courier
        courier.start()
        threading.Thread(target=self._keep_time, name="desk", daemon=True).start()

    def stop(self) -> None:
        """End, and let those who wait go."""
        self._stopped.set()
        for run in list(self._runs.values()):
            run.ring()
        self.courier.stop()

    def begin(self, link: Link, vault_key: str, wish: dict, card: Card, order: Order | None = None) -> Run:
        """Sign and send a request; return the run that waits for its answer. An open one for the same hub is ended.

        order: the bill that it is for. HubError OVERSIZED: the wish does not fit in a request; nothing has happened.
        """
        kind = RelayRun if wish["mode"] == "private" else ServerRun
        run = kind(link, vault_key, wish, lambda message: self.courier.send(link.hub, message), self.recipient, card)
        for other in list(self._runs.values()):
            if other.link.account_id == link.account_id and other.link.hub == link.hub and not other.settled:
                other.cancel()
                self._finish(other)
        run.order = order
        run.entry_pk = ledger.begun(link, run.request, wish)
        with self._lock:
            self._runs[run.id] = run
        run.start()  # the answer may come at once: the run has to be known before
        return run

    def find(self, id: str, account_pk: int, vault_key: str) -> Run | None:
        """Return the run with this id when it is of this account and session; else None."""
        run = self._runs.get(id)
        if run is None or run.link.account_id != account_pk or run.vault_key != vault_key:
            return None
        return run

    def leave(self, vault_key: str) -> None:
        """The session is over: stop its runs and delete its data."""
        for run in list(self._runs.values()):
            if run.vault_key == vault_key:
                run.cancel()
                self._finish(run)
                self._runs.pop(run.id, None)
        self.vault.empty(vault_key)

    # -- what comes in -----------------------------------------------------------------------------------

    def on_message(self, hub: str, raw: bytes) -> None:
        """Give a hub's message to the run it is for; HubError when it is refused."""
        message = mhx.parse(raw, ("asked", "offer", "ack", "chunk", "end", "consent"), MAX_UP)
        close_old_connections()
        if message["t"] == "consent":
            self._on_consent(hub, message)
            return
        rid = _rid_of(message)
        for run in list(self._runs.values()):
            if run.request.rid == rid and run.link.hub == hub:
                with run.bell:  # who waits sees the end only together with what came of it
                    if not run.settled:
                        run.feed(raw)
                        self._finish(run)
                return

    def on_items(self, hub: str, raw: bytes) -> None:
        """Store what a linked hub tells of its own accord, and then tell it so; HubError when it is refused."""
        close_old_connections()
        card = self.courier.watch(hub).card
        if card is None or not ledger.is_linked(hub):
            return  # it will be told again
        delivery = items.read(raw, card, self.recipient.kid)
        ledger.keep_events(delivery)
        self.courier.send(hub, items.receipt(self.recipient, delivery, int(time.time())), "receipt")

    def on_batch(self, hub: str, raw: bytes) -> None:
        """Store a batch of a hub that commits for an account here, and then tell it so; refused otherwise."""
        close_old_connections()
        card = self.courier.watch(hub).card
        if card is None or not ledger.is_billed(hub):
            return  # it will come again
        day, digest = ledger.keep_batch(card, raw)
        claims = {"v": 1, "hub": hub, "day": day, "digest": base64url.encode(digest), "at": int(time.time())}
        self.courier.send(hub, self.recipient.sign(claims, "mhx-batched").encode(), "batch")

    def on_letter(self, hub: str, raw: bytes) -> None:
        """Store what a linked hub shows to the household, and then tell it so; HubError when it is refused."""
        close_old_connections()
        card = self.courier.watch(hub).card
        if card is None or not ledger.is_linked(hub):
            return  # it will be told again
        told, received = notices.read(raw, card, self.recipient)
        if told is not None:
            ledger.keep_notice(told)
        self.courier.send(hub, received, "received")

    def decide(self, link: Link, number: int, what: str) -> None:
        """Tell a hub what a customer has decided about a notice."""
        order = notices.decision(self.recipient, link.hub, link.sub, number, what, int(time.time()))
        self.courier.send(link.hub, order, "order")

    def _on_consent(self, hub: str, message: dict) -> None:
        """The household revoked an account's consent on its display."""
        card = self.courier.watch(hub).card
        if card is not None:
            ledger.revoked_at_home(card, mhx.text(message, "jws", mhx.MAX_MESSAGE))

    def finish(self, run: Run) -> None:
        """After anything that may have settled `run`: keep its data, write the log."""
        self._finish(run)

    def _finish(self, run: Run) -> None:
        with run.bell:
            if not run.settled or run.settled_at:
                return
            if isinstance(run, ServerRun):
                found = run.exchange.result or run.exchange.made
                if found is not None:
                    run.data_id = self.vault.put(run.vault_key, run.link.hub, found, run.order)
                run.exchange.result = run.exchange.made = None
            ledger.ended(run)
            run.settled_at = time.monotonic()  # not before: what could not be written is tried again
            run.ring()

    def _keep_time(self) -> None:
        while not self._stopped.wait(1):
            close_old_connections()
            self.vault.sweep()
            for run in list(self._runs.values()):
                self._keep_time_of(run)

    def _keep_time_of(self, run: Run) -> None:
        try:
            with run.bell:
                run.tick(int(time.time()))
                self._finish(run)
        except DatabaseError as error:  # what left the house must get into its log
            _log.warning("how a request ended cannot be written, and is tried again: %s", error)
        except Exception:  # noqa: BLE001  (the clock of all the others must go on)
            _log.exception("run ended by an error of the website")
            self._runs.pop(run.id, None)
        if run.settled_at and time.monotonic() - run.settled_at > KEPT_S:
            self._runs.pop(run.id, None)


def _rid_of(message: dict) -> object:
    if message["t"] == "ack":
        return message.get("rid")
    if message["t"] == "chunk":
        return jose.jwe_parts(mhx.text(message, "jwe", MAX_UP), MAX_UP)[0].get("rid")
    return jose.jws_claims(mhx.text(message, "jws", mhx.MAX_MESSAGE), mhx.MAX_MESSAGE)[1].get("rid")
