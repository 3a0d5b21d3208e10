"""The simulated P1 meter, read back by dsmr-parser: every field, in every version, over every awkward moment."""

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from dsmr_parser import telegram_specifications
from dsmr_parser.exceptions import InvalidChecksumError, ParseError
from dsmr_parser.parsers import TelegramParser

from meterhub_tools.simulators import p1_meter
from meterhub_tools.simulators.household import Household, Registers
from meterhub_tools.simulators.p1_meter import P1Meter

START = 1735689600  # 2025-01-01 00:00:00 UTC
SPRING = 1743296400  # 2025-03-30 01:00:00 UTC: 02:00 CET becomes 03:00 CEST
AUTUMN = 1761440400  # 2025-10-26 01:00:00 UTC: 03:00 CEST becomes 02:00 CET
NEW_YEAR = 1767222000  # 2025-12-31 23:00:00 UTC: midnight in Amsterdam
SUMMER_NOON = 1750420800
MOMENTS = [
    START,
    SPRING - 1,
    SPRING,
    SPRING + 1,
    AUTUMN - 3601,
    AUTUMN - 1,
    AUTUMN,
    NEW_YEAR - 1,
    NEW_YEAR,
    SUMMER_NOON,
]

# 6.12, from the version on
ORDER = """
1-3:0.2.8 0-0:1.0.0 0-0:96.1.1 1-0:1.8.1 1-0:1.8.2 1-0:2.8.1
1-0:2.8.2 0-0:96.14.0 1-0:1.7.0 1-0:2.7.0 0-0:96.7.21 0-0:96.7.9 1-0:99.97.0
1-0:32.32.0 1-0:52.32.0 1-0:72.32.0 1-0:32.36.0 1-0:52.36.0 1-0:72.36.0 0-0:96.13.0
1-0:32.7.0 1-0:52.7.0 1-0:72.7.0 1-0:31.7.0 1-0:51.7.0 1-0:71.7.0 1-0:21.7.0
1-0:41.7.0 1-0:61.7.0 1-0:22.7.0 1-0:42.7.0 1-0:62.7.0 0-1:24.1.0 0-1:96.1.0
0-1:24.2.1
"""


def read(raw, specification=telegram_specifications.V5):
    return TelegramParser(specification).parse(raw.decode("ascii"))


def kilo(value):
    return Decimal(value) / 1000


@pytest.mark.parametrize("at", MOMENTS)
def test_dsmr_parser_reads_every_field_of_version_5(at):
    household = Household(START)
    found = read(P1Meter(household).telegram(at))
    truth, watts, phases = household.registers(at), household.power_w(at), household.phases(at)
    assert found.P1_MESSAGE_HEADER.value == "50"
    assert found.P1_MESSAGE_TIMESTAMP.value == datetime.fromtimestamp(at, timezone.utc)
    assert bytes.fromhex(found.EQUIPMENT_IDENTIFIER.value).decode() == p1_meter.EQUIPMENT
    assert found.ELECTRICITY_USED_TARIFF_1.value == kilo(truth.import_low_wh)
    assert found.ELECTRICITY_USED_TARIFF_2.value == kilo(truth.import_normal_wh)
    assert found.ELECTRICITY_DELIVERED_TARIFF_1.value == kilo(truth.export_low_wh)
    assert found.ELECTRICITY_DELIVERED_TARIFF_2.value == kilo(truth.export_normal_wh)
    assert found.ELECTRICITY_USED_TARIFF_1.unit == "kWh"
    assert int(found.ELECTRICITY_ACTIVE_TARIFF.value) == household.tariff(at)
    assert found.CURRENT_ELECTRICITY_USAGE.value == kilo(max(watts, 0))
    assert found.CURRENT_ELECTRICITY_DELIVERY.value == kilo(max(-watts, 0))
    for n, phase in enumerate(phases, 1):
        assert getattr(found, f"INSTANTANEOUS_VOLTAGE_L{n}").value == Decimal(phase.dv) / 10
        assert getattr(found, f"INSTANTANEOUS_CURRENT_L{n}").value == round(abs(phase.w) * 10 / phase.dv)
        assert getattr(found, f"INSTANTANEOUS_ACTIVE_POWER_L{n}_POSITIVE").value == kilo(max(phase.w, 0))
        assert getattr(found, f"INSTANTANEOUS_ACTIVE_POWER_L{n}_NEGATIVE").value == kilo(max(-phase.w, 0))


