"""Concerns and what came of them, read from Postgres."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.intake.adapters import tables
from services.intake.adapters.rows import entry_of, version_of
from services.intake.domain.model import ConcernId, ConcernRecord, Entry, Page, Reader, Recall, VersionRecord
from shared.db.engine import transaction

# A concern is recalled by its originator, or by the first of the recalls of what it came of.
_RECALLS = text(
    """WITH RECURSIVE up AS (
      SELECT name AS concern_id, name AS source_id FROM unnest(CAST(:ids AS text[])) AS n(name)
      UNION SELECT up.concern_id, l.source_id FROM intake.lineage l JOIN up ON l.concern_id = up.source_id
    )
    SELECT DISTINCT ON (up.concern_id) up.concern_id, s.reason, s.at
    FROM intake.steps s JOIN up ON s.concern_id = up.source_id
    WHERE s.kind = 'recall' ORDER BY up.concern_id, s.at, s.concern_id"""
)


class PostgresArchive:
    """See ports.Archive. Whose concern it is stands in the statement, so that absent and forbidden look alike."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def concern(self, concern_id: ConcernId, reader: Reader) -> ConcernRecord | None:
        """See ports.Archive."""
        found = await self._records(_visible(reader).where(tables.concerns.c.concern_id == concern_id))
        return found[0] if found else None

    async def concerns(self, page: Page, reader: Reader) -> Sequence[ConcernRecord]:
        """See ports.Archive."""
        c = tables.concerns.c
        statement = _visible(reader).order_by(c.accepted_at.desc(), c.concern_id.desc()).limit(page.limit)
        if page.after is not None:
            statement = statement.where(tuple_(c.accepted_at, c.concern_id) < tuple_(*page.after))
        if page.since is not None:
            statement = statement.where(c.accepted_at >= page.since)
        return await self._records(statement)

    async def _records(self, statement: Select[Any]) -> Sequence[ConcernRecord]:
        async with transaction(self._engine) as connection:
            return await _read(connection, statement)


async def records_of(connection: AsyncConnection, concern_ids: Sequence[ConcernId]) -> Sequence[ConcernRecord]:
    """These concerns, whosever they are."""
    return await _read(connection, _visible(Reader(None)).where(tables.concerns.c.concern_id.in_(concern_ids)))


async def _read(connection: AsyncConnection, statement: Select[Any]) -> Sequence[ConcernRecord]:
    concerns = (await connection.execute(statement)).all()
    ids = [row.concern_id for row in concerns]
    versions = await _versions(connection, ids)
    entries = await _entries(connection, ids)
    recalls = await _recalls(connection, ids)
    return [
        ConcernRecord(
            ConcernId(row.concern_id),
            row.originator,
            row.originator_ref,
            tuple(versions[row.concern_id]),
            tuple(entries[row.concern_id]),
            recalls.get(row.concern_id),
        )
        for row in concerns
    ]


def _visible(reader: Reader) -> Select[Any]:
    c = tables.concerns.c
    statement = select(c.concern_id, c.originator, c.originator_ref)
    return statement if reader.org is None else statement.where(c.originator == reader.org)


async def _versions(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, list[VersionRecord]]:
    v = tables.versions.c
    columns = (v.concern_id, v.version, v.digest, v.accepted_at, v.received_at, v.identifier_flags)
    found: dict[str, list[VersionRecord]] = defaultdict(list)
    for row in await connection.execute(select(*columns).where(v.concern_id.in_(ids)).order_by(v.version)):
        found[row.concern_id].append(version_of(row))
    return found


async def _entries(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for row in await connection.execute(select(tables.timeline).where(tables.timeline.c.concern_id.in_(ids))):
        found[row.concern_id].append(entry_of(row))
    return found


async def _recalls(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Recall]:
    found = await connection.execute(_RECALLS, {"ids": list(ids)})
    return {row.concern_id: Recall(row.reason, row.at) for row in found}
