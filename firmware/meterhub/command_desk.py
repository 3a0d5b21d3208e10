"""Carries out signed commands of the market roles, from any link, one after another.

Source   trust/command.py (the messages and the order of checks), trust/matrix.py (who may do what)
Units    times are Unix seconds, UTC
Memory   4 KB and a command; loaded with the first one, let go when none has come for a while. A service is loaded for
         its command.
Errors   Not authentic: no answer, a security entry, and an alert to the hub's owner, at most one an hour for each
         reason. Authentic and refused: an answer with the error's name, and an entry.
Runs on  the unix port and the boards

The counter is on flash before a command is acted on, its answer after it. A command that the power has cut in between
is answered after the start: EXECUTE_FAILED "interrupted". What is acted on is all done or not at all: that is each
service's own care.

A flood: what is no command of a known key costs no arithmetic; what says that it is may cost one verification in four
times as long as one takes, four at once, for each key; for all that comes by the broker together twice as often.

Format   staged commands: JSON [[kid, role, since, ctr, iat, cmd, arg, at, h, service], ...] in the record "staged", at
         most 8, in the order of their dates
"""

import asyncio
import json

from micropython import const

from . import lazy
from .applets.bucket import Bucket
from .applets.mailbox import Mailbox
from .crypto.steps import slowly
from .errors import HubError, StoreError
from .hal.ticks import now_ms, since
from .letterbox import EVENT, REPORT
from .services import Result
from .store import files
from .trust import command as envelope
from .trust import roles
from .trust.key_tables import LABEL, KeyTables

_WAITING = const(8)
_AT_ONCE = const(4)
_FIRST_COST_MS = const(20)
_IDLE_MS = const(20000)
_ALERT_S = const(3600)
_MOST_STAGED = const(8)
_MOST_STAGED_BYTES = const(4096)
_STAGED = "staged"
_NOT_AUTHENTIC = const(0x8F3D)  # GBCS
_MALFORMED = const(0x8F1E)
_ACTIVATED = const(0x8F66)  # a future dated command was carried out, was not
_NOT_ACTIVATED = const(0x8F67)
_SECURITY = ("NOT_AUTHORISED", "REPLAY", "REVOKED", "EXPIRED", "NOT_CONSENTED")  # refusals that are the security log's
_RECORDED = {"decline": "CONSUMER_DECLINED", "override": "CONSUMER_DECLINED"}  # outcomes, and no errors
_FLOWS = (  # of ETSI TR 102 691, 5.2.3 on
    "readings 01 schedules 01 maintenance 02 credentials 02 clock 02 power_quality 04 outage 05 outage_plan 05 "
    "demand 06 load_calendar 06 security 09 tariffs 10 supply 11 efficiency 13 messages 14 consent 14 privacy 14"
)


