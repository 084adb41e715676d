"""The stored copy of the graph, kept in memory beside the database: after a commit only its objects are read."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.router.domain.model import Head
from services.router.domain.replica import Replica
from shared.graphcopy import GraphCopy
from shared.graphlines import ObjectKey

# In the order of code points, in which a graph is packed.
_OBJECTS = text('SELECT kind, id, body FROM router.graph_objects ORDER BY kind COLLATE "C", id COLLATE "C"')
_SINCE = text("SELECT kind, id, body FROM router.graph_objects WHERE version > :version")
_ROWS_AT_ONCE = 5_000


class HeldGraph:
    """The last graph that was read and has the root of its head. Takes a state of the database that does not move."""

    def __init__(self) -> None:
        self._held = Replica(Head(), GraphCopy.of({}))

    async def read(self, connection: AsyncConnection, head: Head) -> Replica:
        """The stored graph at `head`; read whole where what is held and what came since do not give its root.

        What is stored need not have its root: the caller looks.
        """
        if head == self._held.head:
            return self._held
        replica = await self._since(connection, head) or Replica(head, await _whole(connection))
        if isinstance(replica.bodies, GraphCopy) and replica.bodies.root == head.root:
            self._held = replica
        return replica

    async def _since(self, connection: AsyncConnection, head: Head) -> Replica | None:
        held = self._held
        if not 0 < held.head.version < head.version or not isinstance(held.bodies, GraphCopy):
            return None
        rows = await connection.execute(_SINCE, {"version": held.head.version})
        changed = {(row.kind, row.id): row.body for row in rows}
        copy = await asyncio.to_thread(held.bodies.changed, changed)
        return Replica(head, copy) if copy.root == head.root else None


async def _whole(connection: AsyncConnection) -> GraphCopy:
    items: list[tuple[ObjectKey, bytes]] = []
    async with connection.stream(_OBJECTS, execution_options={"yield_per": _ROWS_AT_ONCE}) as rows:
        async for part in rows.partitions():
            items += [((row.kind, row.id), row.body) for row in part]
    return await asyncio.to_thread(GraphCopy.of_sorted, items)
