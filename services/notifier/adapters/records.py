"""What callers may read of the ledger and the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifier.adapters.rows import replay_of, subject_of
from services.notifier.adapters.tables import (
    acknowledgements,
    attempts,
    endpoint_health,
    endpoints,
    facts,
    notices,
    replays,
)
from services.notifier.domain.health import SUSPENDED_AFTER, suspends_at
from services.notifier.domain.model import REPLAY, NoticeId, NoticeState
from services.notifier.domain.throttle import FAILURES_MAX
from services.notifier.ports import InboxPage, Json, Listing, Replay, Shown
from shared.contracts.envelope import rfc3339
from shared.db.engine import transaction

FACTS_MAX = 1000
_SHOWN = (
    notices.c.notice_id,
    notices.c.decision_id,
    notices.c.concern_id,
    notices.c.version,
    notices.c.recipient,
    notices.c.kind,
    notices.c.state,
    notices.c.reason,
    notices.c.body_digest,
    notices.c.attempt_count,
    notices.c.next_attempt_at,
    notices.c.registered_at,
    notices.c.give_up_at,
    notices.c.valid_until,
    notices.c.closed_at,
    notices.c.message_id,
    notices.c.alternate,
    notices.c.acknowledge_by,
    notices.c.acknowledged_at,
    notices.c.escalated,
    notices.c.read_at,
)
_MOMENTS = (
    "next_attempt_at", "registered_at", "give_up_at", "valid_until", "closed_at", "acknowledge_by", "acknowledged_at",
    "read_at",
)  # fmt: skip
_INBOX = (
    notices.c.notice_id,
    notices.c.concern_id,
    notices.c.version,
    notices.c.recipient,
    notices.c.kind,
    notices.c.ref,
    notices.c.inserted_by,
    notices.c.body,
    notices.c.state,
    notices.c.registered_at,
    notices.c.acknowledge_by,
    notices.c.acknowledge_within,
    notices.c.read_at,
)
REPLAYS_MAX = 200
RULE = (
    f"{FAILURES_MAX} failures in a row open the breaker; an endpoint that answers 410, or no delivery to which goes "
    f"well for {SUSPENDED_AFTER.days} days, is suspended until it is resumed; its notices wait"
)


@dataclass(frozen=True, slots=True)
class PostgresRecords:
    """Reads, each in a transaction of its own."""

    engine: AsyncEngine

    async def notices(self, listing: Listing) -> Sequence[Json]:
        """Notices, newest first."""
        place = tuple_(notices.c.registered_at, notices.c.notice_id)
        query = select(*_SHOWN).order_by(place.desc()).limit(listing.row_count_max)
        if listing.org is not None:
            query = query.where(notices.c.recipient == listing.org)
        if listing.concern_id is not None:
            query = query.where(notices.c.concern_id == listing.concern_id)
        if listing.state is not None:
            query = query.where(notices.c.state == listing.state.value)
        if listing.after is not None:
            query = query.where(place < listing.after)
        return [_notice(row) for row in await self._rows(query)]

    async def notice(self, notice_id: str) -> Json | None:
        """One notice with its attempts, oldest first."""
        found = await self._rows(select(*_SHOWN).where(notices.c.notice_id == notice_id))
        if not found:
            return None
        made = select(attempts).where(attempts.c.notice_id == notice_id).order_by(attempts.c.attempt_no)
        said = select(acknowledgements).where(acknowledgements.c.notice_id == notice_id)
        words = await self._rows(said.order_by(acknowledgements.c.acknowledgement_no))
        return _notice(found[0]) | {
            "attempts": [_attempt(row) for row in await self._rows(made)],
            "acknowledgements": [_word(row) for row in words],
        }

    async def inbox(self, page: InboxPage, *, now: datetime) -> Sequence[Shown]:
        """The next notices of a recipient.

        Only what transactions put there that are older than every open one, so that none commits behind the reader.
        """
        place = tuple_(notices.c.inserted_by, notices.c.notice_id)
        settled = text("inserted_by < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint)")
        gone = (NoticeState.CANCELLED.value, NoticeState.EXPIRED.value)
        query = (
            select(*_INBOX)
            .where(notices.c.recipient == page.recipient, place > page.after, settled)
            .where(notices.c.kind != REPLAY, notices.c.state.not_in(gone))
            .where(or_(notices.c.state != "pending", notices.c.valid_until.is_(None), notices.c.valid_until > now))
            .order_by(notices.c.inserted_by, notices.c.notice_id)
            .limit(page.row_count_max)
        )
        return [_shown(row) for row in await self._rows(query)]

    async def replays(self, recipient: str | None) -> Sequence[Replay]:
        """The jobs of a recipient, or all, newest first."""
        query = select(replays).order_by(replays.c.created_at.desc()).limit(REPLAYS_MAX)
        query = query if recipient is None else query.where(replays.c.recipient == recipient)
        return [replay_of(dict(row._mapping)) for row in await self._rows(query)]  # noqa: SLF001 - the library's public name

    async def has_endpoint(self, recipient: str) -> bool:
        """Whether it has one that is not removed."""
        query = select(endpoints.c.endpoint_id).where(endpoints.c.org == recipient, endpoints.c.state != "removed")
        return bool(await self._rows(query.limit(1)))

    async def health(self, endpoint_ids: Sequence[str]) -> Mapping[str, Json]:
        """How endpoints do, as far as one was ever sent to."""
        query = select(endpoint_health).where(endpoint_health.c.endpoint_id.in_(endpoint_ids))
        return {row.endpoint_id: _health(row) for row in await self._rows(query)}

    async def facts(self, concern_id: str) -> Sequence[bytes]:
        """The audit events of a concern, oldest first."""
        query = select(facts.c.event).where(facts.c.concern_id == concern_id)
        rows = await self._rows(query.order_by(facts.c.at, facts.c.fact_id).limit(FACTS_MAX))
        return [row.event for row in rows]

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        async with transaction(self.engine) as connection:
            return list(await connection.execute(query))


def _notice(row: Any) -> Json:
    shown: Json = {str(column.name): value for column, value in zip(_SHOWN, row, strict=True)}
    shown["message_id"] = row.message_id or row.notice_id
    for name in _MOMENTS:
        shown[name] = rfc3339(shown[name]) if shown[name] else None
    if row.state != "pending":
        shown["next_attempt_at"] = None
    return shown


def _attempt(row: Any) -> Json:
    return {
        "attempt_no": row.attempt_no,
        "endpoint_id": row.endpoint_id,
        "at": rfc3339(row.at),
        "duration_ms": row.duration_ms,
        "status": row.status,
        "error": row.error,
        "answer_bytes": len(row.answer),
        "answer": row.answer.decode(errors="replace"),
    }


def _word(row: Any) -> Json:
    codes = {name: getattr(row, name) for name in ("reason", "suggested_body", "used_for")}
    said = {"status": row.word, "by": row.actor, "at": rfc3339(row.at)}
    return said | {name: code for name, code in codes.items() if code}


def _shown(row: Any) -> Shown:
    return Shown(
        notice_id=NoticeId(row.notice_id),
        subject=subject_of(row),
        inserted_by=row.inserted_by,
        body=row.body,
        state=NoticeState(row.state),
        registered_at=row.registered_at,
        acknowledge_by=row.acknowledge_by,
        acknowledge_within=row.acknowledge_within,
        read_at=row.read_at,
    )


def _health(row: Any) -> Json:
    suspended_at = suspends_at(row.failing_since)
    moments = {
        "failing_since": row.failing_since,
        "suspends_at": suspended_at,
        "next_probe_at": row.next_probe_at,
        "last_success_at": row.last_success_at,
        "seen_at": row.seen_at,
    }
    return {
        "breaker": row.breaker,
        "failure_count": row.failure_count,
        "rate_per_minute": row.rate_per_minute,
        "in_flight_cap": row.in_flight_cap,
        "last_failure": row.last_failure,
        **{name: moment and rfc3339(moment) for name, moment in moments.items()},
        "rule": RULE,
    }
