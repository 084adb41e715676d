"""One suite for intake's store, in memory and in the real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.intake.domain.model import (
    ConcernId,
    Decided,
    Entry,
    NaturalKey,
    NoticeTurn,
    Page,
    Reader,
    Stored,
    TakenBack,
    Told,
    UndoingKind,
    Undone,
)
from services.intake.ports import Acceptance
from shared.contracts.topics import AUDIT, CONCERNS, DECISIONS
from shared.faults import PositionMoved
from shared.records import Span
from tests.support.clock import NOON
from tests.support.intake_stores import Store, acceptance, store_on
from tests.support.stack import TestPostgres

ALL, CQC, GMC = Reader(None), Reader("cqc"), Reader("gmc")
FLAGGED = [{"kind": "service-user", "identifiers": [{"scheme": "nhs-number", "value": "9434765918"}]}]


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    async with store_on(postgres) as opened:
        yield opened


async def accept(store: Store, *acceptances: Acceptance) -> frozenset[ConcernId]:
    return await store.register.accept(acceptances)


async def test_new_concerns_are_stored_and_offered(store: Store) -> None:
    one, two = acceptance(), acceptance(originator_ref="R-2")
    assert await accept(store, one, two) == {one.concern.id, two.concern.id}
    assert sorted(row.topic for row in store.offered) == [AUDIT.name, AUDIT.name, CONCERNS.name, CONCERNS.name]
    announced = {row.event_id: row.value for row in store.offered}
    assert announced[one.event.id] == one.event.encode()


async def test_a_known_key_is_neither_stored_nor_offered_again(store: Store) -> None:
    one, again, new = acceptance(), acceptance(summary="Other."), acceptance(originator_ref="R-2")
    await accept(store, one)
    assert await accept(store, again, new) == {new.concern.id}
    assert len(store.offered) == 4
    assert await store.archive.concern(again.concern.id, ALL) is None


async def test_of_equal_keys_in_one_batch_the_first_that_sorts_is_stored_alone(store: Store) -> None:
    batch = [acceptance() for _ in range(5)]
    new = await accept(store, *batch)
    assert len(new) == 1
    assert len(store.offered) == 2


async def test_what_is_on_disk_is_read_back_by_its_key(store: Store) -> None:
    one, other = acceptance(), acceptance(originator_ref="R-2")
    await accept(store, one)
    found = await store.register.stored([one.concern.key, other.concern.key])
    assert found == {one.concern.key: Stored(one.concern.id, one.concern.body_mac)}


async def test_a_key_that_is_twice_in_one_batch_is_read_back(store: Store) -> None:
    one, again = acceptance(), acceptance()
    await accept(store, one, again)
    found = await store.register.stored([one.concern.key])
    assert found[one.concern.key].body_mac == one.concern.body_mac


async def test_the_same_reference_of_two_originators_is_two_concerns(store: Store) -> None:
    one, two = acceptance(), acceptance(originator="gmc")
    assert await accept(store, one, two) == {one.concern.id, two.concern.id}


async def test_two_batches_with_the_same_keys_store_each_once(store: Store) -> None:
    refs = [f"R-{n}" for n in range(20)]
    ones = [acceptance(originator_ref=ref) for ref in refs]
    others = [acceptance(originator_ref=ref) for ref in reversed(refs)]
    first, second = await asyncio.gather(accept(store, *ones), accept(store, *others))
    assert len(first) + len(second) == 20


async def test_a_concern_is_read_with_its_flags_and_times(store: Store) -> None:
    one = acceptance(subjects=FLAGGED)
    await accept(store, one)
    found = await store.archive.concern(one.concern.id, CQC)
    assert found is not None
    assert (found.originator, found.originator_ref) == ("cqc", "R-1")
    assert (found.current.flags, found.current.digest) == (one.concern.flags, one.concern.digest)
    assert (found.current.accepted_at, found.current.received_at) == (NOON, NOON)


async def test_a_concern_is_hidden_from_other_bodies_and_open_to_operators(store: Store) -> None:
    one = acceptance()
    await accept(store, one)
    seen = [await store.archive.concern(one.concern.id, reader) is not None for reader in (CQC, GMC, ALL)]
    assert seen == [True, False, True]


async def test_a_list_is_newest_first_and_goes_on_where_it_ended(store: Store) -> None:
    batch = [acceptance(second=n // 2, originator_ref=f"R-{n}") for n in range(6)]
    await accept(store, *batch, acceptance(originator="gmc"))
    expected = sorted(((a.concern.accepted_at, a.concern.id) for a in batch), reverse=True)
    first = await store.archive.concerns(Page(4), CQC)
    second = await store.archive.concerns(Page(4, expected[3]), CQC)
    assert [record.id for record in (*first, *second)] == [concern_id for _, concern_id in expected]
    assert len(await store.archive.concerns(Page(10), ALL)) == 7
    since = batch[4].concern.accepted_at
    assert [r.id for r in await store.archive.concerns(Page(10, since=since), CQC)] == [i for _, i in expected[:2]]


def decided(concern_id: ConcernId) -> Decided:
    told = (Told("gmc", "ntc_1", "PERMITTED"), Told("nmc", "ntc_2", "REQUIRED"))
    return Decided(f"evt_d_{concern_id}", concern_id, 1, NOON, 1, told, ("psa",), ("hee",), unroutable=False)


def delivered(concern_id: ConcernId) -> NoticeTurn:
    return NoticeTurn(f"evt_o_{concern_id}", concern_id, 1, NOON, "ntc_1", "gmc", "delivered", 3)


async def note(store: Store, entries: Sequence[Entry]) -> None:
    async with store.begin() as tx:
        await tx.note(entries)


async def test_entries_come_back_as_they_were_and_once_only(store: Store) -> None:
    one = acceptance()
    await accept(store, one)
    decision, turn = decided(one.concern.id), delivered(one.concern.id)
    await note(store, [turn, decision, turn])
    await note(store, [decision])
    found = await store.archive.concern(one.concern.id, CQC)
    assert found is not None
    assert sorted(found.entries, key=lambda entry: entry.event_id) == [decision, turn]


@pytest.mark.parametrize("kind", ["withdrawal", "recall"])
async def test_what_was_taken_back_comes_back_as_it_was(store: Store, kind: UndoingKind) -> None:
    one = acceptance()
    await accept(store, one)
    notices = (TakenBack("gmc", "ntc_9", "ntc_1", 1, "CATEGORY"), TakenBack("nmc", "ntc_8", "ntc_2", 1, "EXPIRED"))
    undone = Undone("evt_u", one.concern.id, 1, NOON, kind, notices)
    await note(store, [undone, undone])
    found = await store.archive.concern(one.concern.id, CQC)
    assert found is not None
    assert found.entries == (undone,)


async def test_an_entry_of_an_unknown_concern_is_passed_over(store: Store) -> None:
    one = acceptance()
    await accept(store, one)
    await note(store, [decided(ConcernId("con_unknown")), decided(one.concern.id)])
    found = await store.archive.concern(one.concern.id, CQC)
    assert found is not None
    assert found.entries == (decided(one.concern.id),)


async def test_closing_a_version_closes_its_announcement_alone(store: Store) -> None:
    one, two = acceptance(), acceptance(originator_ref="R-2")
    await accept(store, one, two)
    async with store.begin() as tx:
        await tx.close([(one.concern.id, 1), (ConcernId("con_unknown"), 1), (one.concern.id, 1)])
    assert await store.is_closed(f"{one.concern.id}/1")
    assert not await store.is_closed(f"{two.concern.id}/1")


async def test_a_transaction_moves_past_its_spans_or_does_nothing(store: Store) -> None:
    one = acceptance()
    await accept(store, one)
    span = Span("intake", DECISIONS.name, 2, 5, 9)
    await store.place(span)
    async with store.begin([span]):
        pass

    async def note_again() -> None:
        async with store.begin([span]) as tx:
            await tx.note([decided(one.concern.id)])

    with pytest.raises(PositionMoved):
        await note_again()
    found = await store.archive.concern(one.concern.id, CQC)
    assert found is not None
    assert not found.entries


async def test_keys_with_any_characters_are_kept_apart(store: Store) -> None:
    refs = ["a'b", 'a"b', "a,b", "{a}", "a\\b", "NULL", "é", "日本", "%s", ":x", "a b"]
    batch = [acceptance(originator_ref=ref) for ref in refs]
    assert len(await accept(store, *batch)) == len(refs)
    found = await store.register.stored([NaturalKey("cqc", ref, 1) for ref in refs])
    assert {key.originator_ref for key in found} == set(refs)
