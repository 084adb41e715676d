"""Tokens over HTTP: OAuth 2.0 client credentials (RFC 6749 section 4.4), published keys and metadata (RFC 8414)."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
from fastapi import APIRouter, Request, Response

from services.registry.domain.errors import ClientNotProven, TokenRequestMalformed
from services.registry.domain.model import TokenRequest
from services.registry.domain.policy import GRANT
from services.registry.entrypoints.answers import NO_STORE
from services.registry.ports import Clients
from services.registry.usecases import TOKEN_SECONDS, Issued, Issuer, issue_token
from shared.clock import Clock
from shared.telemetry import Telemetry

FORM = "application/x-www-form-urlencoded"
FORM_FIELDS_MAX = 20
JWKS_SECONDS = 300
_DOC: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"const": GRANT},
                        "scope": {"type": "string", "description": "scopes, separated by spaces; default: all"},
                        "client_id": {"type": "string", "description": "for client_secret_post"},
                        "client_secret": {"type": "string", "description": "for client_secret_post"},
                    },
                }
            }
        },
    }
}


class TokenRoutes:
    """The routes that give tokens and say how to verify them."""

    def __init__(
        self, *, clients: Clients, issuer: Issuer, jwk: Mapping[str, str], clock: Clock, telemetry: Telemetry
    ) -> None:
        self._clients = clients
        self._issuer = issuer
        self._jwk = jwk
        self._clock = clock
        self._telemetry = telemetry

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["tokens"])
        router.add_api_route("/oauth2/token", self.token, methods=["POST"], openapi_extra=_DOC)
        router.add_api_route("/.well-known/jwks.json", self.jwks)
        router.add_api_route("/.well-known/oauth-authorization-server", self.metadata)
        return router

    async def token(self, request: Request) -> Response:
        """An access token for a client that proves itself by client_secret_basic or client_secret_post.

        Errors in the form of RFC 6749 section 5.2; which of id and secret is wrong is never said.
        """
        with self._telemetry.unit("token.issued") as line:
            asked = await _asked(request)
            line["client"] = asked.client_id if self._clients.find(asked.client_id) else "unknown"
            issued = issue_token(asked, clients=self._clients, issuer=self._issuer, clock=self._clock)
        return Response(orjson.dumps(_answer(issued)), headers=NO_STORE, media_type="application/json")

    async def jwks(self) -> Response:
        """The keys that tokens are verified with (RFC 7517)."""
        headers = {"Cache-Control": f"public, max-age={JWKS_SECONDS}"}
        return Response(orjson.dumps({"keys": [self._jwk]}), headers=headers, media_type="application/jwk-set+json")

    async def metadata(self) -> dict[str, Any]:
        """Where everything is (RFC 8414)."""
        base = self._issuer.name.rstrip("/")
        return {
            "issuer": self._issuer.name,
            "token_endpoint": f"{base}/oauth2/token",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }


def _answer(issued: Issued) -> dict[str, Any]:
    scope = " ".join(sorted(issued.scopes))
    return {"access_token": issued.token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "scope": scope}


async def _asked(request: Request) -> TokenRequest:
    form = _form(request.headers.get("content-type", ""), await request.body())
    if "grant_type" not in form:
        raise TokenRequestMalformed
    client_id, secret = _credentials(request.headers.get("authorization"), form)
    return TokenRequest(form["grant_type"], client_id, secret, frozenset(form.get("scope", "").split()))


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """RFC 6749 section 3.2: a parameter is sent once; without a value it counts as left out."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise TokenRequestMalformed
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise TokenRequestMalformed from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenRequestMalformed
    return {name: value for name, value in form.items() if value}


def _credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """The client's id and secret, by header or in the form, never both (section 2.3)."""
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    client_id, secret = _basic(authorization)
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        raise TokenRequestMalformed
    return client_id, secret


def _basic(authorization: str) -> tuple[str, str]:
    """Section 2.3.1: id and secret are form-encoded before they are joined."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientNotProven
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise ClientNotProven from None
    if not colon:
        raise ClientNotProven
    return unquote_plus(client_id), unquote_plus(secret)
