"""Bank holidays of the nations, as published and by rule, and the limits that count around them."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.agreements
from services.registry.adapters.seed_files import read_objects
from shared.agreements.calendar import Calendar, calendar_named, calendar_of, default_calendar, easter_of
from shared.agreements.days import civil_day
from shared.agreements.deadline import ends_at, is_provisional

NAMES = ("england-and-wales", "scotland", "northern-ireland")
PUBLISHED = range(2019, 2029)
ONCE = {
    "england-and-wales": "2022-06-03 2022-09-19 2023-05-08",
    "scotland": "2022-06-03 2022-09-19 2023-05-08 2026-06-15",
    "northern-ireland": "2022-06-03 2022-09-19 2023-05-08",
}
MOVED = {"2020-05-04": "2020-05-08", "2022-05-30": "2022-06-02"}
MOMENTS = st.integers(1_546_300_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
NAMED = st.sampled_from(NAMES).map(calendar_named)


def days(text: str) -> set[date]:
    return set(map(date.fromisoformat, text.split()))


def end_of(start: str, amount: int, unit: str, nation: str | None) -> str:
    at = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return f"{ends_at(at, amount, unit, calendar_of(nation)):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize("name", NAMES)
def test_a_published_year_differs_from_the_rule_by_the_proclamations_alone(name: str) -> None:
    """Two sources that know nothing of each other: what is published, and the Act's own rule."""
    calendar = calendar_named(name)
    assert tuple(calendar.published) == tuple(PUBLISHED)
    for year in PUBLISHED:
        known, ruled = calendar.published[year], calendar.rule.days(year)
        moved = {date.fromisoformat(MOVED.get(f"{day}", f"{day}")) for day in ruled}
        assert known == moved | {day for day in days(ONCE[name]) if day.year == year}, year


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        ("2026-01-02", "scotland"),
        ("2026-03-17", "northern-ireland"),
        ("2026-04-06", "england-and-wales northern-ireland"),  # Easter Monday
        ("2026-07-13", "northern-ireland"),  # for Sunday 12 July
        ("2026-08-03", "scotland"),
        ("2026-08-31", "england-and-wales northern-ireland"),
        ("2026-11-30", "scotland"),
        ("2026-12-28", "england-and-wales scotland northern-ireland"),  # for Saturday 26 December
        ("2026-12-29", ""),
        ("2030-01-02", "scotland"),  # by rule from here on
        ("2030-03-18", "northern-ireland"),  # for Sunday 17 March
        ("2030-07-12", "northern-ireland"),
        ("2030-12-02", "scotland"),  # for Saturday 30 November
        ("2030-04-22", "england-and-wales northern-ireland"),
    ],
)
def test_the_nations_differ_on_these_days(day: str, closed: str) -> None:
    on = date.fromisoformat(day)
    assert {name for name in NAMES if not calendar_named(name).is_working_day(on)} == set(closed.split())


