"""What the hub tells the market roles: answers, alerts, reports. Each waits on flash until its receipt is there.

Memory   2 KB on a hub that has role keys or letters, none on any other (market.py); what sends them is loaded while
         some wait (letter_sender.py)
Errors   none from alert() and report(): what cannot be kept is journalled as RECORD_FAILED
Runs on  both
"""

import json

from . import lazy
from .codec import base64url
from .errors import HubError, StoreError
from .store import files

EVENT, REPORT = 1, 0  # lanes of store/letters.py: a report gives way first


class Letterbox:
    """hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._path = hub.board.data_dir + "/letters"
        self._store = None
        self._sender = None
        self._roles = None
        self.used = {}  # kid -> [letters, bytes, commands, bytes, refused] that are not in the record yet (health.py)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is kept here that a new one would not know."""
        nothing = self._store is None and self._sender is None and self._roles is None and not self.used
        return nothing and not self._hub.strict_record("roles").is_there()

    # -- whom to -----------------------------------------------------------------------------------------------------

    def roles(self):
        """Return the role keys (trust.roles.Roles), None on a hub that has none or has lost them."""
        hub = self._hub
        if self._roles is None and hub.strict_record("roles").is_there():
            from .trust import roles  # noqa: PLC0415 - a hub may have no roles

            try:
                self._roles = roles.Roles(hub.strict_record("roles"))
            except StoreError as err:
                hub.journal.foreign("INTEGRITY_FAILED", err.args[0])
        return self._roles

    def forget_roles(self) -> None:
        """The role keys have changed: read them again."""
        self._roles = None

    def owner(self) -> "list | None":
        """Return the owner's root as an entry of roles.Roles, None on a hub without owner."""
        from .trust import owner  # noqa: PLC0415

        hub = self._hub
        try:
            known = owner.Owner(hub.strict_record("owner"), hub.identity.hub, hub.identity.public)
        except StoreError:
            return None
        if not known.root:
            return None
        return [known.kid, "ROOT", base64url.encode(known.root), "owner", 0, 0]

    def entry(self, kid: str) -> "list | None":
        """Return the entry of the key `kid`, the owner's root among them."""
        known = self.roles()
        found = known.find(kid) if known else None
        if found is None:
            root = self.owner()
            found = root if root is not None and root[0] == kid else None
        return found

    def reader(self, kid: str) -> "list | None":
        """Return the entry of whoever a letter may be for: a role's key, or a recipient of the settings."""
        known = self._hub.recipients.get(kid)
        if known is not None:
            return [kid, "", base64url.encode(known[1]), known[0], 0, 0]
        return self.entry(kid)

    def addressees(self, role: str) -> list:
        """Return the kids that hold `role` now. "ADM" without a key is the owner's root."""
        known = self.roles()
        kids = [entry[0] for entry in known.of(role, self._hub.clock.now())] if known else []
        if not kids and role in ("ADM", "ROOT") and known:
            root = self.owner()
            kids = [root[0]] if root else []
        return kids

    # -- writing -----------------------------------------------------------------------------------------------------

    def alert(self, to: str, event: str, code: int = 0, detail: str = "", data: "dict | None" = None) -> list:
        """Tell all who hold the role `to`, or the key with that kid, of an event; return the letters' numbers.

        code: GBCS event code, 0 for none.
        """
        if self.roles() is None and to not in self._hub.recipients:
            return []
        claims = {"kind": "alert", "event": event, "code": code, "detail": detail, "data": data or {}}
        kids = self.addressees(to) if len(to) <= 4 else [to]
        return [self.post(kid, claims, EVENT) for kid in kids]

    def report(self, kid: str, schedule: str, seq: int, data: dict) -> int:
        """Send what a schedule wants; return the letter's number."""
        return self.post(kid, {"kind": "report", "schedule": schedule, "seq": seq, "data": data}, REPORT)

    def post(self, kid: str, claims: dict, lane: int) -> int:
        """Keep a letter with these claims for `kid` and have it sent; return its number, 0 when it cannot be kept."""
        hub = self._hub
        try:
            number = self._letters().put(kid, json.dumps(claims).encode(), hub.clock.now(), lane)
        except (OSError, ValueError) as err:
            name = files.trouble(err) if isinstance(err, OSError) else "OVERSIZED"
            hub.journal.add("event", "RECORD_FAILED", "letter %s %s" % (claims["kind"], name))
            return 0
        if hub.wan is not None and not hub.wan.is_up:  # without a broker the answer goes to the cable (copy())
            hub.journal.add("event", "SEND_FAILED", "letter %d to %s" % (number, kid))
            hub.market.failed(kid, claims, "SEND_FAILED")
        self.deliver()
        return number

    def newest(self) -> "tuple[str, dict] | None":
        """Return (kid, claims) of the newest letter while it waits for its receipt, else None."""
        store = self._letters()
        found = store.read(store.last) if store.last in store.waiting() else None
        return None if found is None else (found[0], json.loads(found[2]))

    async def copy(self, number: int) -> bytes:
        """Return a letter that waits, sealed: for a link that takes the answer home at once; it waits on."""
        from . import letter_sender  # noqa: PLC0415 - somebody is at the cable

        found = self._letters().read(number)
        entry = self.reader(found[0]) if found else None
        if entry is None:
            raise HubError("NOT_AVAILABLE", "letter")
        return (await letter_sender.sealed(self._hub, entry, number, found))[0]

    def count(self) -> int:
        """Return how many letters wait."""
        return len(self._letters().waiting()) if self._store is not None or files.exists(self._path) else 0

    def find(self, kid: str, kind: str) -> "dict | None":
        """Return the data of the newest letter of this kind to `kid` that waits."""
        for number in reversed(self._letters().waiting()):
            found = self._letters().read(number)
            claims = json.loads(found[2]) if found is not None and found[0] == kid else {}
            if claims.get("kind") == kind:
                return claims["data"]
        return None

    def charge(self, kid: str, letters: int, sent: int, commands: int, taken: int, refused: int) -> None:
        """Count what `kid` has used: letters and their bytes, commands and theirs, and how many were refused."""
        more = (letters, sent, commands, taken, refused)
        self.used[kid] = [before + n for before, n in zip(self.used.get(kid, (0, 0, 0, 0, 0)), more)]

    def waits_for(self, h: str, n: int = -1) -> int:
        """Return the number of the newest answer to the command `h` that waits, and have it sent; 0: none does.

        n: that of what the household has decided (notices.py), when it is the answer to that.
        """
        number, _ = self._answer(h, n)
        if number and self._sender is not None:
            self._sender.at_once(number)
        return number

    def answer_to(self, h: str) -> "dict | None":
        """Return the newest answer to the command `h` that waits for its receipt."""
        return self._answer(h, -1)[1]

    def _answer(self, h, n):
        for number in reversed(self._letters().waiting()):
            found = self._letters().read(number)
            if found is not None:
                claims = json.loads(found[2])
                if claims.get("re") == h and (n < 0 or claims["data"].get("n") == n):
                    return number, claims
        return 0, None

    def _letters(self):
        if self._store is None:
            from .store.letters import Letters  # noqa: PLC0415 - a hub may have nobody to write to

            journal = self._hub.journal
            self._store = Letters(
                self._path,
                lambda number: journal.add("event", "OUTBOX_FULL", "letter %d" % number),
                lambda name: journal.add("event", "STORE_DAMAGED", name),
            )
        return self._store

    # -- sending -----------------------------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Send what waits; to be called again and again while the WAN is up, when there is or was a letter."""
        hub = self._hub
        if self._store is None and not files.exists(self._path):
            return
        if self._sender is not None:
            self._sender.wake()
        elif hub.wan is not None and hub.wan.is_up and self._letters().waiting():
            before = lazy.loaded()
            from .letter_sender import Sender  # noqa: PLC0415 - nothing waits most of the time

            self._sender = Sender(hub, self, self._store)
            modules = lazy.loaded() - before
            hub.start("letters", lambda: self._send(modules))

    async def _send(self, modules):
        if self._sender is None:
            return  # it has failed, and was started again: deliver() makes another one
        try:
            await self._sender.run()
        finally:
            self._sender = None
            lazy.let_go(modules)

    def received(self, payload: bytes) -> None:
        """Take what claims to be a receipt."""
        if self._sender is None:
            self._hub.journal.foreign("REPLAY", "receipt of a letter")
        else:
            self._sender.received(payload)
