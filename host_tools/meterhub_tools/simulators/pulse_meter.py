"""A meter that only blinks: how many pulses a household's meter has given at any moment.

Source   EN 62053-31 (S0): a pulse of at least 30 ms
Units    impulses per kWh imported
Runs on  the host
"""

from .household import Household

WIDTH_S = 0.03


class PulseMeter:
    """The meter of `household`."""

    def __init__(self, household: Household, imp_per_kwh: int = 1000) -> None:
        self.household = household
        self.imp_per_kwh = imp_per_kwh

    def pulses(self, at: int) -> int:
        """Return how many pulses there have been by `at`, since the household began."""
        first = self.household.registers(self.household.start).import_wh
        return (self.household.registers(at).import_wh - first) * self.imp_per_kwh // 1000
