"""Give tokens to clients that prove themselves."""

from dataclasses import dataclass

from services.registry.domain.model import Client, TokenRequest
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
    return Issued(_signed(client, scopes, issuer=issuer, clock=clock), scopes)


def own_token(*, issuer: Issuer, clock: Clock) -> str:
    """A token of the registry for itself: it asks the router what was routed, and may do nothing else."""
    return _signed(_SELF, _SELF.scopes, issuer=issuer, clock=clock)


_SELF = Client("registry", "", "registry", frozenset({"decisions:read-all"}), frozenset({"registry"}))


def _signed(client: Client, scopes: frozenset[str], *, issuer: Issuer, clock: Clock) -> str:
    now = int(clock.now().timestamp())
    claims = {
        "iss": issuer.name,
        "sub": client.subject,
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
    return issuer.signer.sign(claims)
