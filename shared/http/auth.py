"""Bearer tokens: verified against the published keys of a list of issuers (RFC 7519, RFC 8725, RFC 9068).

One algorithm, EdDSA; keys come from the configured JWKS addresses alone (`shared/http/jwks.py`), never from the token.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import Clock
from shared.http.jwks import PublishedKeys
from shared.http.problems import Problem

ALGORITHM = "EdDSA"
TOKEN_BYTES_MAX = 4096
CACHE_TOKENS_MAX = 4096
SKEW_SECONDS = 60.0
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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


@dataclass(frozen=True, slots=True)
class _Verified:
    """A principal that a token proved, and the key that it was proven by."""

    principal: Principal
    issuer: str
    kid: str
    key: jwt.PyJWK


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
    """Verifies tokens and remembers the good ones until they expire or their key is withdrawn."""

    def __init__(self, keys: PublishedKeys, *, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._audience = audience
        self._clock = clock
        self._known: OrderedDict[bytes, _Verified] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """The caller behind an `Authorization` header. Raises Problem 401, or 503 where the issuer is away."""
        token = _bearer(authorization)
        name = hashlib.sha256(token.encode()).digest()
        known = self._known.get(name)
        if known is not None and self._stands(known):
            return known.principal
        self._known.pop(name, None)
        verified = await self._verify(token)
        self._known[name] = verified
        if len(self._known) > CACHE_TOKENS_MAX:
            self._known.popitem(last=False)
        return verified.principal

    def _stands(self, known: _Verified) -> bool:
        """Whether the token still lives and the very key that proved it is still published."""
        alive = known.principal.expires_at > self._clock.now().timestamp()
        return alive and self._keys.known(known.issuer, known.kid) is known.key

    async def _verify(self, token: str) -> _Verified:
        try:
            header = jwt.get_unverified_header(token)
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
        except jwt.PyJWTError:
            raise unauthorised("The token is malformed.") from None
        kid = str(header.get("kid", ""))
        key = await self._keys.key(issuer, kid) if _KID.fullmatch(kid) else None
        if key is None or header.get("alg") != ALGORITHM or header.get("typ") != "at+jwt" or "crit" in header:
            raise unauthorised("The token comes from no issuer that is known here.")
        return _Verified(self._claims(token, key, issuer), issuer, kid, key)

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
