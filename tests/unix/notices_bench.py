"""A hub with its notices and its services, for their tests: what is kept in flash is the real thing.

The command desk is the smallest that keeps what it promises: a letter is stored when decided() returns, once.
"""

import gc
import json
import sys
import unittest

import store_folder

from meterhub import lazy
from meterhub.codec.timezone import Zone
from meterhub.errors import HubError, StoreError
from meterhub.ihd.model import Model
from meterhub.notices import Notices
from meterhub.store import transaction
from meterhub.store.journal import Journal
from meterhub.store.record import Record

NOW = 1790000000
SERVICES = {  # as the access matrix names them
    "message": "messages",
    "efficiency": "efficiency",
    "consent": "consent",
    "outage": "outage_plan",
    "disable": "privacy",
}


def service(name, function, *args):
    """Call a function of a service, loaded for this and let go where memory is scarce."""
    if sys.implementation.name == "cpython":
        return getattr(__import__("meterhub.services." + name, None, None, (name,)), function)(*args)
    gc.collect()
    before = lazy.loaded()
    module = __import__("meterhub.services." + name, None, None, (name,))
    try:
        return getattr(module, function)(*args)
    finally:
        module = None
        lazy.let_go(lazy.loaded() - before)


class Command:
    """As trust/command.py gives it to a service."""

    def __init__(self, role, cmd, arg, ctr=1, kid=None):
        self.kid = kid or (role + "0000000000000000")[:16]
        self.role, self.ctr, self.iat, self.cmd, self.arg, self.at = role, ctr, NOW, cmd, arg, None
        self.h = "%043d" % ctr  # in base64url


class Clock:
    def __init__(self):
        self.at = NOW
        self.up_s = 0
        self.state = "set"

    def now(self):
        return self.at

    def uptime_s(self):
        return self.up_s


class Ihd:
    """The display, as much of it as notices see; display_bench.py has the whole."""

    works, guard = True, None

    def notice(self, *_):
        pass


class Lossy(Record):
    """As app.py's: one whose very first write was torn begins anew."""

    def load(self):
        try:
            return super().load()
        except StoreError:
            self.set_aside()
            return None


class Desk:
    """The command desk, and the letters: stored at once; one of the same (h, n) is the same letter."""

    def __init__(self, hub):
        self._hub = hub
        self._record = Lossy(hub.board.data_dir + "/letters", 16384)

    def name(self, kid):
        return {"SUP0000000000000": "Stadtwerke"}.get(kid, "")

    def all(self):
        raw = self._record.load()
        return json.loads(raw) if raw else []

    def decided(self, notice, decision):
        letters = self.all()
        if [notice["h"], notice["n"]] in [letter[:2] for letter in letters]:
            return
        try:
            result = service(notice["service"], "decided", self._hub, notice, decision)
        except HubError as err:
            result = ("refused", {"error": err.name})
        if result is not None:
            letters.append([notice["h"], notice["n"], notice["ctr"], result[0], result[1]])
        self._record.save(json.dumps(letters).encode())


class Letters:
    def __init__(self):
        self.sent = []

    def alert(self, to, event, code, detail, data):
        self.sent.append((to, event, code, detail, data))


class Board:
    def __init__(self, folder):
        self.data_dir = folder


class Kept:
    def get(self, name):
        return None

    def put(self, name, raw):
        pass


