"""What the store does while the power goes: steps, each acknowledged or not, and what must be there after each.

A scenario has `count` steps. start(): what a boot does; step(i): do step i; check(done): after a boot, with `done`
steps acknowledged, and the next one begun or not: return how many are there, ValueError when it is neither `done`
nor one more, or when anything is not what it was.

Runs on  the MicroPython unix port
"""

import asyncio
import json

from agreed_hub import Hub
from nor_flash import TOP

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, MISSING, PARTIAL, Column, Entry
from meterhub.store import files, settings
from meterhub.store.journal import Journal
from meterhub.store.last import LastValues
from meterhub.store.profile import Profile
from meterhub.store.record import Record
from meterhub.store.voltage_log import VoltageLog
from meterhub.supply import Supply
from meterhub.trust.bill_chain import Before, Chain


class Scenario:
    """The base. prepare() is run once, on a new file system; state(): what there is, expected(n): what must be."""

    count = 12

    def prepare(self):
        """Make what was there before."""

    def start(self):
        """Open what is there."""

    def check(self, done):
        found = self.state()
        for n in (done, done + 1):
            if n <= self.count and found == self.expected(n):
                return n
        raise ValueError("%s: neither %d nor %d steps: %s" % (type(self).__name__, done, done + 1, str(found)[:300]))


class Records(Scenario):
    """A record that is saved again and again."""

    def start(self):
        self.record = Record(TOP + "/record")

    def step(self, i):
        self.record.save(blob(i))

    def state(self):
        return Record(TOP + "/record").load()

    def expected(self, n):
        return blob(n - 1) if n else None


class Replaced(Scenario):
    """A file of several blocks that is replaced, and one that another takes the place of."""

    count = 6

    def start(self):
        self.path = TOP + "/replaced"

    def step(self, i):
        if i % 2:
            with open(self.path + ".next", "wb") as file:
                file.write(blob(i))
            files.move(self.path + ".next", self.path)
        else:
            files.replace(self.path, blob(i) * 90)

    def state(self):
        return files.read(self.path, 20000)

    def expected(self, n):
        return None if not n else blob(n - 1) * (90 if n % 2 else 1)


class SettingsReplaced(Scenario):
    """The settings document, and its last good copy."""

    count = 6

    def start(self):
        self.path = TOP + "/settings.json"
        self.loaded, self.refused = settings.load_file(self.path)

    def step(self, i):
        files.replace(self.path, b'{"schema": 1, "name": "hub %d"}' % i)
        settings.load_file(self.path)

    def state(self):
        return self.loaded.get("name"), self.refused

    def expected(self, n):
        return ("hub %d" % (n - 1) if n else "meterhub"), None


class Journalled(Scenario):
    """Entries of the journal, over the end of one of its files."""

    before = 197
    count = 8

    def prepare(self):
        self.start()
        for i in range(self.before):
            self.add(i)

    def start(self):
        self.journal = Journal(TOP + "/journal", self)

    def now(self):
        return 1760000000

    def add(self, n):
        self.journal.add("event", "start", "entry %d" % n)

    def step(self, i):
        self.add(self.before + i)

    def state(self):
        entries = self.journal.last("event", 1000)
        for newest, entry in enumerate(entries):
            if entry.seq != entries[0].seq - newest or entry.detail != "entry %d" % (entry.seq - 1):
                raise ValueError("journal: " + str(entry))
        if len(entries) < 100 or self.journal.damaged:
            raise ValueError("journal: %d entries" % len(entries))
        return entries[0].seq

    def expected(self, n):
        return self.before + n


COLUMNS = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)]
STEP_S = 1800
FIRST = seconds(2025, 10, 31) + 21 * 3600  # the month ends after six intervals
OLD = seconds(2025, 8, 3)
_BEFORE = 660  # entries of the month: the next ones go over the end of a block


