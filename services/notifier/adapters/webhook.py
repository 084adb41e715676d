"""The wire to recipients: POST of exact bytes to checked addresses alone, every answer bounded in time and size."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlencode

from aiohttp.abc import AbstractResolver

from services.notifier.adapters.bearer import BearerTokens, TokenRefused
from services.notifier.adapters.certificates import CertificateUnusable, Contexts
from services.notifier.adapters.connection import ANSWER_BYTES_MAX, Reply
from services.notifier.adapters.connections import (
    PLACES_CACHED_MAX,
    Connections,
    NoConnection,
    place_of,
    request_of,
)
from services.notifier.adapters.resolver import AddressRefused, CheckedResolver, SystemResolver
from services.notifier.domain.consent import ORIGIN_HEADER
from services.notifier.domain.destination import Guard, url_fault
from services.notifier.domain.model import Access, Answer
from shared.failpoints import FailPoints

__all__ = ["ANSWER_BYTES_MAX", "Identity", "Timeouts", "WebhookWire"]

USER_AGENT = "Concordat/1"
UNAUTHORISED = frozenset({401, 407})
"""By the endpoint, or by a proxy before it."""
_fault_of = lru_cache(PLACES_CACHED_MAX)(url_fault)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect_seconds` for the connection, `attempt_seconds` for everything from look-up to the last byte read."""

    connect_seconds: float
    attempt_seconds: float


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we say we are: the DNS name of this deployment, and the authorities (PEM) trusted beside the system's."""

    origin: str = "localhost"
    authorities: Path | None = None


class WebhookWire:
    """One pool of connections for all endpoints; the lanes bound how many deliveries are under way."""

    def __init__(
        self,
        guard: Guard,
        timeouts: Timeouts,
        *,
        identity: Identity | None = None,
        resolver: AbstractResolver | None = None,
        fail_points: FailPoints | None = None,
    ) -> None:
        self._fail_points = fail_points or FailPoints()
        self._guard = guard
        self._timeouts = timeouts
        self._identity = identity or Identity()
        checked = CheckedResolver(resolver or SystemResolver(), guard)
        self._connections = Connections(checked, connect_seconds=timeouts.connect_seconds)
        self._contexts = Contexts(self._identity.authorities)
        self._tokens = BearerTokens(self._form_post)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, access: Access | None = None) -> Answer:
        """Send the bytes once. Never raises for what happens on the way: that is an answer without a status."""
        # Again at each attempt: the rules may have changed since the endpoint was registered.
        if fault := _fault_of(url, self._guard):
            return Answer(None, error=f"not sent: {fault}")
        self._fail_points.hit("notifier.before-send")
        answer = await self._exchange("POST", url, headers, body, access)
        self._fail_points.hit("notifier.after-send")
        return answer

    async def ask(self, url: str, headers: Mapping[str, str], access: Access | None = None) -> Answer:
        """Ask with OPTIONS what the endpoint consents to; nothing is sent. Never raises, like `post`."""
        if fault := _fault_of(url, self._guard):
            return Answer(None, error=f"not asked: {fault}")
        return await self._exchange("OPTIONS", url, headers, b"", access)

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, access: Access | None
    ) -> Answer:
        try:
            async with asyncio.timeout(self._timeouts.attempt_seconds):
                reply = await self._request(method, url, headers, body, access)
        except NoConnection:
            return Answer(None, error=f"no answer: no connection within {self._timeouts.connect_seconds:g} s")
        except TimeoutError:
            return Answer(None, error=f"no whole answer within {self._timeouts.attempt_seconds:g} s")
        except (TokenRefused, CertificateUnusable, AddressRefused) as refused:
            return Answer(None, error=f"not sent: {refused}")
        except (OSError, ValueError) as error:
            return Answer(None, error=_words(error))
        wish = reply.headers.pop("Retry-After", None)
        return Answer(reply.status, bytes(reply.body), wish, headers=reply.headers if method == "OPTIONS" else {})

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, access: Access | None
    ) -> Reply:
        """Where a bearer token is refused, it is got anew and the bytes are sent once more."""
        context, place = self._contexts.of(access.certificate if access else ""), place_of(url)
        sent = {ORIGIN_HEADER: self._identity.origin, "User-Agent": USER_AGENT, **headers}
        if not (access and access.oauth):
            return await self._connections.exchange(place, context, request_of(method, place, sent, body))
        token = await self._tokens.token(access.oauth)
        request = partial(request_of, method, place, body=body)
        reply = await self._connections.exchange(place, context, request(sent | _bearer(token)))
        if reply.status not in UNAUTHORISED:
            return reply
        self._tokens.forget(access.oauth, token)
        token = await self._tokens.token(access.oauth)
        return await self._connections.exchange(place, context, request(sent | _bearer(token)))

    async def _form_post(self, url: str, form: Mapping[str, str], authorisation: str) -> tuple[int, bytes]:
        """A form to a token endpoint, which the same guard protects. Raises TokenRefused."""
        if fault := _fault_of(url, self._guard):
            raise TokenRefused(f"the token address: {fault}")
        headers = {
            "Authorization": authorisation,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": USER_AGENT,
        }
        place, body = place_of(url), urlencode(form).encode()
        request = request_of("POST", place, headers, body)
        reply = await self._connections.exchange(place, self._contexts.of(""), request)
        return reply.status, bytes(reply.body)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _words(error: Exception) -> str:
    """The fault by its class alone: texts of libraries may hold addresses, or what the other side sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "not sent: the certificate of the endpoint does not verify"
    if isinstance(error, ssl.SSLError):
        return "not sent: no TLS connection that both sides accept"
    return f"no answer: {type(error).__name__}"
