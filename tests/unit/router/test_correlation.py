"""What adds up about one subject: the laws of counting, of suggesting, and of what a viewer can learn from either."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.correlation import (
    Cluster,
    Rule,
    Sighting,
    Suggested,
    busiest,
    may_link,
    may_suggest,
    sightings_in,
    suggestion,
)
from shared.agreements import Limit
from tests.support.clock import NOON

RULE = Rule(timedelta(days=60), 3)
TOKEN = ("key", "token")
HOURS = st.integers(0, 24 * 130)


def sighting(number: int, *, hours: int = 0, originator: str = "alpha", source: str = "staff") -> Sighting:
    received = NOON + timedelta(hours=hours)
    return Sighting(TOKEN, f"con_{number}", 1, 0, "registrant", received, originator, source, ("harm",))


@st.composite
def some_sightings(draw: st.DrawFn) -> list[Sighting]:
    rows = draw(st.lists(st.tuples(HOURS, st.sampled_from("abc"), st.sampled_from("xy")), min_size=1, max_size=12))
    return [sighting(n, hours=h, originator=o, source=s) for n, (h, o, s) in enumerate(rows)]


def by_trying_every_window(seen: Iterable[Sighting], about: Sighting, rule: Rule) -> tuple[int, int]:
    """The law, written plainly: sources and concerns of the best window that holds the concern."""
    rows = list(seen)
    best = (0, 0)
    for end in rows:
        inside = [one for one in rows if end.received_at - rule.window < one.received_at <= end.received_at]
        if about in inside:
            best = max(best, (len({one.source for one in inside}), len(inside)))
    return best


@given(some_sightings(), st.data())
def test_the_busiest_window_is_the_best_of_all_windows_that_hold_the_concern(
    seen: list[Sighting], data: st.DataObject
) -> None:
    about = data.draw(st.sampled_from(seen))
    found = busiest(seen, about.concern_id, RULE)
    assert (len(found.sources), len(found.concerns)) == by_trying_every_window(seen, about, RULE)
    assert about in found.sightings


@given(some_sightings(), st.data())
def test_the_order_in_which_concerns_came_in_changes_no_count(seen: list[Sighting], data: st.DataObject) -> None:
    again = data.draw(st.permutations(seen))
    assert busiest(seen, "con_0", RULE) == busiest(again, "con_0", RULE)


@given(some_sightings(), some_sightings())
def test_more_concerns_never_make_a_window_smaller(seen: list[Sighting], more: list[Sighting]) -> None:
    others = [sighting(n + 100, hours=_hours(one), originator=one.originator) for n, one in enumerate(more)]
    before, after = busiest(seen, "con_0", RULE), busiest([*seen, *others], "con_0", RULE)
    assert len(after.sources) >= len(before.sources)


def _hours(one: Sighting) -> int:
    return int((one.received_at - NOON).total_seconds()) // 3600


@pytest.mark.parametrize(("apart", "count"), [(60 * 24 - 1, 2), (60 * 24, 1), (60 * 24 + 1, 1)])
def test_a_window_is_half_open_two_concerns_exactly_a_window_apart_share_none(apart: int, count: int) -> None:
    seen = [sighting(1), sighting(2, hours=apart, originator="beta")]
    assert [len(busiest(seen, name, RULE).concerns) for name in ("con_1", "con_2")] == [count, count]


def test_a_concern_seen_by_two_tokens_of_its_subject_counts_once() -> None:
    first = sighting(1)
    other = Sighting(("key", "other"), "con_1", 1, 0, "registrant", NOON, "alpha", "staff", ("harm",))
    assert busiest([first, other], "con_1", RULE).concerns == ("con_1",)


def test_nothing_is_seen_of_a_concern_that_is_not_there() -> None:
    assert busiest([sighting(1)], "con_2", RULE) == Cluster()


def test_three_concerns_of_one_source_are_not_three_independent_sources() -> None:
    same = [sighting(n, hours=n) for n in range(3)]
    diverse = [sighting(n, hours=n, originator=name) for n, name in enumerate("abc")]
    assert suggestion(same[2], same, [], RULE) is None
    made = suggestion(diverse[2], diverse, [], RULE)
    assert made is not None
    assert (made[0], made[1].concerns) == ("SUBJECT_RECURS", ("con_0", "con_1", "con_2"))


def test_one_originator_is_two_sources_where_it_heard_from_two() -> None:
    seen = [sighting(1, source="staff"), sighting(2, source="inspection"), sighting(3, originator="beta")]
    assert suggestion(seen[0], seen, [], RULE) is not None


def test_nothing_is_suggested_about_a_subject_that_a_person_has_already() -> None:
    seen = [sighting(n, originator=name) for n, name in enumerate("abc")]
    closed = Suggested("wrk_1", NOON, NOON)
    assert suggestion(seen[2], seen, [closed, Suggested("wrk_2", NOON)], RULE) is None


ENDS = st.lists(st.none() | HOURS, max_size=2)


@given(some_sightings(), ENDS, st.data())
def test_a_subject_is_read_wherever_it_could_suggest_something(
    seen: list[Sighting], ends: list[int | None], data: st.DataObject
) -> None:
    fresh = data.draw(st.sampled_from(seen))
    had = [Suggested(str(n), NOON, None if end is None else NOON + timedelta(hours=end)) for n, end in enumerate(ends)]
    worth = may_suggest(had, {one.source for one in seen}, RULE)
    assert worth or suggestion(fresh, seen, had, RULE) is None


def test_a_subject_that_too_few_speak_of_or_that_a_person_has_is_not_read() -> None:
    many = {("alpha", "staff"), ("beta", "staff"), ("gamma", "staff")}
    assert [may_suggest([], many, RULE), may_suggest([], {("alpha", "staff")}, RULE)] == [True, False]
    assert not may_suggest([Suggested("wrk_1", NOON)], many, RULE)
    assert may_suggest([Suggested("wrk_1", NOON, NOON)], set(), RULE)


@pytest.mark.parametrize(("hours", "code"), [(60 * 24 - 1, "REPEAT_AFTER_CLOSURE"), (60 * 24, None)])
def test_a_repeat_within_a_window_of_the_closure_suggests_reopening_alone(hours: int, code: str | None) -> None:
    seen = sighting(9, hours=hours)
    made = suggestion(seen, [seen], [Suggested("wrk_1", NOON, NOON)], RULE)
    assert (made and made[0]) == code


def test_the_amendment_of_an_old_concern_is_no_repeat() -> None:
    amended = Sighting(TOKEN, "con_1", 2, 0, "registrant", NOON, "alpha", "staff", ())
    assert suggestion(amended, [amended], [Suggested("wrk_1", NOON, NOON)], RULE) is None


def test_the_rule_is_the_policys() -> None:
    assert Rule.of(Limit("correlation", 60, "calendar_days", "policy"), 3) == RULE
    assert Rule.of(Limit("correlation", 36, "clock_hours", "policy"), 2) == Rule(timedelta(hours=36), 2)


def test_every_token_of_every_subject_is_seen_once() -> None:
    one = {"kid": "key", "token": "a", "scheme": "gmc", "valid": True}
    subjects = [{"kind": "registrant", "tokens": [one, {**one, "token": "b"}, one]}, {"kind": "provider"}]
    routing = {"originator": "alpha", "categories": ["theft", "harm"], "subjects": subjects}
    found = sightings_in("con_1", 2, NOON, routing)
    assert [(row.token, row.subject, row.kind) for row in found] == [
        (("key", "a"), 0, "registrant"),
        (("key", "b"), 0, "registrant"),
    ]
    assert (found[0].categories, found[0].source_type, found[0].version) == (("harm", "theft"), "not-stated", 2)


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_a_subject_that_cannot_be_read_shows_nothing_and_stops_nothing(subjects: Any) -> None:
    assert sightings_in("con_1", 1, NOON, {"subjects": subjects}) == []


FULL = {"header": "full", "registrant": "full", "provider": "pseudonymise"}


@pytest.mark.parametrize(
    ("kind", "told", "may"),
    [
        ("registrant", {"pointer_only": False, "fields": FULL}, True),
        ("provider", {"pointer_only": False, "fields": FULL}, True),
        ("service-user", {"pointer_only": False, "fields": FULL}, False),
        ("unregistered-person", {"pointer_only": False, "fields": FULL}, False),
        ("unregistered-person", {"fields": {**FULL, "third-party": "full"}}, True),
        ("registrant", {"pointer_only": True, "fields": FULL}, False),
        ("registrant", {"fields": {**FULL, "registrant": "generalise"}}, False),
        ("registrant", {"fields": {**FULL, "header": "generalise"}}, False),
        ("registrant", None, False),
    ],
)
def test_only_who_could_recognise_the_subject_may_link_it(kind: str, told: dict[str, Any] | None, may: bool) -> None:
    assert may_link(kind, told) is may