class CommandDesk:
    """hub: app.Hub."""

    def __init__(self, hub) -> None:
        self._hub = hub
        self.counters = roles.Counters(hub.strict_record("commands"))
        self._tables = KeyTables(hub.board.data_dir + "/keys", hub.identity.derived_key(LABEL), hub.damaged)
        self._inbox = Mailbox(_WAITING)
        self._buckets = {}  # kid -> Bucket
        self._link = Bucket(2 * _AT_ONCE, 2 * _FIRST_COST_MS)
        self._cost_ms = _FIRST_COST_MS
        self._turn = asyncio.Lock()  # one command after another, whichever link it came through

    # -- from the broker ---------------------------------------------------------------------------------------------

    def post(self, payload: bytes) -> None:
        """Take what claims to be a command."""
        try:
            self._inspect(payload)
        except HubError as err:
            self._unauthentic(err)

    def _inspect(self, payload):
        """Let a command of a known key wait for its turn; HubError for anything else."""
        if len(payload) > envelope.MAX_COMMAND:
            raise HubError("OVERSIZED", "command")
        try:
            token = str(payload, "utf-8")
        except UnicodeError:
            raise HubError("MALFORMED", "command")
        kid, claims = envelope.claims_of(token)
        if self._hub.letters.entry(kid) is None:
            raise HubError("UNKNOWN_RECIPIENT", "kid")
        if claims["hub"] != self._hub.identity.hub:
            raise HubError("WRONG_HUB", "hub")
        bucket = self._buckets.get(kid)
        if bucket is None:
            bucket = self._buckets[kid] = Bucket(_AT_ONCE, 4 * self._cost_ms)
        if not bucket.take() or not self._link.take() or not self._inbox.put(token):
            raise HubError("RATE_LIMITED", kid)

    async def run(self) -> None:
        """Carry out what comes, until nothing has come for a while."""
        while True:
            token = await self._inbox.take(_IDLE_MS)
            if token is None:
                if self._turn.locked():
                    continue
                return
            try:
                await self.take(token)
            except HubError as err:
                self._unauthentic(err)

    def _unauthentic(self, err):
        """Journal what nobody is answered for, and tell the owner, but not of each one."""
        hub = self._hub
        hub.journal.foreign(err.name, "command " + err.field)
        if err.name == "RATE_LIMITED":
            return
        at, alerted = hub.clock.uptime_s(), hub.market.alerted
        if at >= alerted.get(err.name, at):
            alerted[err.name] = at + _ALERT_S
            code = _NOT_AUTHENTIC if err.name == "NOT_AUTHENTIC" else _MALFORMED
            hub.letters.alert("ADM", err.name, code, "command " + err.field)

    # -- one command -------------------------------------------------------------------------------------------------

    async def take(self, token: str) -> int:
        """Carry out a command; return the number of the letter that answers it. HubError when it is not authentic."""
        async with self._turn:
            return await self._take(token)

    async def _take(self, token):
        hub = self._hub
        h = envelope.hash_of(token)
        began = now_ms()
        kid, entry, claims = await slowly(
            envelope.authentic(token, hub.identity.hub, hub.letters.entry, self._tables.verify)
        )
        self._cost_ms = max(1, since(now_ms(), began))
        self._link.refill_ms = 2 * self._cost_ms
        hub.letters.charge(kid, 0, 0, 1, len(token), 0)
        if kid in self._buckets:
            self._buckets[kid].refill_ms = 4 * self._cost_ms
        try:
            taken = envelope.permitted(kid, entry, claims, h, self.counters.newest(kid), hub.clock.now())
        except envelope.Refused as err:
            return self._refuse(entry, err)
        number = await self._carry_out(taken)
        if self._tables.is_due():
            await slowly(self._tables.build())  # the answer is on its way
        return number

    def _refuse(self, entry, err):
        """Answer an authentic command that is not carried out; one that was carried out before, as then."""
        is_new = err.name != "REPLAY"
        known = None if is_new else self.counters.done(err.kid, err.ctr, err.h)
        if known is not None:
            waiting = self._hub.letters.waits_for(err.h)
            return waiting or self._answer(err, known[3], known[4], known[5], {})
        if is_new:  # its counter is used up: who recorded it cannot have it refused again and again
            try:
                self._begin(err)
            except HubError:  # it is refused all the same
                pass
        self._note(entry[roles.ROLE], err, err.name, err.field)
        self._tell_service(err)
        number = self._answer(err, "refused", err.name, err.field, {})
        if is_new:
            self._end("refused", err.name, err.field)
        return number

    def _begin(self, to):
        """Take a command's counter, on flash; HubError RECORD_FAILED."""
        if self.counters.doing is not None:
            self.settle()  # what failed in a way that nobody foresaw
        try:
            self.counters.begin(to.kid, to.ctr, to.h, to.cmd)
        except OSError:
            raise HubError("RECORD_FAILED", "ctr")

    def _end(self, outcome, error, field):
        try:
            self.counters.end(outcome, error, field)
        except OSError as err:
            self._hub.journal.add("event", "RECORD_FAILED", "counters " + files.trouble(err))

    async def _carry_out(self, taken):
        """Act on a permitted command; return the number of its answer."""
        try:
            self._begin(taken)
            result = await self._result(taken)
            outcome, error, field, data = result.outcome, "", "", result.data
        except HubError as err:
            outcome, error, field, data = "refused", err.name, err.field, {}
        except MemoryError:
            outcome, error, field, data = "refused", "BUSY", "memory", {}
        self._note(taken.role, taken, error or outcome, field)
        if error:
            claims = {"ctr": taken.ctr, "cmd": taken.cmd}
            self._tell_service(envelope.Refused(HubError(error, field), taken.kid, claims, taken.h))
        number = self._answer(taken, outcome, error, field, data)
        self._end(outcome, error, field)
        return number

    async def perform(self, taken) -> Result:
        """Return what a permitted command comes to; HubError when it cannot be, or a consent is wanting."""
        return await self._result(taken)

    async def _result(self, taken):
        if taken.consent:
            self._check_consent(taken)
        if taken.at is not None:
            return await self._staged(taken)
        return await self._served(taken, "handle")

    async def _served(self, taken, what, *more):
        """Return what a function of the command's service returns, with the service let go again."""
        before = lazy.loaded()
        try:
            service = _service(taken.service)
            if not hasattr(service, what):
                return None
            result = getattr(service, what)(self._hub, taken, *more)
            return await slowly(result) if hasattr(result, "send") or hasattr(result, "__next__") else result
        except StoreError as err:
            raise HubError("RETRIEVE_FAILED", err.args[0][-32:])
        except OSError:
            raise HubError("RECORD_FAILED", taken.service)
        except MemoryError:
            raise HubError("BUSY", "memory")
        finally:
            service = result = None
            _let_go(before)

    def _check_consent(self, taken):
        hub = self._hub
        known = hub.role_consents()
        scope = "demand" if taken.service == "demand" else "readings"
        if not known.granted(taken.kid, scope, hub.clock.now()):
            raise HubError("NOT_CONSENTED", scope)
        known.used(taken.kid, scope, hub.clock.now())

    def _answer(self, to, outcome, error, field, data):
        """Put the answer to a command (or a refused one) into the letterbox; return its number."""
        if outcome == "refused":
            self._hub.letters.charge(to.kid, 0, 0, 0, 0, 1)
        claims = {"kind": "answer", "re": to.h, "ctr": to.ctr, "cmd": to.cmd, "outcome": outcome}
        claims.update({"error": error, "field": field, "data": data})
        return self._hub.letters.post(to.kid, claims, REPORT if to.cmd.startswith("read.") else EVENT)

    def _note(self, role, to, name, field):
        """Journal what came of a command: flow, command, role, transaction."""
        row = envelope.matrix.row(to.cmd)
        detail = "UC-%s %s %s %s/%d %s" % (_flow(row[0] if row else ""), to.cmd, role, to.kid, to.ctr, field)
        if name == "REPLAY":  # anybody can send again what he has recorded
            self._hub.journal.foreign(name, detail.rstrip())
            return
        self._hub.journal.add("security" if name in _SECURITY else "event", _words(name), detail.rstrip())

    def _tell_service(self, err):
        """Let the service of a refused command know: what concerns the household is shown to it all the same."""
        row = envelope.matrix.row(err.cmd)
        if row is None or not row[0] or err.name == "UNSUPPORTED":
            return
        before = lazy.loaded()
        try:
            service = _service(row[0])
            if hasattr(service, "refused"):
                service.refused(self._hub, err.cmd, err)
        except (HubError, StoreError, OSError) as trouble:
            self._hub.journal.add("event", "EXECUTE_FAILED", "%s %s" % (row[0], trouble.args[0]))
        finally:
            service = None
            _let_go(before)

    def failed(self, kid: str, claims: dict, name: str) -> None:
        """Let the service of a command know that its answer (a letter's claims) was not sent, or not received."""
        self._tell_service(envelope.Refused(HubError(name, "answer"), kid, claims, claims["re"]))

    # -- after a power cut -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Answer the command that the power has cut, if there is one."""
        doing = self.counters.doing
        if doing is None:
            return
        kid, ctr, h, cmd = doing
        answer = self._hub.letters.answer_to(h)
        if answer is not None and answer["ctr"] == ctr and answer["outcome"] != "pending":
            self._end(answer["outcome"], answer["error"], answer["field"])
            return
        cut = envelope.Refused(HubError("EXECUTE_FAILED", "interrupted"), kid, {"ctr": ctr, "cmd": cmd}, h)
        waiting = [one for one in staged(self._hub.strict_record(_STAGED)) if one[8] == h]
        shown = self._shown(kid, h)
        if waiting or shown:  # it was kept before the power went, or its date has come and nothing was done yet
            if answer is None:
                self._answer(cut, "pending", "", "", {"notice": shown} if shown else {"staged": waiting[0][7]})
            self._end("pending", "", "")
            return
        entry = self._hub.letters.entry(kid)
        self._note(entry[roles.ROLE] if entry else "", cut, cut.name, cut.field)
        self._answer(cut, "refused", cut.name, cut.field, {})
        self._end("refused", cut.name, cut.field)

    def _shown(self, kid, h):
        """Return the id of the notice that a command has put before the household, 0 for none."""
        if not files.exists(self._hub.board.data_dir + "/notices"):
            return 0
        notices = self._hub.notices
        return max([0] + [number for number in notices.of(kid) if notices.notice(number)["h"] == h])

    def keys_changed(self) -> None:
        """The role keys have changed: take over their counters, and let go of what belongs to a key that has gone."""
        hub = self._hub
        self.counters.reload()
        hub.letters.forget_roles()
        hub.market.look_again()
        known, root = hub.letters.roles(), hub.letters.owner()
        kept = [] if known is None else [one for one in known.all if not roles.has_ended(one, hub.clock.now())]
        kept += [root] if root else []
        self._buckets = {
            one[roles.KID]: self._buckets[one[roles.KID]] for one in kept if one[roles.KID] in self._buckets
        }
        try:
            self._tables.only([roles.point(one) for one in kept])
        except OSError:  # what is not deleted verifies for no key any more
            pass

    # -- commands with a date ----------------------------------------------------------------------------------------

    async def _staged(self, taken):
        """Keep a command until its date, or cancel those of its name that are kept; return the Result."""
        record = self._hub.strict_record(_STAGED)
        known = staged(record)
        if taken.at == 0:
            kept = [one for one in known if one[1] != taken.role or one[5] != taken.cmd]
            record.save(json.dumps(kept).encode())
            self._hub.market.staged_at = kept[0][7] if kept else 0
            return Result("done", {"cancelled": len(known) - len(kept)})
        if taken.at <= self._hub.clock.now():
            raise HubError("INVALID_VALUE", "at")
        if len(known) >= _MOST_STAGED:
            raise HubError("STORE_FULL", _STAGED)
        await self._served(taken, "check")
        known.append(list(taken[:10]))
        known.sort(key=lambda one: one[7])
        raw = json.dumps(known).encode()
        if len(raw) > _MOST_STAGED_BYTES:
            raise HubError("STORE_FULL", _STAGED)
        record.save(raw)
        self._hub.market.staged_at = known[0][7]
        return Result("pending", {"staged": taken.at})

    async def activate(self) -> None:
        """Carry out the staged commands whose date has come."""
        async with self._turn:
            await self._activate_due()

    async def _activate_due(self):
        record = self._hub.strict_record(_STAGED)
        now = self._hub.clock.now()
        while True:
            known = staged(record)
            if not known or known[0][7] > now:
                self._hub.market.staged_at = known[0][7] if known else 0
                return
            taken = envelope.Command(*(list(known[0]) + [False]))
            self.counters.resume(taken.kid, taken.ctr, taken.h, taken.cmd)
            record.save(json.dumps(known[1:]).encode())
            await self._activate(taken)

    async def _activate(self, taken):
        outcome, error, field, data = "done", "", "", {}
        try:
            entry = self._hub.letters.entry(taken.kid)
            if entry is None or not roles.in_force(entry, self._hub.clock.now()):
                raise HubError("REVOKED", "kid")
            result = await self._served(taken, "handle")
            outcome, data = result.outcome, result.data
        except HubError as err:
            outcome, error, field = "refused", err.name, err.field
        data["code"] = _NOT_ACTIVATED if error else _ACTIVATED
        self._note(taken.role, taken, error or "activated", field)
        self._answer(taken, outcome, error, field, data)
        self._end(outcome, error, field)

    # -- what the household has answered -----------------------------------------------------------------------------

    def decided(self, notice: dict, decision: str) -> None:
        """Let the service of a notice (notices.py) know what the household has decided, and tell who asked.

        What is told is on flash when this returns; the same once more, after a power cut, changes nothing.
        """
        kid, role, ctr, cmd, h = [notice[name] for name in ("kid", "role", "ctr", "cmd", "h")]
        if self._hub.letters.waits_for(h, notice["n"]):
            return
        taken = envelope.Command(kid, role, 0, ctr, 0, cmd, {}, None, h, notice["service"], False)
        outcome, error, field, data = "done", "", "", {"action": decision, "n": notice["n"]}
        before = lazy.loaded()
        try:
            result = _service(taken.service).decided(self._hub, notice, decision)
            if result is None:
                return
            outcome = result.outcome
            data.update(result.data)
        except HubError as err:
            outcome, error, field = "refused", err.name, err.field
        finally:
            result = None
            _let_go(before)
        self._note(taken.role, taken, error or data.get("error") or _RECORDED.get(decision, decision), field)
        self._answer(taken, outcome, error, field, data)


def staged(record) -> list:
    """Return the staged commands in a record."""
    raw = record.load()
    return json.loads(raw) if raw else []


def _service(name):
    """Return the module of services/ with this name; HubError UNSUPPORTED when this firmware has none."""
    try:
        package = __import__("meterhub.services." + name)
    except ImportError:
        raise HubError("UNSUPPORTED", "cmd")
    return getattr(package.services, name)


def _let_go(before):
    """Let go of the services that were loaded, and of what they have loaded for themselves."""
    lazy.let_go([name for name in lazy.loaded() - before if name.startswith("meterhub.")])


def _flow(service):
    words = _FLOWS.split()
    return words[words.index(service) + 1] if service in words else "00"


def _words(name):
    return "command " + name if name.islower() else name
