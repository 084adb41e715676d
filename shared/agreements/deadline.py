"""When a limit that an agreement sets has passed: in clock time, or in days and hours that a nation works.

Working-day limits end at 24:00 local time on the nth working day after the day on which the clock starts. A month is a
calendar month (Interpretation Act 1978, Schedule 1): it ends on the day of the same number, or on the last of a shorter
month, at the same time of day.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from shared.agreements.calendar import Calendar
from shared.agreements.days import LONDON, civil_day, start_of

OPENS, CLOSES = time(9), time(17)
MONTHS_OF_A_YEAR = 12
WORKING_UNITS = frozenset({"working_days", "working_hours"})
_DAY = timedelta(days=1)


def ends_at(start: datetime, amount: int, unit: str, calendar: Calendar) -> datetime:
    """The moment (UTC) at which the limit has passed. Raises ValueError for a unit that no agreement may use."""
    match unit:
        case "clock_hours":
            return start + timedelta(hours=amount)
        case "calendar_days":
            return start + amount * _DAY
        case "months":
            return _months_after(start, amount)
        case "working_days":
            return start_of(_nth_working_day(civil_day(start), amount, calendar) + _DAY)
        case "working_hours":
            return _after_working_hours(start, timedelta(hours=amount), calendar)
        case _:
            raise ValueError(f"a limit in {unit!r}: no agreement may use this unit")


def is_provisional(end: datetime, unit: str, calendar: Calendar) -> bool:
    """Whether a limit that ends then rests on days that follow by rule from no publication, and may move."""
    return unit in WORKING_UNITS and not calendar.is_published(civil_day(end - timedelta(microseconds=1)))


def _months_after(start: datetime, count: int) -> datetime:
    local = start.astimezone(LONDON)
    years, month = divmod(local.month - 1 + count, MONTHS_OF_A_YEAR)
    year = local.year + years
    last = monthrange(year, month + 1)[1]
    return local.replace(year=year, month=month + 1, day=min(local.day, last)).astimezone(UTC)


def _nth_working_day(day: date, count: int, calendar: Calendar) -> date:
    while count:
        day += _DAY
        count -= calendar.is_working_day(day)
    return day


def _after_working_hours(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    day = civil_day(start)
    while True:
        opens, closes = (datetime.combine(day, at, LONDON).astimezone(UTC) for at in (OPENS, CLOSES))
        begins = max(start, opens)
        if calendar.is_working_day(day) and begins < closes:
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        day += _DAY
