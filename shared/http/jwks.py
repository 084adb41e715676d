"""The published keys of a list of issuers (RFC 7517): read when one is needed, read again, let go when withdrawn.

Keys come from the configured addresses alone. A key that is no longer published stops verifying within
REFRESH_SECONDS of the next use; where an issuer is away, its known keys serve for KEEP_SECONDS and no longer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from shared.http.problems import Problem, unavailable
from shared.settings import TokenIssuer
from shared.telemetry import ITEMS

FETCH_SECONDS = 5.0
REFRESH_SECONDS = 300.0
KEEP_SECONDS = 3600.0
ASK_SECONDS = 10.0
RETRY_SECONDS = 1.0
NEVER = float("-inf")

Fetch = Callable[[str], Awaitable[Any]]
"""Reads a JWK Set from its address. Raises httpx.HTTPError, OSError, or ValueError for what is no JSON."""


async def fetch_json(url: str) -> Any:
    """The JSON behind an address, without proxies and without following it elsewhere."""
    async with httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False) as client:
        return (await client.get(url)).raise_for_status().json()


@dataclass(slots=True)
class _Issuer:
    """What is known of one issuer. Monotonic seconds; nothing is asked before `ask_at`."""

    url: str
    keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    read_at: float = NEVER
    ask_at: float = NEVER
    away: bool = False
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    behind: "asyncio.Task[None] | None" = None


class PublishedKeys:
    """The keys of all issuers. `ticks` gives monotonic seconds."""

    def __init__(
        self, issuers: Sequence[TokenIssuer], *, fetch: Fetch = fetch_json, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuers = {issuer.issuer: _Issuer(issuer.jwks_url) for issuer in issuers}
        self._fetch = fetch
        self._ticks = ticks

    def known(self, issuer: str, kid: str) -> jwt.PyJWK | None:
        """The key as far as it is known here, at once; keys that are due to be read again are read behind it."""
        found = self._issuers.get(issuer)
        if found is None:
            return None
        age_seconds = self._ticks() - found.read_at
        if age_seconds >= KEEP_SECONDS:
            return None
        if age_seconds >= REFRESH_SECONDS:
            self._read_behind(found)
        return found.keys.get(kid)

    async def key(self, issuer: str, kid: str) -> jwt.PyJWK | None:
        """The key, asked for where it is not known; None where the issuer has none of that name.

        Raises Problem 503 where the issuer is away.
        """
        found = self._issuers.get(issuer)
        if found is None:
            return None
        key = self.known(issuer, kid)
        if key is None:
            await self._read(found)
            key = self.known(issuer, kid)
        return key

    def _read_behind(self, issuer: _Issuer) -> None:
        if (issuer.behind is None or issuer.behind.done()) and self._ticks() >= issuer.ask_at:
            issuer.behind = asyncio.create_task(self._read_quietly(issuer), name="published keys")

    async def _read_quietly(self, issuer: _Issuer) -> None:
        with suppress(Problem):  # counted; the known keys serve until they are too old
            await self._read(issuer)

    async def _read(self, issuer: _Issuer) -> None:
        async with issuer.reading:
            if self._ticks() >= issuer.ask_at:
                await self._ask(issuer)
            if issuer.away:
                raise unavailable("The token issuer does not answer.")

    async def _ask(self, issuer: _Issuer) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = _keys_of(await self._fetch(issuer.url))
        except (httpx.HTTPError, OSError, ValueError) as error:
            issuer.away, issuer.ask_at = True, self._ticks() + RETRY_SECONDS
            ITEMS.labels("keys.read", type(error).__name__).inc()
            return
        issuer.keys = {kid: _same(issuer.keys.get(kid), key) for kid, key in keys.items()}
        issuer.away, issuer.read_at = False, self._ticks()
        issuer.ask_at = issuer.read_at + ASK_SECONDS
        ITEMS.labels("keys.read", "ok").inc()


def _same(old: jwt.PyJWK | None, new: jwt.PyJWK) -> jwt.PyJWK:
    """The old object for the same key, so that who remembers it sees by identity whether it still stands."""
    return old if old is not None and old.key == new.key else new


def _keys_of(document: Any) -> dict[str, jwt.PyJWK]:
    """The keys with a name; those of other kinds are passed over. Raises ValueError for what is no JWK Set."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a JWK Set")
    keys: dict[str, jwt.PyJWK] = {}
    for row in document["keys"]:
        with suppress(jwt.PyJWTError, AttributeError, TypeError):
            key = jwt.PyJWK.from_dict(row)
            if key.key_id:
                keys[str(key.key_id)] = key
    return keys
