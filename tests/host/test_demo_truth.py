"""The demo's judge: a wrong number must not pass, and a number that lies about must be found."""

import base64
import sqlite3

import pytest

from meterhub_tools import firmware  # noqa: F401 - puts the firmware's package on the path
from meterhub_tools.demo.once import another_pin
from meterhub_tools.demo.truth import Readings, Traces, check, readings
from meterhub_tools.errors import ToolError
from meterhub_tools.simulators.household import Household

from meterhub.codec import checkdigit  # isort: skip
from meterhub.codec.load_profile import CLOCK_UNSURE, MEASURED, MISSING, OPEN, PARTIAL, QUALITY, Column  # isort: skip

START = 1735689600
REGISTERS = ["1-0:1.8.0", "1-0:2.8.0"]
COLUMNS = [Column(obis, 0, 30) for obis in REGISTERS]


@pytest.fixture(scope="module")
def household():
    return Household(START)


def true_entries(household, count=300):
    found = []
    for n in range(count):
        shown = household.registers(START + n * 1800)
        found.append((START + n * 1800, MEASURED, (shown.import_wh, shown.export_wh)))
    return found


def test_the_truth_passes(household):
    assert check(Readings(REGISTERS, true_entries(household)), household) == 300


def test_the_order_of_the_registers_is_looked_at(household):
    entries = [(at, quality, values[::-1]) for at, quality, values in true_entries(household)]
    assert check(Readings(REGISTERS[::-1], entries), household) == 300
    with pytest.raises(ToolError):
        check(Readings(REGISTERS, entries), household)


def test_what_lies_before_the_meters_first_telegram_may_be_missing(household):
    before = (START - 1800, MISSING, (None, None))
    assert check(Readings(REGISTERS, [before, *true_entries(household)]), household) == 300


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("off", [-1, 1, 1000])
def test_one_watt_hour_off_is_found(household, column, off):
    entries = true_entries(household)
    at, quality, values = entries[123]
    wrong = [*values]
    wrong[column] += off
    entries[123] = (at, quality, tuple(wrong))
    with pytest.raises(ToolError, match=str(at)):
        check(Readings(REGISTERS, entries), household)


@pytest.mark.parametrize("quality", [MISSING, PARTIAL, CLOCK_UNSURE])
def test_an_interval_that_is_not_measured_is_found(household, quality):
    entries = true_entries(household)
    entries[7] = (entries[7][0], quality, entries[7][2])
    with pytest.raises(ToolError, match=QUALITY[quality]):
        check(Readings(REGISTERS, entries), household)


def test_the_open_interval_lies_between_its_limits(household):
    at = START + 300 * 1800
    low, high = household.registers(at - 1800), household.registers(at)
    between = Readings(REGISTERS, [(at, OPEN, ((low.import_wh + high.import_wh) // 2, high.export_wh))])
    assert check(between, household) == 1
    beyond = Readings(REGISTERS, [(at, OPEN, (high.import_wh + 1, high.export_wh))])
    with pytest.raises(ToolError, match="open"):
        check(beyond, household)


def test_nothing_at_all_is_not_the_truth(household):
    with pytest.raises(ToolError):
        check(Readings(REGISTERS, []), household)


def test_only_watt_hours_are_watt_hours():
    with pytest.raises(ToolError, match=r"1-0:1\.8\.0"):
        readings([Column("1-0:1.8.0", 3, 30)], [])


@pytest.fixture(scope="module")
def traces(household):
    return Traces(Readings(REGISTERS, true_entries(household)))


@pytest.fixture(scope="module")
def value(household):
    return household.registers(START).import_wh


def test_a_reading_is_found_in_plain_words_and_in_kilowatt_hours(traces, value):
    assert traces.in_bytes(b"interval,%d,x" % value)
    assert traces.in_bytes(b'{"kwh": %d.%03d}' % divmod(value, 1000))


def test_a_reading_is_found_inside_a_token(traces, value):
    claims = base64.urlsafe_b64encode(b'{"values": [%d]}' % value).rstrip(b"=")
    assert traces.in_bytes(b'{"t":"x","jws":"eyJhbGciOiJFUzI1NiJ9.' + claims + b'.c2ln"}')


def test_a_reading_is_found_in_a_database_and_in_a_log(traces, value, tmp_path):
    (tmp_path / "site").mkdir()
    database = sqlite3.connect(tmp_path / "site/site.sqlite3")
    database.execute("create table t (a text)")
    database.execute("insert into t values (?)", (f"reading {value}",))
    database.commit()
    database.close()
    (tmp_path / "log").write_text(f"got {value}")
    assert traces.in_folder(tmp_path / "site") == tmp_path / "site/site.sqlite3"
    assert traces.in_folder(tmp_path / "log") == tmp_path / "log"


def test_other_numbers_are_not_taken_for_readings(traces, value, tmp_path):
    (tmp_path / "log").write_text(f"at 1795253401 {value}7 7{value} x{value - 1}x")
    assert traces.in_folder(tmp_path) is None
    assert not traces.in_bytes(bytes(range(256)) * 100)


@pytest.mark.parametrize("pin", ["000000000", "999999990", "482913764"])
def test_another_pin_is_wrong_and_has_a_right_check_digit(pin):
    pin = checkdigit.append(pin[:8])
    other = another_pin(pin)
    assert other != pin and len(other) == 9 and checkdigit.valid(other)
