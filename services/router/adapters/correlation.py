"""Concerns about one subject, on Postgres: a part of the router's transaction, and reads for those who ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.router.adapters import correlation_statements as sql
from services.router.adapters.rows import past_routing_of
from services.router.adapters.undoing import UndoingPart
from services.router.domain.correlation import Sighting, Source, Suggested, Token, Viewer, may_link
from services.router.domain.model import PastRouting, WorkItem
from shared.contracts.audit import AuditFact
from shared.db.engine import transaction

SEPARATOR = "\x1f"
EVERYTHING = Viewer("", everything=True)


class CorrelationPart(UndoingPart):
    """What a transaction can keep and suggest about subjects."""

    async def unfollowed(self, limit: int) -> Sequence[PastRouting]:
        """Concerns whose sightings are not kept yet, oldest first; () while another router looks after them."""
        if not (await self._connection.execute(sql.MINE)).scalar_one():
            return ()
        rows = await self._connection.execute(sql.UNFOLLOWED, {"row_count_max": limit})
        return [past_routing_of(row) for row in rows]

    async def keep_sightings(self, followed: Sequence[PastRouting], seen: Sequence[Sighting]) -> None:
        """Keep what these versions show in place of what earlier ones did; they are followed now."""
        versions = {
            "concern_ids": [one.concern_id for one in followed],
            "versions": [one.version for one in followed],
        }
        await self._connection.execute(sql.FORGET_EARLIER, versions)
        if seen:
            await self._connection.execute(sql.KEEP, _columns_of(seen))
        await self._connection.execute(sql.FOLLOWED, versions)

    async def seen(self, tokens: Sequence[Token], since: datetime, until: datetime) -> Sequence[Sighting]:
        """All sightings by these tokens received strictly between, but for recalled concerns."""
        return await _seen(self._connection, EVERYTHING, tokens, since, until)

    async def sources(
        self, tokens: Sequence[Token], since: datetime, until: datetime
    ) -> Mapping[Token, frozenset[Source]]:
        """Who spoke of the subjects of these tokens: the sources of what `seen` gives, each once."""
        wanted = {"since": since, "until": until, **_tokens(tokens)}
        found: dict[Token, set[Source]] = defaultdict(set)
        for row in await self._connection.execute(sql.SOURCES, wanted):
            found[row.kid, row.token].add((row.originator, row.source_type))
        return {token: frozenset(sources) for token, sources in found.items()}

    async def suggested(self, tokens: Sequence[Token]) -> Mapping[Token, Sequence[Suggested]]:
        """What people have, or had, about the subjects of these tokens."""
        found: dict[Token, list[Suggested]] = defaultdict(list)
        for row in await self._connection.execute(sql.SUGGESTED, _tokens(tokens)):
            found[row.kid, row.token].append(Suggested(row.item_id, row.opened_at, row.resolved_at))
        return found

    async def knows_of(self, concern_id: str, org: str) -> bool:
        """Whether that body raised it or was told of it, in any version; one look, whether there is such or not."""
        asked = {"concern_id": concern_id, "org": org, "everything": False}
        return bool((await self._connection.execute(sql.KNOWS_OF, asked)).scalar_one())

    async def suggest(self, item: WorkItem, tokens: Sequence[Token], fact: AuditFact) -> None:
        """Open this item about the subject of these tokens; the same again changes nothing."""
        await self.open_item(item)
        await self._connection.execute(sql.SUGGEST, {"item_id": item.item_id, **_tokens(tokens)})
        await self.say([fact])


class PostgresSightings:
    """Sightings of the schema `router`, each only for those who may link it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def sightings_of(self, concern_id: str, viewer: Viewer) -> Sequence[Sighting] | None:
        """What the newest version of a concern shows the viewer; None where it may not know of the concern."""
        asked = {"concern_id": concern_id, "org": viewer.org, "everything": viewer.everything}
        async with transaction(self._engine) as connection:
            if not (await connection.execute(sql.KNOWS_OF, asked)).scalar_one():
                return None
            return _linked(await connection.execute(sql.SEEN_OF_CONCERN, asked), viewer)

    async def slice_of(
        self, tokens: Sequence[Token], viewer: Viewer, since: datetime, until: datetime
    ) -> Sequence[Sighting]:
        """The viewer's sightings by these tokens received strictly between, but for recalled concerns."""
        async with transaction(self._engine) as connection:
            return await _seen(connection, viewer, tokens, since, until)


async def _seen(
    connection: AsyncConnection, viewer: Viewer, tokens: Sequence[Token], since: datetime, until: datetime
) -> list[Sighting]:
    wanted = {"org": viewer.org, "everything": viewer.everything, "since": since, "until": until, **_tokens(tokens)}
    return _linked(await connection.execute(sql.SEEN_OF_TOKENS, wanted), viewer)


def _linked(rows: Any, viewer: Viewer) -> list[Sighting]:
    return [_sighting_of(row) for row in rows if _may_link(row, viewer)]


def _may_link(row: Row[Any], viewer: Viewer) -> bool:
    if viewer.everything or row.originator == viewer.org:
        return True
    told = orjson.loads(row.body)["told"]
    return may_link(row.kind, next((one for one in told if one["org"] == viewer.org), None))


def _sighting_of(row: Row[Any]) -> Sighting:
    return Sighting(
        token=(row.kid, row.token),
        concern_id=row.concern_id,
        version=row.version,
        subject=row.subject,
        kind=row.kind,
        received_at=row.received_at,
        originator=row.originator,
        source_type=row.source_type,
        categories=tuple(row.categories),
    )


def _tokens(tokens: Sequence[Token]) -> dict[str, list[str]]:
    return {"kids": [kid for kid, _ in tokens], "tokens": [token for _, token in tokens]}


def _columns_of(seen: Sequence[Sighting]) -> dict[str, Any]:
    return {
        **_tokens([one.token for one in seen]),
        "concern_ids": [one.concern_id for one in seen],
        "versions": [one.version for one in seen],
        "subjects": [one.subject for one in seen],
        "kinds": [one.kind for one in seen],
        "received_ats": [one.received_at for one in seen],
        "originators": [one.originator for one in seen],
        "source_types": [one.source_type for one in seen],
        "categories": [SEPARATOR.join(one.categories) for one in seen],
    }
