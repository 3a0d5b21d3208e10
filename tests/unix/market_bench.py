"""A hub with role keys, without a board and without a broker, and who gives it commands: for the tests of those.

Its records, its journal, its clock and its letterbox are the real ones, in a folder of the PC.
"""
# ruff: noqa: E402 - what is left of a text that was compiled is collected before the next one

import gc

import board_heap  # noqa: F401 - the board's garbage threshold

from meterhub.trust import matrix  # isort: skip - the longest texts to compile, while there is room

gc.collect()
from meterhub.trust import mhx  # isort: skip

gc.collect()
from meterhub.trust import command  # isort: skip

gc.collect()
from meterhub.store.journal import Journal  # isort: skip

gc.collect()
from meterhub import command_desk  # isort: skip

gc.collect()
from meterhub.trust import owner  # isort: skip

gc.collect()
from meterhub.store import letters  # isort: skip

import asyncio
import json
import sys
import unittest

gc.collect()

from store_folder import fresh, remove

from meterhub import services
from meterhub.codec import base64url
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.hal.clock import Clock
from meterhub.market import Market
from meterhub.store.record import Record
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0c" * 48)
AT = 1790000000
PARTS = (matrix, mhx, command, command_desk, owner, letters)
DAY_S = 86400


class Party:
    """Who has a key."""

    def __init__(self, role):
        scalar = DRBG.scalar()
        self.role = role
        self.identity = Identity(scalar, p256.encode_point(run(ecdsa.public_point(scalar))), DRBG)
        self.kid = self.identity.hub
        self.key = base64url.encode(self.identity.public)
        self.ctr = 0

    def entry(self, since=0, until=0):
        return [self.kid, self.role, self.key, "The " + self.role, since, until]


HUB, SUP, ADM, ROOT = Party(""), Party("SUP"), Party("ADM"), Party("ROOT")


class Board:
    def __init__(self, folder):
        self.data_dir = folder
        self.unix_s = AT

    def time(self):
        return self.unix_s

    def set_time(self, unix_s):
        self.unix_s = unix_s

    def clock_is_set(self):
        return True


class Wan:
    """Keeps what is posted; far(kind, payload) hears of it. full: there is no room."""

    def __init__(self):
        self.is_up = False
        self.full = False
        self.posted = []

    def post(self, kind, payload):
        if self.full:
            raise command.HubError("OUTBOX_FULL", "wan")
        self.posted.append((kind, payload))


class Silent(Market):
    """Tells no service that an answer was not sent: nothing is, here."""

    def failed(self, kid, claims, name):
        pass


class Hub:
    """What commands and letters can reach."""

    export = None

    def __init__(self, folder):
        self.board = Board(folder)
        self.ms = 0
        self.clock = Clock(self.board, lambda: self.ms & 0x3FFFFFFF)
        self.journal = Journal(folder + "/journal", self.clock)
        self.identity = HUB.identity
        self.drbg = DRBG
        self.wan = Wan()
        self.tasks = []
        self.recipients = {}
        self.market = self.commands = Silent(self)
        self.letters = self.market.letters

    def role_consents(self):
        from meterhub.trust.role_consents import RoleConsents

        return RoleConsents(self.record("role-consents"), 0)

    def pass_s(self, seconds):
        """Let time pass."""
        while seconds > 0:  # the clock must be asked every few days
            step = min(seconds, DAY_S)
            self.board.unix_s += step
            self.ms += 1000 * step
            self.clock.uptime_s()
            seconds -= step

    def record(self, name):
        return Record(self.board.data_dir + "/" + name)

    strict_record = record

    def damaged(self, detail):
        self.journal.add("event", "STORE_DAMAGED", detail)

    def start(self, name, service):
        self.tasks.append((name, service))


class Probe:
    """Stands for a service: what it is asked is kept, what it gives is told to it."""

    def __init__(self):
        self.asked = []
        self.trouble = None
        self.look = lambda: None

    def handle(self, hub, taken):
        self.asked.append(("handle", taken))
        self.look()
        if self.trouble:
            raise self.trouble
        return services.Result("done", {"of": taken.ctr})

    def check(self, hub, taken):
        self.asked.append(("check", taken))
        if self.trouble:
            raise self.trouble

    def refused(self, hub, cmd, err):
        self.asked.append(("refused", err.name))


class Case(unittest.TestCase):
    """hub: with the keys SUP and ADM, and an owner; probe: the service of set.tariff_price and read.tariff."""

    keys = (SUP, ADM)

    def setUp(self):
        for party in (SUP, ADM, ROOT):
            party.ctr = 0
        self.folder = fresh()
        self.probe = Probe()
        self.usual = sys.modules.get("meterhub.services.tariffs")
        sys.modules["meterhub.services.tariffs"] = self.probe
        services.tariffs = self.probe
        Record(self.folder + "/roles").save(json.dumps([party.entry() for party in self.keys]).encode())
        owner = {"root": ROOT.key, "seq": 1, "cert": ""}
        Record(self.folder + "/owner").save(json.dumps(owner).encode())
        self.boot()

    def tearDown(self):
        remove(self.folder)
        del sys.modules["meterhub.services.tariffs"]
        del services.tariffs
        if self.usual is not None:
            sys.modules["meterhub.services.tariffs"] = services.tariffs = self.usual

    def boot(self):
        """Power on."""
        self.hub = None
        gc.collect()
        self.hub = Hub(self.folder)
        self.hub.market.start()
        return self.hub

    @property
    def desk(self):
        desk = self.hub.market.commands()
        desk._tables.is_due = lambda: False  # tables take 8 KB, and have their own tests
        return desk

    def command(self, party, cmd, arg=None, **changes):
        """Return a signed command."""
        party.ctr += 1
        gc.collect()
        claims = {"v": 1, "hub": HUB.kid, "ctr": party.ctr, "iat": AT, "exp": AT + 7 * DAY_S, "cmd": cmd}
        claims["arg"] = arg or {}
        claims.update(changes)
        return run(party.identity.sign(changes.pop("typ", "cmd+jws"), claims))

    def take(self, token):
        """Hand a command in; return the claims of its answer."""
        number = asyncio.run(self.desk.take(token))
        return self.letter(number)

    def ask(self, party, cmd, arg=None, **changes):
        return self.take(self.command(party, cmd, arg, **changes))

    def says(self, party, cmd, arg=None, **changes):
        """Hand a command in; return "outcome NAME field" of its answer."""
        answer = self.ask(party, cmd, arg, **changes)
        return " ".join((answer["outcome"], answer["error"], answer["field"])).strip()

    def letter(self, number):
        return json.loads(self.hub.letters._letters().read(number)[2])

    def letters(self):
        """Return the claims of all letters that wait, oldest first."""
        return [self.letter(number) for number in self.hub.letters._letters().waiting()]

    def names(self, kind):
        return [entry.name for entry in self.hub.journal.after(kind, 0)]
