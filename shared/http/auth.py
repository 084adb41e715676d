"""Bearer tokens: verified against the published keys of a list of issuers (RFC 7519, RFC 8725, RFC 9068).

One algorithm, EdDSA; keys come from the configured JWKS addresses alone, never from the token.
"""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import Clock
from shared.http.problems import Problem, unavailable
from shared.settings import TokenIssuer

ALGORITHM = "EdDSA"
TOKEN_BYTES_MAX = 4096
CACHE_TOKENS_MAX = 4096
FETCH_SECONDS = 5.0
REFETCH_SECONDS = 10.0
SKEW_SECONDS = 60.0
_KID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: the client, the organisation it acts for, and what it may do."""

    subject: str
    org: str
    scopes: frozenset[str]
    roles: frozenset[str]
    expires_at: float = 0.0

    @property
    def is_operator(self) -> bool:
        """Whether the caller operates this deployment."""
        return "operator" in self.roles


class _Claims(BaseModel):
    """The claims that we read, in the types that they must have; an issuer of others may add what it likes."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    sub: str
    org: str
    exp: float
    iat: float
    nbf: float | None = None
    scope: str = ""
    roles: list[str] = []


def unauthorised(detail: str) -> Problem:
    """401 with a challenge."""
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Problem(401, "unauthorised", "A valid bearer token is needed", detail=detail, headers=headers)


class Verifier:
    """Verifies tokens and remembers the good ones until they expire."""

    def __init__(self, issuers: Sequence[TokenIssuer], *, audience: str, clock: Clock) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._audience = audience
        self._clock = clock
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}
        self._fetched_at: dict[str, float] = {}
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[bytes, Principal] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """The caller behind an `Authorization` header. Raises Problem 401, or 503 where the issuer is away."""
        token = _bearer(authorization)
        name = hashlib.sha256(token.encode()).digest()
        known = self._known.get(name)
        if known is not None and known.expires_at > self._clock.now().timestamp():
            return known
        principal = await self._verify(token)
        self._known[name] = principal
        if len(self._known) > CACHE_TOKENS_MAX:
            self._known.popitem(last=False)
        return principal

    async def _verify(self, token: str) -> Principal:
        try:
            header = jwt.get_unverified_header(token)
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
        except jwt.PyJWTError:
            raise unauthorised("The token is malformed.") from None
        key = await self._key(issuer, str(header.get("kid", "")))
        if key is None or header.get("alg") != ALGORITHM or header.get("typ") != "at+jwt" or "crit" in header:
            raise unauthorised("The token comes from no issuer that is known here.")
        return self._claims(token, key, issuer)

    def _claims(self, token: str, key: jwt.PyJWK, issuer: str) -> Principal:
        required = ["iss", "sub", "aud", "exp", "iat", "org"]
        # Times are checked below against our own clock, which tests and time faults can move.
        options: Any = {"require": required, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            claims = _Claims.model_validate(
                jwt.decode(token, key, algorithms=[ALGORITHM], audience=self._audience, issuer=issuer, options=options)
            )
        except (jwt.PyJWTError, ValidationError):
            raise unauthorised("The token does not verify.") from None
        now = self._clock.now().timestamp()
        if not (claims.iat if claims.nbf is None else claims.nbf) - SKEW_SECONDS <= now < claims.exp:
            raise unauthorised("The token has expired or is not yet valid.")
        scopes, roles = frozenset(claims.scope.split()), frozenset(claims.roles)
        return Principal(claims.sub, claims.org, scopes, roles, claims.exp)

    async def _key(self, issuer: str, kid: str) -> jwt.PyJWK | None:
        if issuer not in self._issuers or not _KID.match(kid):
            return None
        if (issuer, kid) not in self._keys:
            async with self._fetching:
                await self._fetch(self._issuers[issuer], kid)
        return self._keys.get((issuer, kid))

    async def _fetch(self, issuer: TokenIssuer, kid: str) -> None:
        now = asyncio.get_running_loop().time()
        too_soon = now - self._fetched_at.get(issuer.issuer, -REFETCH_SECONDS) < REFETCH_SECONDS
        if (issuer.issuer, kid) in self._keys or too_soon:
            return
        try:
            async with httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False) as client:
                answer = await client.get(issuer.jwks_url)
            keys = jwt.PyJWKSet.from_dict(answer.raise_for_status().json()).keys
        except (httpx.HTTPError, jwt.PyJWTError, ValueError) as error:
            raise unavailable("The token issuer does not answer.") from error
        self._fetched_at[issuer.issuer] = now
        self._keys.update({(issuer.issuer, str(key.key_id)): key for key in keys})


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_BYTES_MAX or not token.isascii():
        raise unauthorised("Send `Authorization: Bearer …`.")
    return token


def caller(scope: str) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency: the caller, who must hold `scope`. Raises Problem 401, 403 or 503."""

    async def dependency(request: Request) -> Principal:
        principal: Principal = await request.app.state.verifier.principal(request.headers.get("authorization"))
        if scope not in principal.scopes:
            raise Problem(403, "forbidden", "Your client may not do this", detail=f"It needs the scope {scope}.")
        return principal

    return dependency
