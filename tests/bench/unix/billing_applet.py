"""What private billing takes of a board's memory while its applet makes and sends a day's batch.

Orders   most N: the most bytes beside the applet's modules, counted every few slices after collecting, from before it
         looks at its record until the message is with the broker; 48 half-hours of N registers, import and export
         desk: what stays of a hub that has it
Runs on  the unix port
"""

import asyncio
import gc
import os

from answers import serve

from meterhub.applets import billing
from meterhub.applets.bucket import Bucket
from meterhub.applets.mailbox import Mailbox
from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Column, Entry
from meterhub.codec.timezone import Zone
from meterhub.crypto import ecdsa
from meterhub.crypto.drbg import Drbg
from meterhub.store import tariffs
from meterhub.store.profile import Profile
from meterhub.store.record import Record
from meterhub.trust import batches
from meterhub.trust.identity import Identity

USED_BY_ALL = (batches, ecdsa, tariffs)  # loaded by now
START = seconds(2026, 1, 10)
COLUMNS = (Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30))


def _used() -> int:
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


class Clock:
    def now(self):
        return START + 86400


class Consents:
    def __init__(self, columns):
        self.one = {"mark": "1", "kid": "a", "sub": "b", "until": 1 << 31, "made": START - 1}
        self.one["regs"] = [column.obis for column in columns]

    def bill(self):
        return self.one


class Journal:
    def add(self, kind, name, detail):
        raise RuntimeError(name + detail)


class Hub:
    """As much of a hub as the applet sees, and the broker."""

    is_up = True

    def __init__(self, folder, columns):
        os.mkdir(folder)
        self.folder = folder
        self.clock, self.consents, self.journal, self.wan = Clock(), Consents(columns), Journal(), self
        self.drbg = Drbg(bytes(48))
        self.identity = Identity(99, b"\x04" + bytes(64), self.drbg)
        self.zone = Zone("UTC0")
        self.profile = Profile(folder + "/profile", list(columns), 1800, 13)
        for i in range(49):
            self.profile.append(
                Entry(START + 1800 * i, MEASURED, (5000000 + 371 * i, 400000 + 40 * i)[: len(columns)])
            )

    def record(self, name):
        return Record(self.folder + "/" + name)

    def has_room(self, size):
        return True

    def post(self, kind, payload):
        self.sent = payload
        self.look()


async def _nothing():
    """Run, that is all."""


def most(registers) -> int:
    """Let the applet work."""
    hub = Hub("/tmp/meterhub-bench-" + "".join(["%02x" % byte for byte in os.urandom(8)]), COLUMNS[: int(registers)])
    try:
        inbox, bucket = Mailbox(2), Bucket(4, 10000)  # the desk's
        asyncio.run(_nothing())  # the loop is there, too
        found = [_used()]
        hub.look = lambda: found.append(_used())
        one = billing.Billing(hub, inbox, bucket)
        one.answer_s = 0
        sleep = asyncio.sleep_ms

        async def looking(ms):
            if ms:
                hub.look()
            await sleep(0)

        billing.asyncio.sleep_ms = looking
        asyncio.run(one.run())
        return max(found) - found[0]
    finally:
        _remove(hub.folder)


def desk() -> int:
    """Open the desk; its module's bytes are among them."""
    before = _used()
    from meterhub.billing_desk import BillingDesk

    one = BillingDesk(None)
    return _used() - before + 0 * one.due


def _remove(path):
    try:
        names = os.listdir(path)
    except OSError:
        os.remove(path)
        return
    for name in names:
        _remove(path + "/" + name)
    os.rmdir(path)


if __name__ == "__main__":
    serve({"most": most, "desk": desk})
