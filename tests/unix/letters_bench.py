"""A hub that writes letters, and who gets them, for the tests of the letterbox and its sender."""
# ruff: noqa: E402 - what is left of a text that was compiled is collected before the next one

import gc

from meterhub import letter_sender, letterbox  # isort: skip - the longest texts to compile, while there is room

gc.collect()
from meterhub.store import journal  # isort: skip

gc.collect()
from meterhub.trust import letter_opener  # isort: skip

gc.collect()

import asyncio
import json
import unittest

from store_folder import fresh, remove

from meterhub.codec import base64url
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError
from meterhub.hal.clock import Clock
from meterhub.store.record import Record
from meterhub.trust import letter
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0e" * 48)
AT = 1790000000
PARTS = (letter_sender, letterbox, journal, letter_opener)
DAY_S = 86400


class Party:
    def __init__(self, role):
        self.role = role
        self.scalar = DRBG.scalar()
        self.identity = Identity(self.scalar, p256.encode_point(run(ecdsa.public_point(self.scalar))), DRBG)
        self.kid = self.identity.hub
        self.key = base64url.encode(self.identity.public)

    def entry(self, until=0):
        return [self.kid, self.role, self.key, "The " + self.role, 0, until]


HUB, SUP, ADM, ROOT = Party(""), Party("SUP"), Party("ADM"), Party("ROOT")


class Board:
    def __init__(self, folder):
        self.data_dir = folder
        self.unix_s = AT

    def time(self):
        return self.unix_s

    def clock_is_set(self):
        return True


class Wan:
    def __init__(self):
        self.is_up = True
        self.full = False
        self.posted = []  # (kind, token)

    def post(self, kind, payload):
        if self.full:
            raise HubError("OUTBOX_FULL", "wan")
        self.posted.append((kind, bytes(payload)))


class Hub:
    export = "runs"  # so what signs and seals stays loaded

    def __init__(self, folder):
        self.board = Board(folder)
        self.ms = 0
        self.clock = Clock(self.board, lambda: self.ms & 0x3FFFFFFF)
        self.journal = journal.Journal(folder + "/journal", self.clock)
        self.identity = HUB.identity
        self.drbg = DRBG
        self.wan = Wan()
        self.tasks = []
        self.recipients = {}
        self.market = self
        self.letters = letterbox.Letterbox(self)

    def record(self, name):
        return Record(self.board.data_dir + "/" + name)

    strict_record = record

    def damaged(self, detail):
        self.journal.add("event", "STORE_DAMAGED", detail)

    def failed(self, kid, claims, name):
        """Whom it concerns besides is not looked at here."""

    def start(self, name, service):
        self.tasks.append((name, service))


class Case(unittest.TestCase):
    """hub: with the keys of SUP and ADM, and an owner; its time stands still but for pass_s()."""

    def setUp(self):
        self.folder = fresh()
        Record(self.folder + "/roles").save(json.dumps([SUP.entry(), ADM.entry()]).encode())
        Record(self.folder + "/owner").save(json.dumps({"root": ROOT.key, "seq": 1, "cert": ""}).encode())
        self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self):
        self.hub = None
        gc.collect()
        self.hub = Hub(self.folder)
        return self.hub

    @property
    def box(self):
        return self.hub.letters

    def pass_s(self, seconds):
        """Let time pass: the hub's clock and its ticks."""
        while seconds > 0:
            step = min(seconds, DAY_S)
            self.hub.board.unix_s += step
            self.hub.ms += 1000 * step
            self.hub.clock.uptime_s()
            seconds -= step

    def sender(self):
        """Return the sender, as deliver() makes it."""
        self.box.deliver()
        return self.box._sender

    def waits(self):
        return self.box._letters().waiting()

    def send_due(self):
        """Send all that is due now; return the numbers of the letters that went out, in order."""
        sender, sent = self.sender(), []
        while sender is not None:
            number = sender._next()
            if not number:
                break
            before = len(self.hub.wan.posted)
            asyncio.run(sender._send(number))
            sent += [number] * (len(self.hub.wan.posted) - before)
        return sent

    def open(self, party, token):
        """Return (claims, key of the receipt) of a letter."""
        return run(letter_opener.opened(str(token, "utf-8"), party.scalar, party.identity.public, HUB.identity.public))

    def receipt(self, key, number):
        mac = base64url.encode(letter.received_mac(key, number))
        return json.dumps({"n": number, "mac": mac}).encode()

    def named(self, kind, name):
        return [entry.detail for entry in self.hub.journal.after(kind, 0) if entry.name == name]
