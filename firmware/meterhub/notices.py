"""Notices: what the household is shown and asked, in the order of its weight, and what it decides.

A service puts a notice; the display (ihd/screens.py) and the linked website show it; what the household decides goes
back to the service, once, whenever the power is cut: the decision is stored first, then journalled, then told, and
what was not told goes on at the next start or a minute later.

Source   ETSI TR 102 691: UC-02, UC-05, UC-06, UC-10, UC-13, UC-14 (read, accept, decline, override, save, delete)
Units    Unix seconds, UTC
Memory   store/notice_box.py's rows and the words of the notice that is looked at. Loaded while somebody looks, and
         for a moment when a notice comes, begins or ends: at rest only hub.model knows that there are some.
Errors   HubError STORE_FULL, DISPLAY_FAILED from put(); WRONG_STATE, EXPIRED, NOT_AVAILABLE, BUSY from decide()
Runs on  both

A notice is a dict {kid, role, name: of the sender as the household knows it, h: base64url of the command's hash, ctr,
cmd, service: the module of services/ that hears of decisions ("": none), category (a key of _WORDS), title: up to 16
characters, text: up to 160, priority 0..3, start, expiry: 0 for at once and for never, answer: "" (read it), "accept"
(accept or decline) or "override" (read it, may be overridden until it expires), ref: the sender's own name of it,
which takes the place of what has the same one, at: what a countdown runs to, or 0}. notice() adds {id, state, changed,
said, n: number of the decision, by: "display" or "website"}.

States       waiting -> shown -> read -> accepted | declined | overridden -> saved | deleted; expired, withdrawn
Decisions    "accept", "decline", "override", "save", "delete", "read" (only where no answer is wanted), and what
             nobody decided: "none" (it expired before it was answered, or read), "withdrawn", "replaced". The service
             hears of each through hub.commands.decided(notice, decision). That must have stored what it makes of it
             when it returns, and must know by (h, n) that it has heard of a decision: it may hear of the last twice.

What the household sees: newest first. What wants an answer, and what is of priority 2 or 3, shows itself; "later"
puts it off by an hour (priority 3: five minutes).
"""

from micropython import const

from . import lazy
from .errors import HubError, StoreError
from .ihd.entries import Message
from .store import files
from .store.notice_box import (
    ASKS,
    CHANGED,
    COUNT,
    DUE,
    EXPIRY,
    ID,
    KID,
    MADE,
    MOST,
    PRIORITY,
    REF,
    SAID,
    START,
    STATE,
    TOLD,
    NoticeBox,
    is_over,
)

_LATER_S = const(3600)
_SOON_S = const(300)
_AGAIN_S = const(60)  # after a flash that could not be written
_STAYS_S = const(10)  # after somebody has looked
_MOST_DUE = const(24)
_ADVISERS = ("EFF", "ESP")  # whose messages nobody has agreed to: one of them never fills the others' room
_MOST_OF_ONE = const(4)
_ALIVE = ("shown", "read", "accepted", "declined", "overridden", "saved")
_ANSWERS = {"accept": "accepted", "decline": "declined", "override": "overridden"}
_ENDS = {"save": "saved", "delete": "deleted"}
_LOGGED = {"none": "CONSUMER_TIMEOUT"}  # the consent log's names of decisions
_LOGGED.update(_ANSWERS)
_LOGGED.update(_ENDS)
_SAID = {"accept": "you said yes", "decline": "you said no", "override": "you overrode it"}
_WORDS = {  # category -> the page's title
    "supply": "SUPPLY",
    "advance": "SOON",
    "general": "MESSAGE",
    "marketing": "OFFER",
    "outage": "POWER CUT",
    "appointment": "VISIT",
    "demand": "DEMAND",
    "generation": "GENERATION",
    "tariff": "TARIFF",
    "efficiency": "SAVE ENERGY",
    "consent": "MAY THEY?",
}


