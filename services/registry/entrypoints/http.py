"""The graph over HTTP.

Reading is open, without a token: the graph holds published agreements and statutes, never a concern or a person, and
routers start from it. It is changed at `/v1/changes` alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from services.registry.domain.errors import GraphDamaged
from services.registry.domain.model import Commit
from services.registry.entrypoints.forms import VERSION_MAX, CommitFeed
from services.registry.ports import Begin
from services.registry.usecases import (
    Graph,
    as_contract,
    find_object,
    read_commits,
    read_graph,
    read_head,
)
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from shared.contracts.graph import GraphDocument
from shared.http.params import PathId
from shared.http.problems import not_found, unavailable
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

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["graph"])
        router.add_api_route("/v1/graph", self.graph, response_model=GraphDocument)
        router.add_api_route("/v1/graph/commits", self.commits, response_model=CommitFeed)
        router.add_api_route("/v1/graph/objects/{kind}/{object_id}", self.find)
        return router

    async def graph(self, request: Request, version: Version = None) -> Response:
        """The whole graph, newest or at a version: a GraphDocument. `ETag` names version and root; 304 where known."""
        with self._watched():
            page = await (self._page() if version is None else self._page_at(version))
        headers = {"ETag": page.etag, "Cache-Control": "no-cache"}
        if _known(request.headers.get("if-none-match", ""), page.etag):
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

    async def _page(self) -> _Page:
        head = await read_head(begin=self._begin)
        if head is None:
            raise unavailable("The graph is not there yet.")
        if _etag(head) != self._newest.etag:
            self._newest = await self._page_at(head.version)
        return self._newest

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


def _etag(commit: Commit) -> str:
    """Version and root: a change that is taken back gives an earlier root under a new version, in another document."""
    return f'"{commit.version}.{commit.root}"'


def _document(graph: Graph) -> bytes:
    """The stored bytes of each object, not made anew: what the root was computed over is what is sent."""
    head = {"version": graph.commit.version, "root": graph.commit.root}
    objects = [orjson.Fragment(item.body) for item in graph.objects]
    return orjson.dumps({**head, "committed_at": rfc3339(graph.commit.committed_at), "objects": objects})


def _known(if_none_match: str, etag: str) -> bool:
    """RFC 9110 section 13.1.2: a list of tags, compared weakly, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
