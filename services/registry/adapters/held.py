"""The newest graph, kept in memory beside the database: after a commit only its objects are read."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.domain.model import GraphObject
from services.registry.domain.packed import PackedObjects
from shared.graphcopy import GraphCopy
from shared.graphlines import ObjectKey

# In the order of code points, in which a graph is packed.
_GRAPH = text(
    """SELECT DISTINCT ON (kind COLLATE "C", id COLLATE "C") kind, id, body FROM registry.objects
    WHERE version <= :version ORDER BY kind COLLATE "C", id COLLATE "C", version DESC"""
)
_SINCE = text(
    """SELECT DISTINCT ON (kind, id) kind, id, body FROM registry.objects
    WHERE version > :after AND version <= :version ORDER BY kind, id, version DESC"""
)
_ROOT = text("SELECT root FROM registry.commits WHERE version = :version")
_ROWS_AT_ONCE = 5_000


class HeldObjects:
    """The newest graph that was read and had the root of its commit."""

    def __init__(self) -> None:
        self._version = 0
        self._objects = PackedObjects(GraphCopy.of({}))

    async def read(self, connection: AsyncConnection, version: int) -> PackedObjects:
        """The objects as they stood after the commit of that version, as stored: they need not give its root.

        They are read whole where what is held, and what came since, do not give it.
        """
        root = (await connection.execute(_ROOT, {"version": version})).scalar_one_or_none()
        if version == self._version and root == self._objects.root:
            return self._objects
        found = self._prepared(root) or await self._since(connection, version)
        if found is None or found.root != root:
            found = PackedObjects(await _whole(connection, version))
        if found.root == root and version >= self._version:
            self._version, self._objects = version, found
        return found

    def _prepared(self, root: str | None) -> PackedObjects | None:
        """What was made for the commit by whoever committed it here."""
        prepared = self._objects.next
        return prepared if prepared is not None and prepared.root == root else None

    async def _since(self, connection: AsyncConnection, version: int) -> PackedObjects | None:
        if not 0 < self._version < version:
            return None
        rows = await connection.execute(_SINCE, {"after": self._version, "version": version})
        return await asyncio.to_thread(self._objects.with_objects, [GraphObject(*row) for row in rows])


async def _whole(connection: AsyncConnection, version: int) -> GraphCopy:
    items: list[tuple[ObjectKey, bytes]] = []
    options = {"yield_per": _ROWS_AT_ONCE}
    async with connection.stream(_GRAPH, {"version": version}, execution_options=options) as rows:
        async for part in rows.partitions():
            items += [((row.kind, row.id), row.body) for row in part]
    return await asyncio.to_thread(GraphCopy.of_sorted, items)
