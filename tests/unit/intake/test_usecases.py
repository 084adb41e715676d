"""The flows of intake on the in-memory store."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from hypothesis import given

from services.intake.domain.model import (
    Caller,
    Clash,
    ConcernId,
    Decided,
    NoticeTurn,
    Receipt,
    Submission,
    Told,
)
from services.intake.entrypoints.forms import ConcernForm
from services.intake.ports import Acceptance
from services.intake.usecases import (
    accept_concerns,
    announce,
    make_concern,
    note_decisions,
    note_outcomes,
)
from shared.canonical import canonical
from shared.contracts.audit import AuditRecorded
from shared.contracts.concern import ConcernSubmitted
from shared.contracts.topics import AUDIT, CONCERNS
from shared.faults import PositionMoved, StoreUnavailable
from shared.records import Span
from shared.sealing import unseal
from tests.support.clock import NOON
from tests.support.intake_fakes import KEYS, InMemoryIntake, a_concern
from tests.unit.intake.strategies import CANARY, concerns

SPAN = Span("intake", "concordat.decisions.v1", 3, 0, 4)


def acceptance(**changes: object) -> Acceptance:
    body = ConcernForm.model_validate(a_concern(**changes)).model_dump(by_alias=True, exclude_none=True)
    return announce(make_concern(Submission(body, Caller("cqc-cases", "cqc")), keys=KEYS, now=NOON), client="cqc-cases")


async def test_a_new_concern_is_stored_announced_and_recorded_in_one_transaction() -> None:
    store, one = InMemoryIntake(), acceptance()
    (answer,) = await accept_concerns([one], register=store)
    assert answer == Receipt(one.concern.id, 1, (), replayed=False)
    assert [row.topic for row in store.offered] == [CONCERNS.name, AUDIT.name]
    assert store.offered[0].closes_with == f"{one.concern.id}/1"
    assert store.commit_count == 1


async def test_the_same_concern_again_gets_the_first_ones_id_and_is_not_announced_again() -> None:
    store, one, again = InMemoryIntake(), acceptance(), acceptance()
    await accept_concerns([one], register=store)
    (answer,) = await accept_concerns([again], register=store)
    assert answer == Receipt(one.concern.id, 1, (), replayed=True)
    assert len(store.offered) == 2


async def test_repeats_and_clashes_inside_one_batch_are_told_apart() -> None:
    store = InMemoryIntake()
    first, repeat, clash, other = (
        acceptance(), acceptance(), acceptance(summary="Other."), acceptance(originator_ref="R-2"),
    )  # fmt: skip
    answers = await accept_concerns([first, repeat, clash, other], register=store)
    assert answers == [
        Receipt(first.concern.id, 1, (), replayed=False),
        Receipt(first.concern.id, 1, (), replayed=True),
        Clash(clash.concern.key),
        Receipt(other.concern.id, 1, (), replayed=False),
    ]


async def test_nothing_is_kept_when_the_store_is_away() -> None:
    store = InMemoryIntake()
    store.away = True
    with pytest.raises(StoreUnavailable):
        await accept_concerns([acceptance()], register=store)
    assert store.bare


def test_the_event_binds_clear_and_sealed_parts_in_its_digest() -> None:
    event = acceptance().event
    data = event.data
    sealed = data.sealed.model_dump()
    inner = hashlib.sha256(canonical(sealed)).digest()
    assert data.digest == hashlib.sha256(canonical(data.routing) + inner).hexdigest()
    opened = unseal(sealed, KEYS.sealing, bound_to=f"{data.concern_id}/1")
    assert opened["subjects"][0]["name"] == "Dr Canary Name"


def test_what_concerns_one_subject_goes_to_one_partition_whoever_sends_it() -> None:
    one, other = acceptance(), acceptance(originator_ref="R-2", summary="Quite another.")
    assert one.concern.partition_key == other.concern.partition_key
    assert acceptance(subjects=None).concern.partition_key.startswith("con_")


def test_the_audit_fact_holds_the_digest_and_ids_alone() -> None:
    one = acceptance()
    assert one.fact.kind == "concern-received"
    assert one.fact.body == {"version": 1, "digest": one.concern.digest, "originator": "cqc"}
    assert one.fact.concern_id == one.concern.id


def test_the_event_and_fact_of_a_version_always_have_the_same_ids() -> None:
    one = acceptance()
    again = announce(one.concern, client="cqc-cases")
    assert (again.event.id, again.fact.fact_id) == (one.event.id, one.fact.fact_id)


def test_a_fingerprint_changes_with_the_body_and_cannot_be_made_without_the_key() -> None:
    one, other = acceptance(), acceptance(summary="Other.")
    assert one.concern.body_mac == acceptance().concern.body_mac != other.concern.body_mac
    body = ConcernForm.model_validate(a_concern()).model_dump(by_alias=True, exclude_none=True)
    assert one.concern.body_mac != hashlib.sha256(canonical(body)).digest()


@given(concerns)
def test_any_concern_of_the_right_form_is_accepted_and_its_detail_stays_sealed(body: dict[str, object]) -> None:
    form = ConcernForm.model_validate(body).model_dump(by_alias=True, exclude_none=True)
    one = announce(make_concern(Submission(form, Caller("c", "cqc")), keys=KEYS, now=NOON), client="c")
    store = InMemoryIntake()
    (answer,) = asyncio.run(accept_concerns([one], register=store))
    assert answer == Receipt(one.concern.id, 1, one.concern.flags, replayed=False)
    event, fact = (row.value for row in store.offered)
    parsed = ConcernSubmitted.model_validate_json(event)
    assert parsed.encode() == event
    AuditRecorded.model_validate_json(fact)
    clear = canonical(parsed.data.routing) + fact
    assert CANARY.encode() not in clear
    assert CANARY.upper().encode() not in clear


def decided(concern_id: ConcernId, number: int = 1) -> Decided:
    return Decided(f"evt_{concern_id}_{number}", concern_id, 1, NOON, number, (Told("gmc", "ntc_1", "PERMITTED"),))


async def test_a_decision_closes_the_announcement_and_enters_the_timeline_once() -> None:
    store, one = InMemoryIntake(), acceptance()
    await accept_concerns([one], register=store)
    news = decided(one.concern.id)
    await note_decisions([news, news], [SPAN], begin=store.begin)
    await note_decisions([news], [Span(SPAN.group, SPAN.topic, SPAN.partition, 5, 5)], begin=store.begin)
    assert store.closed == {f"{one.concern.id}/1"}
    assert list(store.entries.values()) == [news]


async def test_news_of_an_unknown_concern_is_passed_over_and_spoils_nothing() -> None:
    store, one = InMemoryIntake(), acceptance()
    await accept_concerns([one], register=store)
    known, unknown = decided(one.concern.id), decided(ConcernId("con_elsewhere"))
    await note_decisions([unknown, known], [SPAN], begin=store.begin)
    assert list(store.entries.values()) == [known]


async def test_an_outcome_enters_the_timeline_even_before_its_decision() -> None:
    store, one = InMemoryIntake(), acceptance()
    await accept_concerns([one], register=store)
    news = NoticeTurn("evt_o", one.concern.id, 1, NOON + timedelta(seconds=1), "ntc_1", "gmc", "delivered", 1)
    await note_outcomes([news], [SPAN], begin=store.begin)
    assert list(store.entries.values()) == [news]


async def test_a_batch_without_events_still_moves_on() -> None:
    store = InMemoryIntake()
    await note_decisions([], [SPAN], begin=store.begin)
    await note_outcomes([], [Span(SPAN.group, SPAN.topic, SPAN.partition, 5, 9)], begin=store.begin)
    assert store.next_offsets == {("intake", SPAN.topic, 3): 10}


async def test_a_batch_of_a_lost_partition_takes_no_effect() -> None:
    store, one = InMemoryIntake(), acceptance()
    await accept_concerns([one], register=store)
    with pytest.raises(PositionMoved):
        await note_decisions([decided(one.concern.id)], [Span("intake", SPAN.topic, 3, 7, 7)], begin=store.begin)
    assert not store.entries
    assert not store.closed
