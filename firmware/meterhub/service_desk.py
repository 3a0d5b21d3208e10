"""The service desk: what can be asked on the service line (links/cable.py), verb by verb.

Errors   HubError, ConfigError, StoreError, OSError: the line makes a refusal of them. A refusal changes nothing.
Runs on  MicroPython

  hello      -> {hub, version, board, name, owned, root: kid or "", seq, clock: state, at: Unix s}
  info       -> {version, micropython, board, heap_free, heap_largest, flash_free, flash_size, uptime_s, reset, wan,
                wan_trouble, link, errors {NAME: how often since the start}, meters [{name, protocol, telegrams, errors
                {reason: how often}, serial, age_s: since the last telegram, null before the first}], intervals, have:
                range of the profile, outages {count, min3, long, seconds, last: [start, end] or []}, drift_ppm,
                display, loaded: parts that are in memory only now}
  history    {column: of the profile, or absent} -> {register, unit: IEC 62056-6-2 code, days, weeks, months: [[start:
                Unix s, growth or null], newest first]}                                         (meters/history.py)
  prove      {nonce: 16..32 bytes, base64url} -> {token: JWS typ "mh-proof" {v, hub, key, nonce, at}, by the hub's key}
  tray       {data: text, new: bool} -> {size}    collects a long text (8192 characters) piece by piece; new: begin one
  own        takes the tray: the hub's certificate -> {seq, root}                               (trust/owner.py)
  configure  takes the tray: a settings document in JSON, or signed settings -> {restart: true}, and the hub restarts.
             On a hub with an owner a document that is not signed may not change `recipients` and `wan.*`. In both a
             secret that is given as true keeps its value.
  check      {ca: true when a CA will come with it, or absent} takes the tray: a settings document in JSON, and only
             checks it -> {}
  settings   -> {settings: the document in force; a secret that is set is true}
  nonce      -> {nonce}                            what a signed time through the cable must answer within ten seconds
  order      takes the tray: an order (trust/orders.py) -> {typ}
  command    takes the tray: a command of a market role (trust/command.py) -> {letter: the sealed answer}
  clock      {at: Unix s} -> {clock: state}       while nothing better than a meter or a cable has told the time
  selftest   {part: name, or absent} -> a `part` line {part, ok: true, false or null, says} for each part, and
             {failed: [names]}; null: nothing is wired, or it cannot be judged. A line {part, hint} asks for a hand.
  restart    -> {}, and the hub restarts
"""

import gc
import json
import sys

from . import lazy
from .codec import base64url
from .crypto.steps import slowly
from .errors import HubError, StoreError
from .hal.ticks import now_ms
from .meters.units import unit
from .store import files, settings
from .trust import mhx, owner
from .version import VERSION

_TRAY = owner.MAX_DOCUMENT
_LAZY = ("service_desk", "selftest", "applets.export")  # parts that info names when they are loaded


