"""One suite for the changes on their way into the graph: in memory and in Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
import pytest_asyncio

from services.registry.adapters.change_store import PostgresChangeStore
from services.registry.domain.change import (
    Approved,
    Assessed,
    ChangeEvent,
    ChangeLog,
    ChangePlace,
    Content,
    Drafted,
    ObjectsAdded,
    Part,
    Reviewed,
    Revised,
    Scheduled,
    Signature,
    Signed,
    Step,
    Withdrawn,
)
from services.registry.domain.model import Commit, GraphObject
from services.registry.ports import BeginChange
from tests.support.change_fakes import InMemoryChanges
from tests.support.clock import NOON
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres

DRAFTED = Drafted("A title, é", "why", 3, Content(2, "d", more=True), "SUSPENDED")
SIGNED = Signed((Signature("mou", "cqc", "t"), Signature("mou", "gmc", "t")), recorded=True, evidence="a letter")
STEPS: tuple[Step, ...] = (
    DRAFTED,
    ObjectsAdded(Content(1, "e")),
    Revised("better", 4, Content(0, "", more=True)),
    Reviewed(""),
    Assessed("f", 3, "b", "r", passes=False, signatures=2),
    Approved("f"),
    SIGNED,
    Scheduled(5, "r"),
    Withdrawn("no"),
)


@pytest_asyncio.fixture
async def begin(postgres: TestPostgres | None) -> AsyncIterator[BeginChange]:
    if postgres is None:
        yield InMemoryChanges().begin
        return
    async with history_in(await postgres.fresh_database("registry")) as history:
        yield PostgresChangeStore(history).begin


def event(number: int, step: Step, *, minutes: int = 0) -> ChangeEvent:
    return ChangeEvent(number, NOON + timedelta(minutes=minutes, microseconds=number), "ann", "asked", step)


def item(name: str, body: str = "{}") -> GraphObject:
    return GraphObject("source", name, body.encode())


async def test_every_kind_of_step_is_kept_as_it_was(begin: BeginChange) -> None:
    events = tuple(event(number, step) for number, step in enumerate(STEPS, 1))
    async with begin() as tx:
        assert [await tx.add("chg_1", each) for each in events] == [True] * len(events)
        assert await tx.log("chg_1") == ChangeLog("chg_1", events)
    async with begin() as tx:
        assert await tx.log("chg_1") == ChangeLog("chg_1", events)
        assert await tx.log("chg_2") is None


async def test_a_number_is_taken_once(begin: BeginChange) -> None:
    async with begin() as tx:
        await tx.add("chg_1", event(1, DRAFTED))
    async with begin() as tx:
        assert await tx.add("chg_1", event(1, Reviewed("second"))) is False
        assert await tx.add("chg_2", event(1, DRAFTED)) is True
    async with begin() as tx:
        assert await tx.log("chg_1") == ChangeLog("chg_1", (event(1, DRAFTED),))


async def test_who_holds_a_change_is_alone_with_it_and_others_see_what_it_did(begin: BeginChange) -> None:
    numbers: list[int] = []

    async def add_the_next() -> None:
        async with begin() as tx:
            await tx.hold("chg_1")
            log = await tx.log("chg_1")
            number = len(log.events) + 1 if log else 1
            assert await tx.add("chg_1", event(number, DRAFTED))
            numbers.append(number)

    await asyncio.gather(*(add_the_next() for _ in range(4)))
    assert sorted(numbers) == [1, 2, 3, 4]


async def test_objects_come_in_the_order_in_which_they_were_sent_and_of_their_revision_alone(
    begin: BeginChange,
) -> None:
    async with begin() as tx:
        await tx.add("chg_1", event(1, DRAFTED))
        await tx.add_objects("chg_1", Part(1, 1, 0, (item("z", '"é \\u0000"'), item("a"))))
        await tx.add("chg_1", event(2, ObjectsAdded(Content(1, ""))))
        await tx.add_objects("chg_1", Part(1, 2, 2, (item("m"),)))
        await tx.add("chg_1", event(3, Revised("", 1, Content(1, ""))))
        await tx.add_objects("chg_1", Part(2, 3, 0, (item("a", "2"),)))
    async with begin() as tx:
        assert list(await tx.objects("chg_1", 1)) == [item("z", '"é \\u0000"'), item("a"), item("m")]
        assert list(await tx.objects("chg_1", 2)) == [item("a", "2")]
        assert list(await tx.objects("chg_1", 3)) == []
        assert list(await tx.objects("chg_2", 1)) == []


async def test_a_large_change_is_read_as_it_is_stored_whoever_added_its_parts(begin: BeginChange) -> None:
    many = tuple(item(f"object-{number:05}", '"' + "x" * 2_000 + '"') for number in range(1_200))
    async with begin() as tx:
        await tx.add("chg_1", event(1, DRAFTED))
        await tx.add_objects("chg_1", Part(1, 1, 0, many[:1_000]))
    with suppress(RuntimeError):
        async with begin() as tx:
            await tx.add("chg_1", event(2, ObjectsAdded(Content(1, ""))))
            await tx.add_objects("chg_1", Part(1, 2, 1_000, (item("lost"),)))
            assert len(await tx.objects("chg_1", 1)) == 1_001
            raise RuntimeError
    async with begin() as tx:
        assert tuple(await tx.objects("chg_1", 1)) == many[:1_000]
        await tx.add("chg_1", event(2, ObjectsAdded(Content(200, ""))))
        await tx.add_objects("chg_1", Part(1, 2, 1_000, many[1_000:]))
        assert tuple(await tx.objects("chg_1", 1)) == many
    async with begin() as tx:
        assert tuple(await tx.objects("chg_1", 1)) == many
        await tx.add("chg_1", event(3, Revised("", 1, Content(1, ""))))
        await tx.add_objects("chg_1", Part(2, 3, 0, (item("b"),)))
    async with begin() as tx:
        assert list(await tx.objects("chg_1", 2)) == [item("b")]
        assert tuple(await tx.objects("chg_1", 1)) == many


async def test_what_a_revision_proposes_already_is_found_by_its_keys_alone(begin: BeginChange) -> None:
    async with begin() as tx:
        await tx.add("chg_1", event(1, DRAFTED))
        await tx.add_objects("chg_1", Part(1, 1, 0, (item("z"), item("a"), item("m"))))
        await tx.add("chg_1", event(2, Revised("", 1, Content(1, ""))))
        await tx.add_objects("chg_1", Part(2, 2, 0, (item("b"),)))
    asked = [item("a").key, item("b").key, item("z").key, ("other", "m")]
    async with begin() as tx:
        assert set(await tx.proposed("chg_1", 1, asked)) == {item("z").key, item("a").key}
        assert set(await tx.proposed("chg_1", 2, asked)) == {item("b").key}
        assert not await tx.proposed("chg_1", 1, [])
        assert not await tx.proposed("chg_2", 1, asked)


async def test_a_difference_is_kept_to_the_byte_beside_its_event(begin: BeginChange) -> None:
    async with begin() as tx:
        await tx.add("chg_1", event(1, DRAFTED))
        await tx.add_difference("chg_1", 1, b'{ "a" : 1}')
    async with begin() as tx:
        assert await tx.difference("chg_1", 1) == b'{ "a" : 1}'
        assert await tx.difference("chg_1", 2) is None


async def test_changes_are_listed_whole_page_by_page_the_last_drafted_first(begin: BeginChange) -> None:
    async with begin() as tx:
        for name, minutes in (("chg_a", 1), ("chg_b", 2), ("chg_c", 2), ("chg_d", 0)):
            await tx.add(name, event(1, DRAFTED, minutes=minutes))
            await tx.add(name, event(2, Reviewed(""), minutes=9))
    async with begin() as tx:
        first = await tx.logs(before=None, count_max=3)
        last = first[-1]
        rest = await tx.logs(before=ChangePlace(last.events[0].at, last.change_id), count_max=3)
    assert [log.change_id for log in (*first, *rest)] == ["chg_c", "chg_b", "chg_a", "chg_d"]
    assert {len(log.events) for log in (*first, *rest)} == {2}


async def test_a_transaction_that_fails_leaves_neither_step_nor_commit(begin: BeginChange) -> None:
    async def fail() -> None:
        async with begin() as tx:
            await tx.add("chg_1", event(1, DRAFTED))
            await tx.add_objects("chg_1", Part(1, 1, 0, (item("a"),)))
            await tx.history().append(Commit(1, "", "r", NOON, "ann", "why", "CHANGED", (item("a"),)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with begin() as tx:
        assert await tx.log("chg_1") is None
        assert list(await tx.objects("chg_1", 1)) == []
        assert await tx.history().head() is None


async def test_of_a_long_change_that_is_read_again_every_event_is_there_and_none_that_was_not_committed(
    begin: BeginChange,
) -> None:
    many = tuple(Signature(f"mou-{number}", "cqc", "t" * 64) for number in range(4_000))

    async def fail() -> None:
        async with begin() as tx:
            await tx.log("chg_1")
            await tx.add("chg_1", event(3, Withdrawn("a letter")))
            await tx.log("chg_1")
            raise ZeroDivisionError

    events = [event(1, DRAFTED), event(2, Signed(many, recorded=True, evidence="a letter"))]
    for one in events:
        async with begin() as tx:
            await tx.add("chg_1", one)
    async with begin() as tx:
        assert await tx.log("chg_1") == ChangeLog("chg_1", tuple(events))
    with pytest.raises(ZeroDivisionError):
        await fail()
    for following in (event(3, Reviewed("")), event(4, Withdrawn("no"))):
        async with begin() as tx:
            assert await tx.log("chg_1") == ChangeLog("chg_1", tuple(events))
            await tx.add("chg_1", following)
        events.append(following)
    async with begin() as tx:
        assert await tx.log("chg_1") == ChangeLog("chg_1", tuple(events))
        assert await tx.log("chg_2") is None


async def test_a_step_and_its_commit_take_effect_together(begin: BeginChange) -> None:
    commit = Commit(1, "", "r", NOON, "ann", "why", "TERMINATED")
    async with begin() as tx:
        await tx.history().append(commit)
        await tx.add("chg_1", event(1, DRAFTED))
    async with begin() as tx:
        assert await tx.history().head() == commit
        assert await tx.log("chg_1") is not None