@pytest.mark.parametrize(
    ("start", "limit", "nation", "end"),
    [
        # Over the turn of the year: Thursday 31 December 2026 is worked, Friday 1 January is not; 2 January is a
        # Saturday, so that Scotland keeps Monday 4 January.
        ("2026-12-31T12:00", (1, "working_days"), "england", "2027-01-05T00:00"),
        ("2026-12-31T12:00", (1, "working_days"), "wales", "2027-01-05T00:00"),
        ("2026-12-31T12:00", (1, "working_days"), "northern-ireland", "2027-01-05T00:00"),
        ("2026-12-31T12:00", (1, "working_days"), "scotland", "2027-01-06T00:00"),
        ("2025-12-31T16:00", (2, "working_hours"), "england", "2026-01-02T10:00"),
        ("2025-12-31T16:00", (2, "working_hours"), "scotland", "2026-01-05T10:00"),
        # Over Easter: Good Friday is kept everywhere, Easter Monday not in Scotland; summer time has begun.
        ("2026-04-02T12:00", (1, "working_days"), "england", "2026-04-07T23:00"),
        ("2026-04-02T12:00", (1, "working_days"), "northern-ireland", "2026-04-07T23:00"),
        ("2026-04-02T12:00", (1, "working_days"), "scotland", "2026-04-06T23:00"),
        # The summer holidays, St Patrick, the Boyne, St Andrew, and a day that was proclaimed once.
        ("2026-03-16T12:00", (1, "working_days"), "northern-ireland", "2026-03-19T00:00"),
        ("2026-03-16T12:00", (1, "working_days"), "scotland", "2026-03-18T00:00"),
        ("2026-07-10T12:00", (1, "working_days"), "northern-ireland", "2026-07-14T23:00"),
        ("2026-07-10T12:00", (1, "working_days"), "england", "2026-07-13T23:00"),
        ("2026-07-31T12:00", (1, "working_days"), "scotland", "2026-08-04T23:00"),
        ("2026-11-27T12:00", (1, "working_days"), "scotland", "2026-12-02T00:00"),
        ("2026-11-27T12:00", (1, "working_days"), "england", "2026-12-01T00:00"),
        ("2026-06-12T12:00", (1, "working_days"), "scotland", "2026-06-16T23:00"),
        ("2026-06-12T12:00", (1, "working_days"), "england", "2026-06-15T23:00"),
        # Who names no nation has the default.
        ("2026-11-27T12:00", (1, "working_days"), None, "2026-12-01T00:00"),
        # What does not count working time is the same everywhere.
        ("2025-03-10T12:00", (4, "clock_hours"), "scotland", "2025-03-10T16:00"),
        ("2026-11-27T12:00", (2, "calendar_days"), "scotland", "2026-11-29T12:00"),
        # A month is a calendar month, by the time of day in London.
        ("2025-03-10T12:00", (1, "months"), "scotland", "2025-04-10T11:00"),
        ("2025-01-31T12:00", (1, "months"), "england", "2025-02-28T12:00"),
        ("2024-01-31T12:00", (1, "months"), "england", "2024-02-29T12:00"),
        ("2025-01-31T12:00", (3, "months"), "england", "2025-04-30T11:00"),
        ("2025-11-30T12:00", (1, "months"), "england", "2025-12-30T12:00"),
        ("2025-12-01T12:00", (1, "months"), "england", "2026-01-01T12:00"),
        ("2025-06-30T23:30", (14, "months"), "england", "2026-08-31T23:30"),
        # And the plain ones, round the clock change and the opening hours.
        ("2025-03-10T12:00", (1, "working_days"), "england", "2025-03-12T00:00"),
        ("2025-03-14T23:59", (1, "working_days"), "england", "2025-03-18T00:00"),
        ("2025-03-28T12:00", (1, "working_days"), "england", "2025-03-31T23:00"),
        ("2024-12-24T12:00", (2, "working_days"), "england", "2024-12-31T00:00"),
        ("2025-03-10T08:00", (2, "working_hours"), "england", "2025-03-10T11:00"),
        ("2025-03-14T16:00", (2, "working_hours"), "england", "2025-03-17T10:00"),
        ("2025-03-14T16:00", (1, "working_hours"), "england", "2025-03-14T17:00"),
        ("2025-03-14T17:00", (1, "working_hours"), "england", "2025-03-17T10:00"),
        ("2025-03-14T18:30", (1, "working_hours"), "england", "2025-03-17T10:00"),
        ("2025-03-15T10:00", (8, "working_hours"), "england", "2025-03-17T17:00"),
    ],
)
def test_a_limit_ends_at(start: str, limit: tuple[int, str], nation: str | None, end: str) -> None:
    assert end_of(start, *limit, nation) == end


def test_beyond_the_last_published_year_a_working_day_limit_is_provisional_and_others_are_not() -> None:
    scotland = calendar_of("scotland")
    last = datetime(2028, 12, 28, 12, tzinfo=UTC)
    within, beyond = ends_at(last, 1, "working_days", scotland), ends_at(last, 2, "working_days", scotland)
    assert (within, beyond) == (datetime(2028, 12, 30, tzinfo=UTC), datetime(2029, 1, 4, tzinfo=UTC))
    assert not is_provisional(within, "working_days", scotland)
    assert is_provisional(beyond, "working_days", scotland)
    assert is_provisional(beyond, "working_hours", scotland)
    assert not is_provisional(beyond, "clock_hours", scotland)
    turn = datetime(2029, 1, 1, tzinfo=UTC)
    assert not is_provisional(turn, "working_days", scotland)  # 24:00 of 31 December
    assert is_provisional(turn + timedelta(microseconds=1), "working_days", scotland)


