"""The wire to recipients: POST of exact bytes to checked addresses alone, every answer bounded in time and size.

No redirects, no proxies from the environment, no cookies, no decompression, no cache of names: the address that
was checked is the address that is connected to.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver

from services.notifier.adapters.bearer import BearerTokens, TokenRefused
from services.notifier.adapters.certificates import CertificateUnusable, Contexts
from services.notifier.adapters.resolver import AddressRefused, CheckedResolver, SystemResolver
from services.notifier.domain.consent import CONSENT_HEADERS, ORIGIN_HEADER
from services.notifier.domain.destination import Guard, url_fault
from services.notifier.domain.model import Access, Answer
from shared.failpoints import FailPoints

ANSWER_BYTES_MAX = 16 * 1024
KEEPALIVE_SECONDS = 4.0
USER_AGENT = "Concordat/1"
UNAUTHORISED = 401


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
    """One client session for all endpoints; the lanes bound how many deliveries are under way."""

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
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._contexts = Contexts(self._identity.authorities)
        self._tokens = BearerTokens(self._form_post)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, access: Access | None = None) -> Answer:
        """Send the bytes once. Never raises for what happens on the way: that is an answer without a status.

        Where a bearer token is refused (401), it is got anew and the bytes are sent once more.
        """
        # Again at each attempt: the rules may have changed since the endpoint was registered.
        if fault := url_fault(url, self._guard):
            return Answer(None, error=f"not sent: {fault}")
        self._fail_points.hit("notifier.before-send")
        answer = await self._exchange("POST", url, headers, body, access)
        if answer.status == UNAUTHORISED and access and access.oauth:
            self._tokens.forget(access.oauth)
            answer = await self._exchange("POST", url, headers, body, access)
        self._fail_points.hit("notifier.after-send")
        return answer

    async def ask(self, url: str, headers: Mapping[str, str], access: Access | None = None) -> Answer:
        """Ask with OPTIONS what the endpoint consents to; nothing is sent. Never raises, like `post`."""
        if fault := url_fault(url, self._guard):
            return Answer(None, error=f"not asked: {fault}")
        return await self._exchange("OPTIONS", url, headers, b"", access)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, access: Access | None
    ) -> Answer:
        try:
            async with asyncio.timeout(self._timeouts.attempt_seconds):
                return await self._request(method, url, headers, body, access)
        except TimeoutError:
            return Answer(None, error=f"no whole answer within {self._timeouts.attempt_seconds:g} s")
        except (TokenRefused, CertificateUnusable) as refused:
            return Answer(None, error=f"not sent: {refused}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, error=_words(error))

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, access: Access | None
    ) -> Answer:
        sent = {ORIGIN_HEADER: self._identity.origin, **headers}
        if access and access.oauth:
            sent["Authorization"] = f"Bearer {await self._tokens.token(access.oauth)}"
        context = self._contexts.of(access.certificate if access else "")
        session = self._opened()
        async with session.request(
            method, url, data=body or None, headers=sent, ssl=context, allow_redirects=False
        ) as response:
            start = await _start_of(response)
            wish = response.headers.get("Retry-After")
            return Answer(response.status, start, wish, headers=_consent(response, method))

    async def _form_post(self, url: str, form: Mapping[str, str], authorisation: str) -> tuple[int, bytes]:
        """A form to a token endpoint, which the same guard protects. Raises TokenRefused."""
        if fault := url_fault(url, self._guard):
            raise TokenRefused(f"the token address: {fault}")
        headers = {"Authorization": authorisation, "Accept": "application/json"}
        async with self._opened().post(
            url, data=dict(form), headers=headers, ssl=self._contexts.of(""), allow_redirects=False
        ) as response:
            return response.status, await _start_of(response)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(self._resolver or SystemResolver(), self._guard),
            use_dns_cache=False,
            limit=0,
            keepalive_timeout=KEEPALIVE_SECONDS,
            enable_cleanup_closed=True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect_seconds),
            headers={"User-Agent": USER_AGENT},
            skip_auto_headers=("Accept-Encoding",),
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    """The first 16 KiB of an answer; the connection of a longer one is closed, not drained."""
    start = bytearray()
    while len(start) <= ANSWER_BYTES_MAX:
        part = await response.content.read(ANSWER_BYTES_MAX + 1 - len(start))
        if not part:
            return bytes(start)
        start += part
    response.close()
    return bytes(start[:ANSWER_BYTES_MAX])


def _consent(response: aiohttp.ClientResponse, method: str) -> Mapping[str, str]:
    """The headers of consent, where it was asked for; no other header of an answer is read."""
    if method != "OPTIONS":
        return {}
    return {name: response.headers[name] for name in CONSENT_HEADERS if name in response.headers}


def _words(error: Exception) -> str:
    """The fault by its class alone: texts of libraries may hold addresses, or what the other side sent."""
    if isinstance(error.__cause__, AddressRefused):
        return f"not sent: {error.__cause__}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "not sent: the certificate of the endpoint does not verify"
    if isinstance(error, aiohttp.ClientSSLError):
        return "not sent: no TLS connection that both sides accept"
    return f"no answer: {type(error).__name__}"
