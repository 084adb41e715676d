"""One suite for later rounds and queues in the router's store: in memory and in Postgres."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import orjson
import pytest

from services.router.domain.model import DecisionKey, ItemEvent, ItemQuery, ItemState, WorkItem
from services.router.domain.rounds import Act, Dossier, Opened, Person, resolved, resolved_by
from services.router.ports import Decided
from services.router.usecases.telling import round_of
from shared.contracts.audit import AuditFact
from tests.support.clock import NOON
from tests.support.router_fakes import a_concern
from tests.support.router_stores import JUDGE, Store, decide, record, store_on
from tests.support.stack import TestPostgres


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


def act(*orgs: str, **changes: Any) -> Act:
    by = Person("alpha-case", "alpha", "Sam")
    return replace(Act("choice", by, "theirs", orgs, "r1", dict.fromkeys(orgs, "full")), **changes)


def second_round(dossier: Dossier, done: Act) -> tuple[Decided, Opened]:
    verdict = JUDGE.choose(dossier.concern, done.choices).verdict
    decided = round_of(dossier, done, verdict, JUDGE.head, NOON + timedelta(hours=1))
    return decided, Opened(decided.record.decision_id, decided.record.key, decided.record.decided_at, done)


async def dossier_of(store: Store, concern_id: str, version: int | None = None) -> Dossier:
    async with store.begin() as tx:
        found = await tx.dossier(concern_id, version)
    assert found is not None
    return found


async def test_a_dossier_holds_the_concern_as_it_came_its_decision_and_what_waits(store: Store) -> None:
    one = decide(a_concern(1, categories=["theft"]))
    await record(store, one, decide(a_concern(2)))
    dossier = await dossier_of(store, "con_1")
    assert dossier.concern == one.concern
    assert dossier.newest == one.record
    assert (dossier.opened, dossier.notices) == ((), {})
    assert {item.kind for item in dossier.items} == {"gap", "unroutable"}
    assert (await dossier_of(store, "con_2")).notices.keys() == {"beta"}


async def test_there_is_no_dossier_of_what_was_never_decided(store: Store) -> None:
    await record(store, decide(a_concern(1)))
    async with store.begin() as tx:
        assert await tx.dossier("con_9", None) is None
        assert await tx.dossier("con_1", 2) is None


async def test_a_round_is_kept_with_its_act_and_ends_its_items(store: Store) -> None:
    await record(store, decide(a_concern(1, categories=["theft"])))
    before = await dossier_of(store, "con_1")
    done = act("beta", routing={**before.concern.routing, "necessity": {"statement": "s"}}, record={"decision": "x"})
    decided, opened = second_round(before, done)
    ended = [resolved(item, opened) for item in before.items if item.kind == "unroutable"]
    async with store.begin() as tx:
        assert await tx.open_round(replace(decided, items=()), opened, ended)
    after = await dossier_of(store, "con_1")
    assert (after.newest, after.opened) == (decided.record, (opened,))
    assert (after.routing, after.choices) == (done.routing, {"beta": "full"})
    assert after.notices == {"beta": decided.issued[0].notice_id}
    assert [item.kind for item in after.items] == ["gap"]
    assert await store.work_items(ItemQuery(NOON, 9, state="closed")) == ended
    found = await store.work_item(ended[0].item_id)
    assert found is not None
    assert (found[0], list(found[1])) == (ended[0], [resolved_by(ended[0], opened)])
    assert {decided.record.decision_id, decided.issued[0].notice_id, decided.fact.fact_id} <= await store.events()
    (routing,) = await store.routings(None, None, 9)
    assert orjson.loads(routing.routing) == done.routing


async def test_of_two_acts_on_one_round_the_second_changes_nothing(store: Store) -> None:
    await record(store, decide(a_concern(1, categories=["theft"])))
    before = await dossier_of(store, "con_1")
    first, second = second_round(before, act("beta")), second_round(before, act("beta", request="r2"))
    async with store.begin() as tx:
        assert await tx.open_round(*first, [])
    events = await store.events()
    async with store.begin() as tx:
        assert not await tx.open_round(*second, [resolved(item, second[1]) for item in before.items])
    assert await store.events() == events
    after = await dossier_of(store, "con_1")
    assert after.opened == (first[1],)
    assert set(before.items) <= set(after.items)


async def test_what_happens_to_an_item_is_kept_in_order_with_its_fact(store: Store) -> None:
    await record(store, decide(a_concern(1, categories=["theft"])))
    item = (await store.work_items(ItemQuery(NOON, 1)))[0]
    waiting = replace(item, owner="sam", waits_until=NOON + timedelta(days=1))
    events = [ItemEvent("assigned", NOON, "sam", {"owner": "sam"}), ItemEvent("waits", NOON, "sam", {"by": "Sam"})]
    for number, event in enumerate(events):
        fact = a_fact(f"fct_{number}")
        async with store.begin() as tx:
            assert await tx.lock_item(item.item_id) is not None
            await tx.note(waiting, event, fact)
            assert len(await tx.item_events(item.item_id)) == number + 1
    assert await store.work_item(item.item_id) == (waiting, events)
    assert {"fct_0", "fct_1"} <= await store.events()
    states = {state: await store.work_items(ItemQuery(NOON, 9, item.kind, state)) for state in get_args(ItemState)}
    assert states == {"open": [], "waiting": [waiting], "closed": []}
    assert await store.work_items(ItemQuery(NOON + timedelta(days=1), 9, item.kind, "open")) == [waiting]


async def test_an_item_that_is_not_known_is_none(store: Store) -> None:
    assert await store.work_item("wrk_9") is None
    async with store.begin() as tx:
        assert await tx.lock_item("wrk_9") is None


async def test_only_open_holds_for_a_newer_graph_are_listed_page_by_page(store: Store) -> None:
    stale = [decide(a_concern(n, min_graph_token="9.aaaaaaaa")) for n in (1, 2, 3)]
    await record(store, *stale, decide(a_concern(4, nation="atlantis")), decide(a_concern(5)))
    found = await store.stale_holds(None, 9)
    assert {(hold.concern_id, hold.version) for hold in found} == {(f"con_{n}", 1) for n in (1, 2, 3)}
    assert await store.stale_holds(found[0].place, 1) == found[1:2]
    closed = replace(stale[0].items[0], resolution="closed", resolved_at=NOON)
    async with store.begin() as tx:
        await tx.note(closed, ItemEvent("resolved", NOON, "sam", {}), a_fact("fct_1"))
    assert {hold.concern_id for hold in await store.stale_holds(None, 9)} == {"con_2", "con_3"}


async def test_an_item_that_is_due_is_found_from_its_moment_on_until_that_was_said_or_it_ended(store: Store) -> None:
    await record(store, decide(a_concern(1)))
    due = {name: NOON + timedelta(hours=hours) for name, hours in (("wrk_a", 2), ("wrk_b", 1), ("wrk_c", 1))}
    items = [
        WorkItem(name, "emergency", DecisionKey("con_1", 1), ("C",), ("beta",), NOON, ref=name, due_at=at)
        for name, at in due.items()
    ]
    async with store.begin() as tx:
        for item in items:
            await tx.open_item(item)
        await tx.note(
            replace(items[2], resolution="closed", resolved_at=NOON),
            ItemEvent("resolved", NOON, "sam", {}),
            a_fact("fct_1"),
        )
    found = await store.work_item("wrk_a")
    assert found is not None
    assert found[0] == items[0]
    moments = (NOON + timedelta(minutes=59), due["wrk_b"], due["wrk_a"])
    async with store.begin() as tx:
        assert [await tx.overdue_items(at, 9) for at in moments] == [[], [items[1]], [items[1], items[0]]]
        assert await tx.overdue_items(due["wrk_a"], 1) == [items[1]]
        await tx.note(items[1], ItemEvent("overdue", due["wrk_b"], "router", {}), a_fact("fct_2"))
        assert await tx.overdue_items(due["wrk_a"], 9) == [items[0]]


async def test_a_review_is_not_superseded_with_its_version(store: Store) -> None:
    await record(store, decide(a_concern(1, categories=["theft"])))
    item = WorkItem("wrk_a", "emergency", DecisionKey("con_1", 1), ("C",), ("beta",), NOON)
    async with store.begin() as tx:
        await tx.open_item(item)
        await tx.supersede("con_1", 2, NOON)
    assert [one.item_id for one in await store.work_items(ItemQuery(NOON, 9))] == ["wrk_a"]


def a_fact(fact_id: str) -> AuditFact:
    return AuditFact(
        fact_id=fact_id, kind="work-item", concern_id="con_1", at=NOON, service="router", actor="sam", body={}
    )


async def test_of_each_round_the_past_gives_what_it_was_decided_on(store: Store) -> None:
    one = decide(a_concern(1, categories=["theft"]))
    await record(store, one, decide(a_concern(2)))
    done = act("beta", routing={**one.concern.routing, "topics": ["fire"]})
    decided, opened = second_round(await dossier_of(store, "con_1"), done)
    async with store.begin() as tx:
        await tx.open_round(decided, opened, [])
    found = await store.past_decisions("", 9)
    assert [past.record.decision_id for past in found] == sorted(past.record.decision_id for past in found)
    by_key = {past.record.key: past for past in found}
    assert by_key[one.record.key].concern == one.concern
    assert by_key[one.record.key].choices == {}
    second = by_key[decided.record.key]
    assert (dict(second.concern.routing), second.choices) == (done.routing, {"beta": "full"})
    assert await store.past_decisions(found[0].record.decision_id, 1) == found[1:2]


async def test_whether_a_body_was_told_is_one_look(store: Store) -> None:
    await record(store, *(decide(a_concern(1, version=n)) for n in (1, 2)), decide(a_concern(2, categories=["theft"])))
    assert await store.told_of("con_1", "beta") == DecisionKey("con_1", 2)
    for concern_id, org in (("con_1", "gamma"), ("con_2", "beta"), ("con_9", "beta")):
        assert await store.told_of(concern_id, org) is None


async def test_who_raised_a_concern_and_who_knows_of_it_is_one_look(store: Store) -> None:
    await record(store, decide(a_concern(1)), decide(a_concern(2, categories=["theft"])))
    asked = [(name, org) for name in ("con_1", "con_2", "con_9") for org in ("alpha", "beta", "gamma")]
    async with store.begin() as tx:
        assert {pair for pair in asked if await tx.knows_of(*pair)} == {
            ("con_1", "alpha"), ("con_1", "beta"), ("con_2", "alpha"),
        }  # fmt: skip
        assert {pair for pair in asked if await tx.is_raised_by(*pair)} == {("con_1", "alpha"), ("con_2", "alpha")}
    assert {pair for pair in asked if await store.is_raised_by(*pair)} == {("con_1", "alpha"), ("con_2", "alpha")}


async def test_a_look_is_recorded_and_changes_nothing_else(store: Store) -> None:
    async with store.begin() as tx:
        await tx.say([a_fact("fct_1")])
    assert await store.events() == {"fct_1"}