def test_each_nation_that_a_concern_may_name_has_a_calendar_of_its_own() -> None:
    words = next(row for row in read_objects() if (row["kind"], row["id"]) == ("vocabulary", "nations"))
    assert {nation: calendar_of(nation).name for nation in words["terms"]} == {
        "england": "england-and-wales",
        "wales": "england-and-wales",
        "scotland": "scotland",
        "northern-ireland": "northern-ireland",
    }
    assert calendar_of(None) is calendar_named("") is default_calendar() is calendar_of("england")


def test_the_calendars_say_where_they_come_from() -> None:
    whole = json.loads((Path(shared.agreements.__file__).parent / "calendars.json").read_text())
    assert whole["origin"]["document"] == "https://www.gov.uk/bank-holidays.json"
    assert set(whole["origin"]) == {"publisher", "document", "as_of", "licence", "law"}


def test_the_first_moment_of_the_calendar_falls_on_its_first_day_though_london_had_none_yet() -> None:
    assert civil_day(datetime.min.replace(tzinfo=UTC)) == date.min


def test_a_calendar_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'mars': calendars\.json has england-and-wales, scotland, northern-ireland"):
        calendar_named("mars")


def test_a_unit_that_no_agreement_may_use_is_refused() -> None:
    with pytest.raises(ValueError, match="'fortnights': no agreement may use this unit"):
        ends_at(datetime(2025, 3, 10, tzinfo=UTC), 1, "fortnights", default_calendar())


@pytest.mark.parametrize(
    ("year", "sunday"),
    [(1818, "03-22"), (1943, "04-25"), (1954, "04-18"), (2000, "04-23"), (2026, "04-05"), (2049, "04-18")],
)
def test_easter_is_on(year: int, sunday: str) -> None:
    assert f"{easter_of(year):%m-%d}" == sunday


def _easter_by_tables(year: int) -> date:
    """Clavius's golden number, epact and Sunday of the year (Knuth, The Art of Computer Programming, 1.3.2)."""
    golden, century = year % 19 + 1, year // 100 + 1
    solar, lunar = 3 * century // 4 - 12, (8 * century + 5) // 25 - 5
    epact = (11 * golden + 20 + lunar - solar) % 30
    epact += epact == 24 or (epact == 25 and golden > 11)
    full_moon = 44 - epact + (30 if epact > 23 else 0)
    sunday = 5 * year // 4 - solar - 10
    return date(year, 3, 1) + timedelta(days=full_moon + 6 - (sunday + full_moon) % 7)


def test_easter_of_every_year_since_the_reform_is_the_sunday_after_the_full_moon_of_the_tables() -> None:
    years = range(1583, 10_000)
    assert [year for year in years if easter_of(year) != _easter_by_tables(year)] == []


@given(st.integers(1900, 2199))
def test_easter_is_a_sunday_between_22_march_and_25_april(year: int) -> None:
    assert easter_of(year).weekday() == 6
    assert date(year, 3, 22) <= easter_of(year) <= date(year, 4, 25)


@given(st.integers(1900, 2199), NAMED)
def test_by_rule_no_two_holidays_fall_on_one_day_and_none_on_a_weekend(year: int, calendar: Calendar) -> None:
    found = calendar.rule.days(year)
    assert len(found) == {"england-and-wales": 8, "scotland": 9, "northern-ireland": 10}[calendar.name]
    assert all(day.weekday() < 5 for day in found)


@given(MOMENTS, st.integers(1, 30), NAMED)
def test_a_limit_of_working_days_ends_with_a_working_day_and_counts_as_many(
    start: datetime, amount: int, calendar: Calendar
) -> None:
    last = civil_day(ends_at(start, amount, "working_days", calendar) - timedelta(microseconds=1))
    between = [civil_day(start) + timedelta(days=n) for n in range(1, (last - civil_day(start)).days + 1)]
    assert calendar.is_working_day(last)
    assert sum(map(calendar.is_working_day, between)) == amount