class Profiled(Scenario):
    """The load profile: over the end of a month, over a gap, a lower reading, and an exchange of the meter."""

    count = 22
    exchange = 15

    def prepare(self):
        self.profile = Profile(TOP + "/profile", COLUMNS, STEP_S, 2)
        self.profile.set_meters(("M1", ""))
        for i in range(3):
            self.profile.append(self.old(i))
        for i in range(_BEFORE):
            at = FIRST - (_BEFORE - i) * STEP_S
            self.profile.append(Entry(at, MEASURED, (300000 - 140 * (_BEFORE - i), None)))

    def start(self):
        self.profile = Profile(TOP + "/profile", COLUMNS, STEP_S, 2)

    def old(self, i):
        return Entry(OLD + i * STEP_S, MEASURED, (1000 + i, 5))

    def entry(self, i):
        value = 300000 + 140 * i if i < 11 else 7 + 200 * i
        gap = 3 * STEP_S if i > 8 else 0
        return Entry(FIRST + i * STEP_S + gap, PARTIAL if i % 5 == 0 else MEASURED, (value, None if i % 3 else i))

    def step(self, i):
        self.profile.set_meters(("M2" if i >= self.exchange else "M1", ""))
        self.profile.append(self.entry(i))

    def state(self):
        """Return how many entries are there, each of them right and of its meter."""
        told = []
        profile = Profile(TOP + "/profile", COLUMNS, STEP_S, 2, told.append)
        entries = [self.entry(i) for i in range(self.count)]
        got = {}
        for meter, some in (("M1", entries[: self.exchange]), ("M2", entries[self.exchange :])):
            for entry in profile.read(some[0].at, some[-1].at, (meter, "")):
                if entry.quality != MISSING:
                    got[entry.at] = entry
        found = len(got)
        if any([got.get(entry.at) != entry for entry in entries[:found]]):
            raise ValueError("profile: %s" % got)
        if profile.last != (self.entry(found - 1).at if found else FIRST - STEP_S) or told:
            raise ValueError("profile: last %s, found %d, told %s" % (profile.last, found, told))
        self.check_old(profile, found)
        return found

    def check_old(self, profile, found):
        """The month that is too old goes when the next one begins, at once and not before."""
        got = list(profile.read(OLD, OLD + 2 * STEP_S, ("M1", "")))
        if got != [self.old(i) for i in range(3)] and (found < 6 or any([entry.quality for entry in got])):
            raise ValueError("profile: old month %s" % got)

    def expected(self, n):
        return n


class Counted(Scenario):
    """What a meter has told last: its totals and its pulses, saved with every tenth pulse, ten seconds apart."""

    count = 16

    def start(self):
        files.ensure_dir(TOP + "/last")
        record = Record(TOP + "/last/main")
        self.ms = 0
        self.last = LastValues(record, self, "main", ticks_ms=lambda: self.ms)

    def get(self, name):
        return b""

    def put(self, name, raw):
        return False

    def step(self, i):
        for n in range(1, 11):
            self.ms += 1000
            self.last.note(1760000000 + 10 * i + n, {"1-0:1.8.0": 5000 + 10 * i + n}, 10 * i + n)

    def state(self):
        pulses = self.last.pulses
        if pulses % 10 or (pulses and self.last.values != {"1-0:1.8.0": 5000 + pulses}):
            raise ValueError("last: %d %s" % (pulses, self.last.values))
        return pulses // 10

    def expected(self, n):
        return n


class Agreed(Scenario):
    """Links, exports and revocations, as the applet writes them down: consents, attempts and their journal."""

    steps = ("link", "done", "here", "link", "link", "there", "link", "here")
    count = 8

    def __init__(self):
        self.at = 1760000000

    def start(self):
        self.hub = Hub(TOP, self)

    def now(self):
        return self.at

    def step(self, i):
        self.at += 1000  # each try has its time
        asyncio.run(self.hub.do(self.steps[i]))

    def state(self):
        """Return what is agreed to and logged; nothing of it may count as a request that died, nor be open."""
        consents, attempts = self.hub.consents, self.hub.attempts
        entries = self.hub.journal.last("consent", 100)
        if attempts.is_open or any([entry.at in attempts.died for entry in entries]):
            raise ValueError("attempts: %s %s" % (attempts.died, entries))
        if b"owed" in (Record(TOP + "/consents").load() or b""):
            raise ValueError("an entry is owed")
        found = [(one["used"] > 0, one["ended"] > 0) for one in consents.all]
        for one in consents.all:
            times = [one[name] for name in ("made", "used", "ended") if one[name]]
            if any([at not in [entry.at for entry in entries] for at in times]):
                raise ValueError("not in the journal: %s %s" % (one, entries))
        return found, [entry.name for entry in entries]

    def expected(self, n):
        names = {"link": "linked", "done": "done", "here": "revoked", "there": "revoked"}
        used = ended = False
        for step in self.steps[:n]:
            used = step == "done" or (used and step != "link")
            ended = step in ("here", "there")
        return [(used, ended)] if n else [], [names[step] for step in reversed(self.steps[:n])]


class Billed(Scenario):
    """The chain of private billing's batches: begun, its tariff noted, each batch made, receipted; begun anew."""

    count = 14
    consent = {"mark": "11", "kid": "coop", "sub": "anna"}

    def start(self):
        self.chain = Chain(Record(TOP + "/bill-chain"))

    def step(self, i):
        kind = i % 7
        if kind == 0:
            self.chain.begin(self.consent, b"%016d" % i, 20000 + i, ("M",))
        elif kind == 1:
            self.chain.note_tariff(20000 + i, b"%032d" % i)
        elif kind % 2:
            self.chain.receipted()
        else:
            self.chain.keep_made(b"%032d" % i, Before((1000 + i, None), 1760000000 + i, ("M",)), i)

    def state(self):
        return json.loads(json.dumps(self.chain.state))

    def expected(self, n):
        """Return what a chain has that is only in memory."""
        other = Billed()
        other.chain = Chain(_Memory())
        for i in range(n):
            other.step(i)
        return other.state()


