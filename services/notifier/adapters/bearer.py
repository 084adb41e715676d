"""Bearer tokens for endpoints that ask for them: OAuth 2.0 client credentials (RFC 6749 section 4.4)."""

import asyncio
import base64
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from services.notifier.domain.model import OAuthClient

EARLY_SECONDS = 30.0
LIFETIME_SECONDS = 300.0
"""How long a token is used that does not say how long it lives."""
TOKEN_LENGTH_MAX = 8192
OK = 200
FormPost = Callable[[str, Mapping[str, str], str], Awaitable[tuple[int, bytes]]]


class TokenRefused(Exception):
    """No token was given; the text says why and quotes nothing of the answer."""


@dataclass(frozen=True, slots=True, repr=False)
class _Held:
    token: str
    until: float


class BearerTokens:
    """Tokens by client, each kept until shortly before its end; many who need the same one wait for one request."""

    def __init__(self, post: FormPost) -> None:
        self._post = post
        self._held: dict[OAuthClient, _Held] = {}
        self._locks: dict[OAuthClient, asyncio.Lock] = {}

    async def token(self, client: OAuthClient) -> str:
        """A token that lives. Raises TokenRefused, OSError, aiohttp's faults."""
        async with self._locks.setdefault(client, asyncio.Lock()):
            now = asyncio.get_running_loop().time()
            held = self._held.get(client)
            if held is None or held.until <= now:
                held = self._held[client] = await self._fetch(client, now)
            return held.token

    def forget(self, client: OAuthClient, token: str) -> None:
        """This token was refused: the next one is got anew, once for all who sent it."""
        held = self._held.get(client)
        if held is not None and held.token == token:
            del self._held[client]

    async def _fetch(self, client: OAuthClient, now: float) -> _Held:
        form = {"grant_type": "client_credentials"} | ({"scope": client.scope} if client.scope else {})
        # Both are form-encoded before they are joined (RFC 6749 section 2.3.1).
        pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
        status, body = await self._post(client.token_url, form, f"Basic {base64.b64encode(pair.encode()).decode()}")
        if status != OK:
            raise TokenRefused(f"the token endpoint answered {status}")
        try:
            answer = orjson.loads(body)
            token, seconds = answer["access_token"], float(answer.get("expires_in", LIFETIME_SECONDS))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise TokenRefused("the token endpoint gave no token") from None
        if not math.isfinite(seconds) or seconds <= 0:
            raise TokenRefused("the token endpoint gave a token that lives no time that can be kept")
        if not isinstance(token, str) or not token.isascii() or not 0 < len(token) <= TOKEN_LENGTH_MAX:
            raise TokenRefused("the token endpoint gave no usable token")
        return _Held(token, now + max(seconds - EARLY_SECONDS, 1.0))
