"""Give tokens to clients that prove themselves."""

from dataclasses import dataclass

from services.registry.domain.model import TokenRequest
from services.registry.domain.policy import granted_scopes, proven
from services.registry.ports import Clients, Signer
from shared.clock import Clock
from shared.ids import new_id

TOKEN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Issuer:
    """What a token says about where it comes from and for whom it is, and the key that signs it."""

    name: str
    audience: str
    signer: Signer


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and the scopes that it carries; it lives for TOKEN_SECONDS."""

    token: str
    scopes: frozenset[str]


def issue_token(request: TokenRequest, *, clients: Clients, issuer: Issuer, clock: Clock) -> Issued:
    """A token for a client that proves itself. Raises TokenRefused in its kinds."""
    client = proven(clients.find(request.client_id), request)
    scopes = granted_scopes(client, request)
    now = int(clock.now().timestamp())
    claims = {
        "iss": issuer.name,
        "sub": client.client_id,
        "client_id": client.client_id,
        "aud": issuer.audience,
        "iat": now,
        "nbf": now,
        "exp": now + TOKEN_SECONDS,
        "jti": new_id("tok"),
        "org": client.org,
        "scope": " ".join(sorted(scopes)),
        "roles": sorted(client.roles),
    }
    return Issued(issuer.signer.sign(claims), scopes)
