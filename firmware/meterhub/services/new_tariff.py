"""A tariff on its way in: whole, packed, in pieces, or new prices alone; checked, and not yet in force.

Source   services/tariffs.py: what set.tariff_price brings
Units    Unix seconds, UTC
Errors   HubError; a field of a tariff is named like "arg.tariff.bands[3].price"
Runs on  both
"""

import struct

from micropython import const

from ..codec import base64url, tariff
from ..codec.rates import Rates
from ..codec.tariff_use import Use
from ..errors import HubError
from ..store import tariffs
from . import fields

_IMPORT = "1-0:1.8.0"
_MOST_PARTS = const(8)


def checked(hub, command):
    """Return the Kept of a command that can be carried out now, or at its date."""
    raw = _packed(hub, command)
    _check_intervals(hub, raw)
    step_s, begins = 900 * raw[2], struct.unpack_from("<I", raw, 21)[0]
    at, now = command.at, hub.clock.now()
    since = now - now % step_s if at is None else at
    if since % step_s:
        raise HubError("INVALID_VALUE", "at")
    if begins and (begins > now if at is None else begins != at):
        raise HubError("INVALID_VALUE", "arg.tariff.from")
    return tariffs.Kept(since, command.kid, command.ctr, raw)


def _check_intervals(hub, raw):
    """Refuse a tariff that this hub has no intervals for."""
    try:
        Use(Rates(raw), hub.profile.interval_s)
    except HubError as err:
        raise HubError(err.name, "arg.tariff.interval_s")
    if _IMPORT not in [column.obis for column in hub.profile.columns]:
        raise HubError("NOT_AVAILABLE", _IMPORT)


def _packed(hub, command):
    """Return the packed tariff that a command is about."""
    arg = command.arg
    given = [name for name in ("tariff", "packed", "prices") if name in arg]
    if len(given) != 1:
        raise HubError("MALFORMED", "arg")
    if given[0] == "tariff":
        fields.only(command.arg, ("tariff", "text", "expiry"))
        return tariff.packed(arg["tariff"], "arg.tariff")
    if given[0] == "prices":
        fields.only(command.arg, ("prices", "id", "standing", "text", "expiry"))
        return _priced(hub, arg)
    fields.only(command.arg, ("packed", "part", "text", "expiry"))
    raw = _all_parts(hub, command) if "part" in arg else _bytes(command)
    try:
        tariff.document(raw)
    except HubError as err:
        raise HubError(err.name, "arg.packed")
    return raw


def _priced(hub, arg):
    """Return the tariff in force with other prices."""
    if hub.tariffs is None:
        raise HubError("WRONG_STATE", "arg.prices")
    document = tariff.document(hub.tariffs.kept.raw)
    prices = arg["prices"]
    if not isinstance(prices, list):
        raise HubError("MALFORMED", "arg.prices")
    if len(prices) != len(document["bands"]):
        raise HubError("INVALID_VALUE", "arg.prices")
    bands = []
    for i, price in enumerate(prices):
        band = {"name": document["bands"][i]["name"]}
        if isinstance(price, dict) and "name" not in price:
            band.update(price)
        else:
            band["price"] = price
        bands.append(band)
    document.update({"bands": bands, "id": arg.get("id"), "from": 0})
    if "standing" in arg:
        document["standing"] = arg["standing"]
    return tariff.packed(document, "arg.tariff")


def _bytes(command):
    text = fields.text(command.arg, "packed", 3000)
    try:
        return base64url.decode(text)
    except HubError:
        raise HubError("MALFORMED", "arg.packed")


def take_part(hub, command):
    """Keep a piece of a packed tariff; return its number, None for the last one, which is not kept."""
    fields.only(command.arg, ("packed", "part", "text", "expiry"))
    number, of = _part(command)
    record = hub.record(tariffs.PART)
    before = _before(record, command.kid, number, of) if number > 1 else b""
    if number == of:
        return None
    piece = _bytes(command)
    if len(before) + len(piece) > tariff.MOST_BYTES:
        raise HubError("OVERSIZED", "arg.packed")
    kid = command.kid.encode()
    record.save(bytes((1, of, number, len(kid))) + kid + before + piece)
    return number


def _part(command):
    part = command.arg["part"]
    if not isinstance(part, list) or len(part) != 2 or not all([isinstance(n, int) for n in part]):
        raise HubError("MALFORMED", "arg.part")
    if not 0 < part[0] <= part[1] <= _MOST_PARTS:
        raise HubError("INVALID_VALUE", "arg.part")
    return part


def _before(record, kid, number, of):
    """Return what has come of a tariff before this piece."""
    found = record.load()
    head = bytes((1, of, number - 1, len(kid))) + kid.encode()
    if not found or found[: len(head)] != head:
        raise HubError("OUT_OF_ORDER", "arg.part")
    return found[len(head) :]


def _all_parts(hub, command):
    number, of = _part(command)
    if number < of:
        raise HubError("INVALID_VALUE", "arg.part")  # it has a date, and is not the last
    if command.at:
        kept = tariffs.load(hub.record(tariffs.NEXT))
        if kept is not None and (kept.kid, kept.ctr) == (command.kid, command.ctr):
            return kept.raw
    before = _before(hub.record(tariffs.PART), command.kid, number, of) if of > 1 else b""
    return before + _bytes(command)
