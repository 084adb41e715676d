"""Issuers of tokens whose keys are at hand: nothing is fetched over a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.http.jwks import PublishedKeys
from shared.settings import TokenIssuer

Jwk = Mapping[str, Any]


@dataclass(slots=True)
class InMemoryIssuers:
    """What each issuer publishes at this moment; `away` answers nothing. `ticks` moves when the test says so."""

    published: dict[str, list[Jwk]]
    away: bool = False
    fetch_count: int = 0
    ticks: float = 0.0
    answer: Any = field(default=None)

    async def fetch(self, url: str) -> Any:
        self.fetch_count += 1
        if self.away:
            raise httpx.ConnectError("away")
        return self.answer if self.answer is not None else {"keys": list(self.published[url])}

    def keys(self) -> PublishedKeys:
        issuers = [TokenIssuer(issuer=name, jwks_url=name) for name in self.published]
        return PublishedKeys(issuers, fetch=self.fetch, ticks=lambda: self.ticks)


def keys_at_hand(keys: Mapping[str, Jwk]) -> PublishedKeys:
    """The keys of issuers that publish one each."""
    return InMemoryIssuers({name: [jwk] for name, jwk in keys.items()}).keys()
