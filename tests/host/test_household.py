"""The simulated household: the truth that every end-to-end check compares with, so it must be exact itself."""

import pytest

from meterhub_tools.simulators.household import Household, Registers

START = 1735689600  # 2025-01-01 00:00:00 UTC
DAY_S = 86400


def joules(household, start, stop):
    """Return (imported, exported) watt-seconds by adding up every single second, the slow and obvious way."""
    imported = exported = 0
    for at in range(start, stop):
        watts = household.power_w(at)
        imported += max(watts, 0)
        exported += max(-watts, 0)
    return imported, exported


def test_registers_are_the_integral_of_the_power_over_every_second():
    household = Household(START, opening=Registers(0, 0, 0, 0, 0))
    summer = START + 170 * DAY_S
    before, after = household.registers(summer), household.registers(summer + DAY_S)
    imported, exported = joules(household, summer, summer + DAY_S)
    assert exported > 0
    # each of the two tariff registers has floored once at either end
    assert abs(after.import_wh - before.import_wh - imported // 3600) <= 2
    assert abs(after.export_wh - before.export_wh - exported // 3600) <= 2


def test_same_seed_is_the_same_household_in_whatever_order_it_is_asked():
    first, second = Household(START, seed=7), Household(START, seed=7)
    times = [START + n * 12345 for n in range(300)]
    forward = [first.registers(at) for at in times]
    backward = [second.registers(at) for at in reversed(times)]
    assert forward == backward[::-1]
    assert Household(START, seed=8).registers(times[-1]) != forward[-1]


def test_registers_start_at_a_used_meter_and_never_go_down():
    household = Household(START)
    last = household.registers(START)
    assert last.import_wh > 1_000_000 and last.export_wh > 1_000_000 and last.gas_dm3 > 1_000_000
    for at in range(START, START + 3 * DAY_S, 97):
        now = household.registers(at)
        assert all(b >= a for a, b in zip(last, now, strict=True))
        last = now


def test_winter_draws_more_and_summer_feeds_in_more():
    household = Household(START)

    def month(first_day):
        a, b = (household.registers(START + (first_day + n) * DAY_S) for n in (0, 30))
        return b.import_wh - a.import_wh, b.export_wh - a.export_wh

    january, june = month(0), month(150)
    assert january[0] > 2 * june[0]
    assert june[1] > 4 * january[1]


def test_a_year_is_that_of_a_plausible_home():
    household = Household(START)
    a, b = household.registers(START), household.registers(START + 365 * DAY_S)
    assert 4_000_000 < b.import_wh - a.import_wh < 12_000_000
    assert 800_000 < b.export_wh - a.export_wh < 4_000_000
    assert 50_000 < b.gas_dm3 - a.gas_dm3 < 600_000


@pytest.mark.parametrize(
    ("at", "tariff"),
    [
        (1735858800 - 1, 1),  # Thursday 2025-01-02, 23:59:59 in Amsterdam
        (1735797599, 1),  # Thursday 06:59:59
        (1735797600, 2),  # Thursday 07:00:00
        (1735858800 - 3600, 1),  # Thursday 23:00:00
        (1735858800 - 3601, 2),  # Thursday 22:59:59
        (1735988400, 1),  # Saturday 12:00
        (1751432400, 2),  # Wednesday 2025-07-02, 07:00:00 in summer time
        (1751432399, 1),
    ],
)
def test_low_tariff_is_night_and_weekend_in_local_time(at, tariff):
    assert Household(START).tariff(at) == tariff


def test_only_the_register_of_the_tariff_in_force_moves():
    household = Household(START)
    thursday_noon = 1735815600
    a, b = household.registers(thursday_noon), household.registers(thursday_noon + 1800)
    assert a.import_low_wh == b.import_low_wh and a.export_low_wh == b.export_low_wh
    assert b.import_normal_wh + b.export_normal_wh > a.import_normal_wh + a.export_normal_wh


def test_extra_load_counts_from_its_second_on_and_leaves_the_past_alone():
    plain, loaded = Household(START), Household(START)
    at = START + 10 * 1800 + 437
    before = [loaded.registers(START + n * 600) for n in range(30)]
    loaded.set_extra_w(at, 6000)
    loaded.set_extra_w(at + 900, 0)
    later = at + 40000
    assert [loaded.registers(START + n * 600) for n in range(30)] == before
    assert loaded.power_w(at - 1) == plain.power_w(at - 1)
    assert loaded.power_w(at) == plain.power_w(at) + 6000
    assert loaded.power_w(at + 900) == plain.power_w(at + 900)
    more = loaded.registers(later).import_wh - plain.registers(later).import_wh
    assert abs(more - 1500) <= 2


def test_the_past_cannot_be_changed():
    household = Household(START)
    household.set_extra_w(START + 100, 1000)
    with pytest.raises(ValueError, match="past"):
        household.set_extra_w(START + 99, 0)
    with pytest.raises(ValueError, match="-1 W"):
        household.set_extra_w(START + 200, -1)
    with pytest.raises(ValueError, match="start"):
        household.registers(START - 1)


def test_phases_add_up_to_the_power_and_voltages_stay_in_the_norm():
    household = Household(START)
    for at in range(START + 150 * DAY_S, START + 151 * DAY_S, 311):
        phases = household.phases(at)
        assert sum(p.w for p in phases) == household.power_w(at)
        assert all(2070 <= p.dv <= 2530 for p in phases)  # EN 50160: 230 V +- 10 %


def test_gas_register_stands_still_between_its_stamps():
    household = Household(START)
    for at in range(START, START + DAY_S, 60):
        assert household.registers(at).gas_dm3 == household.registers(household.gas_at(at)).gas_dm3
        assert 0 <= at - household.gas_at(at) < 300
