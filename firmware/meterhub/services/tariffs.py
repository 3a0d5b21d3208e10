"""Tariff settings: the tariff and its prices, the billing calendar, the time-of-use registers.

Source   ETSI TR 102 691 5.2.12; GBCS ECS01a (tariff), ECS01b (prices), ECS24, ECS17d, ECS30a
Units    Unix seconds, UTC; Wh
Errors   HubError; a field of a tariff is named like "arg.tariff.bands[3].price". A refusal changes nothing
Runs on  both

Commands. Every time of activation in one command must be the same: `at` of the command and `from` of the tariff.
  set.tariff_price      {tariff: the document (codec/tariff.py)}, or
                        {packed: the packed form, base64url [, part: [n, of]]}: in up to 8 commands, one after the
                          other, of which the last is carried out, or staged; of those in pieces only one can be, or
                        {prices: [of each band price or {prices, limits}], id [, standing: {price, scale}]}: new prices
                          for the tariff in force, and a new id
                        [, text: 1..160 characters for the household] [, expiry: of the message; a week by default]
                        It counts from the beginning of the present interval, or from the command's date on, which must
                        be a multiple of interval_s.
                        -> pending {tariff: id, digest, applied: since}, then, for each thing that the household does,
                           done {tariff, digest, applied, viewed, action "read" "save" "delete", error ""}, or with
                           viewed false, action "none", error CONSUMER_TIMEOUT; a part but the last: done {part}
  set.billing_calendar  {billing: ["monthly", 1]}, in the place of the tariff's own  -> done {billing}
  read.tariff           {[next: true] [, offset]} -> done {tariff: id, digest, since, size, packed: base64url, at most
                        1500 bytes from offset on, band, name, price_e5, billing, period: [start, next start]}; next:
                        the first that is staged, without what follows `packed`; NOT_AVAILABLE when there is none
  read.tou_registers    {} -> done {tariff: id, since, at, registers: [Wh, ...], names: [of the bands in force],
                        unassigned}; at: all that was measured until then is booked
"""

import json

from micropython import const

from ..codec import base64url
from ..errors import HubError
from ..store import tariffs
from . import Result, fields

_PIECE = const(1500)
_WEEK_S = const(604800)
_LATEST = const(4102444800)
_NAME = const(3)  # of an entry of trust/roles.py
_STAGED = "staged"  # of command_desk.py: [[kid, role, since, ctr, iat, cmd, arg, at, ...], ...]


def handle(hub, command) -> Result:
    """Carry out a command; one with a date when that has come."""
    return _HANDLERS[command.cmd](hub, command)


def check(hub, command) -> None:
    """Refuse a command with a date that could not be carried out, as far as can be said now."""
    if command.cmd == "set.tariff_price":
        from . import new_tariff  # noqa: PLC0415 - 10 KB that are needed to look at one

        _message(command, command.at)
        kept = new_tariff.checked(hub, command)
        if "part" in command.arg:  # the pieces before this one are not kept for long
            hub.record(tariffs.NEXT).save(tariffs.blob(kept))
            hub.record(tariffs.PART).erase()


# -- set.tariff_price ---------------------------------------------------------------------------------------------


def _set_price(hub, command):
    from . import new_tariff  # noqa: PLC0415

    now = hub.clock.now()
    if not now:
        raise HubError("CLOCK_INVALID", "unset")
    if command.at is None:
        _message(command, now)
        if "part" in command.arg:
            piece = new_tariff.take_part(hub, command)
            if piece is not None:
                return Result("done", {"part": piece})
    kept = new_tariff.checked(hub, command)
    before = _known(hub.tariffs.kept.raw) if hub.tariffs is not None else "none"
    _put_in_force(hub, kept, _notice(hub, command, kept))
    audit = (before, _known(kept.raw), kept.since, kept.kid, kept.ctr)
    hub.journal.add("event", "tariff", "%s -> %s since %d by %s %d" % audit)
    if "part" in command.arg:
        hub.record(tariffs.NEXT if command.at else tariffs.PART).erase()
    return Result("pending", _told(kept, {"applied": kept.since}))


def _put_in_force(hub, kept, notice):
    """Let a tariff count, and the household be told: both, or neither."""

    def commit(transaction):
        hub.notices.put(notice, transaction, True)

    if hub.tariffs is None:
        tariffs.change(hub, ((tariffs.IN_FORCE, tariffs.blob(kept)),), commit)
        hub.extras.open_tariffs()
    else:
        hub.tariffs.put_in_force(kept, commit)


def _known(raw):
    """Return a tariff by its id and what no other has."""
    return "%s %s" % (_id(raw), _digest(raw)[:8])


def _digest(raw):
    from ..codec import tariff  # noqa: PLC0415

    return base64url.encode(tariff.digest(raw))


def _id(raw):
    from ..codec.rates import Rates  # noqa: PLC0415

    return Rates(raw).id


def _told(kept, more):
    data = {"tariff": _id(kept.raw), "digest": _digest(kept.raw)}
    data.update(more)
    return data


# -- the household ------------------------------------------------------------------------------------------------


def _message(command, now):
    """Look at what the household is to be told; HubError."""
    if "text" in command.arg:
        fields.text(command.arg, "text", 160)
    if "expiry" in command.arg:
        fields.whole(command.arg, "expiry", now, _LATEST)


