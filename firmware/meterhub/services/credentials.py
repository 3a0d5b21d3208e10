"""The keys of the market roles: credentials.update. So a supplier changes without a visit.

Source   GBCS CS02b: who may replace whose credential (trust/roles.py), counters get a floor with it
Units    Unix seconds, UTC
Errors   HubError NOT_AUTHORISED, MALFORMED, INVALID_VALUE, BAD_POINT, STORE_FULL with the field
Runs on  both

  credentials.update  {role, key: point of 65 bytes in base64url, name: 1..24 characters [, from: now, until: 0 for
                      good, floor: 0, replaces: kid]} -> {kid, ended: [kids]}
                      {kid, until} -> {}      the key `kid` ends

From `from` on the new key counts, and what was recorded before is not its to read; the one that it replaces ends then,
and with it whatever that had been allowed. There is one supplier: a new one replaces the one there is. Who renews his
own key may say the `from` of that one, and so reads on; TCOS may not say what was before its command was made.
"""

from ..codec import base64url
from ..crypto import p256
from ..errors import HubError
from ..hal.epoch import LATEST
from ..store.transaction import Transaction
from ..trust import identity, roles
from . import Result, fields

_CREDENTIALS_UPDATED = 0x8F70


def handle(hub, command) -> Result:
    """Carry out credentials.update: the key and its counter's floor change together or not at all."""
    now = hub.clock.now()
    known = hub.letters.roles() or roles.Roles(hub.strict_record("roles"))
    if "key" not in command.arg:
        fields.only(
            command.arg,
            (
                "kid",
                "until",
            ),
        )
        kid = fields.text(command.arg, "kid", 16)
        _keep(hub, known.removed(command.role, kid, fields.whole(command.arg, "until", 0, LATEST)))
        _tell_ended(hub, [kid], command)
        return Result("done", {})
    kid, arg = _new_key(command, now)
    _check_right(hub, command, kid, arg)
    content, ended = known.replaced(command.role, arg, kid, now)
    kept = [entry[roles.KID] for entry in known.all] + [command.kid]
    root = hub.letters.owner()
    _keep(hub, content, kept + ([root[roles.KID]] if root else []) + [kid], arg["floor"])
    _tell_ended(hub, ended, command)
    hub.journal.add("security", "credentials", "%s is %s by %s" % (kid, arg["role"], command.kid))
    hub.letters.alert(kid, "credentials", _CREDENTIALS_UPDATED, "your key counts", {"from": arg["from"]})
    return Result("done", {"kid": kid, "ended": ended})


def _check_right(hub, command, kid, arg):
    """Refuse a key that would see what its sender may not see, or take the place of the owner's."""
    root = hub.letters.owner()
    if root is not None and kid == root[roles.KID]:
        raise HubError("INVALID_VALUE", "arg.key")
    if command.role != "ROOT":
        earliest = min(command.iat, hub.clock.now())
        if command.role == arg["role"]:
            earliest = command.since  # who renews his own key reads on
        if arg["from"] < earliest:
            raise HubError("NOT_AUTHORISED", "arg.from")


def _tell_ended(hub, kids, command):
    for kid in kids:
        hub.journal.add("security", "credentials", "%s ends by %s" % (kid, command.kid))


def _new_key(command, now):
    """Return (kid, parameters) of a key to come; HubError with what is wrong with them."""
    fields.only(
        command.arg,
        (
            "role",
            "key",
            "name",
            "from",
            "until",
            "floor",
            "replaces",
        ),
    )
    point = base64url.decode(fields.text(command.arg, "key", 88))
    p256.decode_point(point)
    kid = identity.hub_id(point)
    start = fields.whole(command.arg, "from", 0, LATEST, now)
    until = fields.whole(command.arg, "until", 0, LATEST, 0)
    if until and until <= start:
        raise HubError("INVALID_VALUE", "arg.until")
    arg = {
        "role": fields.text(command.arg, "role", 4),
        "key": command.arg["key"],
        "name": fields.text(command.arg, "name", 24),
    }
    arg.update({"from": start, "until": until, "floor": fields.whole(command.arg, "floor", 0, 1 << 53, 0)})
    if "replaces" in command.arg:
        arg["replaces"] = fields.text(command.arg, "replaces", 16)
    return kid, arg


def _keep(hub, content, kids=(), floor=0):
    """Put the keys in place, and with them the floor of the last of `kids`: the only ones whose counters stay."""
    change = Transaction(hub.board.data_dir)
    change.save(hub.strict_record("roles"), content)
    counters = hub.market.commands().counters
    if kids:
        change.save(counters.record, counters.floored(kids[-1], floor, kids))
    change.commit()
    hub.market.commands().keys_changed()
