"""What recipients say and are owed: one suite for the ledger in memory and in the real Postgres."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.domain.acknowledgement import Acknowledgement, Kept, Word
from services.notifier.domain.escalation import Step, escalate
from services.notifier.domain.health import HealthSeen
from services.notifier.domain.model import (
    Delivered,
    Endpoint,
    EndpointId,
    EndpointState,
    Keys,
    Leased,
    NoticeState,
    Result,
    Retry,
    Stopped,
)
from services.notifier.domain.policy import UNDELIVERED
from services.notifier.domain.throttle import Breaker
from services.notifier.ports import Replay, ReplayState, Shown
from shared.contracts.notice import NoticeIssued
from tests.conformance.test_notifier_store import (
    LATER,
    Ledgers,
    alone,
    an_entry,
    claimed,
    ended,
    ledgers,
    put,
    settled,
)
from tests.support.clock import NOON
from tests.support.notifier_fakes import KEYS, a_notice

__all__ = ["alone", "ledgers"]  # the fixtures of the suite
pytestmark = pytest.mark.asyncio(loop_scope="session")
DUTIES = {"limits": {"acknowledge": {"amount": 4, "unit": "clock_hours", "by": "policy"}}}
REFUSED = Kept(Acknowledgement(Word.REFUSED, "not-our-remit", "nmc"), "clerk", LATER)
HOURS_2 = NOON + timedelta(hours=2)
DAY_5 = NOON + timedelta(days=5)


def of(event: NoticeIssued, **changes: object) -> NoticeIssued:
    return event.model_copy(update={"data": event.data.model_copy(update=changes)})


async def delivered(ledgers: Ledgers, event: NoticeIssued) -> Leased:
    await put(ledgers, an_entry(event=event))
    (notice,) = await claimed(ledgers)
    await settled(ledgers, ended(notice, Delivered()))
    return notice


async def state_of(ledgers: Ledgers, notice_id: str) -> NoticeState:
    async with ledgers.begin() as ledger:
        found = await ledger.addressed(notice_id)
    assert found is not None
    return found.state


async def test_what_was_said_is_kept_in_order_and_the_clock_stops(ledgers: Ledgers) -> None:
    notice = await delivered(ledgers, a_notice(duties=DUTIES))
    received = Kept(Acknowledgement(Word.RECEIVED), "clerk", NOON)
    async with ledgers.begin() as ledger:
        assert await ledger.addressed("ntc_none") is None
        assert [s.notice_id for s in await ledger.silent(now=HOURS_2, row_count_max=9)] == [notice.notice_id]
        await ledger.acknowledge(notice.notice_id, received, NoticeState.ACKNOWLEDGED)
        await ledger.acknowledge(notice.notice_id, REFUSED, NoticeState.REFUSED)
    async with ledgers.begin() as ledger:
        found = await ledger.addressed(notice.notice_id)
        assert found is not None
        assert (found.state, list(found.said), found.subject) == (
            NoticeState.REFUSED,
            [received, REFUSED],
            notice.subject,
        )
        assert not await ledger.silent(now=DAY_5, row_count_max=9)


async def test_what_a_person_said_stands_and_the_delivery_under_way_is_written_beside_it(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry())
    (notice,) = await claimed(ledgers)
    async with ledgers.begin() as ledger:
        await ledger.acknowledge(notice.notice_id, REFUSED, NoticeState.REFUSED)
    assert await settled(ledgers, ended(notice, Delivered())) == 1
    assert await state_of(ledgers, notice.notice_id) is NoticeState.REFUSED
    assert await ledgers.attempt_count() == 1


async def test_steps_are_kept_and_the_next_look_is_later(ledgers: Ledgers) -> None:
    notice = await delivered(ledgers, a_notice(duties=DUTIES))
    async with ledgers.begin() as ledger:
        assert not await ledger.silent(now=NOON, row_count_max=9)
        (silent,) = await ledger.silent(now=HOURS_2, row_count_max=9)
        assert (silent.notice_id, silent.since, silent.taken) == (notice.notice_id, NOON, frozenset())
        assert not silent.alternate
        await ledger.escalated([escalate(replace(silent, reachable=True), now=HOURS_2)], now=HOURS_2)
    async with ledgers.begin() as ledger:
        assert not await ledger.silent(now=HOURS_2, row_count_max=9)
        (again,) = await ledger.silent(now=NOON + timedelta(hours=4), row_count_max=9)
    assert again.taken == {Step.REMINDER}


async def test_what_moves_to_the_alternate_is_claimed_by_its_lane_alone(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry())
    async with ledgers.begin() as ledger:
        (silent,) = await ledger.silent(now=DAY_5, row_count_max=9)
        await ledger.escalated([escalate(replace(silent, reachable=True, alternate=True), now=DAY_5)], now=DAY_5)
        assert not await ledger.claim({"gmc": 8}, held=(), now=DAY_5)
        (moved,) = await ledger.claim({"gmc/alternate": 8}, held=(), now=DAY_5)
    assert (moved.alternate, moved.lane_name) == (True, "gmc/alternate")


async def test_reading_is_noted_once_and_delivers_only_where_that_is_the_way(ledgers: Ledgers) -> None:
    for by_inbox in (False, True):
        entry = an_entry(event=a_notice(duties=DUTIES))
        await put(ledgers, entry)
        shown = Shown(
            entry.notice_id, entry.subject, 1, entry.body, NoticeState.PENDING, NOON, None, "4 clock_hours", None
        )
        async with ledgers.begin() as ledger:
            taken = await ledger.read([shown], delivered=by_inbox, now=LATER)
            assert taken == (frozenset({entry.notice_id}) if by_inbox else frozenset())
            assert not await ledger.read([shown], delivered=True, now=LATER)
        wanted = NoticeState.DELIVERED if by_inbox else NoticeState.PENDING
        assert await state_of(ledgers, entry.notice_id) is wanted
        async with ledgers.begin() as ledger:  # what the inbox delivers is looked at next
            looked_at = [s.notice_id for s in await ledger.silent(now=LATER, row_count_max=9)]
        assert (entry.notice_id in looked_at) is by_inbox
        async with ledgers.begin() as ledger:
            silent = [s for s in await ledger.silent(now=HOURS_2, row_count_max=9) if s.notice_id == entry.notice_id]
        assert [s.since for s in silent] == [NOON]


async def withdrawn(ledgers: Ledgers, event: NoticeIssued) -> tuple[list[tuple[str, bool]], NoticeState]:
    """What a withdrawal cancelled, and where it stands itself."""
    undo = of(event, notice_id=f"{event.data.notice_id}_w", kind="withdrawal", ref="basis")
    entry = an_entry(event=undo)
    await put(ledgers, entry)
    async with ledgers.begin() as ledger:
        gone = await ledger.withdraw([entry.subject], now=LATER)
    return sorted((one.subject.kind, one.told) for one in gone), await state_of(ledgers, entry.notice_id)


async def test_what_nobody_can_know_of_is_cancelled_and_so_is_its_withdrawal(ledgers: Ledgers) -> None:
    event = a_notice()
    await put(ledgers, an_entry(event=event), an_entry())
    gone, undo = await withdrawn(ledgers, event)
    assert gone == [("tell", False), ("withdrawal", False)]
    assert undo is NoticeState.CANCELLED
    assert await state_of(ledgers, event.data.notice_id) is NoticeState.CANCELLED
    assert len(await claimed(ledgers)) == 1


async def test_what_reached_nobody_in_time_is_cancelled_too_and_is_never_sent_again(ledgers: Ledgers) -> None:
    event = a_notice()
    await put(ledgers, an_entry(event=event))
    (notice,) = await claimed(ledgers)
    await settled(ledgers, Result(notice, NOON, Stopped(UNDELIVERED)))
    assert await state_of(ledgers, notice.notice_id) is NoticeState.EXPIRED_UNDELIVERED
    assert await withdrawn(ledgers, event) == ([("tell", False), ("withdrawal", False)], NoticeState.CANCELLED)
    async with ledgers.begin() as ledger:
        assert await ledger.resend(notice.notice_id, "rpl_1", now=LATER) is None


async def test_what_is_delivered_gets_its_withdrawal(ledgers: Ledgers) -> None:
    event = a_notice()
    await delivered(ledgers, event)
    assert await withdrawn(ledgers, event) == ([], NoticeState.PENDING)
    assert await state_of(ledgers, event.data.notice_id) is NoticeState.DELIVERED


async def test_what_may_have_arrived_is_cancelled_and_gets_its_withdrawal(ledgers: Ledgers) -> None:
    event = a_notice()
    await put(ledgers, an_entry(event=event))
    (under_way,) = await claimed(ledgers)
    assert await withdrawn(ledgers, event) == ([("tell", True)], NoticeState.PENDING)
    await settled(ledgers, ended(under_way, Delivered()))
    assert await state_of(ledgers, event.data.notice_id) is NoticeState.DELIVERED
    tried = a_notice()
    await put(ledgers, an_entry(event=tried))
    for notice in await claimed(ledgers):
        await settled(ledgers, ended(notice, Retry(NOON, "no answer"), status=500))
    assert await withdrawn(ledgers, tried) == ([("tell", True)], NoticeState.PENDING)
    assert not [n for n in await claimed(ledgers) if n.notice_id == tried.data.notice_id]


async def test_a_notice_is_sent_again_under_its_own_id_and_bytes(ledgers: Ledgers) -> None:
    notice = await delivered(ledgers, a_notice())
    async with ledgers.begin() as ledger:
        assert await ledger.resend(notice.notice_id, "rpl_1", now=LATER) == "rpl_1"
    (again,) = await claimed(ledgers)
    assert (again.message_id, again.body, again.subject.kind) == (notice.notice_id, notice.body, "replay")
    assert await state_of(ledgers, notice.notice_id) is NoticeState.DELIVERED


async def test_what_still_waits_is_only_due_earlier_and_what_was_cancelled_is_never_sent(ledgers: Ledgers) -> None:
    event = a_notice()
    await put(ledgers, an_entry(event=event))
    (notice,) = await claimed(ledgers)
    await settled(ledgers, ended(notice, Retry(DAY_5, "answered 500"), status=500))
    assert await claimed(ledgers) == []
    async with ledgers.begin() as ledger:
        assert await ledger.resend(notice.notice_id, "rpl_1", now=LATER) == notice.notice_id
    assert [n.notice_id for n in await claimed(ledgers)] == [notice.notice_id]
    await put(ledgers, an_entry(event=(other := a_notice())))
    await withdrawn(ledgers, other)
    async with ledgers.begin() as ledger:
        assert await ledger.resend(other.data.notice_id, "rpl_2", now=LATER) is None


def a_replay(rate_per_minute: int = 120) -> Replay:
    return Replay("rpl_job", "gmc", NOON, LATER, rate_per_minute, ReplayState.RUNNING, 0, 0, "clerk", LATER)


async def test_a_replay_sends_each_once_at_its_rate_and_says_how_far_it_is(ledgers: Ledgers) -> None:
    events = [a_notice() for _ in range(5)]
    for event in events:
        await delivered(ledgers, event)
    await put(ledgers, an_entry("nmc"))
    now, sent = LATER, []
    async with ledgers.begin() as ledger:
        assert (await ledger.add_replay(a_replay())).total == 5
    for _ in range(4):
        async with ledgers.begin() as ledger:
            sent += [(r.sent, r.state.value) for r in await ledger.advance_replays(now=now, row_count_max=9)]
            assert not await ledger.advance_replays(now=now, row_count_max=9)
        now += timedelta(seconds=1)
    assert sent == [(2, "running"), (4, "running"), (5, "done")]
    async with ledgers.begin() as ledger:
        again = await ledger.claim({"gmc": 20}, held=(), now=now)
    assert sorted(n.message_id for n in again) == sorted(e.data.notice_id for e in events)


async def test_a_paused_replay_sends_nothing_until_it_is_resumed(ledgers: Ledgers) -> None:
    await delivered(ledgers, a_notice())
    async with ledgers.begin() as ledger:
        await ledger.add_replay(a_replay())
        await ledger.change_replay("rpl_job", ReplayState.PAUSED)
        assert not await ledger.advance_replays(now=LATER, row_count_max=9)
        await ledger.change_replay("rpl_job", ReplayState.RUNNING)
        assert [r.sent for r in await ledger.advance_replays(now=LATER, row_count_max=9)] == [1]
        await ledger.change_replay("rpl_job", ReplayState.RUNNING)
        assert not await ledger.advance_replays(now=DAY_5, row_count_max=9)


async def test_who_has_come_back_gets_its_failures_one_after_the_other(ledgers: Ledgers) -> None:
    await put(ledgers, *[an_entry() for _ in range(4)])
    for notice in await claimed(ledgers):
        await settled(ledgers, ended(notice, Retry(DAY_5, "no answer"), status=500))
    async with ledgers.begin() as ledger:
        await ledger.hasten(("gmc", False), count=1, per_second=1, now=NOON)
        assert len(await ledger.claim({"gmc": 9}, held=(), now=NOON)) == 1
        await ledger.hasten(("gmc", False), count=None, per_second=1, now=NOON)
        assert len(await ledger.claim({"gmc": 9}, held=(), now=NOON)) == 1
        assert len(await ledger.claim({"gmc": 9}, held=(), now=NOON + timedelta(seconds=2))) == 2


async def test_since_when_an_endpoint_fails_is_kept_until_it_succeeds(ledgers: Ledgers) -> None:
    bad = HealthSeen(EndpointId("end_1"), Breaker.OPEN, 5, LATER, LATER, 60, 1, None, "answered 500")
    earlier = replace(bad, failing_since=NOON)
    good = replace(bad, breaker=Breaker.CLOSED, failing_since=None, last_success_at=LATER, last_failure="")
    kept = []
    for seen in (earlier, bad, good, bad):
        async with ledgers.begin() as ledger:
            kept.append((await ledger.keep_health([seen], now=LATER))[EndpointId("end_1")])
    assert kept == [NOON, NOON, None, LATER]


async def test_changed_keys_sign_beside_the_old_ones_and_an_alternate_is_another_lane(ledgers: Ledgers) -> None:
    first = Endpoint(EndpointId("end_1"), "gmc", "https://a.example/", "", EndpointState.UNVERIFIED, "", NOON)
    second = replace(first, endpoint_id=EndpointId("end_2"), alternate=True, retry_seconds=(0, 60))
    for endpoint in (first, second):
        await ledgers.endpoints.add(endpoint, KEYS)
        assert not await ledgers.endpoints.targets(now=NOON)
    for endpoint_id, rate in (("end_1", 60), ("end_2", None)):
        await ledgers.endpoints.verify(endpoint_id, rate, at=NOON)
    new = Keys(b"n" * 32, b"f" * 32)
    await ledgers.endpoints.rotate("end_1", new, at=NOON, overlap_until=LATER)
    before = {
        t.lane_name: (t.keys, t.rate_per_minute, t.retry_seconds) for t in await ledgers.endpoints.targets(now=NOON)
    }
    assert before == {"gmc": ((new, KEYS), 60, None), "gmc/alternate": ((KEYS,), None, (0, 60))}
    target = await ledgers.endpoints.target("end_1", now=LATER)
    assert target is not None
    assert target.keys == (new,)


async def test_who_registered_an_endpoint_and_who_approved_it_are_kept(ledgers: Ledgers) -> None:
    made = Endpoint(EndpointId("end_1"), "gmc", "https://a.example/", "", EndpointState.UNVERIFIED, "", NOON)
    made = replace(made, registered_by="gmc-clerk")
    await ledgers.endpoints.add(made, KEYS)
    assert await ledgers.endpoints.one("end_1") == made
    await ledgers.endpoints.approve("end_1", "operator", at=LATER)
    assert await ledgers.endpoints.one("end_1") == replace(made, approved_by="operator")


async def test_the_rest_of_a_notice_is_kept_as_it_came_and_a_recall_marks_it_as_taken_back(ledgers: Ledgers) -> None:
    event = of(a_notice(), fields={"header": "full"}, withheld={"narrative": "x", "registrant": "x"})
    await put(ledgers, an_entry(event=event))
    notice_id = event.data.notice_id
    async with ledgers.begin() as ledger:
        before, absent = await ledger.rest(notice_id), await ledger.rest("ntc_none")
    assert absent is None
    assert before is not None
    sealed = event.data.sealed.model_dump()
    assert before.concern == {"routing": event.data.routing, "sealed": sealed}
    assert (before.subject.recipient, before.state, before.taken_back) == ("gmc", NoticeState.PENDING, False)
    recall = a_notice(concern_id=event.data.concern_id, kind="recall", ref=notice_id)
    other = a_notice(concern_id=event.data.concern_id, kind="recall", ref="ntc_another")
    for kept, taken_back in ((other, False), (recall, True)):
        await put(ledgers, an_entry(event=kept))
        async with ledgers.begin() as ledger:
            after = await ledger.rest(notice_id)
        assert after is not None
        assert after.taken_back is taken_back


async def test_of_a_notice_that_left_nothing_out_nothing_is_kept(ledgers: Ledgers) -> None:
    event = a_notice()
    await put(ledgers, an_entry(event=event))
    async with ledgers.begin() as ledger:
        found = await ledger.rest(event.data.notice_id)
    assert found is not None
    assert found.concern is None