class _Memory:
    raw = None

    def load(self):
        return self.raw

    def save(self, raw):
        self.raw = raw


class Supplied(Scenario):
    """The supply, turned on and off: it is on only while that is written, and nothing older ever comes back."""

    count = 8
    on = False  # the contactor, driven by a level

    def start(self):
        self.board = self.clock = self.journal = self  # all that it needs of a hub
        self.on = False  # a start: nobody drives it
        self.supply = Supply(self, Record(TOP + "/supply"))

    def switch(self, name, on):
        self.drive(on)
        return self

    def drive(self, on):
        self.on = bool(on)
        try:
            found = self.state()
        except OSError:  # the power has gone: nobody drives anything
            self.on = False
            return
        if on and found != "enabled":
            raise ValueError("on before it is written")

    def sensed(self):
        return self.on

    def now(self):
        return 1760000000

    def add(self, kind, name, detail):
        pass

    def step(self, i):
        for _ in self.supply.act("disable" if i % 2 else "enable", "S" * 16, "step %d" % i):
            pass

    def state(self):
        raw = Record(TOP + "/supply").load()
        return json.loads(raw)["state"] if raw else "armed"

    def expected(self, n):
        return "armed" if not n else "disabled" if n % 2 == 0 else "enabled"

    def check(self, done):
        n = super().check(done)
        if self.on != (self.supply.state == "enabled"):
            raise ValueError("supply: on %s, state %s" % (self.on, self.supply.state))
        return n


class VoltageLogged(Scenario):
    """The voltage log: entries of two periods, files of four, and the oldest that go."""

    count = 20

    def start(self):
        self.log = VoltageLog(TOP + "/voltage", None, 8, 4)

    def step(self, i):
        end = 1760000400 + 600 * i
        self.log.append(end, 600, 3, (2300 + i, None), (100, i))

    def state(self):
        found = list(self.log.read(0, 0xFFFFFFFF))
        if self.log.damaged:
            raise ValueError("voltage log: " + self.log.wrong)
        numbers = [(end - 1760000400) // 600 for end, _, _, _, _ in found]
        for n, (_, _, _, means, covered) in enumerate(found):
            i = numbers[n]
            if means != (2300 + i, None) or covered != (100, i):
                raise ValueError("voltage log: entry %d" % i)
        last = numbers[-1] + 1 if numbers else 0
        if numbers != list(range(last - len(numbers), last)) or len(numbers) < min(last, 8):
            raise ValueError("voltage log: %s" % numbers)
        return last

    def expected(self, n):
        return n


class Careless(Scenario):
    """What must be found: a file that is removed before the new one takes its place."""

    count = 3

    def start(self):
        self.path = TOP + "/careless"

    def step(self, i):
        files.write(self.path + ".new", blob(i))
        files.remove(self.path)
        files.move(self.path + ".new", self.path)

    def state(self):
        return files.read(self.path, 1000)

    def expected(self, n):
        return blob(n - 1) if n else None


class Together(Scenario):
    """All of them in turns, in one file system: what one does must not hurt another."""

    def __init__(self):
        self.parts = [Records(), Journalled(), Profiled(), Replaced(), SettingsReplaced(), Counted()]
        self.count = 36

    def prepare(self):
        for part in self.parts:
            part.prepare()

    def start(self):
        for part in self.parts:
            part.start()

    def step(self, i):
        self.parts[i % len(self.parts)].step(i // len(self.parts))

    def check(self, done):
        """Only the one whose turn it was may be a step further."""
        n = len(self.parts)
        came = 0
        for i, part in enumerate(self.parts):
            of_this = (done + n - 1 - i) // n
            found = part.check(of_this)
            if found != of_this:
                if i != done % n:
                    raise ValueError("a step too many")
                came = 1
        return done + came


def blob(i):
    """Return the content of step i."""
    return b"blob %d " % i * (i % 4 + 1)


SCENARIOS = {
    "supply": Supplied,
    "records": Records,
    "replaced": Replaced,
    "settings": SettingsReplaced,
    "journal": Journalled,
    "profile": Profiled,
    "last": Counted,
    "agreed": Agreed,
    "billed": Billed,
    "voltage": VoltageLogged,
    "together": Together,
    "careless": Careless,
}
