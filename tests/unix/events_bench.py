"""A hub that tells a recipient of events, without a board and without a broker, for the tests of that."""

import asyncio
import unittest

from meterhub.trust import identity, items  # isort: skip - the longest text to compile, while there is room

from store_folder import fresh, remove

from meterhub import events
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.store.journal import Journal
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0b" * 48)
AT = 1760000400


def key():
    scalar = DRBG.scalar()
    return Identity(scalar, p256.encode_point(run(ecdsa.public_point(scalar))), DRBG)


HUB, SITE, OTHER = key(), key(), key()


class Clock:
    def now(self):
        return AT


class Board:
    def __init__(self, folder):
        self.data_dir = folder


class Wan:
    """Counts what is posted, and keeps the first of it; hands it to `far`, which may answer."""

    def __init__(self):
        self.is_up = True
        self.posted = 0
        self.first = ""
        self.far = lambda payload: None

    def post(self, kind, payload):
        assert kind == "outbox"
        self.posted += 1
        self.first = self.first or payload.decode()
        self.far(payload.decode())


class Hub:
    def __init__(self, folder, kid=SITE.hub):
        self.board = Board(folder)
        self.clock = Clock()
        self.drbg = DRBG
        self.events = None
        self.journal = Journal(folder + "/journal", self.clock)
        self.journal.listener = lambda kind, entry: self.events and self.events.take(kind, entry)
        self.identity = HUB
        self.export = None
        self.recipients = {SITE.hub: ("site", SITE.public), OTHER.hub: ("other", OTHER.public)}
        self.wan = Wan()
        self.tasks = []
        self.events = events.open_for(self, kid)

    def start(self, name, service):
        self.tasks.append(service)

    def named(self, name):
        return [entry.detail for entry in self.journal.after("event", 0) if entry.name == name]

    def refused(self):
        return [
            entry.name + " " + entry.detail for entry in self.journal.after("security", 0) if entry.detail[0] == "r"
        ]


def impatient(sender):
    """Let a sender wait for nothing; return a list that grows with each second it would have waited."""
    box, waits = sender._inbox._items, []

    async def take(ms):
        waits.append(ms)
        return box.pop(0) if box else None

    sender._inbox.take = take
    return waits


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.kept = []  # what the recipient has stored: (box, id, name, detail)
        self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self, kid=SITE.hub):
        self.hub = Hub(self.folder, kid)
        self.hub.wan.far = self.far
        return self.hub

    def far(self, token):
        """The recipient: check, store each once, answer."""
        claims = items.items_claims(token)
        self.assertTrue(run(identity.verify(HUB.public, token)))
        self.assertEqual((claims["hub"], claims["to"]), (HUB.hub, SITE.hub))
        for number, at, name, detail in claims["items"]:
            if (claims["box"], number, name, detail) not in self.kept:
                self.kept.append((claims["box"], number, name, detail))
            self.assertEqual(at, AT)
        self.hub.events.receipt(self.receipt(claims["items"][-1][0]))

    def receipt(self, number, signer=SITE, typ="mh-stored", **changes):
        claims = {"v": 1, "hub": HUB.hub, "box": self.hub.events.box, "id": number, "at": AT}
        claims.update(changes)
        return run(signer.sign(typ, claims)).encode()

    def deliver(self):
        """Let what deliver() starts run to its end."""
        self.hub.events.deliver()
        for service in self.hub.tasks:
            asyncio.run(service())
        self.hub.tasks = []

    def details(self):
        return [detail for _, _, _, detail in self.kept]
