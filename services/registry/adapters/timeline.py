"""The graph over time, read from Postgres."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.domain.intervals import EXISTS, IN_FORCE, ORGANISATION, PARTY, SUSPENDED
from services.registry.domain.model import Commit, GraphObject, StoredObject
from services.registry.domain.timeline import Key, Recorded, Search

_COMMIT = "c.version, c.parent_root, c.root, c.committed_at, c.principal, c.reason, c.event"
_KNOWN_AT = text(
    f"""SELECT {_COMMIT} FROM registry.commits AS c
    WHERE c.committed_at <= :moment ORDER BY c.version DESC LIMIT 1"""  # noqa: S608 - this file's own words
)
# Recorded time is told by versions: two commits may bear the same moment.
_AS_RECORDED = "{0}.opened_version <= :version AND ({0}.closed_version IS NULL OR {0}.closed_version > :version)"
# Each question is a statement of its own: the planner then begins with the rarest of what is asked.
_OF_KIND_NOW = f"i.kind = :kind AND i.facet = :main AND i.object_id > :after AND {_AS_RECORDED.format('i')}"
_OF_PARTY = f"""i.object_id IN (
    SELECT p.object_id FROM registry.intervals AS p WHERE p.party = :party AND p.party <> '' AND p.facet = '{PARTY}'
    AND p.kind = :kind AND p.valid @> CAST(:day AS date) AND {_AS_RECORDED.format("p")})"""  # noqa: S608 - this file's own words
_IN_FORCE = f"""i.valid @> CAST(:in_force_on AS date) AND NOT EXISTS (
    SELECT FROM registry.intervals AS s WHERE s.kind = i.kind AND s.facet = '{SUSPENDED}' AND s.object_id = i.object_id
    AND s.valid @> CAST(:in_force_on AS date) AND {_AS_RECORDED.format("s")})"""
_LINEAGES = text(
    f"""SELECT i.object_id FROM registry.intervals AS i
    WHERE i.lineage = ANY(CAST(:names AS text[])) AND i.lineage <> '' AND {_AS_RECORDED.format("i")}
    ORDER BY i.object_id"""  # noqa: S608 - this file's own words
)
_STATES = text(
    """SELECT DISTINCT ON (o.kind, o.id) o.version, o.kind, o.id, o.body
    FROM registry.objects AS o
    JOIN unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) AS k(kind, id) ON o.kind = k.kind AND o.id = k.id
    WHERE o.version <= :version ORDER BY o.kind, o.id, o.version DESC"""
)
_OF_KIND = text(
    """SELECT DISTINCT ON (o.id) o.version, o.kind, o.id, o.body FROM registry.objects AS o
    WHERE o.kind = :kind AND o.version <= :version ORDER BY o.id, o.version DESC"""
)
_PAST = text(
    f"""SELECT {_COMMIT}, o.body, lead(c.committed_at) OVER (ORDER BY o.version) AS until
    FROM registry.objects AS o JOIN registry.commits AS c ON c.version = o.version
    WHERE o.kind = :kind AND o.id = :id ORDER BY o.version"""  # noqa: S608 - this file's own words
)
_TOUCHED = text("SELECT DISTINCT kind, id FROM registry.objects WHERE version > :after AND version <= :until")


class PostgresTimeline:
    """The graph over time in one transaction; see ports.Timeline."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def known_at(self, moment: datetime) -> Commit | None:
        """The newest commit made at that moment or before it; None where there was none."""
        row = (await self._connection.execute(_KNOWN_AT, {"moment": moment})).one_or_none()
        return Commit(*row) if row else None

    async def search(self, search: Search, *, after: str, count_max: int) -> Sequence[str]:
        """The ids of the objects that are asked for, above `after`, by code point."""
        asked: dict[str, Any] = {
            "kind": search.kind,
            "main": EXISTS if search.kind == ORGANISATION else IN_FORCE,
            "version": search.version,
        }
        asked |= {"party": search.party, "day": search.day} if search.party else {}
        asked |= {"in_force_on": search.in_force_on} if search.in_force_on else {}
        return await self._ids(_search(search), {**asked, "after": after, "count_max": count_max})

    async def lineages(self, names: Collection[str], version: int) -> Sequence[str]:
        """The ids of the agreements of these lineages in the graph at that version, sorted."""
        return await self._ids(_LINEAGES, {"names": sorted(names), "version": version})

    async def states(self, keys: Collection[Key], version: int) -> Sequence[StoredObject]:
        """These objects as they stood after the commit of that version, sorted by kind and id; unknown ones are not."""
        kinds, ids = [kind for kind, _ in keys], [object_id for _, object_id in keys]
        found = await self._connection.execute(_STATES, {"kinds": kinds, "ids": ids, "version": version})
        return _stored(found.all())

    async def of_kind(self, kind: str, version: int) -> Sequence[StoredObject]:
        """Every object of a kind as it stood after the commit of that version, sorted by id."""
        found = await self._connection.execute(_OF_KIND, {"kind": kind, "version": version})
        return _stored(found.all())

    async def past(self, kind: str, object_id: str) -> Sequence[Recorded]:
        """Every state of one object, oldest first."""
        found = await self._connection.execute(_PAST, {"kind": kind, "id": object_id})
        return [Recorded(Commit(*commit), until, GraphObject(kind, object_id, body)) for *commit, body, until in found]

    async def touched(self, after: int, until: int) -> Sequence[Key]:
        """The objects that commits above version `after`, up to `until`, added or changed, sorted."""
        found = await self._connection.execute(_TOUCHED, {"after": after, "until": until})
        return sorted((row.kind, row.id) for row in found)

    async def _ids(self, query: TextClause, asked: dict[str, Any]) -> list[str]:
        return [row.object_id for row in await self._connection.execute(query, asked)]


def _search(search: Search) -> TextClause:
    asked = [_OF_KIND_NOW, *([_OF_PARTY] if search.party else []), *([_IN_FORCE] if search.in_force_on else [])]
    where = " AND ".join(asked)
    return text(
        f"SELECT i.object_id FROM registry.intervals AS i WHERE {where} ORDER BY i.object_id LIMIT :count_max"  # noqa: S608 - this file's own words
    )


def _stored(rows: Sequence[Row[Any]]) -> list[StoredObject]:
    """Sorted here: the order is that of code points, whatever the database's collation is."""
    made = (StoredObject(row.version, GraphObject(row.kind, row.id, row.body)) for row in rows)
    return sorted(made, key=lambda stored: stored.item.key)
