"""A hub with private billing, without a board and without a broker, and the recipient of its batches.

Store, consents, chain, cryptography are the real ones. Intervals are hours: a day costs 26 commitments.
"""

import asyncio
import gc
import hashlib
import unittest

import board_heap  # noqa: F401 - first

from meterhub.applets import billing as applet  # isort: skip - the longest text to compile, while there is room

from store_folder import fresh, remove

from meterhub.applets.bucket import Bucket
from meterhub.applets.mailbox import Mailbox
from meterhub.codec import base64url, billing, jose
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Column, Entry
from meterhub.codec.timezone import Zone
from meterhub.crypto import ecdsa, p256, pedersen
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.store.journal import Journal
from meterhub.store.profile import Profile
from meterhub.store.record import Record
from meterhub.trust import bill_chain
from meterhub.trust.agreements import Agreements
from meterhub.trust.consents import Consents
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0c" * 48)
STEP = 3600
DAY_S = 86400
DAY = seconds(2026, 1, 10) // DAY_S  # the first one of the chain
START = DAY * DAY_S
IMPORT, EXPORT = Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)
REGS = ["1-0:1.8.0"]


def key(scalar):
    return Identity(scalar, p256.encode_point(run(ecdsa.public_point(scalar))), DRBG)


HUB, SITE, OTHER = key(0x1234567 << 190 | 5), key(0x7654321 << 190 | 7), key(0xABCDEF << 190 | 9)


class Clock:
    state = "set"
    at = START - 7200

    def now(self):
        return self.at


class Wan:
    """Keeps what is posted, and hands it to `far`, which may answer."""

    is_up = True
    room = True

    def __init__(self):
        self.posted = []
        self.far = lambda payload: None

    def has_room(self, size):
        return self.room

    def post(self, kind, payload):
        assert kind == "batch"
        self.posted.append(payload)
        self.far(payload)


class Hub:
    """What app.py makes of the folder at a start."""

    def __init__(self, folder, columns=(IMPORT,), zone="UTC0"):
        self.folder = folder
        self.clock, self.drbg, self.identity = Clock(), DRBG, HUB
        self.journal = Journal(folder + "/journal", self.clock)
        self.profile = Profile(folder + "/profile", list(columns), STEP, 13)
        self.zone = Zone(zone)
        self.consents = Consents(self.record("consents"))
        self.agreements = Agreements(self.consents, self.journal)
        self.recipients = {"site": ("site", SITE.public), "other": ("other", OTHER.public)}
        self.wan, self.export = Wan(), None
        self.inbox, self.bucket = Mailbox(4), Bucket(4, 10000)

    def record(self, name):
        return Record(self.folder + "/" + name)

    def strict_record(self, name):
        return self.record(name)

    def named(self, name, kind="event"):
        return [entry.detail for entry in self.journal.after(kind, 0) if entry.name == name]

    def refused(self):
        return [entry.name + " " + entry.detail for entry in self.journal.after("security", 0)]

    def agree(self, regs=REGS, until=START + 40 * DAY_S, sub="anna", mark="0011"):
        claims = {"what": "bill", "sub": sub, "regs": list(regs), "until": until}
        self.agreements.grant("site", claims, self.clock.now(), "", mark)

    def revoke(self):
        self.agreements.revoke(self.consents.bill(), self.clock.now(), "")

    def chain(self):
        return bill_chain.Chain(self.record(bill_chain.RECORD))

    def work(self):
        """Let the applet do what is due; return what its run() returns."""
        one = applet.Billing(self, self.inbox, self.bucket)
        one.answer_s = 0
        return asyncio.run(one.run())


class Full:
    """A record on a flash that is full."""

    def __init__(self, record):
        self.load = record.load

    def save(self, raw):
        raise OSError(28)


def receipt(number, digest, signer=SITE, **changes):
    """Return the recipient's receipt of a batch; keyword arguments replace claims, typ, kid."""
    claims = {"v": 1, "hub": HUB.hub, "day": number, "digest": base64url.encode(digest), "at": START}
    header = {"alg": "ES256", "kid": changes.pop("kid", "site"), "typ": changes.pop("typ", "mhx-batched")}
    claims.update(changes)
    signing_input = jose.jws_input(header, claims)
    signature = run(signer.sign_bytes(signing_input))
    return jose.jws_join(signing_input, signature).encode()


def batch_of(message):
    """Return the Batch in a message, whose form and signature are right."""
    assert len(message) <= 8192
    batch = billing.Batch(message)
    assert batch.hub == hashlib.sha256(HUB.public).digest()[:10]
    assert int.from_bytes(batch.signature[32:], "big") <= (p256.N - 1) // 2
    point = p256.decode_point(HUB.public)
    assert run(ecdsa.verify(point, hashlib.sha256(batch.body).digest(), batch.signature))
    return batch


def day_key(batch):
    return pedersen.day_key(bill_chain.root(HUB), batch.chain, batch.day)


def opened(batch, readings, start):
    """Return whether a batch commits to these readings, Wh at each end of its intervals, None: missing; no turn."""
    one, last, wanted = day_key(batch), start, []
    for i in range(batch.count):
        if readings[i] is not None:
            r = pedersen.blinding(one, billing.IMPORT, batch.first + i)
            wanted.append(run(pedersen.commit(readings[i] - last, r)))
            last = readings[i]
    ends = [
        run(pedersen.commit_register(wh, pedersen.blinding(one, kind, batch.day)))
        for kind, wh in ((billing.START, start), (billing.END, last))
    ]
    return batch.energy() == wanted and ends == [batch.register(billing.START), batch.register(billing.END)]


class Case(unittest.TestCase):
    """hub: one whose household agreed on the day before DAY; folder: its flash."""

    columns = (IMPORT,)
    hub = None

    def setUp(self):
        self.folder, self.hub = fresh(), None
        self.boot()
        self.hub.agree([column.obis for column in self.columns])

    def tearDown(self):
        remove(self.folder)

    def boot(self, columns=None):
        at = self.hub.clock.at if self.hub is not None else Clock.at
        self.hub = Hub(self.folder, columns or self.columns)
        self.hub.clock.at = at
        gc.collect()

    def read(self, hours, wh=1000, step_wh=100, meters=None):
        """Let the meter's readings at these hours from START on be kept; return {hour: Wh}."""
        if meters is not None:
            self.hub.profile.set_meters(meters)
        kept = {}
        for hour in hours:
            kept[hour] = wh + step_wh * hour
            values = tuple([kept[hour] + 7 * i for i in range(len(self.columns))])
            self.hub.profile.append(Entry(START + hour * STEP, MEASURED, values))
        return kept

    def work(self, hour):
        """Let it be so many hours after START, and the applet work; return the new messages' batches."""
        self.hub.clock.at = START + hour * STEP
        del self.hub.wan.posted[:]
        self.due = self.hub.work()
        gc.collect()
        return [batch_of(message) for message in self.hub.wan.posted]

    def answer(self, batch, **changes):
        self.hub.inbox.put(receipt(batch.day, batch.digest(), **changes))
