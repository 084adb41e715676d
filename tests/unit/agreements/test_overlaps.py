"""What may not overlap is found before the database refuses it, with its place and its remedy."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agreements.load.form import Book
from shared.agreements.load.overlaps import Lineages
from tests.rules.small import Row, during, org, pact, party, problems, remit
from tests.unit.agreements.strategies import quick

FIRST = date(2024, 2, 28)
days = st.one_of(st.none(), st.integers(0, 12).map(lambda n: str(FIRST + timedelta(n))))


def twice(start: str | None, end: str | None, again: str | None, over: str | None) -> list[str]:
    """alpha is a party to one agreement in two intervals."""
    parties = [party("alpha", start=start, end=end), party("alpha", start=again, end=over), party("beta")]
    return problems(pact(parties=parties))


@given(days, days, days, days)
@quick
def test_a_body_is_a_party_once_at_a_time(
    start: str | None, end: str | None, again: str | None, over: str | None
) -> None:
    held = [
        {str(FIRST + timedelta(n)) for n in range(-1, 14) if _covers(n, *span)}
        for span in ((start, end), (again, over))
    ]
    found = twice(start, end, again, over)
    if held[0] and held[1] and (start, end) != (again, over):
        assert any("party alpha: is a party twice at once" in line for line in found) == bool(held[0] & held[1])


def _covers(number: int, start: str | None, end: str | None) -> bool:
    day = str(FIRST + timedelta(number))
    return (start or "") <= day < (end or "9")


def test_a_party_that_leaves_on_the_day_it_comes_back_overlaps_nothing() -> None:
    assert twice(None, "2024-03-01", "2024-03-01", None) == []


def test_a_party_that_leaves_before_it_joins_is_told_so() -> None:
    (found,) = problems(pact(parties=[party("alpha", start="2024-03-02", end="2024-03-01"), party("beta")]))
    assert "party alpha" in found or "parties alpha" in found
    assert "`to` must be a later day than `from`" in found


VERSIONS: dict[str, tuple[Row, Row, bool]] = {
    "one after the other": ({"in_force": during(None, "2024-03-01")}, {"in_force": during("2024-03-01")}, False),
    "a day together": ({"in_force": during(None, "2024-03-02")}, {"in_force": during("2024-03-01")}, True),
    "both without bounds": ({}, {}, True),
    "the first is terminated": ({"terminated": "2024-02-29"}, {"in_force": during("2024-02-29")}, False),
    "the first is terminated too late": ({"terminated": "2024-03-01"}, {"in_force": during("2024-02-29")}, True),
    "the second is ended on its first day": (
        {},
        {"in_force": during("2024-02-29"), "terminated": str(date(2024, 2, 29))},
        False,
    ),
    "one inside the other": (
        {"in_force": during("2023-01-01")},
        {"in_force": during("2024-01-01", "2024-02-01")},
        True,
    ),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_one_version_of_a_lineage_holds_at_a_time(case: str) -> None:
    first, second, refused = VERSIONS[case]
    found = problems(pact(**first), pact(id="pact-2", **second))
    assert bool(found) == refused
    assert all("of lineage pact: one version holds at a time, so end" in line for line in found)


def test_a_version_that_ends_before_it_begins_overlaps_nothing() -> None:
    lineages, book = Lineages(), Book({})
    for row in (pact(), pact(id="b", in_force=during("2024-03-01"), terminated="2024-02-01")):
        lineages.add(row)
    lineages.check(book)
    assert book.problems == []


def test_versions_that_supersede_without_days_overlap() -> None:
    assert any("one version holds at a time" in line for line in problems(pact(), pact(id="b", supersedes="pact")))


def test_each_of_three_versions_is_held_against_the_one_that_reaches_furthest() -> None:
    short = [pact(id=name, in_force=during(*span)) for name, span in SHORT.items()]
    assert [line.split(":")[0] for line in problems(pact(), *short)] == ["agreement pact-2", "agreement pact-3"]


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([(None, "2024-02-01"), ("2024-02-01", "2024-09-01"), ("2024-03-01", "2024-04-01")], ["b of c"]),
        ([(None, "2024-09-01"), ("2024-02-01", "2024-09-01"), ("2024-03-01", "2024-04-01")], ["a of b", "a of c"]),
    ],
)
def test_a_version_is_held_against_the_one_before_that_reaches_furthest(
    spans: list[tuple[str | None, str]], said: list[str]
) -> None:
    versions = [pact(id=name, in_force=during(*span)) for name, span in zip("abc", spans, strict=True)]
    found = problems(pact(lineage="another"), *versions)
    assert [f"{line.split(' overlaps ')[1][0]} of {line.removeprefix('agreement ')[0]}" for line in found] == said


SHORT = {"pact-2": ("2024-01-01", "2024-02-01"), "pact-3": ("2024-03-01", "2024-04-01")}


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (remit("harm", **during(None, "2024-03-01")), remit("harm", **during("2024-03-01")), False),
        (remit("harm"), remit("harm", **during("2024-03-01")), True),
        (remit("harm"), remit("theft"), False),
        (remit("harm"), remit("harm", nations=["wales"]), False),
        (remit("harm", "theft"), {**remit("theft", "harm"), "note": "said again"}, True),
    ],
)
def test_the_same_remit_holds_once_at_a_time(first: Row, second: Row, *, refused: bool) -> None:
    found = problems(org("alpha", first, second))
    assert any("organisation alpha remits: the same remit holds twice" in line for line in found) == refused


def test_a_remit_that_holds_twice_is_found_among_others() -> None:
    found = problems(org("alpha", remit("theft"), remit("harm"), remit("harm", **during("2024-03-01"))))
    assert any("organisation alpha remits: the same remit holds twice" in line for line in found)


def test_suspensions_that_overlap_are_made_one() -> None:
    spans: list[Any] = [during("2024-01-01", "2024-02-01"), during("2024-01-31", None)]
    assert problems(pact(suspended=spans)) == [
        "agreement pact.suspended: [2024-01-01, 2024-02-01) and [2024-01-31, …) overlap: make them one"
    ]
