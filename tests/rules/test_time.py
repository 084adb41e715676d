"""One case per rule on time: whose working days count, and which they are."""

from __future__ import annotations

from datetime import date, datetime

from shared.agreements.calendar import calendar_named, calendar_of
from shared.agreements.deadline import ends_at, is_provisional


def after_one_day(start: str, nation: str | None) -> str:
    """When one working day from then has passed."""
    return f"{ends_at(datetime.fromisoformat(start), 1, 'working_days', calendar_of(nation)):%Y-%m-%dT%H:%M}"


def test_each_nation_has_its_own_bank_holidays() -> None:
    friday = "2026-11-27T12:00Z"  # Monday is St Andrew's Day
    assert after_one_day(friday, "scotland") == "2026-12-02T00:00"
    assert after_one_day(friday, "england") == "2026-12-01T00:00"


def test_who_names_no_nation_has_the_calendar_of_england_and_wales() -> None:
    assert after_one_day("2026-11-27T12:00Z", None) == "2026-12-01T00:00"
    assert calendar_of(None).name == "england-and-wales"


def test_a_weekend_is_not_worked() -> None:
    assert after_one_day("2026-11-20T12:00Z", "england") == "2026-11-24T00:00"


def test_a_working_day_ends_at_midnight_in_london() -> None:
    assert after_one_day("2026-06-02T12:00Z", "england") == "2026-06-03T23:00"


def test_what_was_proclaimed_stands_over_the_rule() -> None:
    scotland = calendar_of("scotland")
    assert not scotland.is_working_day(date(2026, 6, 15))
    assert date(2026, 6, 15) not in scotland.rule.days(2026)


def test_a_year_that_is_not_published_follows_the_rule_and_says_so() -> None:
    scotland = calendar_named("scotland")
    assert not scotland.is_working_day(date(2030, 1, 2))
    end = ends_at(datetime.fromisoformat("2030-01-01T12:00Z"), 1, "working_days", scotland)
    assert is_provisional(end, "working_days", scotland)
    assert not is_provisional(end, "clock_hours", scotland)
    assert not is_provisional(end.replace(year=2026), "working_days", scotland)


def test_a_holiday_on_a_weekend_is_kept_on_the_next_free_weekday() -> None:
    northern_ireland = calendar_of("northern-ireland")
    assert date(2030, 3, 18) in northern_ireland.rule.days(2030)  # for Sunday 17 March
    assert {date(2032, 12, 27), date(2032, 12, 28)} <= northern_ireland.rule.days(2032)


def test_easter_moves_two_days_everywhere_but_one_in_scotland() -> None:
    friday, monday = date(2030, 4, 19), date(2030, 4, 22)
    assert {friday, monday} <= calendar_of("wales").rule.days(2030)
    assert monday not in calendar_of("scotland").rule.days(2030)
    assert friday in calendar_of("scotland").rule.days(2030)


def test_hours_are_worked_from_nine_to_five() -> None:
    start = datetime.fromisoformat("2026-11-27T16:00Z")
    end = ends_at(start, 2, "working_hours", calendar_of("england"))
    assert f"{end:%Y-%m-%dT%H:%M}" == "2026-11-30T10:00"
