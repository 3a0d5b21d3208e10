"""A hub with notices and with a display that shows them, for the tests of both."""

import notices_bench
import store_folder

from meterhub.ihd.screens import Ihd


class Display:
    """One that shows each page in as many leaves as it is told."""

    seldom = ()

    def __init__(self):
        self.works, self.page, self.leaves, self.leaf = True, None, 1, 0

    def show(self, page, dim, leaf):
        if self.works:
            self.page, self.leaf = page, leaf
        return self.works

    def readable(self, text):
        return "漢" not in text


class Hub(notices_bench.Hub):
    def __init__(self, folder):
        super().__init__(folder)
        self.display = Display()
        self.ticks = 0
        self.ihd = Ihd(self.display, self.model, lambda: self.ticks & 0x3FFFFFFF)
        self.ihd.on_notice = self.notices.pressed
        self.ihd.works = True

    def set_pin(self, pin):
        from meterhub.trust.household_pin import HouseholdPin, hidden

        self.ihd.guard = HouseholdPin(hidden(pin, bytes(12)), self.record("household-pin"), self.clock.uptime_s)

    def wait(self, ms=4000):
        for _ in range(ms // 250):
            self.ticks += 250
            self.ihd.step()

    def press(self, name, kind="short"):
        self.ihd.button(name, kind)
        self.wait(1000)

    def shown(self):
        page = self.display.page
        return (page.title, page.value, page.a, page.b)


def fresh():
    return Hub(store_folder.fresh())