class Desk:
    """Answers requests. hub: app.Hub."""

    def __init__(self, hub) -> None:
        self.hub = hub
        self._tray = []

    async def answer(self, verb: str, request: dict, tell) -> dict:
        """Return the reply to `request`; tell(part: dict) says how far it has come."""
        if verb == "selftest":
            return await self._selftest(request, tell)
        handler = _VERBS.get(verb)
        if handler is None:
            raise HubError("UNSUPPORTED", verb[:32])
        return await handler(self, request)

    # -- who is there -------------------------------------------------------------------------------

    def identity(self):
        """Return the hub's identity; HubError when flash has lost it."""
        if self.hub.identity is None:
            raise HubError("INTEGRITY_FAILED", "identity")
        return self.hub.identity

    def owner(self) -> owner.Owner:
        """Return who owns the hub; StoreError when flash has lost it."""
        identity = self.identity()
        return owner.Owner(self.hub.strict_record("owner"), identity.hub, identity.public)

    async def hello(self, _):
        hub = self.hub
        answer = {"hub": hub.identity.hub if hub.identity else "", "version": VERSION, "board": hub.board.name}
        answer.update({"name": hub.settings.get("name"), "clock": hub.clock.state, "at": hub.clock.now()})
        try:
            known = self.owner()
            answer.update({"owned": bool(known.root), "root": known.kid, "seq": known.seq})
        except (HubError, StoreError):  # it has one, and does not know whom
            answer.update({"owned": True, "root": "", "seq": 0})
        return answer

    async def prove(self, request):
        nonce = base64url.decode(mhx.text(request, "nonce", 43))
        if len(nonce) < 16:
            raise HubError("MALFORMED", "nonce")
        mine = self.identity()
        claims = {"v": 1, "hub": mine.hub, "key": base64url.encode(mine.public), "nonce": request["nonce"]}
        claims["at"] = self.hub.clock.now()
        return {"token": await slowly(mine.sign("mh-proof", claims))}

    async def info(self, _):
        hub, board = self.hub, self.hub.board
        gc.collect()
        flash_free, flash_size = board.flash()
        outages = hub.outages.in_log(lambda log: log.state(hub.outages.record))
        parts = [name for name in _LAZY if "meterhub." + name in sys.modules]
        return {
            "version": VERSION,
            "micropython": sys.version.split("; ")[-1],
            "board": board.name,
            "heap_free": gc.mem_free(),
            "heap_largest": _largest_piece(),
            "flash_free": flash_free,
            "flash_size": flash_size,
            "uptime_s": hub.uptime_ms // 1000,
            "reset": board.reset_reason(),
            "wan": hub.model.wan,
            "wan_trouble": hub.wan.trouble if hub.wan else "",
            "link": board.link() or {},
            "errors": hub.errors,
            "meters": [_meter(meter) for meter in hub.meters],
            "intervals": hub.profile.count,
            "have": hub.intervals.have(),
            "outages": {name: value for name, value in outages.items() if name != "planned"},
            "drift_ppm": hub.clock.drift_ppm,
            "display": hub.settings.get("display.driver") + (" works" if hub.ihd.works else " does not answer"),
            "loaded": parts,
        }

    async def history(self, request):
        hub = self.hub
        number = request.get("column", 0)
        if not isinstance(number, int) or not 0 <= number < len(hub.profile.columns):
            raise HubError("MALFORMED", "column")
        if not hub.clock.now():
            raise HubError("CLOCK_INVALID", "unset")
        before = lazy.loaded()
        from .meters import history  # noqa: PLC0415 - when somebody asks

        column = hub.profile.columns[number]
        registers = hub.meters[0].registers if hub.meters else None
        newest = registers.value(column.obis, column.scale, unit(column.unit)) if registers else None
        found = history.history(hub.profile, hub.zone, number, hub.clock.now(), newest)
        history = None
        lazy.let_go(lazy.loaded() - before)
        days, weeks, months = found
        return {"register": column.obis, "unit": column.unit, "days": days, "weeks": weeks, "months": months}

    # -- the tray -----------------------------------------------------------------------------------

    async def tray(self, request):
        piece = request.get("data")
        if not isinstance(piece, str):
            raise HubError("MALFORMED", "data")
        if request.get("new") is True:
            self._tray = []
        size = sum([len(kept) for kept in self._tray]) + len(piece)
        if size > _TRAY:
            self._tray = []
            raise HubError("OVERSIZED", "tray")
        self._tray.append(piece)
        return {"size": size}

    def _take_tray(self):
        text = "".join(self._tray)
        self._tray = []
        if not text:
            raise HubError("WRONG_STATE", "tray")
        return text

    # -- ownership and settings ---------------------------------------------------------------------

    async def own(self, _):
        known = self.owner()
        await self._guarded("certificate", known.adopt(self._take_tray()))
        self.hub.journal.add("security", "owned", "%s %d" % (known.kid, known.seq))
        return {"seq": known.seq, "root": known.kid}

    async def _guarded(self, what, steps):
        """Go through `steps`, which judge what claims to be the owner's; a refusal is journalled."""
        try:
            return await slowly(steps)
        except HubError as err:
            self.hub.journal.foreign(err.name, "%s %s" % (what, err.field))
            raise

    async def configure(self, _):
        text = self._take_tray()
        if text[:1].strip() in ("{", ""):
            await self._configure_plainly(text)
        else:
            await self._configure_signed(text)
        self.hub.restart_soon()
        return {"restart": True}

    async def _configure_plainly(self, text):
        values = self._filled(settings.parse(text.encode()))
        _check_ca(self.hub.board.data_dir, values)
        if self.owner().root:
            self._check_permitted(values)
        path = self.hub.board.data_dir + "/settings.json"
        files.replace(path, _document(values))
        self.hub.journal.add("event", "configured", "cable")

    async def _configure_signed(self, token):
        known = self.owner()
        seq, document, ca = await self._guarded("settings", known.open_settings(token))
        folder = self.hub.board.data_dir
        values = _in_table(lambda table: table.flat(document))
        if ca:
            values["wan.ca"] = owner.ca_name(ca)
        values = self._filled(values)
        if not ca:
            _check_ca(folder, values)
        known.put_settings(seq, folder, _document(values), ca)
        owner.remove_old_cas(folder, values["wan.ca"])
        self.hub.journal.add("security", "configured", "owner %d" % seq)

    def _filled(self, document):
        """Return the checked values of a document in which a secret may be true: as it is now."""
        known = self.hub.settings.all()
        values = _in_table(lambda table: table.checked(table.filled(table.flat(document), known)))
        if len(values["household.pin"]) == 4:
            from .trust import household_pin  # noqa: PLC0415 - few have one

            values["household.pin"] = household_pin.hidden(values["household.pin"], self.hub.drbg.read(12))
        return values

    def _check_permitted(self, values):
        for name in _in_table(lambda table: [one for one in values if table.is_protected(one)]):
            if values[name] != self.hub.settings.get(name):
                self.hub.journal.foreign("NOT_AUTHORISED", name)
                raise HubError("NOT_AUTHORISED", name)

    async def check(self, request):
        values = self._filled(settings.parse(self._take_tray().encode()))
        if request.get("ca") is not True:
            _check_ca(self.hub.board.data_dir, values)
        return {}

    async def settings(self, _):
        known = self.hub.settings.all()
        return {"settings": _in_table(lambda table: table.nested(table.masked(known)))}

    # -- the rest -----------------------------------------------------------------------------------

    async def nonce(self, _):
        return {"nonce": self.hub.timekeeping().nonce()}

    async def order(self, _):
        arrived = now_ms()
        desk = self.hub.order_desk()
        try:
            return {"typ": await desk.take(self._take_tray(), arrived)}
        except HubError as err:
            self.hub.journal.foreign(err.name, "order " + err.field)
            raise

    async def command(self, _):
        self.identity()
        token = self._take_tray()
        try:
            number = await self.hub.market.commands().take(token)
        except HubError as err:
            self.hub.journal.foreign(err.name, "command " + err.field)
            raise
        return {"letter": str(await self.hub.letters.copy(number), "utf-8")}

    async def clock(self, request):
        self.hub.clock.tell(mhx.whole(request, "at", 0, 1 << 33))
        return {"clock": self.hub.clock.state}

    async def restart(self, _):
        self.hub.restart_soon()
        return {}

    async def _selftest(self, request, tell):
        before = lazy.loaded()
        from . import selftest  # noqa: PLC0415 - seldom needed

        try:
            return {"failed": await selftest.run(self.hub, request.get("part"), tell)}
        finally:
            selftest = None
            lazy.let_go([name for name in lazy.loaded() if name not in before])


