"""One suite for the router's store: in memory and in Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import orjson
import pytest

from services.router.domain.model import (
    DecisionKey,
    Head,
    ItemCursor,
    ItemQuery,
    RoutingCursor,
)
from services.router.domain.replica import CommitPart
from services.router.ports import Decided
from shared.faults import PositionMoved
from shared.records import Span
from tests.support.clock import NOON
from tests.support.router_fakes import a_concern, bodies_of, one_round_later
from tests.support.router_stores import REPLICA, Real, Store, decide, store_in, store_on
from tests.support.router_stores import record as record_in_a_transaction
from tests.support.stack import TestPostgres

Record = Callable[..., Awaitable[frozenset[str]]]


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


@pytest.fixture(params=["in a transaction", "alone"])
def record(request: pytest.FixtureRequest) -> Record:
    """Both ways in which a decision is stored."""

    async def alone(store: Store, *decided: Decided) -> frozenset[str]:
        return await store.record(decided, ())

    return alone if request.param == "alone" else record_in_a_transaction


async def test_a_new_decision_is_stored_with_its_bytes_and_says_its_events(store: Store, record: Record) -> None:
    one = decide(a_concern(1))
    assert await record(store, one) == {one.record.decision_id}
    assert await store.decision("con_1", None) == one.record
    assert await store.told_by(one.record.key) == {"beta": one.issued[0].notice_id}
    assert await store.events() == {one.record.decision_id, one.issued[0].notice_id, one.fact.fact_id}


async def test_a_concern_that_is_not_known_has_no_decision(store: Store, record: Record) -> None:
    await record(store, decide(a_concern(1)))
    assert await store.decision("con_2", None) is None
    assert await store.decision("con_1", 2) is None


async def test_the_stored_decision_wins_over_a_second_one_of_the_same_key(store: Store, record: Record) -> None:
    first, second = decide(a_concern(1)), decide(a_concern(1, categories=["theft"]))
    await record(store, first)
    before = await store.events()
    assert await record(store, second) == frozenset()
    assert await store.decision("con_1", 1) == first.record
    assert await store.events() == before
    assert await store.work_items(ItemQuery(NOON, 10)) == []


async def test_of_two_decisions_of_one_key_in_one_batch_one_is_stored(store: Store, record: Record) -> None:
    first, second = decide(a_concern(1)), decide(a_concern(1), NOON + timedelta(hours=1))
    assert await record(store, first, second, decide(a_concern(1, categories=["theft"]))) == {first.record.decision_id}
    assert await store.events() == {first.record.decision_id, first.issued[0].notice_id, first.fact.fact_id}


async def test_concerns_decided_alike_each_have_their_decision(store: Store, record: Record) -> None:
    first, second, third = (decide(a_concern(n)) for n in (1, 2, 3))
    await record(store, first, second)
    await record(store, third)
    assert [(await store.decision(f"con_{n}", None)) for n in (1, 2, 3)] == [first.record, second.record, third.record]


async def test_a_later_round_does_not_tell_the_same_body_again(store: Store, record: Record) -> None:
    first = decide(a_concern(1))
    later = one_round_later(decide(a_concern(1)))
    await record(store, first)
    assert await record(store, later) == {later.record.decision_id}
    decisions = {one.record.decision_id for one in (first, later)}
    notices = {notice.notice_id for notice in first.issued}
    assert await store.events() == decisions | notices | {first.fact.fact_id, later.fact.fact_id}
    assert await store.decision("con_1", 1) == later.record


async def test_a_store_that_was_set_back_says_the_same_again_under_the_same_ids(
    postgres: TestPostgres | None, record: Record
) -> None:
    said = []
    for hour in range(2):
        async with store_on(postgres) as store:
            one = decide(a_concern(1), NOON + timedelta(hours=hour))
            await record(store, one)
            said.append((await store.events(), await store.told_by(one.record.key)))
    assert said[0] == said[1]
    assert len(said[0][0]) == 3


async def test_the_newest_version_is_given_unless_one_is_named(store: Store, record: Record) -> None:
    old, new = decide(a_concern(1)), decide(a_concern(1, version=2))
    await record(store, new, old)
    assert await store.decision("con_1", None) == new.record
    assert await store.decision("con_1", 1) == old.record


async def test_only_the_decision_event_is_offered_again(store: Store, record: Record) -> None:
    one, other = decide(a_concern(1)), decide(a_concern(2))
    await record(store, one, other)
    await store.publish()
    async with store.begin() as tx:
        await tx.offer_again([one.record.key])
    assert await store.unpublished() == {one.record.decision_id}


async def test_work_items_come_oldest_first_by_queue_and_page(store: Store, record: Record) -> None:
    decided = [decide(a_concern(n, categories=["theft"])) for n in (1, 2, 3)]
    await record(store, *decided)
    items = await store.work_items(ItemQuery(NOON, 10))
    assert {(i.kind, i.codes, i.bodies) for i in items if i.key == DecisionKey("con_1", 1)} == {
        ("gap", ("NO_PATH",), ("gamma",)),
        ("unroutable", ("UNROUTABLE",), ("beta",)),
    }
    assert items == sorted((i for one in decided for i in one.items), key=lambda i: (i.opened_at, i.item_id))
    after = ItemCursor(items[1].opened_at, items[1].item_id)
    assert await store.work_items(ItemQuery(NOON, 2, after=after)) == items[2:4]
    assert {i.kind for i in await store.work_items(ItemQuery(NOON, 10, "gap"))} == {"gap"}


async def test_nothing_takes_effect_when_the_transaction_fails(store: Store, record: Record) -> None:
    with pytest.raises(ArithmeticError):
        await _record_and_fail(store, decide(a_concern(1)))
    assert await store.decision("con_1", None) is None
    assert await store.events() == set()
    one = decide(a_concern(1))
    await record(store, one)
    assert await store.decision("con_1", None) == one.record


async def test_a_fresh_store_has_no_graph(store: Store) -> None:
    assert await store.head() == Head(0, "")
    assert (await store.stored_replica()).bodies == {}


async def test_a_commit_changes_only_its_objects_and_moves_the_head(store: Store) -> None:
    changed = bodies_of([{"kind": "source", "id": "page", "title": "A page"}])
    async with store.begin() as tx:
        await tx.follow(REPLICA.head, REPLICA.bodies)
        await tx.follow(Head(2, "r2"), changed)
    assert await store.head() == Head(2, "r2")
    assert (await store.stored_replica()).bodies == {**REPLICA.bodies, **changed}


async def test_parts_are_kept_in_order_until_their_commit_is_whole(store: Store) -> None:
    parts = [CommitPart(1, "", "r", n, 3, bodies_of([{"kind": "source", "id": f"s{n}"}])) for n in (1, 2)]
    for part in parts:
        async with store.begin() as tx:
            await tx.collect(part)
    async with store.begin() as tx:
        assert (await tx.replica()).pending == tuple(parts)
        await tx.follow(Head(1, "r"), {})
    async with store.begin() as tx:
        assert (await tx.replica()).pending == ()


async def test_a_replaced_graph_keeps_no_object_of_the_one_before(store: Store) -> None:
    async with store.begin() as tx:
        await tx.follow(Head(3, "old"), bodies_of([{"kind": "source", "id": "gone"}]))
    async with store.begin() as tx:
        await tx.replace(REPLICA)
    assert await store.stored_replica() == REPLICA


@pytest.mark.stack
async def test_positions_move_with_the_effect_or_not_at_all(postgres_engine: TestPostgres) -> None:
    async with store_in(await postgres_engine.fresh_database("router")) as store:
        await store._positions.set("router", "t", 0, 5)
        async with store.begin([Span("router", "t", 0, 5, 9)]) as tx:
            await tx.record([decide(a_concern(1))])
        assert await store._positions.read("router", "t") == {0: (10, None)}
        assert {row.event_id for row in store.offered} == await store.events()
        with pytest.raises(PositionMoved):
            await _record_at(store, Span("router", "t", 0, 5, 9), decide(a_concern(2)))
        assert await store.decision("con_2", None) is None


@pytest.mark.stack
async def test_alone_positions_move_with_the_effect_or_not_at_all(postgres_engine: TestPostgres) -> None:
    async with store_in(await postgres_engine.fresh_database("router")) as store:
        for partition in (0, 1):
            await store._positions.set("router", "t", partition, 5)
        spans = [Span("router", "t", 0, 5, 9, 77), Span("router", "t", 1, 5, 5)]
        await store.record([decide(a_concern(1))], spans)
        assert await store._positions.read("router", "t") == {0: (10, 77), 1: (6, None)}
        assert {row.event_id for row in store.offered} == await store.events()
        with pytest.raises(PositionMoved):
            await store.record([decide(a_concern(2))], [Span("router", "t", 0, 5, 9), Span("router", "t", 1, 6, 7)])
        assert await store._positions.read("router", "t") == {0: (10, 77), 1: (6, None)}
        assert await store.decision("con_2", None) is None


async def _record_at(store: Real, span: Span, decided: Decided) -> None:
    async with store.begin([span]) as tx:
        await tx.record([decided])


async def _record_and_fail(store: Store, decided: Decided) -> None:
    async with store.begin() as tx:
        await tx.record([decided])
        raise ArithmeticError


async def test_routings_come_in_the_order_of_receipt_from_an_instant_on_and_by_page(
    store: Store, record: Record
) -> None:
    days = {1: "2025-03-03", 2: "2025-03-01", 3: "2025-03-02"}
    concerns = [a_concern(n, received_at=f"{day}T10:00:00Z") for n, day in days.items()]
    await record(store, *map(decide, concerns), decide(a_concern(2, version=2, received_at="2025-03-01T10:00:00Z")))
    found = await store.routings(None, None, 10)
    assert [(r.concern_id, r.version) for r in found] == [("con_2", 1), ("con_2", 2), ("con_3", 1), ("con_1", 1)]
    assert orjson.loads(found[3].routing) == dict(concerns[0].routing)
    after = RoutingCursor(found[0].received_at, found[0].concern_id, found[0].version)
    assert await store.routings(None, after, 2) == found[1:3]
    assert await store.routings(found[2].received_at, None, 10) == found[2:]
