"""Days and moments of a question: what is none is told what to send."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.entrypoints.moments import NoMoment, day_of, known_moment, moments
from shared.agreements.days import LONDON
from shared.contracts.envelope import rfc3339
from shared.http.problems import Problem

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK_CHANGES = [datetime(2022, 3, 27, 1, tzinfo=UTC), datetime(2022, 10, 30, 1, tzinfo=UTC)]

NO_DAY = {
    "2022-02-29": "that month has 28 days",
    "2024-02-30": "that month has 29 days",
    "2022-13-01": "no such month",
    "0000-01-01": "no such month",
    "2022-1-1": "send a civil day",
    "2022-05-03T10:00:00Z": "belongs into `known_at`",
    "today": "send a civil day",
}
NO_INSTANT = {
    "2022-02-29T10:00:00Z": "that month has 28 days",
    "2022-05-03": "send an instant",
    "2022-05-03T10:00:00 01:00": "%2B",
    "2022-05-03T25:00:00Z": "no such time of day",
    "2022-05-03T10:00:60Z": "no such time of day",
    "2022-05-03T10:00:00+99:00": "no such time of day",
    "0001-01-01T00:00:00+14:00": "no such time of day",
    "2022-03-27T01:30:00": "does not exist in Europe/London",
    "2022-10-30T01:30:00": "send 2022-10-30T00:30:00Z or 2022-10-30T01:30:00Z",
    "2022-05-03T12:00": "send 2022-05-03T11:00:00Z",
    "2026-11-22T12:00:01Z": "is in the future",
}


@pytest.mark.parametrize("text", NO_DAY)
def test_a_day_that_is_none_is_told_what_to_send(text: str) -> None:
    with pytest.raises(NoMoment, match=NO_DAY[text]):
        day_of(text)


@pytest.mark.parametrize("text", NO_INSTANT)
def test_an_instant_that_is_none_is_told_what_to_send(text: str) -> None:
    with pytest.raises(NoMoment) as told:
        known_moment(text, NOW)
    assert NO_INSTANT[text] in str(told.value)


@given(st.dates())
def test_every_day_of_the_calendar_is_read(day: date) -> None:
    assert day_of(day.isoformat()) == day


@given(st.text(alphabet="0123456789-:TZ+. x", max_size=30))
def test_any_text_is_read_or_told_what_to_send(text: str) -> None:
    with suppress(NoMoment):
        assert day_of(text).isoformat() == text
    with suppress(NoMoment):
        assert known_moment(text, NOW) <= NOW


@given(st.sampled_from(CLOCK_CHANGES), st.integers(-7200, 7200))
def test_around_clock_changes_an_instant_is_read_with_its_offset_in_any_way(turn: datetime, seconds: int) -> None:
    moment = turn + timedelta(seconds=seconds)
    assert known_moment(rfc3339(moment), NOW) == moment
    assert known_moment(moment.astimezone(LONDON).isoformat(), NOW) == moment


@given(st.sampled_from(CLOCK_CHANGES), st.integers(-120, 120))
def test_around_clock_changes_the_default_day_is_the_day_in_london(turn: datetime, minutes: int) -> None:
    moment = turn + timedelta(minutes=minutes)
    asked = moments("", rfc3339(moment), NOW)
    assert asked.day_or_default == moment.astimezone(LONDON).date()


def test_every_fault_is_told_at_once_with_its_place() -> None:
    with pytest.raises(Problem) as told:
        moments("2022-02-30", "2022-05-03", NOW)
    assert (told.value.status, [error.pointer for error in told.value.errors]) == (422, ["/as_of", "/known_at"])
