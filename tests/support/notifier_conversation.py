"""The part of the notifier's ledger that is not on the way of a notice to its recipient, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from services.notifier.domain.acknowledgement import Kept
from services.notifier.domain.escalation import Escalation, Silent, Step, deadline_of
from services.notifier.domain.health import HealthSeen
from services.notifier.domain.model import REPLAY, EndpointId, Entry, Leased, NoticeId, NoticeState, Subject
from services.notifier.domain.retry import GIVE_UP_AFTER
from services.notifier.ports import Addressed, Replay, ReplayState, Rest, Shown, Withdrawn
from tests.support.clock import NOON

if TYPE_CHECKING:
    from tests.support.notifier_fakes import InMemoryStore

THERE = frozenset(
    {NoticeState.DELIVERED, NoticeState.ACKNOWLEDGED, NoticeState.ACCEPTED, NoticeState.REFUSED, NoticeState.USED}
)
UNDONE = (NoticeState.PENDING, NoticeState.EXPIRED_UNDELIVERED)


@dataclass(slots=True)
class Row:
    """A notice as the fake ledger keeps it."""

    entry: Entry
    state: NoticeState = NoticeState.PENDING
    reason: str = ""
    attempt_count: int = 0
    fencing: int = 0
    due_at: datetime = NOON
    lease_until: datetime | None = None
    outcome: bytes | None = None
    alternate: bool = False
    closed_at: datetime | None = None
    read_at: datetime | None = None
    acknowledge_by: datetime | None = None
    escalate_at: datetime | None = None
    taken: frozenset[Step] = frozenset()
    said: tuple[Kept, ...] = ()
    message_id: str = ""

    @property
    def leased(self) -> Leased:
        """As its holder sees it."""
        entry = self.entry
        return Leased(
            notice_id=entry.notice_id,
            subject=entry.subject,
            body=entry.body,
            body_digest=entry.body_digest,
            attempt_count=self.attempt_count,
            fencing=self.fencing,
            give_up_at=entry.give_up_at,
            valid_until=entry.valid_until,
            message_id=self.message_id or entry.notice_id,
            acknowledge_within=entry.acknowledge_within,
            retry_seconds=entry.retry_seconds,
            alternate=self.alternate,
        )


class InMemoryConversation:
    """What recipients say and are owed."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def addressed(self, notice_id: str) -> Addressed | None:
        row = self._store.rows.get(NoticeId(notice_id))
        return Addressed(row.entry.notice_id, row.entry.subject, row.state, row.said) if row else None

    async def rest(self, notice_id: str) -> Rest | None:
        row = self._store.rows.get(NoticeId(notice_id))
        if row is None:
            return None
        subjects = [other.entry.subject for other in self._store.rows.values()]
        taken_back = any(s.kind in ("recall", "withdrawal") and s.ref == notice_id for s in subjects)
        concern = None if row.entry.rest is None else orjson.loads(row.entry.rest)
        entry = row.entry
        return Rest(entry.notice_id, entry.subject, row.state, entry.valid_until, taken_back, concern)

    async def acknowledge(self, notice_id: NoticeId, kept: Kept, state: NoticeState) -> None:
        row = self._store.rows[notice_id]
        row.said, row.state, row.escalate_at = (*row.said, kept), state, None

    async def silent(self, *, now: datetime, row_count_max: int) -> Sequence[Silent]:
        due = [r for r in self._store.rows.values() if r.escalate_at is not None and r.escalate_at <= now]
        return [self._silent(row) for row in due[:row_count_max]]

    async def escalated(self, escalations: Sequence[Escalation], *, now: datetime) -> None:
        for one in escalations:
            row = self._store.rows[one.silent.notice_id]
            row.taken, row.escalate_at = frozenset(one.taken), one.again_at
            row.acknowledge_by = one.acknowledge_by or row.acknowledge_by
            if one.moves:
                row.alternate, row.due_at = True, now

    async def read(self, read: Sequence[Shown], *, delivered: bool, now: datetime) -> frozenset[NoticeId]:
        rows = [row for one in read if (row := self._store.rows[one.notice_id]).read_at is None]
        taken = [row for row in rows if delivered and row.state is NoticeState.PENDING]
        for row in rows:
            row.read_at = now
        for row in taken:
            row.state, row.closed_at, row.escalate_at = NoticeState.DELIVERED, row.entry.registered_at, now
            within = row.entry.acknowledge_within
            row.acknowledge_by = row.acknowledge_by or deadline_of(row.entry.registered_at, within)
        return frozenset(row.entry.notice_id for row in taken)

    async def withdraw(self, subjects: Sequence[Subject], *, now: datetime) -> Sequence[Withdrawn]:
        earlier = [(row, _told(row)) for row in self._store.rows.values() if _undone(row, subjects)]
        told = {_about(row.entry.subject) for row, was_told in earlier if was_told}
        moot = [
            r for r in self._store.rows.values() if r.entry.subject in subjects and _about(r.entry.subject) not in told
        ]
        unread = [(row, was_told) for row, was_told in earlier if row.state in UNDONE]
        gone = [*unread, *((row, False) for row in moot if _is_open(row))]
        for row, _ in gone:
            row.state, row.escalate_at, row.closed_at = NoticeState.CANCELLED, None, now
        return [Withdrawn(row.entry.notice_id, row.entry.subject, was_told) for row, was_told in gone]

    async def add_replay(self, replay: Replay) -> Replay:
        kept = replace(replay, total=len(self._of_job(replay, replay.created_at)))
        self._store.replays[replay.replay_id] = kept
        return kept

    async def change_replay(self, replay_id: str, state: ReplayState) -> None:
        known = self._store.replays.get(replay_id)
        if known and known.state in (ReplayState.RUNNING, ReplayState.PAUSED):
            self._store.replays[replay_id] = replace(known, state=state)

    async def resend(self, notice_id: str, replay_id: str, *, now: datetime) -> NoticeId | None:
        row = self._store.rows[NoticeId(notice_id)]
        if _is_open(row):
            row.due_at = now
            return row.entry.notice_id
        return self._put_again(row, replay_id, replay_id, now) if _may_go_again(row, now) else None

    async def advance_replays(self, *, now: datetime, row_count_max: int) -> Sequence[Replay]:
        due = [r for r in self._store.replays.values() if r.state is ReplayState.RUNNING and self._is_due(r, now)]
        return [self._advance(replay, now) for replay in due[:row_count_max]]

    async def hasten(self, lane: tuple[str, bool], *, count: int | None, per_second: float, now: datetime) -> None:
        org, alternate = lane
        waiting = sorted(
            (r for r in self._store.rows.values() if _is_open(r) and r.attempt_count and r.due_at > now),
            key=lambda r: r.due_at,
        )
        own = [r for r in waiting if r.entry.subject.recipient == org and r.alternate == alternate]
        for place, row in enumerate(own[: count or len(own)]):
            row.due_at = min(row.due_at, now + timedelta(seconds=place / per_second))

    async def keep_health(self, seen: Sequence[HealthSeen], *, now: datetime) -> Mapping[EndpointId, datetime | None]:  # noqa: ARG002 - the port's
        for one in seen:
            known = self._store.health.get(one.endpoint_id)
            since = [known.failing_since] if known and known.failing_since and one.failing_since else []
            earliest = min([*since, one.failing_since]) if one.failing_since else None
            self._store.health[one.endpoint_id] = replace(one, failing_since=earliest)
        return {one.endpoint_id: self._store.health[one.endpoint_id].failing_since for one in seen}

    def _silent(self, row: Row) -> Silent:
        entry, org = row.entry, row.entry.subject.recipient
        is_delivered = row.state is NoticeState.DELIVERED
        return Silent(
            notice_id=entry.notice_id,
            subject=entry.subject,
            lane=entry.lane,
            state=row.state,
            registered_at=entry.registered_at,
            since=row.closed_at if is_delivered and row.closed_at else entry.registered_at,
            acknowledge_within=entry.acknowledge_within,
            taken=row.taken,
            reachable=org in self._store.with_endpoint,
            alternate=org in self._store.with_alternate and not row.alternate,
        )

    def _of_job(self, replay: Replay, now: datetime) -> list[Row]:
        rows = [
            r
            for r in self._store.rows.values()
            if r.entry.subject.recipient == replay.recipient
            and replay.since <= r.entry.registered_at < replay.until
            and r.state is not NoticeState.PENDING
            and _may_go_again(r, now)
        ]
        return sorted(rows, key=lambda r: (r.entry.registered_at, r.entry.notice_id))

    def _is_due(self, replay: Replay, now: datetime) -> bool:
        return self._store.next_at.get(replay.replay_id, replay.created_at) <= now

    def _advance(self, replay: Replay, now: datetime) -> Replay:
        count = max(replay.rate_per_minute // 60, 1)
        rows = self._of_job(replay, now)[replay.sent : replay.sent + count]
        for row in rows:
            suffix = row.entry.notice_id
            self._put_again(row, f"{replay.replay_id}_{suffix}", f"{replay.replay_id}/{suffix}", now)
        state = ReplayState.RUNNING if len(rows) == count else ReplayState.DONE
        self._store.next_at[replay.replay_id] = now + timedelta(seconds=count * 60 / replay.rate_per_minute)
        self._store.replays[replay.replay_id] = replace(replay, sent=replay.sent + len(rows), state=state)
        return self._store.replays[replay.replay_id]

    def _put_again(self, row: Row, new_id: str, ref: str, now: datetime) -> NoticeId:
        entry, notice_id = row.entry, NoticeId(new_id)
        again = replace(
            entry,
            notice_id=notice_id,
            subject=replace(entry.subject, kind=REPLAY, ref=ref),
            registered_at=now,
            give_up_at=now + GIVE_UP_AFTER,
        )
        message_id = row.message_id or entry.notice_id
        self._store.rows[notice_id] = Row(again, due_at=now, outcome=b"", message_id=message_id)
        return notice_id


def _is_open(row: Row) -> bool:
    return row.state is NoticeState.PENDING


def _about(subject: Subject) -> tuple[str, int, str]:
    return subject.concern_id, subject.version, subject.recipient


def _undone(row: Row, subjects: Sequence[Subject]) -> bool:
    own = row.entry.subject
    return own.kind in ("tell", "invitation") and _about(own) in {_about(subject) for subject in subjects}


def _told(row: Row) -> bool:
    return bool(row.attempt_count or row.lease_until or row.read_at or row.state in THERE)


def _may_go_again(row: Row, now: datetime) -> bool:
    until, gone = row.entry.valid_until, (NoticeState.CANCELLED, NoticeState.EXPIRED)
    return row.entry.subject.kind != REPLAY and row.state not in gone and (until is None or until > now)
