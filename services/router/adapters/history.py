"""Graphs of the past, from the registry: a few are kept, since nothing of the past changes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from services.router.domain.errors import GraphUnfit, NoSuchGraph, RegistryUnavailable
from services.router.domain.model import Head
from services.router.domain.policy import Judge
from shared.agreements import GraphInvalid, Snapshot, load
from shared.canonical import NotCanonical, canonical
from shared.contracts.graph import GraphDocument
from shared.graphroot import graph_root, object_key

GRAPHS_KEPT = 4
T = TypeVar("T")


class _Commit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int
    committed_at: datetime


class _Feed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    commits: list[_Commit]


@dataclass(frozen=True, slots=True)
class _Past:
    head: Head
    objects: Mapping[tuple[str, str], Mapping[str, Any]]


class HttpHistory:
    """Reads `GET /v1/graph?version=` and the feed of commits under a deadline; every graph is checked whole."""

    def __init__(self, base_url: str, *, deadline_seconds: float) -> None:
        self._url = base_url.rstrip("/")
        self._deadline_seconds = deadline_seconds
        self._judges: OrderedDict[int, Judge] = OrderedDict()
        self._graphs: OrderedDict[int, _Past] = OrderedDict()
        self._commits: list[_Commit] = []

    async def judge_at(self, version: int) -> Judge:
        """A judge on the graph as it stood at that version. Raises RegistryUnavailable, GraphUnfit, NoSuchGraph."""
        if version not in self._judges:
            past = await self._graph(version)
            try:
                judge = await asyncio.to_thread(_judge_of, past)
            except GraphInvalid as invalid:
                raise GraphUnfit(f"the registry's graph {version} cannot be read") from invalid
            _keep(self._judges, version, judge)
        return self._judges[version]

    async def judge_with(self, version: int, changed: Sequence[Mapping[str, Any]]) -> Judge:
        """A judge on that graph with these objects added or put in the place of others.

        Raises GraphInvalid for what cannot be read, and as `judge_at`.
        """
        past = await self._graph(version)
        objects = {**past.objects, **{(str(one.get("kind")), str(one.get("id"))): one for one in changed}}
        root = await asyncio.to_thread(graph_root, objects.values())
        return await asyncio.to_thread(_judge_of, _Past(Head(version, root), objects))

    async def _graph(self, version: int) -> _Past:
        if version not in self._graphs:
            raw = await self._get(f"/v1/graph?version={version}")
            _keep(self._graphs, version, await asyncio.to_thread(_checked, raw))
        return self._graphs[version]

    async def version_at(self, known_at: datetime) -> int:
        """The newest version committed by then. Raises RegistryUnavailable, NoSuchGraph."""
        while not self._commits or self._commits[-1].committed_at <= known_at:
            after = self._commits[-1].version if self._commits else 0
            page = _commits_of(await self._get(f"/v1/graph/commits?after={after}"))
            if not page:
                break
            self._commits += page
        versions = [commit.version for commit in self._commits if commit.committed_at <= known_at]
        if not versions:
            raise NoSuchGraph(known_at.isoformat())
        return max(versions)

    async def _get(self, path: str) -> bytes:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                async with httpx.AsyncClient(timeout=self._deadline_seconds, trust_env=False) as client:
                    answer = await client.get(self._url + path)
                if answer.status_code == httpx.codes.NOT_FOUND:
                    raise NoSuchGraph(path)
                return answer.raise_for_status().content
        except (httpx.HTTPError, TimeoutError) as error:
            raise RegistryUnavailable(type(error).__name__) from error


def _checked(raw: bytes) -> _Past:
    """The graph of a document that has the root it states. Raises GraphUnfit."""
    try:
        document = GraphDocument.model_validate_json(raw)
        root = graph_root(document.objects)
    except (ValidationError, NotCanonical, KeyError) as error:
        raise GraphUnfit("the registry's graph cannot be read") from error
    if root != document.root:
        raise GraphUnfit(f"the registry's graph {document.version} does not have its root")
    return _Past(Head(document.version, root), {object_key(one): one for one in document.objects})


def _judge_of(past: _Past) -> Judge:
    """Remembers nothing: the past is asked rarely. Raises GraphInvalid."""
    snapshot = Snapshot(load(list(past.objects.values())), past.head.version, past.head.root)
    return Judge(snapshot, canonical, memo_bytes_max=0)


def _keep(kept: OrderedDict[int, T], version: int, value: T) -> None:
    kept[version] = value
    if len(kept) > GRAPHS_KEPT:
        kept.popitem(last=False)


def _commits_of(raw: bytes) -> list[_Commit]:
    try:
        return _Feed.model_validate_json(raw).commits
    except ValidationError as error:
        raise RegistryUnavailable("the feed of commits cannot be read") from error
