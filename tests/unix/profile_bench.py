"""A hub that keeps a load profile: what the tests of profiles, logs and demand share."""

from services_bench import Case

from meterhub.codec.calendar import seconds
from meterhub.codec.load_profile import MEASURED, Column, Entry
from meterhub.services import readings
from meterhub.store.profile import Profile

STEP = 1800
T = seconds(2026, 3, 3)
COLUMNS = [Column("1-0:1.8.0", 0, 30), Column("1-0:2.8.0", 0, 30)]


class Meter:
    name = "main"
    profile = None


class ProfileCase(Case):
    service = readings

    def boot(self, is_set=True, columns=COLUMNS, step=STEP):
        hub = super().boot(is_set)
        hub.profile = Profile(
            self.folder + "/profile",
            columns,
            step,
            13,
            lambda detail: hub.journal.add("event", "STORE_DAMAGED", detail),
        )
        hub.meters = [Meter()]
        hub.meters[0].profile = hub.profile
        return hub

    def fill(self, start, stop, value=lambda n: (1000 + 10 * n, 5)):
        """Keep a reading at each interval's end in start..stop."""
        step = self.hub.profile.interval_s
        for n in range((stop - start) // step + 1):
            self.hub.profile.append(Entry(start + n * step, MEASURED, value(n)))
