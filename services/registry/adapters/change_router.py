"""The concerns of the past, from the router over HTTP: page by page, under the registry's own token."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from services.registry.domain.change_difference import Past, PastConcern
from services.registry.domain.errors import HistoryUnavailable
from shared.contracts.envelope import rfc3339

PAGE = 1_000


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True)

    concern_id: str
    version: int
    received_at: str
    routing: dict[str, Any]


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True)

    items: list[_Item]
    next: str | None


def _connect(deadline_seconds: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=deadline_seconds, trust_env=False)


@dataclass(frozen=True, slots=True)
class HttpPastConcerns:
    """Reads `GET /v1/routings` whole under one deadline; of more than `count_max` concerns the newest are kept."""

    base_url: str
    token: Callable[[], str]
    count_max: int
    deadline_seconds: float
    connect: Callable[[float], httpx.AsyncClient] = _connect

    async def between(self, since: datetime, until: datetime) -> Past:
        """What was received in `[since, until)`. Raises HistoryUnavailable."""
        kept: deque[PastConcern] = deque(maxlen=self.count_max)
        count = 0
        try:
            async with asyncio.timeout(self.deadline_seconds):
                async for item in self._items(since):
                    if datetime.fromisoformat(item.received_at) < until:
                        kept.append(PastConcern(item.concern_id, item.version, item.received_at, item.routing))
                        count += 1
        except (httpx.HTTPError, TimeoutError, ValidationError, ValueError, TypeError) as error:
            raise HistoryUnavailable(type(error).__name__) from error
        return Past(rfc3339(since), rfc3339(until), tuple(kept), count - len(kept))

    async def _items(self, since: datetime) -> AsyncIterator[_Item]:
        after = ""
        url = f"{self.base_url.rstrip('/')}/v1/routings"
        async with self.connect(self.deadline_seconds) as client:
            while True:
                query = {"since": rfc3339(since), "after": after, "limit": str(PAGE)}
                headers = {"Authorization": f"Bearer {self.token()}"}
                answer = await client.get(url, params=query, headers=headers)
                page = _Page.model_validate_json(answer.raise_for_status().content)
                for item in page.items:
                    yield item
                if page.next is None:
                    return
                after = page.next


class NoPastConcerns:
    """A registry that knows no router: a difference then says that there was no history."""

    async def between(self, since: datetime, until: datetime) -> Past:
        """Nothing, and that nothing was asked."""
        return Past(rfc3339(since), rfc3339(until), known=False)
