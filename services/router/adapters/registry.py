"""The registry over HTTP: its head every few seconds, and the whole graph when a commit is missing."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable, Iterator

import httpx
from pydantic import ValidationError

from services.router.domain.errors import RegistryUnavailable
from services.router.domain.model import Head
from services.router.domain.replica import Replica
from shared.contracts.graph import GRAPH_LINES, GraphHead
from shared.graphcopy import GraphCopy
from shared.graphlines import LineUnreadable, ObjectKey, pieces_of, read_line

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})\.([0-9a-f]{64})"')
_GZIP_PLAIN, _GZIP_HEAD_BYTES = b"\x1f\x8b\x08\x00", 10  # RFC 1952: deflate, no flags; then a time and the system
_LAST_BLOCK, _GZIP_TAIL_BYTES = b"\x03\x00", 10  # a last block of nothing; then the checksum and the length
_LINES = {"Accept": GRAPH_LINES, "Accept-Encoding": "gzip"}


class HttpRegistry:
    """Reads `GET /v1/graph` under a deadline; a client per call, because it is called once in a while."""

    def __init__(self, base_url: str, *, deadline_seconds: float) -> None:
        self._url = f"{base_url.rstrip('/')}/v1/graph"
        self._deadline_seconds = deadline_seconds
        # Made once: reading the authorities of the machine takes the event loop tens of milliseconds.
        self._authorities = httpx.create_ssl_context(trust_env=False)

    async def graph(self) -> Replica:
        """The newest graph, with the root that the registry states. Raises RegistryUnavailable."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                raw = await self._fetch()
            return await asyncio.to_thread(replica_of, raw)
        except (httpx.HTTPError, TimeoutError, ValidationError, LineUnreadable, zlib.error) as error:
            raise RegistryUnavailable(type(error).__name__) from error

    async def head(self, known: Head) -> Head:
        """The registry's head from its ETag, whose body is not read. Raises RegistryUnavailable."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._ask(known)
        except (httpx.HTTPError, TimeoutError) as error:
            raise RegistryUnavailable(type(error).__name__) from error

    async def _ask(self, known: Head) -> Head:
        headers = {**_LINES, "If-None-Match": f'"{known.version}.{known.root}"'}
        async with self._client() as client, client.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return known
            found = _ETAG.fullmatch(answer.raise_for_status().headers.get("etag", ""))
        if found is None:
            raise RegistryUnavailable("the answer names no version")
        return Head(int(found[1]), found[2])

    async def _fetch(self) -> list[bytes]:
        """The lines as gzip, in pieces; they are unpacked off the event loop."""
        async with self._client() as client, client.stream("GET", self._url, headers=_LINES) as answer:
            pieces = [piece async for piece in answer.raise_for_status().aiter_raw()]
        if answer.headers.get("content-encoding") != "gzip" or answer.headers.get("content-type") != GRAPH_LINES:
            raise RegistryUnavailable("the answer is no graph in lines")
        return pieces

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._deadline_seconds, trust_env=False, verify=self._authorities)


def replica_of(pieces: Iterable[bytes]) -> Replica:
    """The graph in lines, as gzip in pieces of any size. Raises LineUnreadable, ValidationError, zlib.error.

    A registry sends its blocks as they lie; they are kept so. What was packed anew on the way is packed once more.
    """
    raw = b"".join(pieces)
    try:
        return _as_sent(raw)
    except (LineUnreadable, ValidationError, zlib.error):
        lines = _lines([raw])
        head = GraphHead.model_validate_json(next(lines, b""))
        return _replica(head, GraphCopy.of_sorted(_in_order(map(read_line, lines))))


def _as_sent(raw: bytes) -> Replica:
    """The checksum at the end is not looked at: the root vouches for every byte."""
    if not raw.startswith(_GZIP_PLAIN) or raw[-_GZIP_TAIL_BYTES:][:2] != _LAST_BLOCK:
        raise LineUnreadable("no gzip, or none that a registry makes")
    cut = pieces_of(raw[_GZIP_HEAD_BYTES:-_GZIP_TAIL_BYTES])
    head = GraphHead.model_validate_json(next(cut, (b"", b""))[1])
    return _replica(head, GraphCopy.of_packed(cut))


def _replica(head: GraphHead, bodies: GraphCopy) -> Replica:
    return Replica(Head(head.version, head.root), bodies)


def _in_order(items: Iterable[tuple[ObjectKey, bytes]]) -> Iterator[tuple[ObjectKey, bytes]]:
    before = ("", "")
    for key, body in items:
        if key <= before:
            raise LineUnreadable("the objects are not in their order")
        before = key
        yield key, body


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Each line without its newline; never the whole text at once."""
    unpacked, rest = zlib.decompressobj(zlib.MAX_WBITS | 16), b""
    for piece in pieces:
        *whole, rest = (rest + unpacked.decompress(piece)).split(b"\n")
        yield from whole
    if rest or not unpacked.eof:
        raise LineUnreadable("the graph ends too soon")
