"""What the tests of services share: a hub without tasks, whose parts are the real ones as far as they touch a service.

Everything here must fit into a board's memory from source, beside the service itself.
"""

import json
import unittest
from collections import namedtuple

from store_folder import fresh, remove

from meterhub.codec.calendar import seconds
from meterhub.crypto.steps import run
from meterhub.errors import HubError
from meterhub.hal.clock import Clock
from meterhub.store.record import Record
from meterhub.trust.matrix import permission, row

NOW = seconds(2026, 3, 5, 10, 20)
DAY = 86400
KID = "K" * 16

# as trust.command.Command
Command = namedtuple("Command", ("kid", "role", "since", "ctr", "iat", "cmd", "arg", "at", "h", "service", "consent"))


class Board:
    def __init__(self, data_dir, is_set):
        self.data_dir = data_dir
        self.unix_s = NOW
        self._is_set = is_set

    def time(self):
        return self.unix_s

    def set_time(self, unix_s):
        self.unix_s = unix_s

    def clock_is_set(self):
        return self._is_set


class Journal:
    def __init__(self):
        self.said = []

    def add(self, kind, name, detail=""):
        self.said.append((kind, name, detail))

    foreign = add

    def names(self):
        return [name for _, name, _ in self.said]


class Tenancy:
    since = 0


class Hub:
    """What a service can reach of app.Hub. Made anew in the same folder it is the hub after a power cut."""

    wan = export = None

    def __init__(self, folder, is_set=True):
        self.board = Board(folder, is_set)
        self.clock = Clock(self.board)
        self.journal = Journal()
        self.tenancy = Tenancy()
        self.meters = []

    def record(self, name):
        return Record(self.board.data_dir + "/" + name)

    strict_record = record


def command(cmd, arg=None, role="DNO", kid=KID, since=0):
    service, _, roles = row(cmd)
    needed = permission(roles, role) == "consent"
    return Command(kid, role, since, 1, NOW, cmd, arg or {}, None, "h", service, needed)


class Case(unittest.TestCase):
    service = None

    def setUp(self):
        self.folder = fresh()
        self.hub = self.boot()

    def tearDown(self):
        remove(self.folder)

    def boot(self, is_set=True):
        return Hub(self.folder, is_set)

    def ask(self, cmd, arg=None, **more):
        """Return the data that a command's answer would bring."""
        result = self.service.handle(self.hub, command(cmd, arg, **more))
        if hasattr(result, "send") or hasattr(result, "__next__"):
            result = run(result)
        self.assertEqual(result.outcome, "done")
        data = json.dumps(result.data)
        self.assertTrue(len(data) <= 3072, len(data))
        self.assertTrue(data.count("[") + data.count("{") < 32)  # what codec/jose.py takes, with the letter's own
        return json.loads(data)

    def refused(self, cmd, arg=None, **more):
        """Return "NAME field" of a command that is refused."""
        try:
            self.ask(cmd, arg, **more)
        except HubError as err:
            return (err.name + " " + err.field).strip()
        self.fail("not refused")
