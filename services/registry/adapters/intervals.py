"""The intervals of the graph's objects in Postgres: written with each commit, so that an overlap cannot be stored."""

import asyncio
from collections.abc import Iterator, Sequence
from operator import attrgetter

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.domain.intervals import TIMED, Interval, intervals_of
from services.registry.domain.model import Commit, GraphObject

OBJECTS_AT_A_TIME = 10_000
"""A statement of an import carries the intervals of so many objects at most."""
_CLOSE = text(
    """UPDATE registry.intervals AS i
    SET recorded = tstzrange(lower(i.recorded), :moment), closed_version = :version
    FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) AS o(kind, id)
    WHERE i.kind = o.kind AND i.object_id = o.id AND i.closed_version IS NULL"""
)
_OPEN = text(
    """INSERT INTO registry.intervals (kind, object_id, facet, party, lineage, valid, recorded, opened_version)
    SELECT kind, object_id, facet, party, lineage,
        CASE WHEN first >= past THEN 'empty' ELSE daterange(first, past) END, tstzrange(:moment, NULL), :version
    FROM unnest(
        CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:facets AS text[]), CAST(:firsts AS text[])::date[],
        CAST(:pasts AS text[])::date[], CAST(:parties AS text[]), CAST(:lineages AS text[])
    ) AS i(kind, object_id, facet, first, past, party, lineage)"""
)
_COLUMNS = ("kinds", "ids", "facets", "firsts", "pasts", "parties", "lineages")
_VALUES = attrgetter("kind", "object_id", "facet", "start", "end", "party", "lineage")


async def record_intervals(connection: AsyncConnection, commit: Commit) -> None:
    """Close the intervals of the states that the commit replaces, and open those of its own."""
    timed = [item for item in commit.objects if item.kind in TIMED]
    at = {"moment": commit.committed_at, "version": commit.version}
    for some in _parts(timed):
        if commit.version > 1:
            keys = {"kinds": [item.kind for item in some], "ids": [item.id for item in some]}
            await connection.execute(_CLOSE, {**at, **keys})
    for some in _parts(timed):
        opened = await asyncio.to_thread(lambda part: _columns(_intervals(part)), some)
        await connection.execute(_OPEN, {**at, **opened})


def _parts(items: Sequence[GraphObject]) -> Iterator[Sequence[GraphObject]]:
    for start in range(0, len(items), OBJECTS_AT_A_TIME):
        yield items[start : start + OBJECTS_AT_A_TIME]


def _intervals(items: Sequence[GraphObject]) -> Iterator[Interval]:
    for item in items:
        yield from intervals_of(orjson.loads(item.body))


def _columns(intervals: Iterator[Interval]) -> dict[str, list[str | None]]:
    columns = zip(*map(_VALUES, intervals), strict=True)
    return dict(zip(_COLUMNS, map(list, columns), strict=True))
