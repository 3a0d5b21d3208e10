"""Billing periods: daily, weekly, monthly, quarterly, six-monthly, yearly, from local midnight to local midnight.

Source   the billing calendar of GB SMETS2
Units    Unix seconds UTC in and out
Runs on  both

A calendar is (period, day, month). period: an index of PERIODS. day: of a weekly one the day of the week, 1 Monday ..
7, of a daily one 0, else the day of the month, 1 .. 28. month: 1 .. 12, in which one of the periods of a quarterly,
six-monthly or yearly one begins, else 0.
"""

from . import calendar

PERIODS = ("daily", "weekly", "monthly", "quarterly", "six-monthly", "yearly")
_MONTHS = (0, 0, 1, 3, 6, 12)


def period_start(zone, billing: tuple, utc: int) -> int:
    """Return when (UTC) the period began that `utc` lies in. zone: codec.timezone.Zone"""
    return zone.day_begins(_first_day(zone, billing, utc, 0))


def next_period_start(zone, billing: tuple, utc: int) -> int:
    """Return when (UTC) the period after the one that `utc` lies in begins."""
    return zone.day_begins(_first_day(zone, billing, utc, 1))


def _first_day(zone, billing, utc, further):
    """Return the first local day, counted from 1970, of the period of `utc`, or of one `further` on."""
    period, day, month = billing
    today = (utc + zone.offset_s(utc)) // 86400
    if not period:
        return today + further
    if period == 1:
        return today - (calendar.weekday(today) - day + 1) % 7 + 7 * further
    year, this, of_month = calendar.date(today)
    months = 12 * year + this - 1 - (of_month < day)
    if month:
        months -= (months - month + 1) % _MONTHS[period]
    months += further * _MONTHS[period]
    return calendar.days(months // 12, months % 12 + 1, day)
