"""Limits by the clock of England and Wales: working days, bank holidays, summer time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.limits import Limit, bank_holidays, ends_at, is_working_day
from shared.agreements.days import civil_day

UNITS = ("clock_hours", "working_hours", "calendar_days", "working_days", "months")
MOMENTS = st.integers(946_684_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("start", "limit", "end"),
    [
        ("2025-03-10T12:00", Limit(4, "clock_hours"), "2025-03-10T16:00"),
        ("2025-03-10T12:00", Limit(1, "working_days"), "2025-03-12T00:00"),
        ("2025-03-14T23:59", Limit(1, "working_days"), "2025-03-18T00:00"),
        ("2025-03-28T12:00", Limit(1, "working_days"), "2025-03-31T23:00"),  # summer time has begun
        ("2025-04-17T12:00", Limit(1, "working_days"), "2025-04-22T23:00"),  # Easter lies between
        ("2024-12-24T12:00", Limit(2, "working_days"), "2024-12-31T00:00"),
        ("2025-03-10T08:00", Limit(2, "working_hours"), "2025-03-10T11:00"),
        ("2025-03-14T16:00", Limit(2, "working_hours"), "2025-03-17T10:00"),
        ("2025-03-15T10:00", Limit(8, "working_hours"), "2025-03-17T17:00"),
        ("2025-03-10T12:00", Limit(2, "calendar_days"), "2025-03-12T12:00"),
        ("2025-03-10T12:00", Limit(1, "months"), "2025-04-09T12:00"),
    ],
)
def test_a_limit_ends_at(start: str, limit: Limit, end: str) -> None:
    assert ends_at(datetime.fromisoformat(start + "Z"), limit) == datetime.fromisoformat(end + "Z")


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28"),
        (2022, "01-03 04-15 04-18 05-02 05-30 08-29 12-26 12-27"),
        (2023, "01-02 04-07 04-10 05-01 05-29 08-28 12-25 12-26"),
        (2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
    ],
)
def test_the_bank_holidays_of_a_year_are_these(year: int, days: str) -> None:
    assert {f"{day:%m-%d}" for day in bank_holidays(year)} == set(days.split())


@given(st.integers(1900, 2199))
def test_each_year_has_eight_and_none_on_a_weekend(year: int) -> None:
    assert len(bank_holidays(year)) == 8
    assert all(day.weekday() < 5 for day in bank_holidays(year))


@given(MOMENTS, st.integers(1, 30), st.sampled_from(UNITS))
def test_more_time_never_ends_earlier_and_none_ends_before_it_begins(start: datetime, amount: int, unit: str) -> None:
    end = ends_at(start, Limit(amount, unit))
    assert start < end <= ends_at(start, Limit(amount + 1, unit))


@given(MOMENTS, st.integers(1, 30))
def test_the_day_before_a_working_day_limit_ends_is_a_working_day(start: datetime, amount: int) -> None:
    end = ends_at(start, Limit(amount, "working_days"))
    last = civil_day(end - timedelta(microseconds=1))
    assert is_working_day(last)
    days = [civil_day(start) + timedelta(days=n) for n in range(1, (last - civil_day(start)).days + 1)]
    assert sum(map(is_working_day, days)) == amount


def test_a_limit_is_read_as_it_is_written_and_an_unknown_unit_is_refused() -> None:
    assert Limit.parse(str(Limit(3, "working_days"))) == Limit(3, "working_days")
    assert Limit.parse("") is None
    assert not is_working_day(date(2025, 3, 15))
    with pytest.raises(ValueError, match="fortnights"):
        ends_at(datetime(2025, 3, 10, tzinfo=UTC), Limit(1, "fortnights"))
