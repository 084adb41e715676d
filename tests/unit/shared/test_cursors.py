"""A cursor names a place, and no text but our own names one."""

import base64
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.cursors import CURSOR_LENGTH_MAX, cursor_of, place_of
from shared.http.problems import Problem
from tests.support.clock import NOON

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - strategies
IDS = st.from_regex(r"[a-z]{3}_[0-9a-f]{32}|[A-Za-z0-9_-]{1,128}", fullmatch=True)


@given(MOMENTS, IDS)
def test_a_cursor_leads_back_to_its_place(at: datetime, row_id: str) -> None:
    cursor = cursor_of(at, row_id)
    assert place_of(cursor) == (at, row_id)
    assert len(cursor) <= CURSOR_LENGTH_MAX
    assert cursor.isascii()


def test_no_cursor_is_the_first_page() -> None:
    assert place_of("") is None


def encoded(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text.encode() if isinstance(text, str) else text).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "====",
        "!",
        "\x00",
        "\ud800",
        "é",
        cursor_of(NOON, "con_1") + "=",
        cursor_of(NOON, "con_1") + "\n",
        encoded("2025-01-01"),
        encoded("2025-01-01T00:00:00 con_1"),
        encoded("2025-01-01T00:00:00Z con_1"),
        encoded("2025-01-01T00:00:00+00:00 con_\x00"),
        encoded("2025-01-01T00:00:00+00:00 con_1 con_2"),
        encoded("2025-01-01T00:00:00+00:00 "),
        encoded("0001-01-01T00:00:00+14:00 con_1"),
        encoded(f"{NOON.astimezone(timezone(timedelta(hours=1))).isoformat()} con_1"),
        encoded(b"\xff con_1"),
    ],
)
def test_a_text_that_is_no_cursor_of_ours_is_a_bad_field(after: str) -> None:
    with pytest.raises(Problem) as refused:
        place_of(after)
    assert (refused.value.status, [error.pointer for error in refused.value.errors]) == (422, ["/after"])


@given(st.text(max_size=40))
def test_whatever_is_sent_is_a_place_or_a_bad_field(after: str) -> None:
    with suppress(Problem):
        place = place_of(after)
        assert place is None or cursor_of(*place) == after
