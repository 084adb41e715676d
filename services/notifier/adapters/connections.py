"""Connections to endpoints: HTTP/1.1, one request at a time, kept for the next; every answer is bounded (ADR 30).

No redirects, no proxies, no cookies, no decompression, no second look-up: what was checked is what is connected to.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import httptools
from aiohappyeyeballs import AddrInfoType, start_connection
from aiohttp.abc import AbstractResolver

from services.notifier.domain.consent import CONSENT_HEADERS

ANSWER_BYTES_MAX = 16 * 1024
HEAD_BYTES_MAX = 32 * 1024
"""Everything before the body, interim answers (1xx) included; no more than one read of the socket beyond it."""
FRAMES_BYTES_MAX = 128 * 1024
"""That and all else that is no body: trailers, and the sizes of chunks, be they of one byte each."""
KEEPALIVE_SECONDS = 4.0
STAGGER_SECONDS = 0.25
PLACES_CACHED_MAX = 4096
FINAL = 200
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_READ = {name.lower().encode(): name for name in ("Retry-After", *CONSENT_HEADERS)}


class AnswerMalformed(OSError):
    """What came is no HTTP/1.1."""


class AnswerCutOff(OSError):
    """The connection ended before the answer did."""


class HeadTooLong(OSError):
    """The answer has more headers than anybody needs."""


class NoConnection(OSError):
    """The endpoint did not take the connection in time."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: whom to connect to, and what to ask for there. `target` is path and query as written."""

    host: str
    port: int
    is_tls: bool
    name: str
    target: str


