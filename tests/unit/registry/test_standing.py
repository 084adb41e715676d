"""The standing of an agreement: one truth with the gates, constant between its own dates, half-open at them."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.standing import standing
from shared.agreements.model import Agreement
from tests.rules.small import during, pact, world

FIRST = date(2024, 2, 26)
days = st.one_of(st.none(), st.integers(0, 9).map(lambda n: str(FIRST + timedelta(n))))


def agreement(**changes: Any) -> Agreement:
    return world(pact(**changes)).graph.agreements["pact"]


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """In force over leap day, perhaps suspended or terminated in between."""
    start, end = draw(spans())
    more: dict[str, Any] = {"terminated": draw(days)} if draw(st.booleans()) else {}
    more |= {"suspended": [during(*draw(spans()))]} if draw(st.booleans()) else {}
    return agreement(in_force=during(start, end), **{key: value for key, value in more.items() if value})


@st.composite
def spans(draw: st.DrawFn) -> tuple[str | None, str | None]:
    start, end = draw(days), draw(days)
    return (start, end) if start is None or end is None or start < end else (start, None)


@given(agreements(), st.integers(-1, 11))
def test_a_standing_holds_from_since_to_until_and_neither_before_nor_after(own: Agreement, number: int) -> None:
    day = FIRST + timedelta(number)
    found = standing(own, day, None)
    span = [FIRST + timedelta(n) for n in range(-3, 14)]
    within = [each for each in span if (found.since or date.min) <= each < (found.until or date.max)]
    assert day in within
    assert {standing(own, each, None).status for each in within} == {found.status}
    for outside in (found.since and found.since - timedelta(1), found.until):
        assert outside is None or standing(own, outside, None).status != found.status


CASES: list[tuple[dict[str, Any], str, str, str | None, str | None]] = [
    ({"in_force": during("2024-02-29")}, "2024-02-28", "scheduled", None, "2024-02-29"),
    ({"in_force": during("2024-02-29")}, "2024-02-29", "active", "2024-02-29", None),
    ({"in_force": during(None, "2024-02-29")}, "2024-02-29", "expired", "2024-02-29", None),
    ({"terminated": "2024-02-29"}, "2024-02-29", "terminated", "2024-02-29", None),
    ({"suspended": [during("2024-02-01", "2024-03-01")]}, "2024-02-29", "suspended", "2024-02-01", "2024-03-01"),
    ({"suspended": [during("2024-02-01", "2024-03-01")]}, "2024-03-01", "active", "2024-03-01", None),
]


@pytest.mark.parametrize(("changes", "day", "status", "since", "until"), CASES)
def test_each_status_by_its_dates(
    changes: dict[str, Any], day: str, status: str, since: str | None, until: str | None
) -> None:
    found = standing(agreement(**changes), date.fromisoformat(day), None)
    bounds = [bound and bound.isoformat() for bound in (found.since, found.until)]
    assert [found.status, *bounds] == [status, since, until]


def test_a_version_is_superseded_on_the_day_the_later_one_begins() -> None:
    older = agreement(in_force=during(None, "2024-03-01"))
    later = agreement(in_force=during("2024-03-01"), id="pact")
    assert standing(older, date(2024, 2, 29), later).status == "active"
    assert standing(older, date(2024, 3, 1), later).status == "superseded"


def test_flags_change_no_force_and_say_nothing_of_what_has_ended() -> None:
    own = agreement(review_due="2024-02-01", in_force=during(None, "2024-03-01"))
    novations = ["inherited", "inherited_pending_review"]
    assert standing(own, date(2024, 2, 1), None, novations).flags == ("INHERITED_PENDING_REVIEW",)
    found = standing(own, date(2024, 2, 2), None, novations)
    assert (found.status, found.flags) == ("active", ("INHERITED_PENDING_REVIEW", "REVIEW_OVERDUE"))
    assert standing(own, date(2024, 3, 1), None, novations).flags == ()
