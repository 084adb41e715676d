"""Limits as the ledger keeps them: what they read like, whose days they count, and when they end."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.limits import Limit, ends_at, is_provisional

UNITS = ("clock_hours", "working_hours", "calendar_days", "working_days", "months")
NATIONS = ("england", "wales", "scotland", "northern-ireland", None)
MOMENTS = st.integers(946_684_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.integers(1, 99), st.sampled_from(UNITS), st.sampled_from(NATIONS))
def test_a_limit_is_read_as_it_is_written(amount: int, unit: str, nation: str | None) -> None:
    limit = Limit(amount, unit).within(nation)
    assert Limit.parse(str(limit)) == limit


def test_what_was_kept_before_nations_had_calendars_reads_as_the_default_one() -> None:
    assert Limit.parse("3 working_days") == Limit(3, "working_days")
    assert Limit.parse("") is None


@given(st.integers(1, 99), st.sampled_from(UNITS), st.sampled_from(NATIONS))
def test_only_working_days_and_hours_differ_between_nations(amount: int, unit: str, nation: str | None) -> None:
    limit = Limit(amount, unit).within(nation)
    own = nation in ("scotland", "northern-ireland") and unit.startswith("working")
    assert limit.calendar == (nation if own else "")


@given(MOMENTS, st.integers(1, 30), st.sampled_from(UNITS), st.sampled_from(NATIONS))
def test_more_time_never_ends_earlier_and_none_ends_before_it_begins(
    start: datetime, amount: int, unit: str, nation: str | None
) -> None:
    end = ends_at(start, Limit(amount, unit).within(nation))
    assert start < end <= ends_at(start, Limit(amount + 1, unit).within(nation))


def test_an_unknown_unit_and_an_unknown_calendar_are_refused() -> None:
    with pytest.raises(ValueError, match="fortnights"):
        ends_at(datetime(2025, 3, 10, tzinfo=UTC), Limit(1, "fortnights"))
    with pytest.raises(ValueError, match=r"'atlantis': .* england-and-wales, scotland, northern-ireland"):
        ends_at(datetime(2025, 3, 10, tzinfo=UTC), Limit(1, "working_days", "atlantis"))


def test_an_end_in_a_year_that_is_not_published_is_provisional() -> None:
    limit = Limit(1, "working_days", "scotland")
    assert is_provisional(ends_at(datetime(2029, 3, 1, 12, tzinfo=UTC), limit), limit)
    assert not is_provisional(ends_at(datetime(2028, 3, 1, 12, tzinfo=UTC), limit), limit)
