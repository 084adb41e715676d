"""One suite for taking back what was told, in the router's store: in memory and in Postgres."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.router.domain.model import DecisionKey, ItemQuery, WorkItem
from services.router.domain.undoing import ToldNotice
from services.router.ports import Undoing
from services.router.usecases.pointing import undoing_of, undone_of
from tests.support.clock import NOON
from tests.support.router_fakes import a_concern
from tests.support.router_stores import JUDGE, Store, decide, record, store_on
from tests.support.stack import TestPostgres

LATER = NOON + timedelta(hours=1)


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


async def told(store: Store, number: int = 1, version: int = 1) -> ToldNotice:
    """A concern that beta is told of."""
    one = decide(a_concern(number, version=version))
    await record(store, one)
    return ToldNotice(one.issued[0].notice_id, f"con_{number}", version, "beta")


async def withdrawal_of(store: Store, notice: ToldNotice) -> Undoing:
    async with store.begin() as tx:
        dossier = await tx.dossier(notice.concern_id, notice.version)
    assert dossier is not None
    return undoing_of("withdrawal", notice, dossier, "TERMINATED", (JUDGE.head, LATER))


async def unsettled(store: Store, version: int) -> list[str]:
    async with store.begin() as tx:
        return [notice.notice_id for notice in await tx.unsettled(version, LATER, 9)]


async def test_a_notice_is_looked_at_once_by_each_newer_graph_until_it_is_settled(store: Store) -> None:
    first, second = await told(store, 1), await told(store, 2)
    assert await unsettled(store, JUDGE.head.version) == []
    assert set(await unsettled(store, 2)) == {first.notice_id, second.notice_id}
    async with store.begin() as tx:
        await tx.checked(first.notice_id, 2, None)
        await tx.settle({second.notice_id: "told"})
    assert await unsettled(store, 2) == []
    assert await unsettled(store, 3) == [first.notice_id]


async def test_a_notice_whose_end_has_come_is_looked_at_again(store: Store) -> None:
    first, second = await told(store, 1), await told(store, 2)
    async with store.begin() as tx:
        await tx.checked(first.notice_id, 2, LATER)
        await tx.checked(second.notice_id, 2, LATER + timedelta(seconds=1))
    assert await unsettled(store, 2) == [first.notice_id]


async def test_the_first_word_on_a_notice_stands(store: Store) -> None:
    notice = await told(store)
    async with store.begin() as tx:
        await tx.settle({notice.notice_id: "told"})
        await tx.settle({notice.notice_id: "ended"})
        assert await tx.told_before("con_1", 2) == [replace(notice, settled="told")]


async def test_what_is_taken_back_is_taken_back_once_and_said_once(store: Store) -> None:
    notice = await told(store)
    before, undoing = await store.events(), await withdrawal_of(store, notice)
    async with store.begin() as tx:
        assert await tx.undo(undoing)
    assert await store.events() == before | {undoing.issued.id, undoing.fact.fact_id}
    async with store.begin() as tx:
        assert not await tx.undo(await withdrawal_of(store, notice))
        assert await tx.told_before("con_1", 2) == []
        after = await tx.dossier("con_1", None)
    assert await unsettled(store, 9) == []
    assert after is not None
    assert after.notices == {notice.recipient: notice.notice_id}
    assert after.taken_back == {notice.recipient}


async def test_what_intake_did_not_hear_of_is_said_once_more_under_the_same_id(store: Store) -> None:
    undone = undone_of("con_1", "recall", [await withdrawal_of(store, await told(store))], LATER)
    async with store.begin() as tx:
        await tx.say_undone(undone)
    assert undone.id in await store.events()
    await store.publish()
    async with store.begin() as tx:
        await tx.say_undone(undone)
    assert await store.unpublished() == {undone.id}


async def test_who_was_told_of_earlier_versions_is_listed_in_their_order(store: Store) -> None:
    second, first = await told(store, 1, 2), await told(store, 1, 1)
    await told(store, 2)
    async with store.begin() as tx:
        assert await tx.told_before("con_1", 3) == [first, second]
        assert await tx.told_before("con_1", 2) == [first]


async def test_a_recalled_concern_says_so_in_its_dossier(store: Store) -> None:
    await told(store)
    for reason in ("wrong-person", "wrong-facts"):
        async with store.begin() as tx:
            await tx.keep_recall("con_1", reason, NOON)
    async with store.begin() as tx:
        dossier = await tx.dossier("con_1", None)
        assert await tx.recalled_among(["con_1", "con_2"]) == {"con_1": "wrong-person"}
        assert await tx.recalled_among([]) == {}
    assert dossier is not None
    assert dossier.recalled


async def test_only_items_of_earlier_versions_are_superseded(store: Store) -> None:
    await record(store, *(decide(a_concern(1, version=n, categories=["theft"])) for n in (1, 2)))
    async with store.begin() as tx:
        await tx.supersede("con_1", 2, LATER)
    assert {item.key.version for item in await store.work_items(ItemQuery(NOON, 9))} == {2}
    closed = await store.work_items(ItemQuery(NOON, 9, state="closed"))
    assert {(item.key.version, item.resolution) for item in closed} == {(1, "superseded")}
    found = await store.work_item(closed[0].item_id)
    assert found is not None
    assert [(event.event, event.body["by_version"]) for event in found[1]] == [("resolved", 2)]


async def test_what_came_back_is_an_item_once(store: Store) -> None:
    notice = await told(store)
    item = WorkItem(
        "wrk_1", "returned", DecisionKey("con_1", 1), ("RETURNED", "not-ours"), ("gamma",), NOON, notice.notice_id
    )
    for _ in range(2):
        async with store.begin() as tx:
            await tx.open_item(item)
    assert await store.work_items(ItemQuery(NOON, 9, "returned")) == [item]
