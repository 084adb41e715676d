"""One suite for what follows the first version of a concern, in memory and in the real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.intake.domain.model import Caller, ConcernId, Reader, Recall, RecallReceipt, Submission, Thread
from services.intake.domain.model import Receipt as VersionReceipt
from services.intake.ports import Recalling
from services.intake.usecases import FollowUpDesk, amend_concern, announce_recall, recall_concern
from shared.contracts.topics import AUDIT, CONCERNS
from tests.support.clock import NOON, FrozenClock
from tests.support.intake_fakes import KEYS, a_concern
from tests.support.intake_stores import Store, acceptance, followed, recalled, store_on
from tests.support.intake_stores import thread_of as found_thread
from tests.support.stack import TestPostgres

CQC = Caller("cases", "cqc")
ROUNDS, AT_ONCE = 12, 6


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


async def begun(store: Store, reference: str = "R-1") -> Thread:
    """A concern of one version."""
    one = acceptance(originator_ref=reference)
    await store.register.accept([one])
    return await thread_of(store, one.concern.id)


async def thread_of(store: Store, concern_id: ConcernId, version: int = 1) -> Thread:
    thread = await found_thread(store, concern_id, version)
    assert thread is not None
    return thread


async def follow(store: Store, thread: Thread, version: int, summary: str = "Canary summary.") -> bool:
    next_one = acceptance(9, thread=thread, originator_ref=thread.originator_ref, version=version, summary=summary)
    return await followed(store, next_one)


def recalling(thread: Thread) -> Recalling:
    return announce_recall(thread, Recall("barred", NOON), client="cases")


async def closed(store: Store, thread: Thread, version: int) -> None:
    async with store.begin() as tx:
        await tx.close([(thread.concern_id, version)])


def announced(store: Store) -> list[str | None]:
    return [row.closes_with for row in store.offered if row.topic == CONCERNS.name]


def names(thread: Thread, *numbers: int) -> list[str]:
    return [f"{thread.concern_id}/{number}" for number in numbers]


async def test_a_thread_says_what_stands(store: Store) -> None:
    one = acceptance()
    await store.register.accept([one])
    thread = await thread_of(store, one.concern.id)
    assert thread == Thread(one.concern.id, "cqc", "R-1", one.concern.partition_key, 1, one.concern.body_mac, None)
    assert (await thread_of(store, one.concern.id, 2)).body_mac is None
    assert await found_thread(store, ConcernId("con_unknown"), 1) is None


async def test_the_next_version_is_stored_and_no_other(store: Store) -> None:
    thread = await begun(store)
    assert [await follow(store, thread, version) for version in (1, 3, 2, 2, 4, 3)] == [
        False, False, True, False, False, True
    ]  # fmt: skip
    assert (await thread_of(store, thread.concern_id)).last == 3
    found = await store.archive.concern(thread.concern_id, Reader("cqc"))
    assert found is not None
    assert [(row.version, row.accepted_at) for row in found.versions] == [
        (1, NOON), (2, NOON + timedelta(seconds=9)), (3, NOON + timedelta(seconds=9))
    ]  # fmt: skip


async def test_a_concern_that_is_not_stored_is_followed_by_nothing(store: Store) -> None:
    thread = Thread(ConcernId("con_unknown"), "cqc", "R-1", "key", 1)
    assert not await follow(store, thread, 2)
    assert not await recalled(store, recalling(thread))
    assert not store.offered


async def test_a_recall_is_stored_once_and_is_the_last(store: Store) -> None:
    thread = await begun(store)
    assert await recalled(store, recalling(thread))
    assert not await recalled(store, recalling(thread))
    assert not await follow(store, thread, 2)
    assert not await follow(store, thread, 3)
    assert (await thread_of(store, thread.concern_id)).recall == Recall("barred", NOON)
    found = await store.archive.concern(thread.concern_id, Reader("cqc"))
    assert found is not None
    assert (found.recall, len(found.versions)) == (Recall("barred", NOON), 1)


async def test_a_recall_of_what_stood_before_another_version_is_not_stored(store: Store) -> None:
    thread = await begun(store)
    await follow(store, thread, 2)
    assert not await recalled(store, recalling(thread))
    assert (await thread_of(store, thread.concern_id)).recall is None


async def test_a_step_is_announced_when_the_one_before_is_closed_and_recorded_at_once(store: Store) -> None:
    thread = await begun(store)
    await follow(store, thread, 2)
    await recalled(store, recalling(await thread_of(store, thread.concern_id)))
    waiting = recalling(thread).event.id
    assert announced(store) == names(thread, 1)
    assert [row.topic for row in store.offered].count(AUDIT.name) == 3
    await closed(store, thread, 1)
    assert announced(store) == names(thread, 1, 2)
    assert waiting not in await store.lost()
    await closed(store, thread, 2)
    assert announced(store) == names(thread, 1, 2, 3)
    assert waiting in await store.lost()


async def test_each_closing_lets_the_next_step_go_once(store: Store) -> None:
    thread = await begun(store)
    await follow(store, thread, 2)
    await follow(store, thread, 3)
    for _ in range(2):
        await closed(store, thread, 1)
        assert announced(store) == names(thread, 1, 2)
    await closed(store, thread, 2)
    assert announced(store) == names(thread, 1, 2, 3)
    assert {row.event_id for row in store.offered} <= await store.lost()


async def test_a_step_after_what_the_router_has_goes_at_once(store: Store) -> None:
    thread = await begun(store)
    await closed(store, thread, 1)
    await follow(store, thread, 2)
    assert announced(store) == names(thread, 1, 2)


async def test_a_recall_is_closed_by_its_concern_alone(store: Store) -> None:
    one, two = await begun(store, "R-1"), await begun(store, "R-2")
    for thread in (one, two):
        await recalled(store, recalling(thread))
    async with store.begin() as tx:
        await tx.close_recalls([one.concern_id, ConcernId("con_unknown")])
    assert [await store.is_closed(names(thread, 2)[0]) for thread in (one, two)] == [True, False]
    assert not await store.is_closed(names(one, 1)[0])


async def test_of_many_that_amend_and_recall_at_once_each_step_is_one_of_them(store: Store) -> None:
    """Real concurrency on the real store: whoever wins, numbers have no gap, nothing follows a recall."""
    desk = FollowUpDesk(store.steps, FrozenClock())
    for number in range(ROUNDS):
        thread = await begun(store, f"R-{number}")

        async def amend(writer: int, concern_id: ConcernId = thread.concern_id, reference: str = f"R-{number}") -> bool:
            body = a_concern(originator_ref=reference, version=2, summary=f"By {writer}.")
            said = await amend_concern(concern_id, Submission(body, CQC), desk=desk, keys=KEYS, allow_historic=False)
            return isinstance(said, VersionReceipt) and not said.replayed

        async def recall(concern_id: ConcernId = thread.concern_id) -> bool:
            said = await recall_concern(concern_id, "barred", CQC, desk=desk)
            return isinstance(said, RecallReceipt) and not said.replayed

        acts = [amend(writer) for writer in range(AT_ONCE)] + [recall() for _ in range(AT_ONCE)]
        done = await asyncio.gather(*(acts[(number + n) % len(acts)] for n in range(len(acts))))
        stands = await thread_of(store, thread.concern_id, 2)
        assert stands.recall is not None
        assert sum(done) == stands.last
        assert stands.last <= 2
        assert (stands.body_mac is not None) == (stands.last == 2)
        assert not await follow(store, thread, stands.last + 1)


async def test_a_step_and_the_closing_of_the_one_before_never_miss_each_other(store: Store) -> None:
    for number in range(ROUNDS):
        thread = await begun(store, f"R-{number}")
        stored, _ = await asyncio.gather(follow(store, thread, 2), closed(store, thread, 1))
        assert stored
        assert names(thread, 2)[0] in announced(store)
    assert len(announced(store)) == len(set(announced(store))) == 2 * ROUNDS
