"""The wire to recipients: POST of exact bytes to checked addresses alone, every answer bounded in time and size.

No redirects, no proxies from the environment, no cookies, no decompression, no cache of names: the address that
was checked is the address that is connected to.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver

from services.notifier.adapters.resolver import AddressRefused, CheckedResolver, SystemResolver
from services.notifier.domain.destination import Guard, url_fault
from services.notifier.domain.model import Answer
from shared.failpoints import FailPoints

ANSWER_BYTES_MAX = 16 * 1024
KEEPALIVE_SECONDS = 4.0
USER_AGENT = "Concordat/1"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect_seconds` for the connection, `attempt_seconds` for everything from look-up to the last byte read."""

    connect_seconds: float
    attempt_seconds: float


class WebhookWire:
    """One client session for all endpoints; the lanes bound how many deliveries are under way."""

    def __init__(
        self,
        guard: Guard,
        timeouts: Timeouts,
        *,
        resolver: AbstractResolver | None = None,
        fail_points: FailPoints | None = None,
    ) -> None:
        self._fail_points = fail_points or FailPoints()
        self._guard = guard
        self._timeouts = timeouts
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send the bytes once. Never raises for what happens on the way: that is an answer without a status."""
        # Again at each attempt: the rules may have changed since the endpoint was registered.
        if fault := url_fault(url, self._guard):
            return Answer(None, error=f"not sent: {fault}")
        self._fail_points.hit("notifier.before-send")
        answer = await self._exchange(url, headers, body)
        self._fail_points.hit("notifier.after-send")
        return answer

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            async with asyncio.timeout(self._timeouts.attempt_seconds):
                return await self._post(url, headers, body)
        except TimeoutError:
            return Answer(None, error=f"no whole answer within {self._timeouts.attempt_seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, error=_words(error))

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        async with self._opened().post(url, data=body, headers=headers, allow_redirects=False) as response:
            start = await _start_of(response)
            return Answer(response.status, start, response.headers.get("Retry-After"))

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


def _words(error: Exception) -> str:
    """The fault by its class alone: texts of libraries may hold addresses, or what the other side sent."""
    if isinstance(error.__cause__, AddressRefused):
        return f"not sent: {error.__cause__}"
    return f"no answer: {type(error).__name__}"
