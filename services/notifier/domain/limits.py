"""Until when a person must have acknowledged: limits as agreements word them, by the clock of England and Wales.

Working-day limits end at 24:00 local time on the nth working day after the day on which the clock starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from shared.agreements.days import LONDON, civil_day, start_of

OPENS, CLOSES = time(9), time(17)
MONTH = timedelta(days=30)
MONDAY, SATURDAY = 0, 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many `clock_hours`, `working_hours`, `calendar_days`, `working_days` or `months`."""

    amount: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Limit | None":
        """Read what `str` writes; None for an empty text."""
        amount, _, unit = text.partition(" ")
        return cls(int(amount), unit) if unit else None

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"


def ends_at(start: datetime, limit: Limit) -> datetime:
    """The moment (UTC) at which the limit has passed. Raises ValueError for a unit that no agreement may use."""
    match limit.unit:
        case "clock_hours":
            return start + timedelta(hours=limit.amount)
        case "calendar_days":
            return start + limit.amount * _DAY
        case "months":
            return start + limit.amount * MONTH
        case "working_days":
            return start_of(_nth_working_day(civil_day(start), limit.amount) + _DAY)
        case "working_hours":
            return _after_working_hours(start, timedelta(hours=limit.amount))
        case _:
            raise ValueError(f"a limit in {limit.unit!r}: no agreement may use this unit")


def is_working_day(day: date) -> bool:
    """Monday to Friday, without the bank holidays of England and Wales."""
    return day.weekday() < SATURDAY and day not in bank_holidays(day.year)


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """The regular bank holidays of a year (Banking and Financial Dealings Act 1971); single ones are not known here."""
    easter = _easter(year)
    fixed = list(_substituted(year))
    return frozenset(
        {
            *fixed,
            easter - 2 * _DAY,
            easter + _DAY,
            _first_monday(date(year, 5, 1)),
            _last_monday_before(date(year, 6, 1)),
            _last_monday_before(date(year, 9, 1)),
        }
    )


def _substituted(year: int) -> Iterator[date]:
    """New Year's Day, Christmas Day and Boxing Day; one that falls on a weekend is kept on the next free weekday."""
    taken: set[date] = set()
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while day.weekday() >= SATURDAY or day in taken:
            day += _DAY  # noqa: PLW2901 - the search for the substitute day
        taken.add(day)
        yield day


def _first_monday(day: date) -> date:
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)


def _last_monday_before(day: date) -> date:
    return _first_monday(day - 7 * _DAY)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Meeus 1991 chapter 8)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _nth_working_day(day: date, count: int) -> date:
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def _after_working_hours(start: datetime, left: timedelta) -> datetime:
    day = civil_day(start)
    while True:
        opens, closes = (datetime.combine(day, at, LONDON).astimezone(UTC) for at in (OPENS, CLOSES))
        begins = max(start, opens)
        if is_working_day(day) and begins < closes:
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        day += _DAY