def _notice(hub, command, kept):
    arg, now, local = command.arg, hub.clock.now(), hub.zone.local(kept.since)
    text = "%s counts since %d.%d. %02d:%02d. Its prices are on the page TARIFF."
    text = arg.get("text") or text % ((_id(kept.raw), local[2], local[1]) + local[3:5])
    entry = hub.letters.entry(command.kid)
    notice = {"kid": command.kid, "role": command.role, "name": entry[_NAME] if entry else command.role}
    notice.update({"h": command.h, "ctr": command.ctr, "cmd": command.cmd, "service": "tariffs"})
    notice.update({"category": "tariff", "title": "New tariff", "text": text, "priority": 1, "start": 0, "at": 0})
    expiry = arg.get("expiry", 0)
    notice.update({"expiry": expiry if expiry > now else now + _WEEK_S, "answer": "", "ref": "tariff"})
    return notice


def decided(hub, notice, decision: str) -> Result:
    """The household has read, saved or deleted the message of a tariff that is in force, or not in its time."""
    viewed = decision in ("read", "save", "delete")
    data = {"viewed": viewed, "action": decision, "error": "CONSUMER_TIMEOUT" if decision == "none" else ""}
    kept = hub.tariffs.kept if hub.tariffs is not None else None
    if kept is not None and (kept.kid, kept.ctr) == (notice["kid"], notice["ctr"]):
        data = _told(kept, data)
        data["applied"] = kept.since
    return Result("done", data)


# -- the rest -------------------------------------------------------------------------------------------------------


def _set_billing(hub, command):
    from ..codec import tariff  # noqa: PLC0415

    fields.only(command.arg, ("billing",))
    after = tariff.calendar_of(command.arg.get("billing"), "arg.billing")
    before = _billing(hub)
    tariffs.set_billing(hub.record(tariffs.BILLING), after)
    said = "%s -> %s by %s %d" % (_named(before), _named(after), command.kid, command.ctr)
    hub.journal.add("event", "billing calendar", said)
    return Result("done", {"billing": _named(after)})


def _billing(hub):
    """Return the calendar in force: the one that was set, or the tariff's."""
    default = hub.tariffs.rates.billing if hub.tariffs is not None else (2, 1, 0)
    return tariffs.billing(hub.record(tariffs.BILLING), default)


def _named(calendar):
    from ..codec.billing_calendar import PERIODS  # noqa: PLC0415

    return [PERIODS[calendar[0]]] + [one for one in calendar[1:] if one]


def _read_tariff(hub, command):
    fields.only(command.arg, ("next", "offset"))
    wants_next = command.arg.get("next", False)
    if wants_next not in (True, False):
        raise HubError("MALFORMED", "arg.next")
    in_force = hub.tariffs.kept if hub.tariffs is not None else None
    kept = _next(hub) if wants_next else in_force
    if kept is None:
        raise HubError("NOT_AVAILABLE", "arg.next" if wants_next else "tariff")
    offset = fields.whole(command.arg, "offset", 0, len(kept.raw), 0)
    piece = base64url.encode(kept.raw[offset : offset + _PIECE])
    data = _told(kept, {"since": kept.since, "size": len(kept.raw), "packed": piece})
    if not wants_next:
        _add_now(hub, data)
    return Result("done", data)


def _next(hub):
    """Return the Kept of the first tariff that is staged, None when none is."""
    from . import new_tariff  # noqa: PLC0415

    raw = hub.strict_record(_STAGED).load()
    for kid, _, _, ctr, _, cmd, arg, at in [row[:8] for row in (json.loads(raw) if raw else [])]:
        if cmd == "set.tariff_price":
            return new_tariff.checked(hub, _Staged(kid, ctr, arg, at))
    return None


def _add_now(hub, data):
    """Add the billing period, and what the rate is now."""
    from ..codec import billing_calendar  # noqa: PLC0415

    rates, now, billing = hub.tariffs.rates, hub.clock.now(), _billing(hub)
    data["billing"] = _named(billing)
    if now:
        start = billing_calendar.period_start(hub.zone, billing, now)
        data["period"] = [start, billing_calendar.next_period_start(hub.zone, billing, now)]
        band = rates.band_at(now)
        data.update({"band": band, "name": rates.name(band), "price_e5": hub.tariffs.price_e5(now)})


def _read_registers(hub, command):
    fields.only(command.arg, ())
    desk = hub.tariffs
    if desk is None:
        raise HubError("NOT_AVAILABLE", "tariff")
    names = [desk.rates.name(band) for band in range(desk.rates.bands)]
    data = {"tariff": desk.rates.id, "since": desk.kept.since, "at": desk.good, "registers": list(desk.registers)}
    data.update({"names": names, "unassigned": desk.unassigned})
    return Result("done", data)


class _Staged:
    """As much of a command as new_tariff.checked() looks at."""

    def __init__(self, kid, ctr, arg, at) -> None:
        self.kid, self.ctr, self.arg, self.at = kid, ctr, arg, at


_HANDLERS = {
    "set.tariff_price": _set_price,
    "set.billing_calendar": _set_billing,
    "read.tariff": _read_tariff,
    "read.tou_registers": _read_registers,
}
