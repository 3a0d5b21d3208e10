"""Makes the reports that are due: reads what the role could read on demand, at that moment, and writes it a letter.

Source   ETSI TR 102 691, 5.2.3; when a report is due: store/schedules.py; its form: services/schedules.py
Memory   loaded when a report is due, and let go
Errors   A read that fails is a report with the error's name. A key that has ended, a permission or a consent that the
         role does not have any more ends the schedule: journalled. SCHEDULE_MISSED for slots that went by without a
         report: the hub was off, its clock was not set, or flash took no letter. The next report says how many.
Runs on  the unix port and the boards

A report's letter is on flash before its schedule has moved on; what a power cut leaves between the two is settled at
the start: the letter is there, and the schedule moves on without another one.
"""

from micropython import const

from .errors import HubError
from .letterbox import REPORT
from .store import schedules
from .trust import matrix, roles
from .trust.command import Command

_LATER_S = const(3600)
_OVER = ("NOT_AUTHORISED", "REVOKED", "EXPIRED", "NOT_LINKED", "NOT_CONSENTED")  # not of a read, but of a right to it


def settle(hub) -> int:
    """Take up what the last power cut has left; return when the first report is due, 0 for never. hub: app.Hub"""
    record = hub.record("schedules")
    known = schedules.load(record)
    newest = hub.letters.newest() if known else None
    if newest is not None and newest[1]["kind"] == "report":
        kid, claims = newest
        one = schedules.find(known, kid, claims["schedule"])
        if one is not None and claims["seq"] == one[schedules.SEQ] + 1:
            _move_on(hub, one, claims["seq"])
            schedules.save(record, known)
    return 1 if known else 0  # as soon as there is a time: it may have been ahead


async def run(hub) -> None:
    """Make all reports that are due."""
    try:
        await _run(hub, hub.record("schedules"))
    except OSError as err:  # what has become of a report cannot be kept: whoever gets it twice knows it by its seq
        hub.journal.add("event", "RECORD_FAILED", "schedules %s" % (err.args[:1],))
        hub.market.schedules_at = hub.clock.now() + _LATER_S


async def _run(hub, record):
    while hub.letters.roles() is not None:
        now = hub.clock.now()
        known = schedules.load(record)
        hub.market.schedules_at = schedules.next_at(known)
        ahead = [one for one in known if schedules.is_ahead(one, now)]
        for one in ahead:
            schedules.plan_from(one, now, hub.drbg)
        if ahead:
            schedules.save(record, known)
            hub.market.schedules_at = schedules.next_at(known)
        due = [one for one in known if one[schedules.AT] <= now]
        if not due:
            return
        one = min(due, key=lambda one: one[schedules.AT])
        missed = schedules.catch_up(one, now, hub.drbg)
        if missed:
            hub.journal.add("event", "SCHEDULE_MISSED", "%s %d" % (_words(one), missed))
            schedules.save(record, known)
        else:
            await _report(hub, record, one, now)
    hub.market.schedules_at = 0  # nobody is left to report to


async def _report(hub, record, one, now):
    """Make one report, and let its schedule move on."""
    error, field, data = "", "", {}
    try:
        result = await hub.market.commands().perform(_command(hub, one, now))
        data = result.data
    except HubError as err:
        error, field = err.name, err.field
    known = schedules.load(record)  # while it was being read a command may have changed it
    found = schedules.find(known, one[schedules.KID], one[schedules.ID])
    if found is None or found != one:
        return
    if error in _OVER:
        known.remove(found)
        schedules.save(record, known)
        hub.journal.add("security", "schedule ended", "%s %s" % (_words(found), error))
        return
    claims = {"kind": "report", "schedule": found[schedules.ID], "seq": found[schedules.SEQ] + 1}
    claims.update(
        {"cmd": found[schedules.CMD], "due": found[schedules.START] + found[schedules.SLOT] * found[schedules.PERIOD]}
    )
    claims.update({"missed": found[schedules.MISSED], "error": error, "field": field, "data": data})
    if error:
        hub.journal.add("event", error, "%s %s" % (_words(found), field))
    if hub.letters.post(found[schedules.KID], claims, REPORT):
        _move_on(hub, found, claims["seq"])
    else:
        hub.journal.add("event", "SCHEDULE_MISSED", "%s 1" % _words(found))
        found[schedules.MISSED] += 1
        schedules.plan(found, found[schedules.SLOT] + 1, hub.drbg)
    schedules.save(record, known)


def _move_on(hub, one, seq):
    """The report `seq` of a schedule is on its way."""
    one[schedules.SEQ], one[schedules.MISSED] = seq, 0
    schedules.plan(one, one[schedules.SLOT] + 1, hub.drbg)


def _command(hub, one, now):
    """Return the Command that a schedule stands for; HubError when its key may not give it now."""
    kid = one[schedules.KID]
    entry = hub.letters.entry(kid)
    if entry is None or not roles.in_force(entry, now):
        raise HubError("REVOKED", "kid")
    row = matrix.row(one[schedules.CMD]) or ("", "", [])
    permission = matrix.permission(row[2], entry[roles.ROLE])
    if permission not in ("yes", "consent"):
        raise HubError("NOT_AUTHORISED", "cmd")
    fields = (
        kid,
        entry[roles.ROLE],
        entry[roles.FROM],
        0,
        now,
        one[schedules.CMD],
        one[schedules.ARG],
        None,
        "",
        row[0],
    )
    return Command(*(fields + (permission == "consent",)))


def _words(one):
    return "UC-01 %s %s %s" % (one[schedules.CMD], one[schedules.KID], one[schedules.ID])
