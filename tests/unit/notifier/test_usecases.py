"""The flows on in-memory ports."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import orjson
import pytest

from services.notifier.adapters.keys import KeyedOpener
from services.notifier.domain.model import Answer, NoticeState, Returned, Stopped
from services.notifier.domain.signature import verify
from services.notifier.ports import Json
from services.notifier.usecases import (
    attempt_notice,
    claim_due,
    confirm_registered,
    end_notices,
    register_notices,
    renew_leases,
    send_notice,
    settle_results,
)
from shared.contracts.notice import NoticeIssued
from shared.faults import StoreUnavailable
from shared.records import Batch, Span
from shared.sealing import NotOpened
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_fakes import (
    SEALING,
    SECRET,
    TOKENS,
    InMemoryStore,
    RoomyLanes,
    ScriptedWire,
    a_leased,
    a_notice,
    a_target,
)

SPAN = Span("notifier", "concordat.notices.v1", 0, 0, 0)


@dataclass(slots=True)
class Notifier:
    """A notifier in memory."""

    store: InMemoryStore = field(default_factory=InMemoryStore)
    lanes: RoomyLanes = field(default_factory=RoomyLanes)
    wire: ScriptedWire = field(default_factory=ScriptedWire)
    clock: FrozenClock = field(default_factory=FrozenClock)

    async def take(self, *events: NoticeIssued) -> int:
        opener = KeyedOpener(SEALING, TOKENS)
        done = await register_notices(
            Batch(events, (SPAN,)), opener=opener, clock=self.clock, lanes=self.lanes, store=self.store
        )
        return done.inserted_count

    async def deliver(self) -> list[str]:
        """Attempt what is leased and write it down; gives the verdicts."""
        target = a_target()
        results = [
            await attempt_notice(
                n,
                target,
                send=partial(send_notice, wire=self.wire, store=self.store),
                clock=self.clock,
                chance=lambda: 0.5,
            )
            for n in self.lanes.started
        ]
        self.lanes.started.clear()
        settled = await settle_results(results, store=self.store)
        return [type(r.verdict).__name__ for r in settled]

    def told(self) -> list[str]:
        return [outcome.type.split(".")[-2] for outcome in self.store.outcomes]


def body_of(notifier: Notifier) -> Json:
    (row,) = notifier.store.rows.values()
    body: Json = orjson.loads(row.entry.body)
    return body


async def test_a_notice_becomes_a_cloud_event_under_its_own_id() -> None:
    notifier, event = Notifier(), a_notice("gmc", withheld={"finance": "CAP"})
    await notifier.take(event)
    body = body_of(notifier)
    assert (body["id"], body["subject"]) == (event.data.notice_id, event.data.concern_id)
    assert body["type"] == "uk.concordat.notice.told.v1"
    assert body["data"]["withheld"] == [{"class": "finance", "reason": "CAP"}]
    assert body["data"]["because"][0]["cite"] == "mou-cqc-gmc/c1"
    assert body["data"]["reason"]["code"] == "PERMITTED"
    assert body["data"]["concern"]["subjects"][0]["name"] == "A Doctor"


@pytest.mark.parametrize(
    ("accepted_at", "gained"),
    [(NOON, timedelta(0)), (NOON + timedelta(days=400), timedelta(days=400))],
    ids=["live", "historic"],
)
async def test_a_concern_held_for_a_day_ages_from_its_acceptance(accepted_at: datetime, gained: timedelta) -> None:
    ends = NOON + timedelta(days=3)
    event = a_notice(valid_until=ends, accepted_at=accepted_at)
    notifier = Notifier()
    await notifier.take(event.model_copy(update={"time": accepted_at + timedelta(days=1)}))
    (row,) = notifier.store.rows.values()
    assert row.entry.valid_until == ends + gained


async def test_a_delivery_is_signed_over_the_stored_bytes() -> None:
    notifier = Notifier()
    await notifier.take(a_notice())
    (row,) = notifier.store.rows.values()
    assert await notifier.deliver() == ["Delivered"]
    ((_, headers, body),) = notifier.wire.sent
    verify([SECRET], headers, body, now_seconds=NOON.timestamp())
    assert body == row.entry.body
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert (row.state, notifier.told()) == (NoticeState.DELIVERED, ["delivered"])


async def test_every_attempt_leaves_one_audit_fact_without_payload() -> None:
    notifier = Notifier(wire=ScriptedWire([Answer(500, body=b"stack trace")]))
    await notifier.take(a_notice())
    await notifier.deliver()
    (fact,) = notifier.store.facts
    (row,) = notifier.store.rows.values()
    assert fact.kind == "delivery-attempt"
    assert fact.body["body_digest"] == row.entry.body_digest
    assert (fact.body["status"], fact.body["attempt_no"], fact.body["webhook_id"]) == (500, 1, row.entry.notice_id)
    assert b"Doctor" not in orjson.dumps(fact.body)
    assert b"stack" not in orjson.dumps(fact.body)


async def test_a_failure_is_due_again_and_told() -> None:
    notifier = Notifier(wire=ScriptedWire([Answer(None, error="no answer: TimeoutError")]))
    await notifier.take(a_notice())
    assert await notifier.deliver() == ["Retry"]
    (row,) = notifier.store.rows.values()
    assert (row.state, row.attempt_count) == (NoticeState.PENDING, 1)
    assert row.due_at == NOON + timedelta(seconds=2.5)
    assert notifier.told() == ["attempt-failed"]


async def test_a_repeat_is_registered_once_and_answered_with_what_is_known() -> None:
    notifier, event = Notifier(), a_notice()
    assert await notifier.take(event) == 1
    assert await notifier.take(event) == 0
    assert notifier.told() == ["registered"]
    await notifier.deliver()
    await notifier.take(event)
    assert notifier.told() == ["registered", "delivered", "delivered"]
    assert len({outcome.id for outcome in notifier.store.outcomes}) == 2
    assert len(notifier.wire.sent) == 1


async def test_a_repeat_under_another_id_is_answered_under_that_id() -> None:
    notifier, event = Notifier(), a_notice()
    await notifier.take(event)
    other = event.model_copy(update={"data": event.data.model_copy(update={"notice_id": "ntc_other"})})
    assert await notifier.take(other) == 0
    assert {o.data.notice_id for o in notifier.store.outcomes} == {event.data.notice_id, "ntc_other"}


async def test_a_notice_that_cannot_be_opened_is_refused_whole_and_its_slot_is_given_back() -> None:
    notifier = Notifier()
    moved = a_notice(concern_id="con_1")
    bad = moved.model_copy(update={"data": moved.data.model_copy(update={"concern_id": "con_2"})})
    with pytest.raises(NotOpened):
        await notifier.take(a_notice(), bad)
    assert (notifier.store.rows, notifier.store.spans) == ({}, [])


async def test_a_commit_that_fails_starts_nothing() -> None:
    notifier = Notifier(store=InMemoryStore(fault=StoreUnavailable("gone")))
    with pytest.raises(StoreUnavailable):
        await notifier.take(a_notice())
    assert (len(notifier.lanes.started), len(notifier.lanes.given_back)) == (0, 1)


async def test_a_batch_without_events_moves_the_positions() -> None:
    notifier = Notifier()
    await notifier.take()
    assert notifier.store.spans == [SPAN]


async def test_what_found_no_room_is_leased_once_it_is_due() -> None:
    notifier = Notifier(lanes=RoomyLanes(room=0))
    await notifier.take(a_notice(), a_notice())
    assert notifier.lanes.started == []
    claimed = await claim_due({"gmc": 1}, (), clock=notifier.clock, begin=notifier.store.begin)
    assert len(claimed) == 1
    again = await claim_due({"gmc": 8}, (), clock=notifier.clock, begin=notifier.store.begin)
    assert {n.notice_id for n in claimed}.isdisjoint(n.notice_id for n in again)


async def test_a_renewed_lease_is_not_claimed_and_one_that_ran_out_is() -> None:
    notifier = Notifier()
    await notifier.take(a_notice())
    notifier.store.database_now += timedelta(seconds=5)
    held = notifier.lanes.started
    assert await renew_leases(held, begin=notifier.store.begin) == {notice.notice_id for notice in held}
    notifier.store.database_now += timedelta(seconds=5)
    assert not await claim_due({"gmc": 8}, (), clock=notifier.clock, begin=notifier.store.begin)
    notifier.store.database_now += timedelta(seconds=2)
    (claimed,) = await claim_due({"gmc": 8}, (), clock=notifier.clock, begin=notifier.store.begin)
    assert claimed.fencing == 2
    assert await notifier.deliver() == []  # the late owner's result changes nothing
    assert notifier.told() == []


async def test_nothing_is_sent_without_an_endpoint_or_after_the_end() -> None:
    wire, clock = ScriptedWire(), FrozenClock()
    send = partial(send_notice, wire=wire, store=InMemoryStore())
    returned = await attempt_notice(a_leased(), None, send=send, clock=clock, chance=lambda: 0)
    ended = await attempt_notice(a_leased(valid_until=NOON), a_target(), send=send, clock=clock, chance=lambda: 0)
    assert isinstance(returned.verdict, Returned)
    assert isinstance(ended.verdict, Stopped)
    assert wire.sent == []


async def test_410_suspends_the_endpoint() -> None:
    notifier = Notifier(wire=ScriptedWire([Answer(410)]))
    await notifier.take(a_notice())
    await notifier.deliver()
    assert list(notifier.store.suspended) == [a_target().endpoint_id]
    notice, to_owner = notifier.store.rows.values()
    assert notice.state is to_owner.state is NoticeState.PENDING
    assert (to_owner.entry.subject.kind, to_owner.alternate) == ("suspension", True)
    assert orjson.loads(to_owner.entry.body)["data"]["reason"] == "the endpoint answered 410 Gone"


async def test_what_is_not_told_of_within_ten_seconds_is_said_to_be_registered_once() -> None:
    notifier = Notifier()
    await notifier.take(a_notice())
    assert not await confirm_registered(clock=notifier.clock, begin=notifier.store.begin)
    notifier.clock.move(timedelta(seconds=10))
    assert len(await confirm_registered(clock=notifier.clock, begin=notifier.store.begin)) == 1
    assert not await confirm_registered(clock=notifier.clock, begin=notifier.store.begin)
    assert notifier.told() == ["registered"]


async def test_what_nobody_waits_for_ends_with_a_reason() -> None:
    notifier = Notifier(lanes=RoomyLanes(room=0))
    await notifier.take(a_notice())
    notifier.clock.move(timedelta(days=8))
    (ended,) = await end_notices(clock=notifier.clock, begin=notifier.store.begin)
    assert isinstance(ended.verdict, Stopped)
    assert notifier.told() == ["expired"]
    assert notifier.store.facts[0].body["reason"] == "undelivered for 8 days"


async def test_two_recipients_get_different_tokens_for_the_same_value() -> None:
    opener = KeyedOpener(SEALING, TOKENS)
    tokens = [opener.pseudonym(org, "registrant", "gmc-number:4012345") for org in ("nmc", "gdc", "nmc")]
    assert tokens[0] == tokens[2] != tokens[1]
    assert "4012345" not in tokens[0]
