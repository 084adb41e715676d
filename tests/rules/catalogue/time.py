"""Working days and hours of the nations."""

from __future__ import annotations

from tests.rules.removal import Rule, Swap

TIME = [
    Rule(
        "time: a nation has its own calendar",
        "calendar",
        Swap("next((one for one in calendars if nation in one.nations), default)", "default"),
    ),
    Rule(
        "time: no nation is the default's",
        "calendar",
        Swap("if nation in one.nations), default)", "if nation in one.nations), calendars[-1])"),
    ),
    Rule("time: weekends", "calendar", Swap("day.weekday() < SATURDAY and day not in", "day not in")),
    Rule("time: bank holidays", "calendar", Swap(" and day not in self.bank_holidays(day.year)", "")),
    Rule("time: as published", "calendar", Swap("known = self.published.get(year)", "known = None")),
    Rule(
        "time: by rule where not published",
        "calendar",
        Swap("return _by_rule(self.rule, year) if known is None else known", "return known or frozenset()"),
    ),
    Rule("time: substitute days", "calendar", Swap("while day.weekday() >= SATURDAY or day in taken:", "while False:")),
    Rule(
        "time: two substitutes are two days",
        "calendar",
        Swap("while day.weekday() >= SATURDAY or day in taken:", "while day.weekday() >= SATURDAY:"),
    ),
    Rule("time: Easter", "calendar", Swap("*mondays, *moving}", "*mondays}")),
    Rule("time: a guess is called one", "deadline", Swap("and not calendar.is_published(", "and False and (")),
    Rule("time: clock time is no guess", "deadline", Swap("unit in WORKING_UNITS and not", "not")),
    Rule(
        "time: the working day ends at 24:00 local",
        "deadline",
        Swap("start_of(_nth_working_day(civil_day(start), amount, calendar) + _DAY)", "start + amount * _DAY"),
    ),
    Rule("time: opening hours", "deadline", Swap("begins = max(start, opens)", "begins = start")),
]
