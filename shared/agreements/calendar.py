"""Which days are worked in which nation: bank holidays as published, and by rule where none are published yet.

The days and the rules are data with their origin (`calendars.json`). A published year stands as it was published, with
its days moved and added by proclamation; any other year follows from the rule, and what rests on it is provisional.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

MONDAY, SATURDAY = 0, 5
WEEK = 7
_DAY = timedelta(days=1)
_FILE = "calendars.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """The regular bank holidays of a year: days of the year, days after Easter Sunday, and Mondays of months.

    One of the fixed days that falls on a weekend is kept on the next weekday that is free.
    """

    fixed: tuple[tuple[int, int], ...]
    easter: tuple[int, ...]
    first_mondays: tuple[int, ...]
    last_mondays: tuple[int, ...]

    def days(self, year: int) -> frozenset[date]:
        """The days of that year. Single ones by proclamation are not known here."""
        mondays = [_first_monday(date(year, month, 1)) for month in self.first_mondays]
        mondays += [_last_monday(year, month) for month in self.last_mondays]
        moving = [easter_of(year) + days * _DAY for days in self.easter]
        return frozenset({*self._kept(year), *mondays, *moving})

    def _kept(self, year: int) -> Iterator[date]:
        taken: set[date] = set()
        for month, number in self.fixed:
            day = date(year, month, number)
            while day.weekday() >= SATURDAY or day in taken:
                day += _DAY
            taken.add(day)
            yield day


@dataclass(frozen=True)
class Calendar:
    """The working days of the nations that share their bank holidays."""

    name: str
    nations: tuple[str, ...]
    published: Mapping[int, frozenset[date]]
    rule: Rule

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday, without bank holidays."""
        return day.weekday() < SATURDAY and day not in self.bank_holidays(day.year)

    def bank_holidays(self, year: int) -> frozenset[date]:
        """As published; by the rule where the year is not."""
        known = self.published.get(year)
        return _by_rule(self.rule, year) if known is None else known

    def is_published(self, day: date) -> bool:
        """Whether the bank holidays of the day's year are published, so that nothing of them is guessed."""
        return day.year in self.published


def calendar_of(nation: str | None) -> Calendar:
    """The calendar of a nation; the deployment's default where none is named or it has none of its own."""
    calendars, default = _calendars()
    return next((one for one in calendars if nation in one.nations), default)


def calendar_named(name: str) -> Calendar:
    """The calendar of that name; the default for an empty one. Raises ValueError where there is none."""
    calendars, default = _calendars()
    if not name:
        return default
    for calendar in calendars:
        if calendar.name == name:
            return calendar
    raise ValueError(f"a calendar {name!r}: {_FILE} has {', '.join(one.name for one in calendars)}")


def default_calendar() -> Calendar:
    """That of whoever names no nation."""
    return _calendars()[1]


@cache
def easter_of(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Meeus 1991 chapter 8)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


@cache
def _by_rule(rule: Rule, year: int) -> frozenset[date]:
    return rule.days(year)


@cache
def _calendars() -> tuple[tuple[Calendar, ...], Calendar]:
    whole = json.loads(files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    found = {name: _calendar(name, row) for name, row in whole["calendars"].items()}
    return tuple(found.values()), found[whole["default"]]


def _calendar(name: str, row: Mapping[str, Any]) -> Calendar:
    years = {
        int(year): frozenset(date(int(year), *_month_day(day)) for day in days) for year, days in row["years"].items()
    }
    rule = row["rule"]
    fixed = tuple(map(_month_day, rule["fixed"]))
    mondays = tuple(rule["first_mondays"]), tuple(rule["last_mondays"])
    return Calendar(name, tuple(row["nations"]), years, Rule(fixed, tuple(rule["easter"]), *mondays))


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


def _first_monday(day: date) -> date:
    return day + timedelta(days=(MONDAY - day.weekday()) % WEEK)


def _last_monday(year: int, month: int) -> date:
    """No bank holiday is the last Monday of December."""
    return _first_monday(date(year, month + 1, 1) - WEEK * _DAY)
