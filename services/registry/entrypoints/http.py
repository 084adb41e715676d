"""The graph over HTTP.

Reading is open, without a token: the graph holds published agreements and statutes, never a concern or a person, and
routers start from it. It is changed at `/v1/changes` alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from services.registry.domain.errors import GraphDamaged
from services.registry.domain.model import Commit
from services.registry.entrypoints.agreements import AgreementRoutes
from services.registry.entrypoints.forms import VERSION_MAX, CommitFeed
from services.registry.entrypoints.history import HistoryRoutes
from services.registry.entrypoints.lines import GraphLines, asks_for_lines
from services.registry.entrypoints.moments import AsOf, KnownAt, moments, refuse
from services.registry.entrypoints.organisations import OrganisationRoutes
from services.registry.entrypoints.reads import commit_at, is_known, standing_json
from services.registry.ports import Begin
from services.registry.usecases import (
    Graph,
    as_contract,
    find_object,
    read_commits,
    read_graph,
)
from services.registry.usecases.graph import NEWEST, At
from services.registry.usecases.history import Applying, read_applying
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from shared.contracts.graph import GraphDocument
from shared.http.params import PathId
from shared.http.problems import FieldError, not_found
from shared.telemetry import Telemetry

COMMITS_MAX = 50
Version = Annotated[int | None, Query(ge=1, le=VERSION_MAX, description="the graph as it stood at this version")]
After = Annotated[int, Query(ge=0, le=VERSION_MAX, description="only commits with a higher version")]
Limit = Annotated[int, Query(ge=1, le=COMMITS_MAX, description="commits at most")]


@dataclass(frozen=True, slots=True)
class _Page:
    """A graph as bytes, ready to be sent."""

    etag: str
    body: bytes


class GraphRoutes:
    """The routes of the graph; the newest graph is kept as bytes, so that many routers can start at once."""

    def __init__(self, *, begin: Begin, clock: Clock, telemetry: Telemetry) -> None:
        self._begin = begin
        self._clock = clock
        self._telemetry = telemetry
        self._newest = _Page("", b"")
        self._lines = GraphLines(begin)

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["graph"])
        for part in (AgreementRoutes, OrganisationRoutes, HistoryRoutes):
            router.include_router(part(begin=self._begin, clock=self._clock).router())
        router.add_api_route("/v1/graph", self.graph, response_model=GraphDocument)
        router.add_api_route("/v1/graph/commits", self.commits, response_model=CommitFeed)
        router.add_api_route("/v1/graph/objects/{kind}/{object_id}", self.find)
        return router

    async def graph(
        self, request: Request, version: Version = None, as_of: AsOf = "", known_at: KnownAt = ""
    ) -> Response:
        """The whole graph: newest, at a version, or as known at a moment. `ETag` names version and root; 304 if known.

        With `as_of` what does not apply on that day is left out, and each agreement carries its `standing`; the root is
        still that of the whole graph.
        """
        asked = moments(as_of, known_at, self._clock.now())
        refuse([FieldError("/version", "send a version or `known_at`, not both")] if version and known_at else [])
        with self._watched():
            if asked.day is None and asks_for_lines(request):
                return await self._lines.answer(request, At(version, asked.known_at))
            page = await self._asked(At(version, asked.known_at), asked.day)
        headers = {"ETag": page.etag, "Cache-Control": "no-cache"}
        if is_known(request.headers.get("if-none-match", ""), page.etag):
            return Response(status_code=304, headers=headers)
        return Response(page.body, headers=headers, media_type="application/json")

    async def commits(self, after: After = 0, limit: Limit = 20) -> Response:
        """The feed of commits after a version, oldest first: `{commits, next}`; ask again with `after` = `next`."""
        found = await read_commits(after=after, count_max=limit, begin=self._begin)
        feed = CommitFeed(commits=list(map(as_contract, found)), next=found[-1].version if found else after)
        return _json(feed.model_dump())

    async def find(self, kind: PathId, object_id: PathId) -> Response:
        """One object as it stands, and the version that last changed it: `{version, object}`."""
        found = await find_object(kind, object_id, begin=self._begin)
        if found is None:
            raise not_found()
        return _json({"version": found.version, "object": orjson.Fragment(found.item.body)})

    async def _asked(self, at: At, day: date | None) -> _Page:
        async with self._begin() as history:
            commit = await commit_at(history, at)
            if day is not None:
                found = await read_applying(commit, day, history=history)
                return _Page(_etag(commit, day), _applying(commit, day, found))
        if at == NEWEST and _etag(commit) != self._newest.etag:
            self._newest = await self._page_at(commit.version)
        return self._newest if _etag(commit) == self._newest.etag else await self._page_at(commit.version)

    async def _page_at(self, version: int) -> _Page:
        graph = await read_graph(version, begin=self._begin)
        if graph is None:
            raise not_found()
        return _Page(_etag(graph.commit), _document(graph))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """People must hear of a damaged graph, whoever met it."""
        try:
            yield
        except GraphDamaged as fault:
            self._telemetry.alarm("graph-damaged", version=fault.version)
            raise


def _etag(commit: Commit, day: date | None = None) -> str:
    """Version and root: a change that is taken back gives an earlier root under a new version, in another document."""
    return f'"{commit.version}.{commit.root}{f".{day}" if day else ""}"'


def _document(graph: Graph) -> bytes:
    """The stored bytes of each object, not made anew: what the root was computed over is what is sent."""
    head = {"version": graph.commit.version, "root": graph.commit.root}
    objects = [orjson.Fragment(item.body) for item in graph.objects]
    return orjson.dumps({**head, "committed_at": rfc3339(graph.commit.committed_at), "objects": objects})


def _applying(commit: Commit, day: date, found: Sequence[Applying]) -> bytes:
    head = {"version": commit.version, "root": commit.root, "committed_at": rfc3339(commit.committed_at), "as_of": day}
    return orjson.dumps({**head, "objects": list(map(_applying_object, found))})


def _applying_object(found: Applying) -> orjson.Fragment | dict[str, Any]:
    if found.standing is None:
        return orjson.Fragment(found.item.body)
    return {**found.item.row(), "standing": standing_json(found.standing)}


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
