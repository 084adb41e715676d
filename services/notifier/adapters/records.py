"""What callers may read of the ledger and the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifier.adapters.tables import attempts, facts, notices
from services.notifier.ports import Json, Listing
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
        return _notice(found[0]) | {"attempts": [_attempt(row) for row in await self._rows(made)]}

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
    for name in ("next_attempt_at", "registered_at", "give_up_at", "valid_until", "closed_at"):
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
    }
