"""One suite for what is built on other concerns, in memory and in the real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest

from services.intake.domain.model import (
    Caller,
    ConcernId,
    Decided,
    Reader,
    Recall,
    Receipt,
    Submission,
    Told,
    Unsourced,
)
from services.intake.entrypoints.forms import ConcernForm
from services.intake.usecases import FollowUpDesk, derive_concern, recall_concern
from shared.contracts.concern import ConcernRecalled
from shared.contracts.topics import CONCERNS
from tests.support.clock import NOON, FrozenClock
from tests.support.intake_fakes import KEYS, a_concern
from tests.support.intake_stores import Store, acceptance, store_on, thread_of
from tests.support.stack import TestPostgres

CQC, GMC = Caller("cases", "cqc"), Caller("cases", "gmc")
GIVEN = {"header": "full", "narrative": "generalise"}
ROUNDS, AT_ONCE = 6, 5
numbers = count(1)


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


async def begun(store: Store) -> ConcernId:
    """A concern of CQC that the GMC was told of, by the notice that `submission` names."""
    one = acceptance(originator_ref=f"R-{next(numbers)}")
    await store.register.accept([one])
    await tell(store, one.concern.id, "gmc")
    return one.concern.id


async def tell(store: Store, concern_id: ConcernId, org: str) -> None:
    told = (Told(org, notice_of(concern_id), "PERMITTED", "free", GIVEN),)
    async with store.begin() as tx:
        await tx.note([Decided(f"evt_{concern_id}", concern_id, 1, NOON, 1, told)])


def notice_of(concern_id: ConcernId) -> str:
    return "ntc_" + concern_id.removeprefix("con_")


def submission(*sources: ConcernId, caller: Caller = GMC) -> Submission:
    named = [{"concern_id": source, "notice_id": notice_of(source)} for source in sources]
    body = a_concern(originator=caller.org, originator_ref=f"R-{next(numbers)}", provenance=named)
    form = ConcernForm.model_validate(body)
    return Submission(form.model_dump(by_alias=True, exclude_none=True), caller)


async def built(store: Store, sent: Submission) -> ConcernId:
    answer = await derive_concern(sent, keys=KEYS, desk=desk_of(store), now=NOON)
    assert isinstance(answer, Receipt), answer
    return answer.concern_id


def desk_of(store: Store) -> FollowUpDesk:
    return FollowUpDesk(store.steps, FrozenClock())


async def descendants(store: Store, concern_id: ConcernId) -> list[ConcernId]:
    async with store.steps() as steps:
        return list(await steps.descendants(concern_id))


async def test_a_concern_is_stored_with_what_it_is_built_on(store: Store) -> None:
    one, two = await begun(store), await begun(store)
    child = await built(store, submission(one, two))
    async with store.steps() as steps:
        found = await steps.sources([child, one, ConcernId("con_unknown")])
        assert await steps.sources([]) == {}
    assert set(found) == {child, one}
    assert [(hop["concern_id"], hop["fields"]) for hop in found[child].hops[1]] == [(one, GIVEN), (two, GIVEN)]
    assert list(found[one].hops[1]) == []
    assert found[one].told(notice_of(one), "gmc") == (1, Told("gmc", notice_of(one), "PERMITTED", "free", GIVEN))
    thread = await thread_of(store, child)
    assert thread is not None
    assert thread.sources == {one, two}


async def test_descendants_are_found_however_far_and_by_however_many_ways(store: Store) -> None:
    first, other = await begun(store), await begun(store)
    near = await built(store, submission(first))
    await tell(store, near, "cqc")
    far = await built(store, submission(near, caller=CQC))
    await tell(store, far, "gmc")
    both = await built(store, submission(first, far))
    assert await descendants(store, first) == sorted([near, far, both])
    assert await descendants(store, far) == [both]
    assert await descendants(store, other) == []


async def test_a_key_that_is_taken_is_known_and_not_built_again(store: Store) -> None:
    sent = submission(await begun(store))
    child = await built(store, sent)
    again = await derive_concern(sent, keys=KEYS, desk=desk_of(store), now=NOON)
    assert again == Receipt(child, 1, (), replayed=True)


async def test_a_recall_counts_for_all_that_came_of_it(store: Store) -> None:
    first, other = await begun(store), await begun(store)
    child, alone = await built(store, submission(first, other)), await built(store, submission(other))
    await recall_concern(first, "barred", CQC, desk=desk_of(store))
    found = {name: await store.archive.concern(name, Reader("gmc")) for name in (child, alone)}
    assert {name: record.recall for name, record in found.items() if record} == {
        child: Recall("barred", NOON),
        alone: None,
    }
    thread = await thread_of(store, child)
    assert thread is not None
    assert thread.recall == Recall("barred", NOON)


async def test_a_recall_and_what_is_built_at_the_same_time_never_miss_each_other(store: Store) -> None:
    """Real concurrency on the real store, at both ends of a chain: each is either named by the recall, or refused."""
    desk = desk_of(store)
    for number in range(ROUNDS):
        first = await begun(store)
        near = await built(store, submission(first))
        await tell(store, near, "gmc")
        async with store.begin() as tx:
            await tx.close([(first, 1)])  # so that the recall is announced at once
        builds = [
            derive_concern(submission(source), keys=KEYS, desk=desk, now=NOON)
            for source in (first, near)
            for _ in range(AT_ONCE)
        ]
        acts = [*builds[:number], recall_concern(first, "barred", CQC, desk=desk), *builds[number:]]
        answers = await asyncio.gather(*acts)
        stood = {answer.concern_id for answer in answers if isinstance(answer, Receipt)}
        refused = [answer for answer in answers if isinstance(answer, Unsourced)]
        assert len(stood) + len(refused) == len(builds)
        said = [row.value for row in store.offered if row.topic == CONCERNS.name and b"concern.recalled" in row.value]
        events = [ConcernRecalled.model_validate_json(value) for value in said]
        assert [e.data.descendants for e in events if e.subject == first] == [sorted({near, *stood})]
        assert await descendants(store, first) == sorted({near, *stood})