def test_dsmr_parser_reads_failures_dips_text_and_gas():
    household = Household(START)
    found = read(P1Meter(household).telegram(SUMMER_NOON + 123))
    assert found.SHORT_POWER_FAILURE_COUNT.value == 13
    assert found.LONG_POWER_FAILURE_COUNT.value == len(p1_meter.POWER_FAILURES)
    assert [(e.datetime, e.value) for e in found.POWER_EVENT_FAILURE_LOG.buffer] == [
        (datetime.fromtimestamp(at, timezone.utc), gone_s) for at, gone_s in p1_meter.POWER_FAILURES
    ]
    sags = [getattr(found, f"VOLTAGE_SAG_L{n}_COUNT").value for n in (1, 2, 3)]
    swells = [getattr(found, f"VOLTAGE_SWELL_L{n}_COUNT").value for n in (1, 2, 3)]
    assert (sags, swells) == ([2, 1, 0], [0, 3, 0])
    assert found.TEXT_MESSAGE.value is None
    gas = found.MBUS_DEVICES[0]
    assert gas.MBUS_DEVICE_TYPE.value == 3
    assert bytes.fromhex(gas.MBUS_EQUIPMENT_IDENTIFIER.value).decode() == p1_meter.GAS_EQUIPMENT
    stamp = household.gas_at(SUMMER_NOON + 123)
    assert gas.MBUS_METER_READING.datetime == datetime.fromtimestamp(stamp, timezone.utc)
    assert gas.MBUS_METER_READING.value == kilo(household.registers(stamp).gas_dm3)


def test_fields_stand_in_the_standards_order_with_its_widths():
    household = Household(START, opening=Registers(1, 22_000, 333_000_000, 999_999_999, 7))
    lines = P1Meter(household).telegram(START).decode().split("\r\n")
    assert lines[0][0] == "/" and lines[0][4] == "5" and lines[1] == "" and lines[-1] == ""
    assert [line.split("(")[0] for line in lines[2:-2]] == ORDER.split()
    assert lines[5:9] == [
        "1-0:1.8.1(000000.001*kWh)",
        "1-0:1.8.2(000022.000*kWh)",
        "1-0:2.8.1(333000.000*kWh)",
        "1-0:2.8.2(999999.999*kWh)",
    ]
    assert lines[3] == "0-0:1.0.0(250101010000W)"
    assert lines[-3] == "0-1:24.2.1(250101010000W)(00000.007*m3)"
    assert len(lines[-2]) == 5 and lines[-2] == lines[-2].upper()


def test_registers_roll_over_as_the_meter_has_no_more_digits():
    household = Household(START, opening=Registers(999_999_999, 999_999_990, 0, 0, 99_999_999))
    found = read(P1Meter(household).telegram(START + 3 * 86400))
    truth = household.registers(START + 3 * 86400)
    assert truth.import_low_wh > 10**9 and truth.gas_dm3 > 10**8
    assert found.ELECTRICITY_USED_TARIFF_1.value == kilo(truth.import_low_wh - 10**9)
    assert found.ELECTRICITY_USED_TARIFF_2.value == kilo(truth.import_normal_wh - 10**9)
    assert found.MBUS_DEVICES[0].MBUS_METER_READING.value < 1000


def test_summer_flag_tells_the_doubled_hour_apart():
    meter = P1Meter(Household(START))
    assert meter.stamp(AUTUMN - 1800) == "251026023000S"
    assert meter.stamp(AUTUMN + 1800) == "251026023000W"
    assert (meter.stamp(SPRING - 1), meter.stamp(SPRING)) == ("250330015959W", "250330030000S")


def test_dsmr_parser_reads_versions_4_and_2_too():
    household = Household(START)
    for version, specification, gas_field in (
        ("4.2", telegram_specifications.V4, "HOURLY_GAS_METER_READING"),
        ("2.2", telegram_specifications.V2_2, "GAS_METER_READING"),
    ):
        found = read(P1Meter(household, version).telegram(SUMMER_NOON), specification)
        assert found.ELECTRICITY_USED_TARIFF_1.value == kilo(household.registers(SUMMER_NOON).import_low_wh)
        assert found.ELECTRICITY_DELIVERED_TARIFF_2.value == kilo(household.registers(SUMMER_NOON).export_normal_wh)
        gas = getattr(found.MBUS_DEVICES[0], gas_field)
        assert gas.value == kilo(household.registers(SUMMER_NOON).gas_dm3)


def test_faults_are_faults_to_the_peer_too():
    meter = P1Meter(Household(START))
    good, other = meter.telegram(SUMMER_NOON), meter.telegram(SUMMER_NOON + 1)
    with pytest.raises(InvalidChecksumError):
        read(p1_meter.wrong_crc(good))
    with pytest.raises((ParseError, InvalidChecksumError)):
        read(p1_meter.truncated(good, 300))
    with pytest.raises((ParseError, InvalidChecksumError)):
        read(p1_meter.merged(good, other, 20))


def test_noise_is_any_byte_and_the_same_for_the_same_seed():
    assert p1_meter.noise(65536) == p1_meter.noise(65536) != p1_meter.noise(65536, seed=2)
    assert len(set(p1_meter.noise(65536))) == 256
