"""The registry over HTTP: its head every few seconds, and the whole graph when a commit is missing."""

from __future__ import annotations

import asyncio
import re

import httpx
from pydantic import ValidationError

from services.router.domain.errors import RegistryUnavailable
from services.router.domain.model import Head
from services.router.domain.replica import Replica
from shared.canonical import NotCanonical, canonical
from shared.contracts.graph import GraphDocument
from shared.graphroot import object_key

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})\.([0-9a-f]{64})"')


class HttpRegistry:
    """Reads `GET /v1/graph` under a deadline; a client per call, because it is called once in a while."""

    def __init__(self, base_url: str, *, deadline_seconds: float) -> None:
        self._url = f"{base_url.rstrip('/')}/v1/graph"
        self._deadline_seconds = deadline_seconds

    async def graph(self) -> Replica:
        """The newest graph, with the root that the registry states. Raises RegistryUnavailable."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                raw = await self._fetch()
            return _replica_of(GraphDocument.model_validate_json(raw))
        except (httpx.HTTPError, TimeoutError, ValidationError, NotCanonical, KeyError) as error:
            raise RegistryUnavailable(type(error).__name__) from error

    async def head(self, known: Head) -> Head:
        """The registry's head from its ETag, whose body is not read. Raises RegistryUnavailable."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._ask(known)
        except (httpx.HTTPError, TimeoutError) as error:
            raise RegistryUnavailable(type(error).__name__) from error

    async def _ask(self, known: Head) -> Head:
        headers = {"If-None-Match": f'"{known.version}.{known.root}"'}
        async with self._client() as client, client.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return known
            found = _ETAG.fullmatch(answer.raise_for_status().headers.get("etag", ""))
        if found is None:
            raise RegistryUnavailable("the answer names no version")
        return Head(int(found[1]), found[2])

    async def _fetch(self) -> bytes:
        async with self._client() as client:
            answer = await client.get(self._url)
            return answer.raise_for_status().content

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._deadline_seconds, trust_env=False)


def _replica_of(document: GraphDocument) -> Replica:
    """Raises NotCanonical, or KeyError for an object without kind or id."""
    bodies = {object_key(one): canonical(one) for one in document.objects}
    return Replica(Head(document.version, document.root), bodies)
