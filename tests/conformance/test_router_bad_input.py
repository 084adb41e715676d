"""Whatever comes in that cannot be decided on is held with its code, in the queue; nobody is told and all goes on.

One suite for the store in memory and in Postgres.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.errors import GraphBehind, GraphUnfit, RegistryUnavailable
from services.router.domain.model import Concern, ItemQuery
from services.router.domain.policy import CurrentJudge
from services.router.usecases import GraphPorts, Routed, follow_graph, refresh_graph, route_concerns
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import InMemoryRegistry, a_concern, commit_after, graph_objects, judge_of, replica_of
from tests.support.router_stores import Store, store_on
from tests.support.small_graph import source
from tests.support.stack import TestPostgres

APART = [{"id": "certified-unmarked", "says": [{"flags": ["certified"]}, {"marking": ["OFFICIAL"]}]}]
OPERATED = {**small.POLICY, "operator": "gamma", "contradictions": APART}
FIRST = replica_of(graph_objects(OPERATED))
LATER = NOON + timedelta(minutes=2)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.stack)])
def postgres(request: pytest.FixtureRequest) -> TestPostgres | None:
    """The engine, taken by a plain fixture because it has a loop of its own."""
    return None if request.param == "memory" else request.getfixturevalue("postgres_engine")


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


def in_office() -> CurrentJudge:
    current = CurrentJudge()
    current.swap(judge_of(FIRST))
    return current


async def route(store: Store, current: CurrentJudge, *concerns: Concern) -> Sequence[Routed]:
    return await route_concerns(Batch(concerns, ()), current=current, ledger=store, clock=FrozenClock())


BAD: dict[str, tuple[Concern, str]] = {
    "a category": (a_concern(2, categories=["harm", "unheard-of"]), "HOLD_UNKNOWN_TERM"),
    "a marking": (a_concern(2, marking="FOR YOUR EYES"), "HOLD_UNKNOWN_TERM"),
    "contradictory markings": (a_concern(2, flags=["certified"], marking="OFFICIAL"), "HOLD_UNKNOWN_TERM"),
    "a body": (a_concern(2, named_recipients=["nobody"]), "HOLD_UNKNOWN_TERM"),
    "an originator": (a_concern(2, originator="nobody"), "HOLD_UNKNOWN_TERM"),
    "a fault": (a_concern(2, subjects=[{"kind": ["not", "a", "word"]}]), "HOLD_FAULT"),
    "no date": (a_concern(2, received_at="the day before yesterday"), "HOLD_FAULT"),
    "a receipt to come": (a_concern(2, received_at=LATER.isoformat()), "HOLD_FAULT"),
    "a clock that stepped": (replace(a_concern(2), accepted_at=LATER), "HOLD_FAULT"),
    "a newer graph": (a_concern(2, min_graph_token="9.aaaaaaaa"), "HOLD_STALE_GRAPH"),
    "another graph": (a_concern(2, min_graph_token="1.aaaaaaaa"), "HOLD_STALE_GRAPH"),
    "no token": (a_concern(2, min_graph_token="soon"), "HOLD_STALE_GRAPH"),
    "the originator itself": (a_concern(2, subjects=[{"kind": "provider", "org": "alpha"}]), "HOLD_CONFLICT"),
    "the operator": (a_concern(2, subjects=[{"kind": "provider", "org": "gamma"}]), "HOLD_CONFLICT"),
}


@pytest.mark.parametrize(("bad", "code"), BAD.values(), ids=BAD)
async def test_what_cannot_be_decided_on_is_held_with_its_code_and_its_neighbours_are_told(
    store: Store, bad: Concern, code: str
) -> None:
    current = in_office()
    await route(store, current, a_concern(1), bad, a_concern(3))
    (item,) = await store.work_items(ItemQuery(NOON, 9, "held"))
    assert (item.key.concern_id, item.codes) == ("con_2", (code,))
    told = {name: set(await store.told_by(replace(item.key, concern_id=name))) for name in ("con_1", "con_2", "con_3")}
    assert told == {"con_1": {"beta"}, "con_2": set(), "con_3": {"beta"}}
    (again,) = await route(store, current, bad)
    assert again.repeated
    assert await store.work_items(ItemQuery(NOON, 9, "held")) == [item]


async def test_a_later_version_from_a_time_to_come_is_held_as_well_and_takes_nothing_back(store: Store) -> None:
    later = replace(a_concern(1, version=2), accepted_at=LATER)
    await route(store, in_office(), a_concern(1), later)
    found = await store.decision("con_1", 2)
    assert found is not None
    assert (await store.told_by(found.key), b"HOLD_FAULT" in found.body) == ({}, True)
    assert await store.told_of("con_1", "beta") == replace(found.key, version=1)


async def test_clocks_that_differ_a_little_hold_nothing(store: Store) -> None:
    (routed,) = await route(store, in_office(), replace(a_concern(1), accepted_at=NOON + timedelta(seconds=59)))
    assert (routed.fault, [row.recipient for row in routed.decided.issued]) == (None, ["beta"])


SECOND = commit_after(FIRST, source("second"))
THIRD = commit_after(replica_of(graph_objects(OPERATED, source("second")), 2), source("third"))
WRONG: dict[str, Any] = {
    "a wrong root": replace(SECOND, root="0" * 64),
    "another parent": replace(SECOND, parent_root="0" * 64),
    "out of order": THIRD,
    "an object lost": replace(SECOND, bodies={}),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_commit_that_does_not_fit_stops_decisions_until_a_true_graph_can_be_had_and_then_all_goes_on(
    store: Store, wrong: Any
) -> None:
    current, registry = in_office(), InMemoryRegistry(FIRST)
    ports = GraphPorts(begin=store.begin, store=store, registry=registry, make_judge=judge_of)
    async with store.begin() as tx:
        await tx.replace(FIRST)
    for served, fault in ((None, RegistryUnavailable), (FIRST, GraphUnfit)):
        registry.replica = served
        with pytest.raises(fault):
            await follow_graph(Batch((wrong,), ()), current=current, ports=ports)
        with pytest.raises(GraphBehind):
            await route(store, current, a_concern(1))
    assert await store.decision("con_1", None) is None
    registry.replica = replica_of(graph_objects(OPERATED, source("second"), source("third")), 3)
    await follow_graph(Batch((wrong,), ()), current=current, ports=ports)
    await refresh_graph(current, ports)
    (routed,) = await route(store, current, a_concern(1))
    assert (routed.decided.record.graph, len(routed.decided.issued)) == (registry.replica.head, 1)