class Notices:
    """hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self._box = NoticeBox(hub.record("notices"), hub.board.data_dir + "/notices", self._tell_damaged)
        self._later = hub.model.put_off  # id -> uptime until which it does not show itself
        self._looked = -_STAYS_S  # uptime when the display last wanted one
        self._failed_at = None  # uptime, when somebody could not be told
        self._settling = False
        self._seen = None  # the Message made last
        self._forget_before(hub.tenancy.since)
        self._show()

    def _tell_damaged(self, detail):
        self._hub.journal.add("event", "STORE_DAMAGED", detail)

    def _forget_before(self, tenancy):
        """What was said to the tenant before is not for this one."""
        rows = [row for row in self._box.rows if row[MADE] < tenancy and _lives(row)]
        if rows:  # their senders hear of it with the first tick
            self._box.keep(self._with([_ended(row, "withdrawn", "withdrawn", self._hub.clock.now()) for row in rows]))

    # -- what services do ----------------------------------------------------------------------------

    def put(self, notice: dict, transaction=None, quiet: bool = False) -> int:
        """Keep a notice and return its id; it takes the place of the one with the same `ref` of the same sender.

        transaction: a store.transaction.Transaction that this commits: all of it counts, or nothing. quiet: do not
        mind that nobody can see it now.
        """
        hub = self._hub
        if not quiet:
            self._check_display()
        now = hub.clock.now()
        old = [row for row in self._box.rows if row[KID] == notice["kid"] and row[REF] == notice["ref"]]
        old = [row for row in old if _lives(row)]
        rows = self._with([_ended(row, "withdrawn", "replaced", now) for row in old])
        mine = [row for row in rows if row[KID] == notice["kid"] and _lives(row)]
        if notice["role"] in _ADVISERS and len(mine) >= _MOST_OF_ONE:
            raise HubError("STORE_FULL", "notices")
        while len(rows) >= MOST:
            rows.remove(_least(rows, now))
        number = self._box.write(notice)
        row = [number, notice["kid"], notice["ref"], notice["priority"], notice["answer"], now]
        row += [notice["start"], notice["expiry"], "waiting", now, "", 0, [], ""]
        self._box.keep(rows + [row], transaction)
        self._settle()
        self._show()
        return number

    def put_with(self, record, blob: bytes, notice: dict, quiet: bool = False) -> int:
        """Keep a notice, and `blob` in a record of the hub's folder: both, or neither."""
        if not quiet:
            self._check_display()  # before anything is written
        before = lazy.loaded()
        from .store.transaction import Transaction  # noqa: PLC0415 - seldom

        one = Transaction(self._hub.board.data_dir)
        one.save(record, blob)
        number = self.put(notice, one, quiet)
        one = Transaction = None
        lazy.let_go(lazy.parts(("store.transaction",)) - before)
        return number

    def _check_display(self):
        if not self._is_seen():
            raise HubError("DISPLAY_FAILED", "ihd")

    def _is_seen(self):
        """Return whether the household can see a notice, on the display or on the website."""
        return self._hub.ihd.works or bool(self._hub.website())

    def find(self, kid: str, ref: str) -> int:
        """Return the id of the newest notice that its sender calls `ref`, 0 when there is none."""
        found = [row[ID] for row in self._box.rows if (row[KID], row[REF]) == (kid, ref)]
        return max(found) if found else 0

    def status(self, number: int) -> dict:
        """Return {id, ref, state, said, changed, expiry} of a notice; HubError NOT_AVAILABLE."""
        row = self._row(number)
        told = {"id": row[ID], "ref": row[REF], "state": row[STATE], "said": row[SAID]}
        told.update({"changed": row[CHANGED], "expiry": row[EXPIRY]})
        return told

    def of(self, kid: str) -> list:
        """Return the ids of what a sender has put, oldest first."""
        return [row[ID] for row in self._box.rows if row[KID] == kid]

    def withdraw(self, number: int) -> None:
        """Take a notice back; HubError WRONG_STATE for one that is over."""
        row = self._row(number)
        if not _lives(row):
            raise HubError("WRONG_STATE", "state")
        self._change([_ended(row, "withdrawn", "withdrawn", self._hub.clock.now())])

    def notice(self, number: int) -> dict:
        """Return a notice with what has become of it; StoreError when flash has lost its words."""
        row = self._row(number)
        found = self._box.words(number)
        found.update({"id": number, "state": row[STATE], "changed": row[CHANGED], "said": row[SAID]})
        return found

    # -- what the household decides --------------------------------------------------------------------

    def decide(self, number: int, decision: str, by: str = "display") -> None:
        """Take a decision of the household; the first answer counts."""
        row = self._row(number)
        if decision == "read" and row[STATE] != "shown":
            return
        now = self._hub.clock.now()
        _check(row, decision, now)
        if sum([len(one[DUE]) for one in self._box.rows]) >= _MOST_DUE:
            raise HubError("BUSY", "notices")
        changed = list(row)
        changed[CHANGED] = now
        changed[STATE] = _ANSWERS.get(decision) or _ENDS.get(decision) or "read"
        if decision in _ANSWERS:
            changed[SAID] = decision
        if decision != "read" or not row[ASKS]:
            _owe(changed, decision, by, now)
        self._change([changed])

    def pressed(self, number: int, decision: str) -> None:
        """Take what was pressed on the display: a decision, or "later"."""
        row = self._box.row(number)
        if decision == "later":
            self._later[number] = self._hub.clock.uptime_s() + (_SOON_S if row and row[PRIORITY] > 2 else _LATER_S)
            self._show()
            return
        try:
            self.decide(number, decision)
            if decision in _SAID:
                self._hub.ihd.notice((_SAID[decision], "They will be told."), 4)
        except HubError as err:
            said = {"EXPIRED": "It is too late.", "NOT_AVAILABLE": "It is gone."}.get(err.name, "Not any more.")
            self._hub.ihd.notice(("not done", said), 5)
        except OSError:
            self._hub.ihd.notice(("not done", "It cannot be stored."), 5)

    # -- time ----------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what time brings."""
        hub = self._hub
        now = hub.clock.now()
        changed = []
        for row in self._box.rows:
            if now and row[EXPIRY] and row[EXPIRY] <= now and row[STATE] != "saved" and _lives(row):
                changed.append(_expired(row, now))
            elif row[STATE] == "waiting" and (not row[START] or row[START] <= now) and self._is_seen():
                changed.append(list(row))
                changed[-1][STATE] = "shown"
        up_s = hub.clock.uptime_s()
        over = [number for number, until in self._later.items() if until <= up_s]
        for number in over:
            del self._later[number]
        try:
            if changed:
                self._change(changed)
            elif over:
                self._show()
            if self._failed_at is None or up_s - self._failed_at >= _AGAIN_S:
                self._settle()
                self._tell_website()
        except OSError as err:  # the flash is full: it stays as it was
            if self._failed_at is None:
                hub.journal.add("event", files.trouble(err), "notices")
            self._failed_at = up_s

    def rest(self) -> "tuple | None":
        """Return when this is needed again by itself: (Unix s, uptime), 0 for never; None: from now on."""
        if self._hub.clock.uptime_s() - self._looked < _STAYS_S:
            return None
        moments = []
        for row in self._box.rows:
            if row[DUE] or (row[STATE] == "waiting" and not row[START]):
                return None
            if self._is_news(row) and self._hub.website():
                return None
            if row[STATE] == "waiting":
                moments.append(row[START])
            if row[EXPIRY] and row[STATE] != "saved" and _lives(row):
                moments.append(row[EXPIRY])
        return (min(moments) if moments else 0, min(self._later.values()) if self._later else 0)

    # -- the rows ------------------------------------------------------------------------------------

    def _row(self, number):
        row = self._box.row(number)
        if row is None:
            raise HubError("NOT_AVAILABLE", "notice")
        return row

    def _with(self, changed):
        """Return all rows, those of `changed` in the place of what they were."""
        news = {row[ID]: row for row in changed}
        return [news.get(row[ID], row) for row in self._box.rows]

    def _change(self, changed):
        self._box.keep(self._with(changed))
        self._settle()
        self._show()

    # -- telling -------------------------------------------------------------------------------------

    def _settle(self):
        """Journal and tell what is due."""
        if self._settling:  # a service that hears of a decision puts a notice
            return
        self._settling = True
        self._failed_at = None
        try:
            for number in [row[ID] for row in self._box.rows if row[DUE]]:
                self._tell_all(number)
        except OSError:  # it is stored, and told when the flash can be written again
            self._failed_at = self._hub.clock.uptime_s()
        finally:
            self._settling = False

    def _tell_all(self, number):
        row = self._box.row(number)
        while row is not None and row[DUE]:
            self._tell(row, row[DUE][0])
            told = list(self._row(number))
            told[DUE] = told[DUE][1:]
            self._box.keep(self._with([told]))
            row = self._box.row(number)

    def _tell(self, row, due):
        hub = self._hub
        n, decision, by, at = due
        try:
            notice = self.notice(row[ID])
        except StoreError as err:
            self._tell_damaged(err.args[0])
            return
        notice.update({"n": n, "by": by, "changed": at})
        if decision in _LOGGED:
            self._log(_LOGGED[decision], notice)
        if not notice["service"]:  # what the hub says by itself: nobody waits for a word
            return
        try:
            hub.commands.decided(notice, decision)
        except HubError as err:
            hub.journal.add("event", err.name, "notice %s %s" % (notice["service"], err.field))

    def _log(self, name, notice):
        """Write a decision to the consent log, unless a power cut came after it had been."""
        sender = notice["name"].replace("|", "/")
        told = (sender, notice["category"], "%d.%d" % (notice["id"], notice["n"]), notice["kid"], notice["by"])
        detail = "|".join(told)
        known = [entry.detail for entry in self._hub.journal.last("consent", _MOST_DUE) if entry.name == name]
        if detail not in known:
            self._hub.journal.add("consent", name, detail)

    # -- the website ---------------------------------------------------------------------------------

    def _is_news(self, row):
        """Return whether the website has not heard what a notice is now."""
        if row[STATE] == "waiting" or (is_over(row) and not row[TOLD]):
            return False
        return row[TOLD] != row[STATE] + ":" + row[SAID]

    def _tell_website(self):
        """Send the linked website what is new: the alert "notice" (trust/orders.py says how it decides)."""
        kid = self._hub.website()
        for number in [row[ID] for row in self._box.rows if self._is_news(row)] if kid else ():
            row = list(self._row(number))
            row[TOLD] = row[STATE] + ":" + row[SAID]
            self._hub.letters.alert(kid, "notice", 0, "", self._for_website(row))
            self._box.keep(self._with([row]))

    def _for_website(self, row):
        data = {"notice": row[ID], "state": row[STATE], "said": row[SAID], "changed": row[CHANGED]}
        data.update({"asks": _asks(row), "start": row[START] or row[MADE], "expiry": row[EXPIRY]})
        if row[STATE] not in _ALIVE:
            return data
        try:
            words = self._box.words(row[ID])
        except StoreError:
            return data
        for name in ("category", "name", "title", "text"):
            data[name] = words[name]
        data["at"] = words.get("at", 0)
        return data

    def decide_there(self, number: int, decision: str) -> None:
        """Take a decision from the website; what is refused tells it again how things are."""
        try:
            self.decide(number, decision, "website")
        except HubError:
            row = self._box.row(number)
            if row is not None:
                told = list(row)
                told[TOLD] = "?"
                self._box.keep(self._with([told]))
            raise

    # -- showing -------------------------------------------------------------------------------------

    def _show(self):
        """Tell the display what there is."""
        model = self._hub.model
        self._seen = None
        rows = [row for row in self._box.rows if row[STATE] in _ALIVE]
        rows.reverse()
        model.messages = tuple([(row[ID], row[STATE] == "shown") for row in rows])
        model.alert = 0
        best = -1
        for row in rows:  # of the same priority the oldest
            if row[PRIORITY] >= best and row[ID] not in self._later and _calls(row):
                best, model.alert = row[PRIORITY], row[ID]

    def message(self, number: int) -> "Message | None":
        """Return what the display shows of a notice, None when it is gone."""
        self._looked = self._hub.clock.uptime_s()
        if self._seen is not None and self._seen.id == number:
            return self._seen
        row = self._box.row(number)
        if row is None or row[STATE] not in _ALIVE:
            return None
        try:
            notice = self.notice(number)
        except StoreError:
            notice = {"category": "", "title": "(lost)", "name": "?", "text": "This message can no longer be read."}
        local = self._hub.zone.local(row[START] or row[MADE])
        when = "%d.%d. %02d:%02d" % (local[2], local[1], local[3], local[4]) if row[START] or row[MADE] else ""
        told = (number, _WORDS.get(notice["category"], "MESSAGE"), notice["title"], notice["name"], when)
        told += (notice["text"], row[STATE] == "shown", _asks(row), row[SAID], _SAID.get(row[SAID], ""))
        self._seen = Message(*told + (notice.get("at", 0),))
        return self._seen


