"""The changes on their way into the graph, in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.adapters.change_memory import ChangeMemory
from services.registry.adapters.copying import copy_into
from services.registry.adapters.postgres import PostgresHistory
from services.registry.adapters.tables import change_differences, change_events, change_objects
from services.registry.domain.change import (
    ChangeEvent,
    ChangeLog,
    ChangePlace,
    Part,
    Scheduled,
    Withdrawn,
    folded,
    step_of,
)
from services.registry.domain.model import GraphObject
from services.registry.domain.timeline import Key
from services.registry.ports import History
from shared.canonical import canonical

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:change_id, 20261122))")
_ADD = text(
    """INSERT INTO registry.change_events (change_id, number, event, at, principal, body)
    VALUES (:change_id, :number, :event, :at, :principal, :body)
    ON CONFLICT (change_id, number) DO NOTHING"""
)
_COLUMNS = ("change_id", "revision", "kind", "id", "number", "place", "body")
_PROPOSED = text(
    """SELECT o.kind, o.id FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) AS k(kind, id)
    JOIN registry.change_objects o ON o.change_id = :change_id AND o.revision = :revision
        AND o.kind = k.kind AND o.id = k.id"""
)
ROWS_AT_ONCE = 2_000
LARGE_BYTES = 262_144
"""Events above that are read beside the event loop: those of an import hold a signature for each of its parties."""
_PAGE = text(
    """SELECT e.* FROM registry.change_events e JOIN (
        SELECT change_id, at AS drafted_at FROM registry.change_events WHERE number = 1
        AND (CAST(:drafted_at AS timestamptz) IS NULL OR (at, change_id) < (:drafted_at, :change_id))
        ORDER BY at DESC, change_id DESC LIMIT :count_max
    ) page USING (change_id) ORDER BY drafted_at DESC, e.change_id DESC, number"""
)


class PostgresChangeStore:
    """Opens transactions on the changes; they are transactions on the history too."""

    def __init__(self, history: PostgresHistory) -> None:
        self._history = history
        self._kept = ChangeMemory()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresChanges"]:
        """One transaction. Raises StoreUnavailable; whether it was committed is then unknown."""
        async with self._history.begin() as history:
            changes = PostgresChanges(history.connection, history, self._kept)
            yield changes
        for change_id, part in changes.parts:
            self._kept.objects.put(change_id, part)


class PostgresChanges:
    """The changes in one transaction; see ports.ChangeTransaction."""

    def __init__(self, connection: AsyncConnection, history: History, kept: ChangeMemory | None = None) -> None:
        self._connection = connection
        self._history = history
        self._kept = kept or ChangeMemory()
        self.parts: list[tuple[str, Part]] = []
        self._has_added = False

    def history(self) -> History:
        """The history of the graph, in the same transaction."""
        return self._history

    async def hold(self, change_id: str) -> None:
        """Nobody else adds to this change. The key of the events would refuse them too, after more work."""
        await self._connection.execute(_HOLD, {"change_id": change_id})

    async def log(self, change_id: str) -> ChangeLog | None:
        """All events of a change; those of a long one that were read before are not read again."""
        known = ChangeLog(change_id, ()) if self._has_added else self._kept.log.of(change_id)
        events = change_events
        found = await self._connection.execute(
            select(events)
            .where(events.c.change_id == change_id, events.c.number > len(known.events))
            .order_by(events.c.number)
        )
        rows = found.all()
        if not known.events and sum(len(row.body) for row in rows) <= LARGE_BYTES:
            return ChangeLog(change_id, tuple(map(_event, rows))) if rows else None
        log = await asyncio.to_thread(_read_on, known, rows)
        if not self._has_added:
            self._kept.log.put(log)
        return log

    async def logs(self, *, before: ChangePlace | None, count_max: int) -> Sequence[ChangeLog]:
        """Changes with all their events, the one that was drafted last first."""
        place = {
            "drafted_at": before.drafted_at if before else None,
            "change_id": before.change_id if before else "",
        }
        rows = (await self._connection.execute(_PAGE, {**place, "count_max": count_max})).all()
        return [
            ChangeLog(change_id, tuple(map(_event, group)))
            for change_id, group in groupby(rows, key=lambda row: str(row.change_id))
        ]

    async def add(self, change_id: str, event: ChangeEvent) -> bool:
        """Add an event; False where its number is taken."""
        self._has_added = True
        if isinstance(event.step, Scheduled | Withdrawn):
            self._kept.drop(change_id)
        added = await self._connection.execute(
            _ADD,
            {
                "change_id": change_id,
                "number": event.number,
                "event": event.name,
                "at": event.at,
                "principal": event.principal,
                "body": canonical({"asked": event.asked, "step": event.body()}),
            },
        )
        return added.rowcount == 1

    async def add_objects(self, change_id: str, part: Part) -> None:
        """Add what an event brings."""
        rows = (
            (change_id, part.revision, item.kind, item.id, part.number, place, item.body)
            for place, item in enumerate(part.objects, part.first)
        )
        await copy_into(self._connection, change_objects, _COLUMNS, rows)
        self.parts.append((change_id, part))

    async def objects(self, change_id: str, revision: int) -> Sequence[GraphObject]:
        """What the revision proposes, in the order in which it came."""
        rows, kept = change_objects, self._kept.objects.of(change_id, revision)
        of_revision = (rows.c.change_id == change_id, rows.c.revision == revision)
        if kept and await self._connection.scalar(select(func.count()).where(*of_revision)) == len(kept):
            return kept
        wanted = select(rows.c.kind, rows.c.id, rows.c.body).where(*of_revision).order_by(rows.c.place)
        items: list[GraphObject] = []
        async with self._connection.stream(wanted, execution_options={"yield_per": ROWS_AT_ONCE}) as found:
            async for part in found.partitions():
                items += [GraphObject(*row) for row in part]
        return items

    async def proposed(self, change_id: str, revision: int, keys: Collection[Key]) -> Collection[Key]:
        """Which of these objects the revision proposes already."""
        kinds, ids = [kind for kind, _ in keys], [object_id for _, object_id in keys]
        wanted = {"change_id": change_id, "revision": revision, "kinds": kinds, "ids": ids}
        found = await self._connection.execute(_PROPOSED, wanted)
        return {(row.kind, row.id) for row in found}

    async def add_difference(self, change_id: str, number: int, body: bytes) -> None:
        """Keep a difference to the byte."""
        row = {"change_id": change_id, "number": number, "body": body}
        await self._connection.execute(change_differences.insert().values(**row))

    async def difference(self, change_id: str, number: int) -> bytes | None:
        """The difference that the event of that number speaks of."""
        rows = change_differences
        found = await self._connection.execute(
            select(rows.c.body).where(rows.c.change_id == change_id, rows.c.number == number)
        )
        return found.scalar_one_or_none()


def _read_on(known: ChangeLog, rows: Sequence[Row[Any]]) -> ChangeLog:
    log = replace(known, events=(*known.events, *map(_event, rows)))
    return replace(log, begun=folded(log))


def _event(row: Row[Any]) -> ChangeEvent:
    body = orjson.loads(row.body)
    return ChangeEvent(row.number, row.at, row.principal, body["asked"], step_of(row.event, body["step"]))
