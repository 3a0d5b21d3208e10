"""A hub that watches the voltage, for the tests of that."""

import unittest

from quality_bench import NOW, Hub
from store_folder import fresh, remove

from meterhub.voltage_watch import VoltageWatch

FINE = (2300, 2310, 2290)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = fresh()
        self.hub = self.started(NOW)

    def tearDown(self):
        remove(self.folder)

    def started(self, at):
        hub = Hub(self.folder, at)
        hub.voltage = VoltageWatch(hub)
        return hub