def _lives(row):
    return row[STATE] == "waiting" or row[STATE] in _ALIVE


def _wants(row):
    """Return whether an answer is still wanted."""
    return bool(row[ASKS]) and not row[SAID]


def _asks(row):
    """Return what may be answered now: "", "accept", "override"."""
    return row[ASKS] if _wants(row) or (row[ASKS] == "override" and row[SAID] == "accept") else ""


def _calls(row):
    """Return whether a notice that is shown shows itself."""
    return _wants(row) or (row[STATE] == "shown" and row[PRIORITY] > 1)


def _check(row, decision, now):
    """Raise the HubError that stands against a decision."""
    asks, state, said = row[ASKS], row[STATE], row[SAID]
    if decision in _ENDS:
        fits = state not in ("waiting", "shown") and not _wants(row)
    elif decision == "override":
        fits = asks == "override" and said != "override"
    elif decision == "accept":
        fits = bool(asks) and not said
    elif decision == "decline":
        fits = asks == "accept" and not said
    else:
        fits = decision == "read"
    if state not in _ALIVE or not fits:
        raise HubError("EXPIRED" if state == "expired" else "WRONG_STATE", "state")
    if decision in _ANSWERS and now and 0 < row[EXPIRY] <= now:
        raise HubError("EXPIRED", "expiry")


def _owe(row, decision, by, now):
    """Note in a copy of a row that somebody is to hear of a decision."""
    row[COUNT] += 1
    row[DUE] = row[DUE] + [[row[COUNT], decision, by, now]]


def _ended(row, state, decision, now):
    """Return a row as it is when its notice has come to an end; who waits for something hears of it."""
    ended = list(row)
    ended[STATE], ended[CHANGED] = state, now
    if _wants(row) or (not row[ASKS] and row[STATE] in ("waiting", "shown")):
        _owe(ended, decision, "", now)
    return ended


def _expired(row, now):
    return _ended(row, "expired", "none", now)


def _least(rows, now):
    """Return the row that makes room for another one; HubError STORE_FULL."""
    found = [row for row in rows if is_over(row)]
    if not found:
        found = [row for row in rows if row[STATE] not in ("waiting", "shown") and not _wants(row) and not row[DUE]]
        found = [row for row in found if row[ASKS] != "override" or row[SAID] == "override" or row[EXPIRY] <= now]
    if not found:
        raise HubError("STORE_FULL", "notices")
    return found[0]
