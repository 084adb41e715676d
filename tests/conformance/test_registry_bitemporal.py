"""P13 and P14 of the registry: what was known stays known, and a day begins and ends at midnight in London.

Generated histories of backdated corrections, in memory and, in smaller number, in Postgres.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.domain.model import Change, Committed
from services.registry.domain.timeline import Search
from services.registry.ports import Begin
from services.registry.usecases import as_object, import_seed
from services.registry.usecases.history_views import standings_on
from shared.agreements import Snapshot, decide, facts_of, load
from shared.agreements.days import civil_day, start_of
from tests.rules.small import POLICY, WORDS, Row, clause, during, org, pact, remit
from tests.support.clock import FrozenClock
from tests.support.committing import commit_change
from tests.support.registry_fakes import InMemoryHistory
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres
from tests.unit.agreements.strategies import pacts, routings, successions

FIRST_COMMIT = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(days=1)
VOCABULARY = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
BODIES = [org(name, remit()) for name in ("alpha", "beta", "gamma", "delta")]
Opened = Callable[[], AbstractAsyncContextManager[Begin]]

corrections = st.one_of(
    pacts("pact"),
    pacts("pact-b"),
    successions("gamma", "delta"),
    st.sampled_from(BODIES).flatmap(
        lambda body: st.sampled_from(["2024-06-01", "2025-03-03", None]).map(
            lambda end: {**body, "exists": {"from": None, "to": end}}
        )
    ),
)
histories = st.lists(
    st.lists(corrections, min_size=1, max_size=2, unique_by=lambda row: row["id"]), min_size=2, max_size=5
)
in_memory = settings(max_examples=25, deadline=None)
in_postgres = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


@asynccontextmanager
async def memory() -> Any:
    yield InMemoryHistory().begin


def opened_in(postgres: TestPostgres) -> Opened:
    """A history in a database of its own for each example."""

    @asynccontextmanager
    async def opened() -> Any:
        async with history_in(await postgres.fresh_database("registry")) as history:
            yield history.begin

    return opened


async def known(begin: Begin, moment: datetime) -> Snapshot:
    """The graph as known at the moment."""
    async with begin() as history:
        commit = await history.known_at(moment)
        assert commit is not None
        rows = [item.row() for item in await history.graph(commit.version)]
    return Snapshot(load(rows), commit.version, commit.root)


async def decided(begin: Begin, asked: Sequence[Row], moment: datetime) -> list[str]:
    """Each decision, whole, by the graph as known at the moment."""
    snapshot = await known(begin, moment)
    return [json.dumps(decide(snapshot, facts_of(each)).to_json(), sort_keys=True, default=str) for each in asked]


async def nothing_known_ever_changes(opened: Opened, changes: Sequence[Sequence[Row]], asked: Sequence[Row]) -> None:
    clock = FrozenClock(FIRST_COMMIT)
    first = [*VOCABULARY, POLICY, *BODIES, pact()]
    async with opened() as begin:
        await import_seed(lambda: first, begin=begin, clock=clock)
        answers = {clock.moment: await decided(begin, asked, clock.moment)}
        version = 1
        for rows in changes:
            clock.move(STEP)
            change = Change(version, "clerk", "a correction", tuple(map(as_object, rows)))
            outcome = await commit_change(change, begin=begin, clock=clock)
            version += isinstance(outcome, Committed)
            answers[clock.moment] = await decided(begin, asked, clock.moment)
            answers[clock.moment - timedelta(microseconds=1)] = await decided(begin, asked, clock.moment - STEP)
        for moment, then in answers.items():
            assert await decided(begin, asked, moment) == then


@given(histories, st.lists(routings(), min_size=1, max_size=4))
@in_memory
async def test_p14_a_backdated_correction_never_changes_what_was_known_then(
    changes: list[list[Row]], asked: list[Row]
) -> None:
    await nothing_known_ever_changes(memory, changes, asked)


@pytest.mark.stack
@given(changes=histories, asked=st.lists(routings(), min_size=1, max_size=3))
@in_postgres
async def test_p14_holds_in_postgres(postgres_engine: TestPostgres, changes: list[list[Row]], asked: list[Row]) -> None:
    await nothing_known_ever_changes(opened_in(postgres_engine), changes, asked)


async def test_p14_a_backdated_correction_changes_what_is_known_now() -> None:
    clock, begin = FrozenClock(FIRST_COMMIT), InMemoryHistory().begin
    asked = [{"originator": "alpha", "received_at": "2023-06-01T10:00:00Z", "categories": ["harm"], "subjects": []}]
    await import_seed(lambda: [*VOCABULARY, POLICY, *BODIES, pact()], begin=begin, clock=clock)
    before = await decided(begin, asked, clock.moment)
    clock.move(STEP)
    backdated = as_object(pact(terminated="2023-05-31"))
    await commit_change(Change(1, "clerk", "learnt late", (backdated,)), begin=begin, clock=clock)
    assert await decided(begin, asked, clock.moment) != before
    assert await decided(begin, asked, FIRST_COMMIT) == before


TURNS = [
    date(2024, 3, 31),
    date(2024, 10, 27),
    date(2025, 3, 30),
    date(2025, 10, 26),
    date(2024, 2, 29),
    date(2024, 3, 1),
]
"""Days on which clocks change in London, a leap day and the day after it."""
bounds = st.tuples(st.sampled_from(TURNS), st.integers(-1, 1)).map(lambda pair: pair[0] + timedelta(pair[1]))
instants = st.tuples(st.sampled_from(TURNS), st.integers(-3 * 3600, 28 * 3600)).map(
    lambda pair: datetime.combine(pair[0], datetime.min.time(), UTC) + timedelta(seconds=pair[1])
)


async def one_truth_of_a_day(opened: Opened, start: date, length: int, moments: Sequence[datetime]) -> None:
    """Told, active and found in a search are the same, from midnight to midnight in London, half-open."""
    end = start + timedelta(days=length)
    rows = [*VOCABULARY, POLICY, *BODIES, pact(clause(), in_force=during(str(start), str(end)))]
    edges = [edge + timedelta(microseconds=micro) for edge in (start_of(start), start_of(end)) for micro in (-1, 0)]
    async with opened() as begin:
        await import_seed(lambda: rows, begin=begin, clock=FrozenClock(FIRST_COMMIT))
        snapshot = await known(begin, FIRST_COMMIT)
        for moment in [*moments, *edges]:
            day = civil_day(moment)
            expected = start_of(start) <= moment < start_of(end)
            assert _is_told(snapshot, moment) == expected
            async with begin() as history:
                found = await history.search(Search("agreement", 1, day, in_force_on=day), after="", count_max=2)
                standing = (await standings_on(day, 1, history=history))["pact"]
            assert (list(found) == ["pact"], standing.status == "active") == (expected, expected)


def _is_told(snapshot: Snapshot, moment: datetime) -> bool:
    asked = {
        "originator": "alpha",
        "received_at": moment.isoformat(),
        "categories": ["harm"],
        "subjects": [],
        "nation": "england",
    }
    return any(each.klass.value == "told" for each in decide(snapshot, facts_of(asked)).outcomes)


@given(bounds, st.integers(1, 3), st.lists(instants, max_size=4))
@in_memory
async def test_p13_a_day_begins_and_ends_at_midnight_in_london(
    start: date, length: int, moments: list[datetime]
) -> None:
    await one_truth_of_a_day(memory, start, length, moments)


@pytest.mark.stack
@given(start=bounds, length=st.integers(1, 3), moments=st.lists(instants, max_size=4))
@in_postgres
async def test_p13_holds_in_postgres(
    postgres_engine: TestPostgres, start: date, length: int, moments: list[datetime]
) -> None:
    await one_truth_of_a_day(opened_in(postgres_engine), start, length, moments)
