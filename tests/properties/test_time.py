"""P13 and the pure half of P14: a decision changes on boundaries only, half-open, on London's civil days."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import decide, facts_of
from shared.agreements.days import LONDON, civil_day, start_of
from shared.agreements.gates import why_not_in_force
from shared.agreements.model import Agreement
from tests.support.concerns import concerns
from tests.support.graph_words import DAYS
from tests.support.graphs import changes, graphs, snapshot_of
from tests.support.laws import Row, encoded, law, merged

ONE_DAY = timedelta(days=1)
FIRST, LAST = date(2023, 6, 1), date(2027, 6, 1)
DATED = ("from", "to", "effective", "terminated", "not_before")
CLOCK_CHANGES = ("2024-03-31", "2024-10-27", "2025-03-30", "2025-10-26", "2026-03-29")
LEAP = ("2024-02-29", "2028-02-29")


def boundaries(rows: list[Row]) -> list[date]:
    """Every day on which something in the graph begins or ends; a review is overdue from the day after it is due."""
    found = {FIRST, LAST}
    for row in rows:
        found |= set(_dated(row))
    return sorted(found)


def _dated(value: Any) -> Any:
    if isinstance(value, list):
        for item in value:
            yield from _dated(item)
    if isinstance(value, dict):
        for key, item in value.items():
            if key in DATED and isinstance(item, str) and item[:2] == "20":
                yield date.fromisoformat(item)
            elif key == "review_due":
                yield date.fromisoformat(item) + ONE_DAY
            else:
                yield from _dated(item)


def _on(day: date, routing: Row) -> Row:
    return {**routing, "received_at": datetime.combine(day, time(12), UTC).isoformat()}


@law
@given(graphs(), concerns(), st.dates(FIRST, LAST - ONE_DAY), st.booleans())
def test_p13_a_decision_is_constant_between_two_boundaries(
    rows: list[Row], routing: Row, day: date, of_the_incident: bool
) -> None:
    snapshot, days = snapshot_of(rows), boundaries(rows)
    at = bisect_right(days, day)
    first, last = days[at - 1], days[at] - ONE_DAY
    asked = routing if of_the_incident else {**routing, "incident_date": None}
    one, other = (encoded(decide(snapshot, facts_of(_on(end, asked)))) for end in (first, last))
    assert one == other == encoded(decide(snapshot, facts_of(_on(day, asked))))


@law
@given(graphs(), st.dates(FIRST, LAST))
def test_p13_an_agreement_is_in_force_from_its_first_day_until_the_day_of_its_end(rows: list[Row], day: date) -> None:
    snapshot = snapshot_of(rows)
    for agreement in snapshot.graph.agreements.values():
        days = {day, *(end for span in (agreement.span, *agreement.suspended) for end in (span.start, span.end) if end)}
        for around in {end + offset for end in days for offset in (-ONE_DAY, timedelta(), ONE_DAY)}:
            assert (why_not_in_force(agreement, around, snapshot) is None) == _holds(agreement, around)


def _holds(agreement: Agreement, day: date) -> bool:
    """By comparing texts of days: `[from, to)`, before the termination, outside each suspension."""
    text = day.isoformat()
    start, end = agreement.record["in_force"]["from"], agreement.record["in_force"]["to"]
    ended = agreement.record.get("terminated")
    begun = start is None or start <= text
    over = (end is not None and end <= text) or (ended is not None and ended <= text)
    paused = any(
        (row["from"] is None or row["from"] <= text) and (row["to"] is None or text < row["to"])
        for row in agreement.record.get("suspended", ())
    )
    return begun and not over and not paused


@law
@given(graphs(), st.dates(FIRST, LAST))
def test_p13_two_versions_of_a_lineage_are_never_both_in_force(rows: list[Row], day: date) -> None:
    snapshot = snapshot_of(rows)
    for newer in snapshot.graph.agreements.values():
        if newer.supersedes is None or newer.span.start is None:
            continue
        older = snapshot.graph.agreements[newer.supersedes]
        for around in (day, newer.span.start - ONE_DAY, newer.span.start):
            both = [why_not_in_force(agreement, around, snapshot) is None for agreement in (older, newer)]
            assert not all(both)
        if why_not_in_force(older, newer.span.start - ONE_DAY, snapshot) is None:
            assert why_not_in_force(older, newer.span.start, snapshot) in ("SUPERSEDED", "TERMINATED")


@law
@given(graphs(), concerns())
def test_p13_what_tells_a_body_is_valid_until_the_first_day_on_which_a_clause_of_it_no_longer_tells(
    rows: list[Row], routing: Row
) -> None:
    snapshot, facts = snapshot_of(rows), facts_of(routing)
    agreements = snapshot.graph.sharing()
    for outcome in decide(snapshot, facts).told:
        owners = {row.agreement: agreements[row.agreement] for row in outcome.because if not _of_incident(row, rows)}
        until = civil_day(outcome.valid_until) if outcome.valid_until else LAST
        days = [facts.day, *(day for day in boundaries(rows) if facts.day < day < until)]
        assert {why_not_in_force(owner, day, snapshot) for owner in owners.values() for day in days} <= {None}
        if outcome.valid_until:
            assert outcome.valid_until == start_of(until)
            again = decide(snapshot, facts_of({**_on(until, routing), "incident_date": facts.incident_day.isoformat()}))
            assert again.of(outcome.org).because != outcome.because


def _of_incident(because: Any, rows: list[Row]) -> bool:
    return any(
        clause["when"].get("date_basis") == "incident"
        for row in rows
        if row["id"] == because.agreement and row["kind"] in ("agreement", "duty")
        for clause in row["clauses"]
        if clause["id"] == because.clause
    )


@law
@given(graphs(), concerns(), st.sampled_from((*DAYS, *CLOCK_CHANGES, *LEAP)), st.integers(-14, 14), st.floats(0, 1))
def test_p13_every_instant_of_a_london_day_is_that_day_in_whatever_zone_it_is_written(
    rows: list[Row], routing: Row, text: str, offset: int, share: float
) -> None:
    snapshot, day = snapshot_of(rows), date.fromisoformat(text)
    start, end = start_of(day), start_of(day + ONE_DAY)
    hours = (end - start) / timedelta(hours=1)
    expected = {True: {23.0, 25.0}, False: {24.0}}[text in CLOCK_CHANGES or text in ("2024-10-27", "2025-10-26")]
    assert hours in expected
    inside = start + (end - start - timedelta(seconds=1)) * share
    written = inside.astimezone(timezone(timedelta(hours=offset))).isoformat()
    assert civil_day(inside) == day
    noon = encoded(decide(snapshot, facts_of(_on(day, routing))))
    assert encoded(decide(snapshot, facts_of({**routing, "received_at": written}))) == noon
    assert civil_day(start - timedelta(microseconds=1)) == day - ONE_DAY
    assert start.astimezone(LONDON).time() == time()


@law
@given(graphs(), changes(), concerns())
def test_p14_a_correction_never_changes_what_was_decided_on_what_was_known_before(
    rows: list[Row], correction: list[Row], routing: Row
) -> None:
    """The registry's storage keeps what was known; here: a snapshot is not touched by a later one or its questions."""
    then, facts = snapshot_of(rows), facts_of(routing)
    decided, asked_before = encoded(decide(then, facts)), encoded(decide(snapshot_of(rows), facts))
    decide(snapshot_of(merged(rows, *correction), 2), facts)
    assert encoded(decide(then, facts)) == decided == asked_before