@lru_cache(PLACES_CACHED_MAX)
def place_of(url: str) -> Place:
    """Read a URL that the guard lets through."""
    parts = urlsplit(url)
    is_tls, host = parts.scheme == "https", parts.hostname or ""
    usual = 443 if is_tls else 80
    port = usual if parts.port is None else parts.port
    written = f"[{host}]" if ":" in host else host
    name = written if port == usual else f"{written}:{port}"
    return Place(host, port, is_tls, name, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def request_of(method: str, place: Place, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a request. Raises ValueError for a header that would be more than one."""
    lines = [f"{method} {place.target} HTTP/1.1", f"Host: {place.name}", *(f"{k}: {v}" for k, v in headers.items())]
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}\r\n\r\n"))
    if not head.count("\r") == head.count("\n") == len(lines) + 2:
        raise ValueError("a header holds the end of a line")
    return head.encode("ascii") + body


@dataclass(slots=True)
class Reply:
    """An answer: its status, those of its headers that are read, by their usual names, and the start of its body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Connections:
    """The connections of a process by where they lead and their TLS context. The lanes bound how many there are."""

    def __init__(self, resolver: AbstractResolver, *, connect_seconds: float) -> None:
        self._resolver = resolver
        self._connect_seconds = connect_seconds
        self._idle: defaultdict[tuple[str, int, ssl.SSLContext | None], list[Connection]] = defaultdict(list)
        self._sweep: asyncio.TimerHandle | None = None

    async def exchange(self, place: Place, context: ssl.SSLContext | None, request: bytes) -> Reply:
        """Send a request and give its answer. Raises OSError, ssl.SSLError, AddressRefused."""
        key = (place.host, place.port, context if place.is_tls else None)
        connection = self._rested(key) or await self._connected(key)
        try:
            return await connection.ask(request)
        finally:
            self._keep(key, connection)

    async def close(self) -> None:
        """Let go of all that rest."""
        if self._sweep is not None:
            self._sweep.cancel()
        for resting in self._idle.values():
            for connection in resting:
                connection.close()
        self._idle.clear()
        await self._resolver.close()
        await asyncio.sleep(0)

    def _rested(self, key: tuple[str, int, ssl.SSLContext | None]) -> "Connection | None":
        resting = self._idle.get(key)
        while resting:
            connection = resting.pop()
            if connection.rests and asyncio.get_running_loop().time() - connection.since < KEEPALIVE_SECONDS:
                return connection
            connection.close()
        return None

    def _keep(self, key: tuple[str, int, ssl.SSLContext | None], connection: "Connection") -> None:
        if not connection.rests:
            connection.close()
            return
        running = asyncio.get_running_loop()
        connection.since = running.time()
        self._idle[key].append(connection)
        if self._sweep is None:
            self._sweep = running.call_later(KEEPALIVE_SECONDS, self._close_rested)

    def _close_rested(self) -> None:
        """Close what nobody has used for a while: many receivers let go of it after five seconds."""
        running = asyncio.get_running_loop()
        self._sweep = None
        for key, resting in list(self._idle.items()):
            stale = [one for one in resting if running.time() - one.since >= KEEPALIVE_SECONDS or not one.rests]
            for connection in stale:
                connection.close()
            self._idle[key] = [one for one in resting if one not in stale]
            if not self._idle[key]:
                del self._idle[key]
        if self._idle:
            self._sweep = running.call_later(KEEPALIVE_SECONDS / 2, self._close_rested)

    async def _connected(self, key: tuple[str, int, ssl.SSLContext | None]) -> "Connection":
        host, port, context = key
        addresses = await self._addresses(host, port)
        try:
            async with asyncio.timeout(self._connect_seconds):
                own = await start_connection(addresses, happy_eyeballs_delay=STAGGER_SECONDS)
        except TimeoutError as error:
            raise NoConnection(str(error)) from error
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection, sock=own, ssl=context, server_hostname=host if context else None
            )
        except BaseException:  # being cancelled as well: until there is a connection, nobody else closes the socket
            own.close()
            raise
        return connection

    async def _addresses(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """A literal address is what the guard has looked at; a name is looked up, and each of its addresses checked."""
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            found = await self._resolver.resolve(host, port, socket.AF_UNSPEC)
            return [_address(one["family"], one["host"], port) for one in found]
        return [_address(socket.AF_INET if literal.version == 4 else socket.AF_INET6, host, port)]


def _address(family: int, host: str, port: int) -> AddrInfoType:
    where = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where


class Connection(asyncio.Protocol):
    """One connection; `since` when it has been resting, in the loop's seconds."""

    def __init__(self) -> None:
        self.since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._reply = Reply()
        self._frame_bytes = 0
        self._has_length = self._is_final = self._is_done = self._may_stay = False

    @property
    def rests(self) -> bool:
        """Whether the next request may go over it: all that was asked is answered, and nothing came beside it."""
        transport = self._transport
        if transport is None or not self._may_stay or transport.is_closing():
            return False
        return transport.get_write_buffer_size() == 0

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        """The answer to a request; one at a time. Raises ConnectionResetError where it is closed already."""
        if self._transport is None:
            raise ConnectionResetError
        self._waiting = asyncio.get_running_loop().create_future()
        self._reply, self._frame_bytes = Reply(), 0
        self._has_length = self._is_final = self._is_done = self._may_stay = False
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """Let go of it at once, whatever is under way."""
        self._may_stay = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport  # type: ignore[assignment] # TCP's and TLS's read and write

    def data_received(self, data: bytes) -> None:
        """See asyncio. What nobody asked for ends the connection."""
        if self._waiting is None or self._is_done:
            self.close()
            return
        self._frame_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(AnswerMalformed())
        if not self._is_done and self._frame_bytes > (FRAMES_BYTES_MAX if self._is_final else HEAD_BYTES_MAX):
            self._fail(HeadTooLong())
        if self._is_done and not self._may_stay:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio. An answer without a length ends with its connection."""
        self._transport = None
        self._may_stay = False
        if error is None and self._is_final and not self._has_length:
            self._end()
        self._fail(error or AnswerCutOff())

    def on_message_begin(self) -> None:
        """See httptools. A second answer is nobody's."""
        if self._is_done:
            self._may_stay = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools. The first of a name is the one."""
        if self._is_done:
            return
        lower = name.lower()
        if lower in _LENGTHS:
            self._has_length = True
        elif lower in _READ:
            self._reply.headers.setdefault(_READ[lower], value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """See httptools."""
        if self._is_done:
            return
        self._reply.status = self._parser.get_status_code()
        self._is_final = self._reply.status >= FINAL
        if not self._is_final:
            self._reply, self._has_length = Reply(), False

    def on_body(self, part: bytes) -> None:
        """See httptools. What is beyond the limit is left unread, and the connection with it."""
        if self._is_done:
            return
        self._frame_bytes -= len(part)
        body = self._reply.body
        body += part[: ANSWER_BYTES_MAX + 1 - len(body)]
        if len(body) > ANSWER_BYTES_MAX:
            del body[ANSWER_BYTES_MAX:]
            self._end()

    def on_message_complete(self) -> None:
        """See httptools."""
        if self._is_final and not self._is_done:
            self._may_stay = self._parser.should_keep_alive()
            self._end()

    def _end(self) -> None:
        self._is_done = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(self._reply)

    def _fail(self, error: Exception) -> None:
        self._is_done, self._may_stay = True, False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
