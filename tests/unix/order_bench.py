"""A hub that can be given orders, and who gives them: what the tests of orders and of the timekeeper share."""

import asyncio
import hashlib
import json
import unittest

import board_heap  # noqa: F401 - first

from meterhub import order_desk, outages, timekeeper
from meterhub.codec import base64url, jose
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError
from meterhub.hal.clock import Clock
from meterhub.store.kept import Kept
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0a" * 48)
NOW = 1790000000


def key():
    scalar = DRBG.scalar()
    return Identity(scalar, p256.encode_point(run(ecdsa.public_point(scalar))), DRBG)


HUB, ROOT, GRID, STRANGER = key(), key(), key(), key()


class MemoryRecord:
    raw = None

    def load(self):
        return self.raw

    def save(self, raw):
        self.raw = bytes(raw)


class Journal:
    def __init__(self):
        self.entries = []

    def add(self, kind, name, detail=""):
        self.entries.append((kind, name, detail))

    def foreign(self, name, detail=""):
        self.add("security", name, detail)

    def names(self, kind):
        return [entry[1] for entry in self.entries if entry[0] == kind]


class Board:
    unix_s = NOW
    data_dir = "/nowhere"

    def time(self):
        return self.unix_s

    def set_time(self, unix_s):
        self.unix_s = unix_s

    def clock_is_set(self):
        return False

    def keep(self, raw):
        return False

    def kept(self):
        return b""


class Intervals:
    def __init__(self):
        self.marks = []

    def torn(self, start, stop):
        self.marks.append((start, stop))


class Meter:
    def __init__(self):
        self.intervals = Intervals()


class OwnerRecord(MemoryRecord):
    def load(self):
        return json.dumps({"root": base64url.encode(ROOT.public), "seq": 1, "cert": "", "due": ""}).encode()


class Hub:
    """What an order can reach."""

    export = None
    wan = None

    def __init__(self):
        self.identity = HUB
        self.journal = Journal()
        self.board = Board()
        self.clock = Clock(self.board)
        self.drbg = DRBG
        self.settings = {"may.time": "grid", "may.notices": "grid", "time.ntp": ""}
        self.settings["outage.heartbeat_s"] = 10
        self.recipients = {"grid": ("Grid Ltd", GRID.public), "coop": ("Green Co-op", STRANGER.public)}
        self.owner = OwnerRecord()
        self.outage_record = MemoryRecord()
        self.kept = Kept(self.board)
        self.outages = outages.Outages(self)
        self.meters = [Meter()]
        self.keeper = timekeeper.Timekeeper(self)
        self.desk = order_desk.OrderDesk(self)

    def record(self, _):
        return self.outage_record

    def strict_record(self, _):
        return self.owner

    def timekeeping(self):
        return self.keeper


def token(typ, signer=GRID, kid="grid", **claims):
    """Return an order; signer None: nobody has signed it."""
    full = {"v": 1, "hub": HUB.hub}
    full.update(claims)
    full = {name: value for name, value in full.items() if value is not None}
    signing_input = jose.jws_input({"alg": "ES256", "kid": kid, "typ": typ}, full)
    digest = hashlib.sha256(signing_input).digest()
    signature = run(ecdsa.sign(signer._scalar, digest, DRBG)) if signer else bytes(64)
    return jose.jws_join(signing_input, signature)


class Case(unittest.TestCase):
    def setUp(self):
        timekeeper.now_ms = lambda: 20000  # however long a signature takes this machine
        self.hub = Hub()

    def take(self, order, arrived=None):
        """Hand an order in; return the error's name and field, or "" for none."""
        arrived = timekeeper.now_ms() if arrived is None else arrived
        try:
            asyncio.run(self.hub.desk.take(order, arrived))
        except HubError as err:
            return (err.name + " " + err.field).strip()
        return ""

    def time(self, **changes):
        claims = {"nonce": self.hub.keeper.nonce(), "at": NOW}
        claims.update(changes)
        return token("mh-time", **claims)
