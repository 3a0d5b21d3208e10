"""The hub of tariff_bench.py, which takes commands about its tariff, too."""

import gc
import json
import unittest
from collections import namedtuple

import tariff_bench
from tariff_bench import DAY

from meterhub.errors import HubError
from meterhub.services import tariffs as service
from meterhub.store import tariffs

SUP = "SUP0SUP0SUP0SUP0"
_FIELDS = ("kid", "role", "since", "ctr", "iat", "cmd", "arg", "at", "h", "service", "consent")
Command = namedtuple("Command", _FIELDS)  # as of trust/command.py


class Heard:
    """Takes the notices, and knows the roles' keys."""

    def __init__(self):
        self.notices = []
        self.full = False

    def put(self, notice, transaction, quiet):
        if self.full:
            raise HubError("STORE_FULL", "notices")
        transaction.commit()
        self.notices.append((notice, quiet))

    def entry(self, kid):
        return [SUP, "SUP", "", "Green Co-op", 0, 0] if kid == SUP else None


class Hub(tariff_bench.Hub):
    def __init__(self, folder="", at=DAY):
        super().__init__(folder, at)
        self.letters = self.notices = Heard()
        self.ctr = 0

    def send(self, cmd, arg, at=None, kid=SUP):
        """Carry out a command as the command desk does: one with a date is checked, and carried out then."""
        gc.collect()
        command = self.command(cmd, arg, at, kid)
        if at is not None:
            service.check(self, command)
            self.record("staged").save(json.dumps([list(command[:10])]).encode())
            self.look(at)
            self.record("staged").save(b"[]")
        return service.handle(self, command)

    def command(self, cmd, arg, at=None, kid=SUP):
        self.ctr += 1
        return Command(kid, "SUP", 0, self.ctr, self.clock.at, cmd, arg, at, "H%d" % self.ctr, "tariffs", False)

    def refusal(self, cmd, arg, at=None, kid=SUP):
        """Return the refusal of a command; None when something has changed."""
        before = self.state()
        try:
            self.send(cmd, arg, at, kid)
        except HubError as err:
            return (err.name, err.field) if self.state() == before else None
        return None

    def state(self):
        names = (tariffs.IN_FORCE, tariffs.OLD, tariffs.USE, tariffs.NEXT, tariffs.PART, tariffs.BILLING)
        return [self.record(name).load() for name in names] + [self.told(), len(self.notices.notices)]


class Case(unittest.TestCase):
    def setUp(self):
        self.hub = Hub()
        self.send, self.refused, self.command = self.hub.send, self.hub.refusal, self.hub.command

    def tearDown(self):
        self.hub.close()

    def again(self):
        self.hub = self.hub.again()
        self.send, self.refused, self.command = self.hub.send, self.hub.refusal, self.hub.command

    def set(self, at=None, **arg):
        return self.hub.send("set.tariff_price", arg, at)
