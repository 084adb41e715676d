"""What recipients say and are owed, within the ledger's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.adapters import conversation_statements as statements
from services.notifier.adapters.rows import columns_of, replay_of, subject_of, subjects_of
from services.notifier.domain.acknowledgement import Acknowledgement, Kept, Word
from services.notifier.domain.escalation import Escalation, Silent, Step, deadline_of
from services.notifier.domain.health import HealthSeen
from services.notifier.domain.model import EndpointId, NoticeId, NoticeState, Subject
from services.notifier.domain.retry import GIVE_UP_AFTER
from services.notifier.ports import Addressed, Replay, ReplayState, Rest, Shown, Withdrawn

TICK_SECONDS = 1.0
HASTENED_MAX = 10_000


class PostgresConversation:
    """The part of the ledger that is not on the way of a notice to its recipient."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.changes_notices = False

    async def addressed(self, notice_id: str) -> Addressed | None:
        """A notice, locked, with what was said of it."""
        asked = {"notice_id": notice_id}
        row = (await self._connection.execute(statements.ADDRESSED, asked)).one_or_none()
        if row is None:
            return None
        said = [_kept(one) for one in await self._connection.execute(statements.SAID, asked)]
        return Addressed(NoticeId(row.notice_id), subject_of(row), NoticeState(row.state), said)

    async def rest(self, notice_id: str) -> Rest | None:
        """A notice as its recipient may ask the rest of it."""
        row = (await self._connection.execute(statements.REST, {"notice_id": notice_id})).one_or_none()
        if row is None:
            return None
        concern = None if row.rest is None else orjson.loads(row.rest)
        state = NoticeState(row.state)
        return Rest(NoticeId(row.notice_id), subject_of(row), state, row.valid_until, row.taken_back, concern)

    async def acknowledge(self, notice_id: NoticeId, kept: Kept, state: NoticeState) -> None:
        """Keep what was said; the notice's state follows and its clock stops."""
        self.changes_notices = True
        said = kept.acknowledgement
        row = {
            **{name: getattr(said, name) for name in ("reason", "suggested_body", "used_for")},
            "notice_id": notice_id,
            "word": said.word.value,
            "actor": kept.actor,
            "at": kept.at,
        }
        await self._connection.execute(statements.KEEP, row)
        changed = {"notice_id": notice_id, "state": state.value, "at": kept.at}
        await self._connection.execute(statements.ACKNOWLEDGE, changed)

    async def silent(self, *, now: datetime, row_count_max: int) -> Sequence[Silent]:
        """Lock notices that are to be looked at by now."""
        asked = {"now": now, "row_count_max": row_count_max}
        return [_silent(row) for row in await self._connection.execute(statements.SILENT, asked)]

    async def escalated(self, escalations: Sequence[Escalation], *, now: datetime) -> None:
        """Keep which steps were taken and when to look again."""
        self.changes_notices = True
        columns = {
            **columns_of(("again_at", "acknowledge_by", "moves"), escalations),
            "notice_id": [one.silent.notice_id for one in escalations],
            "steps": [" ".join(step.value for step in one.taken) for one in escalations],
        }
        await self._connection.execute(statements.ESCALATED, {**columns, "now": now})

    async def read(self, read: Sequence[Shown], *, delivered: bool, now: datetime) -> frozenset[NoticeId]:
        """Note that these were read; gives those that are delivered by it."""
        self.changes_notices = True
        columns = {
            "notice_id": [one.notice_id for one in read],
            "acknowledge_by": [
                one.acknowledge_by or deadline_of(one.registered_at, one.acknowledge_within) for one in read
            ],
        }
        found = await self._connection.execute(statements.READ, {**columns, "delivered": delivered, "now": now})
        return frozenset(NoticeId(row.notice_id) for row in found if row.delivered)

    async def withdraw(self, subjects: Sequence[Subject], *, now: datetime) -> Sequence[Withdrawn]:
        """Cancel what is pending of what these undo, and those of them that have nothing to undo."""
        self.changes_notices = True
        found = await self._connection.execute(statements.WITHDRAW, {**subjects_of(subjects), "now": now})
        return [Withdrawn(NoticeId(row.notice_id), subject_of(row), row.told) for row in found]

    async def add_replay(self, replay: Replay) -> Replay:
        """Keep a job; gives it with the number of notices that it will send."""
        names = ("replay_id", "recipient", "since", "until", "rate_per_minute", "created_by", "created_at")
        row = {name: getattr(replay, name) for name in names}
        asked = {**{name: row[name] for name in ("recipient", "since", "until")}, "now": replay.created_at}
        total = (await self._connection.execute(statements.REPLAY_TOTAL, asked)).scalar_one()
        await self._connection.execute(statements.ADD_REPLAY, {**row, "state": replay.state.value, "total": total})
        return replay_of({**row, "state": replay.state.value, "total": total, "sent": 0})

    async def change_replay(self, replay_id: str, state: ReplayState) -> None:
        """Pause, resume or cancel a job that is not over."""
        await self._connection.execute(statements.CHANGE_REPLAY, {"replay_id": replay_id, "state": state.value})

    async def resend(self, notice_id: str, replay_id: str, *, now: datetime) -> NoticeId | None:
        """Put one notice into the line again; one that still waits there is due now."""
        self.changes_notices = True
        asked = {"notice_id": notice_id, "now": now}
        waiting = (await self._connection.execute(statements.HASTEN_ONE, asked)).one_or_none()
        if waiting is None:
            asked |= {"replay_id": replay_id, "give_up_at": now + GIVE_UP_AFTER}
            waiting = (await self._connection.execute(statements.RESEND, asked)).one_or_none()
        return NoticeId(waiting.notice_id) if waiting else None

    async def advance_replays(self, *, now: datetime, row_count_max: int) -> Sequence[Replay]:
        """Put the next notices of each job that is due into the line."""
        asked = {"now": now, "row_count_max": row_count_max}
        due = [dict(row) for row in (await self._connection.execute(statements.DUE_REPLAYS, asked)).mappings()]
        return [await self._advance(job, now) for job in due]

    async def hasten(self, lane: tuple[str, bool], *, count: int | None, per_second: float, now: datetime) -> None:
        """Make failures that wait for their next attempt due now, one after the other; None for all of them."""
        org, alternate = lane
        asked = {"recipient": org, "alternate": alternate, "now": now, "per_second": per_second}
        await self._connection.execute(statements.HASTEN, {**asked, "count": count or HASTENED_MAX})

    async def keep_health(self, seen: Sequence[HealthSeen], *, now: datetime) -> dict[EndpointId, datetime | None]:
        """Keep what was seen of endpoints, for people; gives since when each has been failing."""
        names = (
            "endpoint_id", "failure_count", "failing_since", "next_probe_at", "rate_per_minute", "in_flight_cap",
            "last_success_at", "last_failure",
        )  # fmt: skip
        columns = {**columns_of(names, seen), "breaker": [one.breaker.value for one in seen]}
        found = await self._connection.execute(statements.KEEP_HEALTH, {**columns, "now": now})
        return {EndpointId(row.endpoint_id): row.failing_since for row in found}

    async def _advance(self, job: dict[str, Any], now: datetime) -> Replay:
        count = max(int(job["rate_per_minute"] / 60 * TICK_SECONDS), 1)
        names = ("replay_id", "recipient", "since", "until", "place_at", "place_id")
        asked = {**{name: job[name] for name in names}, "now": now, "count": count, "give_up_at": now + GIVE_UP_AFTER}
        last = (await self._connection.execute(statements.ADVANCE_REPLAY, asked)).one_or_none()
        put = last.count if last else 0
        stands = {
            "replay_id": job["replay_id"],
            "state": (ReplayState.RUNNING if put == count else ReplayState.DONE).value,
            "count": put,
            "place_at": last.registered_at if last else job["place_at"],
            "place_id": last.notice_id if last else job["place_id"],
            "next_at": now + timedelta(seconds=count * 60 / job["rate_per_minute"]),
        }
        return replay_of(dict((await self._connection.execute(statements.REPLAY_STANDS, stands)).mappings().one()))


def _kept(row: Any) -> Kept:
    said = Acknowledgement(Word(row.word), row.reason, row.suggested_body, row.used_for)
    return Kept(said, row.actor, row.at)


def _silent(row: Any) -> Silent:
    return Silent(
        notice_id=NoticeId(row.notice_id),
        subject=subject_of(row),
        lane=row.lane,
        state=NoticeState(row.state),
        registered_at=row.registered_at,
        since=row.since,
        acknowledge_within=row.acknowledge_within,
        taken=frozenset(Step(name) for name in row.escalated),
        reachable=row.reachable,
        alternate=row.alternate,
    )