def _meter(meter):
    """Return what is told of a meter (meters.meter.Meter)."""
    told = {"name": meter.name, "protocol": meter.protocol, "telegrams": meter.telegrams, "errors": meter.errors}
    told.update({"serial": meter.serial, "age_s": meter.age_ms // 1000 if meter.telegrams else None})
    return told


def _in_table(work):
    """Return work(settings_table), which is loaded for that: it is as large as all of this desk."""
    before = lazy.loaded()
    from .store import settings_table  # noqa: PLC0415 - seldom

    try:
        return work(settings_table)
    finally:
        settings_table = None
        lazy.let_go(lazy.loaded() - before)


def _document(values):
    raw = json.dumps(_in_table(lambda table: table.nested(values))).encode()
    if len(raw) > settings.LIMIT:
        raise HubError("OVERSIZED", "settings")
    return raw


def _check_ca(folder, values):
    """Raise ConfigError when TLS is wanted and its CA is not there."""
    if values["wan.url"].startswith("mqtts:"):
        before = lazy.loaded()
        from . import uplink  # noqa: PLC0415 - seldom

        try:
            uplink.authority(folder, values["wan.ca"])
        finally:
            uplink = None
            lazy.let_go(lazy.loaded() - before)


def _largest_piece():
    """Return how long the longest bytearray can be that there is room for, to 256 bytes."""
    low, high = 0, gc.mem_free()
    while high - low > 256:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
        gc.collect()
    return low


_VERBS = {
    "hello": Desk.hello,
    "info": Desk.info,
    "history": Desk.history,
    "prove": Desk.prove,
    "tray": Desk.tray,
    "own": Desk.own,
    "configure": Desk.configure,
    "check": Desk.check,
    "settings": Desk.settings,
    "nonce": Desk.nonce,
    "order": Desk.order,
    "command": Desk.command,
    "clock": Desk.clock,
    "restart": Desk.restart,
}
