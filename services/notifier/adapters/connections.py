"""Connections to endpoints: HTTP/1.1, one request at a time, kept for the next; every answer is bounded (ADR 30).

No redirects, no proxies, no cookies, no decompression, no second look-up: what was checked is what is connected to.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from aiohappyeyeballs import AddrInfoType, start_connection
from aiohttp.abc import AbstractResolver

from services.notifier.adapters.connection import Connection, Reply

KEEPALIVE_SECONDS = 4.0
"""Many receivers let go of a connection that has rested for five seconds."""
AGE_SECONDS_MAX = 300.0
"""A name that leads elsewhere now, or where it may not, is followed that soon, however busy its lane is."""
STAGGER_SECONDS = 0.25
PLACES_CACHED_MAX = 4096


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

    def _rested(self, key: tuple[str, int, ssl.SSLContext | None]) -> Connection | None:
        resting = self._idle.get(key)
        while resting:
            connection = resting.pop()
            if _is_fit(connection):
                return connection
            connection.close()
        return None

    def _keep(self, key: tuple[str, int, ssl.SSLContext | None], connection: Connection) -> None:
        running = asyncio.get_running_loop()
        connection.since = running.time()
        if not _is_fit(connection):
            connection.close()
            return
        self._idle[key].append(connection)
        if self._sweep is None:
            self._sweep = running.call_later(KEEPALIVE_SECONDS, self._close_rested)

    def _close_rested(self) -> None:
        """Close what nobody has used for a while."""
        self._sweep = None
        for key, resting in list(self._idle.items()):
            stale = [one for one in resting if not _is_fit(one)]
            for connection in stale:
                connection.close()
            self._idle[key] = [one for one in resting if one not in stale]
            if not self._idle[key]:
                del self._idle[key]
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(KEEPALIVE_SECONDS / 2, self._close_rested)

    async def _connected(self, key: tuple[str, int, ssl.SSLContext | None]) -> Connection:
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


def _is_fit(connection: Connection) -> bool:
    """Whether the next request may go over it: the other side keeps it yet, and where it leads was looked up lately."""
    now = asyncio.get_running_loop().time()
    is_fresh = now - connection.since < KEEPALIVE_SECONDS and now - connection.opened < AGE_SECONDS_MAX
    return is_fresh and connection.rests


def _address(family: int, host: str, port: int) -> AddrInfoType:
    where = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where
