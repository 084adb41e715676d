"""Graph files in Postgres: added with the change that they came with, never changed or deleted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.adapters.change_store import PostgresChanges
from services.registry.adapters.postgres import PostgresHistory
from services.registry.adapters.tables import documents
from services.registry.domain.documents import Files
from services.registry.ports import ChangeTransaction

_ADD = text(
    """INSERT INTO registry.documents (change_id, revision, path, text)
    SELECT :change_id, :revision, path, text
    FROM unnest(CAST(:paths AS text[]), CAST(:texts AS bytea[])) AS d(path, text)"""
)
# A change's files hold from the version that its scheduling names; only its last revision was committed.
_AS_OF = text(
    """WITH made AS (
        SELECT s.change_id, (convert_from(s.body, 'UTF8')::jsonb #>> '{step,version}')::bigint AS version, 1 + (
            SELECT count(*) FROM registry.change_events r WHERE r.change_id = s.change_id AND r.event = 'REVISED'
        ) AS revision
        FROM registry.change_events s WHERE s.event = 'SCHEDULED'
        UNION ALL SELECT 'seed', 1, 1
    )
    SELECT DISTINCT ON (path) path, text FROM registry.documents JOIN made USING (change_id, revision)
    WHERE version <= :version ORDER BY path, version DESC"""
)


class PostgresDocumentStore:
    """Opens transactions on the files; they are transactions on changes and history too."""

    def __init__(self, history: PostgresHistory) -> None:
        self._history = history

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresDocuments"]:
        """One transaction. Raises StoreUnavailable."""
        async with self._history.begin() as history:
            yield PostgresDocuments(history.connection, PostgresChanges(history.connection, history))


class PostgresDocuments:
    """The files in one transaction; see ports.DocumentTransaction."""

    def __init__(self, connection: AsyncConnection, changes: ChangeTransaction) -> None:
        self._connection = connection
        self._changes = changes

    def changes(self) -> ChangeTransaction:
        """The changes, in the same transaction."""
        return self._changes

    async def of_change(self, change_id: str, revision: int) -> Files:
        """The files of a change in that revision."""
        rows = documents
        found = await self._connection.execute(
            select(rows.c.path, rows.c.text).where(rows.c.change_id == change_id, rows.c.revision == revision)
        )
        return {row.path: row.text for row in found}

    async def add(self, change_id: str, revision: int, files: Files) -> None:
        """Keep files that are not there yet."""
        await self._connection.execute(
            _ADD,
            {"change_id": change_id, "revision": revision, "paths": list(files), "texts": list(files.values())},
        )

    async def as_of(self, version: int) -> Files:
        """Each file as it was written last, up to that version."""
        found = await self._connection.execute(_AS_OF, {"version": version})
        return {row.path: row.text for row in found}
