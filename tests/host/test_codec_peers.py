"""Local time against zoneinfo, the calendar against datetime, CRCs against fastcrc."""

import datetime
import random
from zoneinfo import ZoneInfo

import fastcrc
import pytest

from meterhub.codec import calendar, crc
from meterhub.codec.timezone import Zone

# place, its present rule, the first and last year that had that rule and no exception from it
RULES = [
    ("Europe/Amsterdam", "CET-1CEST,M3.5.0,M10.5.0/3", 2000, 2037),
    ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0", 2000, 2037),
    ("America/New_York", "EST5EDT,M4.1.0,M10.5.0", 2000, 2006),
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0", 2007, 2037),
    ("Australia/Sydney", "AEST-10AEDT,M10.5.0,M3.5.0/3", 2001, 2005),
    ("Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3", 2008, 2037),
    ("Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1", 2000, 2037),
    ("America/Havana", "CST5CDT,M3.2.0/0,M11.1.0/1", 2013, 2037),
    ("Asia/Kolkata", "IST-5:30", 2000, 2037),
]
HOUR, DAY = 3600, 86400


def local_fields(at, place):
    t = datetime.datetime.fromtimestamp(at, place)
    return t.year, t.month, t.day, t.hour, t.minute, t.second, t.weekday()


def utc(year, month, day):
    return int(datetime.datetime(year, month, day, tzinfo=datetime.UTC).timestamp())


def first_moment(place, year, month, day):
    """The first second of that local day: walk back from its noon, an hour, then a second at a time."""
    date = datetime.date(year, month, day)
    at = int(datetime.datetime(year, month, day, 12, tzinfo=place).timestamp())
    for step in (HOUR, 60, 1):
        while datetime.datetime.fromtimestamp(at - step, place).date() >= date:
            at -= step
    return at


@pytest.mark.parametrize(("name", "rule", "first", "last"), RULES)
def test_local_time_is_zoneinfos(name, rule, first, last):
    place, zone, chance = ZoneInfo(name), Zone(rule), random.Random(name)
    start, end = utc(first, 1, 2), utc(last, 12, 30)
    moments = [chance.randrange(start, end) for _ in range(3000)]
    for day in range(start, end, DAY):  # and both sides of every change
        offsets = {datetime.datetime.fromtimestamp(at, place).utcoffset() for at in (day, day + DAY)}
        if len(offsets) > 1:
            moments += [at + s for at in range(day, day + DAY + 1, HOUR // 2) for s in (-1, 0)]
    for at in moments:
        assert zone.local(at) == local_fields(at, place)
        assert zone.offset_s(at) == datetime.datetime.fromtimestamp(at, place).utcoffset().total_seconds()


@pytest.mark.parametrize(("name", "rule", "first", "last"), RULES)
def test_days_and_months_begin_where_they_do_by_zoneinfo(name, rule, first, last):
    place, zone, chance = ZoneInfo(name), Zone(rule), random.Random(name)
    start, end = utc(first, 2, 2), utc(last, 11, 28)
    moments = [chance.randrange(start, end) for _ in range(60)]
    changes = [
        day + s
        for day in range(start, end, DAY)
        if len({datetime.datetime.fromtimestamp(at, place).utcoffset() for at in (day, day + DAY)}) > 1
        for s in (0, DAY // 2, DAY)
    ]
    for at in moments + chance.sample(changes, min(len(changes), 60)):
        year, month, day = local_fields(at, place)[:3]
        following = datetime.date(year, month, day) + datetime.timedelta(1)
        assert zone.day_start(at) == first_moment(place, year, month, day)
        assert zone.next_day_start(at) == first_moment(place, following.year, following.month, following.day)
        assert zone.month_start(at) == first_moment(place, year, month, 1)
        assert zone.next_month_start(at) == first_moment(place, year + month // 12, month % 12 + 1, 1)


def test_the_calendar_is_datetimes_on_every_day_of_its_230_years():
    first = datetime.date(1970, 1, 1)
    for number in range((datetime.date(2200, 1, 1) - first).days):
        day = first + datetime.timedelta(number)
        assert calendar.date(number) == (day.year, day.month, day.day)
        assert calendar.days(day.year, day.month, day.day) == number
        assert calendar.weekday(number) == day.weekday()


def test_seconds_and_fields_are_datetimes():
    chance = random.Random(9)
    for _ in range(5000):
        at = chance.randrange(utc(2200, 1, 1))
        t = datetime.datetime.fromtimestamp(at, datetime.UTC)
        assert calendar.fields(at) == (*t.timetuple()[:6], t.weekday())
        assert calendar.seconds(*t.timetuple()[:6]) == at


def test_crcs_are_fastcrcs():
    chance = random.Random(10)
    for n in range(300):
        buf = chance.randbytes(n)
        assert crc.crc16_arc(buf, n) == fastcrc.crc16.arc(buf)
        assert crc.crc16_x25(buf, n) == fastcrc.crc16.ibm_sdlc(buf)
