"""The intervals of the graph's objects in Postgres: written with each commit, so that an overlap cannot be stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import orjson
from asyncpg import Range
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.adapters.copying import copy_into
from services.registry.adapters.tables import intervals
from services.registry.domain.intervals import TIMED, intervals_of
from services.registry.domain.model import Commit, GraphObject

OBJECTS_AT_A_TIME = 10_000
"""A statement of an import carries the intervals of so many objects at most."""
SPANS_KEPT = 10_000
_CLOSE = text(
    """UPDATE registry.intervals AS i
    SET recorded = tstzrange(lower(i.recorded), :moment), closed_version = :version
    FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) AS o(kind, id)
    WHERE i.kind = o.kind AND i.object_id = o.id AND i.closed_version IS NULL"""
)
_COLUMNS = ("kind", "object_id", "facet", "valid", "party", "lineage", "recorded", "opened_version")


async def record_intervals(connection: AsyncConnection, commit: Commit) -> None:
    """Close the intervals of the states that the commit replaces, and open those of its own."""
    timed = [item for item in commit.objects if item.kind in TIMED]
    parts: list[Sequence[GraphObject]] = [
        timed[start : start + OBJECTS_AT_A_TIME] for start in range(0, len(timed), OBJECTS_AT_A_TIME)
    ]
    for some in parts if commit.version > 1 else ():
        keys = {"kinds": [item.kind for item in some], "ids": [item.id for item in some]}
        await connection.execute(_CLOSE, {"moment": commit.committed_at, "version": commit.version, **keys})
    rows = list[tuple[Any, ...]]()
    for some in (*parts, ()):  # while Postgres takes one part, the next is read
        _, rows = await asyncio.gather(
            copy_into(connection, intervals, _COLUMNS, rows), asyncio.to_thread(_rows, some, commit)
        )


def _rows(items: Sequence[GraphObject], commit: Commit) -> list[tuple[Any, ...]]:
    return list(_opened(items, Range(commit.committed_at, None), commit.version))


def _opened(items: Sequence[GraphObject], recorded: Range[datetime], version: int) -> Iterator[tuple[Any, ...]]:
    for item in items:
        for kind, object_id, facet, start, end, party, lineage in intervals_of(orjson.loads(item.body)):
            yield kind, object_id, facet, _days(start, end), party, lineage, recorded, version


@lru_cache(maxsize=SPANS_KEPT)
def _days(start: str | None, end: str | None) -> Range[date]:
    first, past = (None if day is None else date.fromisoformat(day) for day in (start, end))
    is_empty = first is not None and past is not None and first >= past
    return Range(empty=True) if is_empty else Range(first, past)
