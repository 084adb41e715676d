"""The history of the graph in Postgres."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, Select, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.registry.adapters.copying import copy_into
from services.registry.adapters.held import HeldObjects
from services.registry.adapters.intervals import record_intervals
from services.registry.adapters.tables import commits, objects
from services.registry.adapters.timeline import PostgresTimeline
from services.registry.domain.model import Commit, GraphObject, StoredObject
from shared.audit import audit_row
from shared.contracts.audit import AuditFact
from shared.contracts.graph import GraphCommitted
from shared.contracts.topics import GRAPH
from shared.db.engine import transaction
from shared.db.outbox import Outbox, OutboxRow
from shared.failpoints import FailPoints
from shared.relay import Relay

_ADD_COMMIT = text(
    """INSERT INTO registry.commits (version, parent_root, root, committed_at, principal, reason, event)
    VALUES (:version, :parent_root, :root, :committed_at, :principal, :reason, :event)
    ON CONFLICT (version) DO NOTHING"""
)
_OBJECT_COLUMNS = ("kind", "id", "version", "body")


class PostgresHistory:
    """Opens transactions on the history; what they publish goes to the relay once they have committed."""

    def __init__(self, engine: AsyncEngine, outbox: Outbox, relay: Relay, fail_points: FailPoints) -> None:
        self._engine = engine
        self._outbox = outbox
        self._relay = relay
        self._fail_points = fail_points
        self._held = HeldObjects()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresTransaction"]:
        """One transaction. Raises StoreUnavailable; whether it was committed is then unknown."""
        async with transaction(self._engine) as connection:
            history = PostgresTransaction(connection, self._held)
            yield history
            await self._outbox.add(connection, history.rows)
            self._hit("registry.before-commit", history.rows)
        self._hit("registry.after-commit", history.rows)
        self._relay.offer(history.rows)

    def _hit(self, name: str, rows: Sequence[OutboxRow]) -> None:
        if rows:  # reading is no commit
            self._fail_points.hit(name)


class PostgresTransaction(PostgresTimeline):
    """The history in one transaction; see ports.History."""

    def __init__(self, connection: AsyncConnection, held: HeldObjects) -> None:
        super().__init__(connection)
        self._held = held
        self.rows: list[OutboxRow] = []

    @property
    def connection(self) -> AsyncConnection:
        """For what else is written in the same transaction."""
        return self._connection

    async def head(self) -> Commit | None:
        """The newest commit, without its objects."""
        return await self._one(select(commits).order_by(commits.c.version.desc()).limit(1))

    async def commit(self, version: int) -> Commit | None:
        """The commit of that version, without its objects."""
        return await self._one(select(commits).where(commits.c.version == version))

    async def graph(self, version: int) -> Sequence[GraphObject]:
        """Every object as it stood after the commit of that version."""
        return await self._held.read(self._connection, version)

    async def commits(self, *, after: int, count_max: int) -> Sequence[Commit]:
        """The commits with a version above `after`, oldest first, with their objects."""
        wanted = select(commits).where(commits.c.version > after).order_by(commits.c.version).limit(count_max)
        rows = (await self._connection.execute(wanted)).all()
        changed = await self._objects_of([row.version for row in rows])
        return [_commit(row, changed[row.version]) for row in rows]

    async def find(self, kind: str, object_id: str) -> StoredObject | None:
        """The newest state of one object."""
        found = await self._connection.execute(
            select(objects.c.version, objects.c.body)
            .where(objects.c.kind == kind, objects.c.id == object_id)
            .order_by(objects.c.version.desc())
            .limit(1)
        )
        row = found.one_or_none()
        return StoredObject(row.version, GraphObject(kind, object_id, row.body)) if row else None

    async def append(self, commit: Commit) -> bool:
        """Add the commit and its objects; False where another commit took the version first."""
        added = await self._connection.execute(
            _ADD_COMMIT,
            {
                "version": commit.version,
                "parent_root": commit.parent_root,
                "root": commit.root,
                "committed_at": commit.committed_at,
                "principal": commit.principal,
                "reason": commit.reason,
                "event": commit.event,
            },
        )
        if added.rowcount == 0:
            return False
        await self._add_objects(commit)
        await record_intervals(self._connection, commit)
        return True

    async def publish(self, events: Sequence[GraphCommitted]) -> None:
        """Tell the routers: the rows are written with the transaction's end."""
        self.rows += [OutboxRow(e.id, GRAPH.name, 0, "graph", e.encode()) for e in events]

    async def record(self, facts: Sequence[AuditFact]) -> None:
        """Hand facts to the audit log: the rows are written with the transaction's end."""
        self.rows += map(audit_row, facts)

    async def _one(self, query: Select[Any]) -> Commit | None:
        row = (await self._connection.execute(query)).one_or_none()
        return _commit(row, ()) if row else None

    async def _objects_of(self, versions: Sequence[int]) -> dict[int, list[GraphObject]]:
        made: dict[int, list[GraphObject]] = defaultdict(list)
        for row in await self._connection.execute(select(objects).where(objects.c.version.in_(versions))):
            made[row.version].append(GraphObject(row.kind, row.id, row.body))
        return made

    async def _add_objects(self, commit: Commit) -> None:
        rows = ((item.kind, item.id, commit.version, item.body) for item in commit.objects)
        await copy_into(self._connection, objects, _OBJECT_COLUMNS, rows)


def _commit(row: Row[Any], changed: Sequence[GraphObject]) -> Commit:
    in_order = tuple(sorted(changed, key=lambda item: item.key))
    return Commit(
        row.version, row.parent_root, row.root, row.committed_at, row.principal, row.reason, row.event, in_order
    )