class Hub:
    """What services and notices reach; made anew it is the hub after a power cut."""

    def __init__(self, folder, at=NOW):
        self.board = Board(folder)
        transaction.finish(folder)
        self.clock = Clock()
        self.clock.at = at
        self.kept = Kept()
        self.journal = Journal(folder + "/journal", self.clock)
        self._settings = self._outages = None
        self.zone = Zone("UTC0")
        self.tenancy = Tenancy()
        self.model = Model("7Q2KX9M4RT0ABCDE", "Kitchen", "1")
        self.linked = ""
        self.ihd = Ihd()
        self.commands = Desk(self)
        self.letters = Letters()
        self.meters = []
        self.notices = Notices(self)
        self.model.message = self.notices.message

    def record(self, name):
        return Lossy(self.board.data_dir + "/" + name)

    def website(self):
        return self.linked

    @property
    def settings(self):
        if self._settings is None:
            from meterhub.store.settings import Settings

            self._settings = Settings({"schema": 1, "household.pin": "", "outage.heartbeat_s": 10})
        return self._settings

    @property
    def outages(self):
        if self._outages is None:
            from meterhub.outages import Outages

            self._outages = Outages(self)
        return self._outages

    def role_consents(self):
        from meterhub.trust.role_consents import RoleConsents

        return RoleConsents(self.record("role-consents"), self.tenancy.since)

    def change_setting(self, name, value, commit):
        from meterhub.store.settings import put

        one = transaction.Transaction(self.board.data_dir)
        changed = put(one, self.settings, name, value)
        commit(one)
        self._settings = changed
        self.ihd.guard = None

    # -- what the tests do ---------------------------------------------------------------------------

    def command(self, role, cmd, arg, ctr=1, kid=None):
        command = Command(role, cmd, arg, ctr, kid)
        name = SERVICES[cmd.split(".")[0]]
        try:
            return service(name, "handle", self, command)
        except HubError as err:
            if name == "outage_plan":  # as whoever carries out commands does
                err.kid, err.ctr, err.h, err.cmd = command.kid, command.ctr, command.h, cmd
                service(name, "refused", self, cmd, err)
            raise

    def second(self, seconds=1):
        """Let time pass as the housekeeping sees it."""
        self.clock.at += seconds
        self.clock.up_s += seconds
        self.model.now = self.clock.at
        self.notices.tick()
        return self.notices.rest()

    def log(self):
        return [(entry.name, entry.detail) for entry in self.journal.last("consent", 50)]


class Tenancy:
    since = 0


def message(**fields):
    """The argument of message.send."""
    arg = {"id": "m1", "category": "general", "title": "Hello", "text": "A text for the household."}
    arg.update(fields)
    return arg


def override(expiry, at):
    """Return a notice that may be overridden until it expires."""
    notice = {"kid": "K", "role": "LC", "name": "Grid", "h": "x", "ctr": 1, "cmd": "dr.event", "service": "messages"}
    notice.update({"category": "demand", "title": "Less", "text": "Less", "priority": 1, "start": 0, "ref": "e"})
    notice.update({"expiry": expiry, "answer": "override", "at": at})
    return notice


def fresh(at=NOW):
    return Hub(store_folder.fresh(), at)


def name_of(call, *args):
    """Return (name, field) of the HubError that a call raises."""
    try:
        call(*args)
    except HubError as err:
        return (err.name, err.field)
    return None


class ServiceCase(unittest.TestCase):
    def setUp(self):
        self.hub = fresh()
        self.ctr = 0

    def tearDown(self):
        store_folder.remove(self.hub.board.data_dir)

    def do(self, role, cmd, **arg):
        self.ctr += 1
        result = self.hub.command(role, cmd, arg, self.ctr)
        self.hub.second()
        return result

    def refused(self, role, cmd, **arg):
        before = self.hub.notices.of((role + "0000000000000000")[:16])
        found = name_of(lambda: self.do(role, cmd, **arg))
        self.assertEqual(self.hub.notices.of((role + "0000000000000000")[:16]), before)
        return found

    def decide(self, number, decision, by="display"):
        self.hub.notices.decide(number, decision, by)
        return self.hub.commands.all()[-1][3:]


class NoticeCase(unittest.TestCase):
    def setUp(self):
        self.hub = fresh()

    def tearDown(self):
        store_folder.remove(self.hub.board.data_dir)

    def send(self, ctr=1, role="SUP", **fields):
        return self.hub.command(role, "message.send", message(**fields), ctr).data["notice"]

    def state(self, number):
        return self.hub.notices.status(number)["state"]

    def answers(self):
        return [
            (letter[2], letter[3], letter[4].get("action") or letter[4]["error"]) for letter in self.hub.commands.all()
        ]
