"""The graph as lines, by which routers take it whole: sent as it lies packed in memory, however many ask at once."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from itertools import chain

import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from services.registry.domain.model import Commit
from services.registry.ports import Begin
from services.registry.usecases.graph import At, Graph, commit_of, graph_of
from shared.contracts.envelope import rfc3339
from shared.contracts.graph import GRAPH_LINES
from shared.graphcopy import GraphCopy
from shared.http.problems import not_found

PIECE_BYTES = 1_000_000
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no time, no name, any system
_LAST_BLOCK = b"\x03\x00"  # RFC 1951: a final block of nothing
_WORD = 2**32


@dataclass(frozen=True, slots=True)
class Framed:
    """A graph with what makes its packed objects one gzip stream."""

    etag: str
    head: bytes
    copy: GraphCopy
    tail: bytes

    @classmethod
    def of(cls, graph: Graph) -> "Framed":
        """The lines of a graph as they are sent. Takes its time."""
        commit, copy = graph.commit, graph.objects.copy
        known = {"version": commit.version, "root": commit.root, "committed_at": rfc3339(commit.committed_at)}
        first = orjson.dumps(known) + b"\n"
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = deflate.compress(first) + deflate.flush(zlib.Z_FULL_FLUSH)
        tail = _LAST_BLOCK + _trailer(chain((first,), copy.lines()))
        return cls(_etag(commit), _GZIP_HEAD + packed, copy, tail)

    @property
    def length(self) -> int:
        return len(self.head) + self.copy.packed_bytes + len(self.tail)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The stream, about a megabyte at a time."""
        gathered = bytearray(self.head)
        for packed in self.copy.packed():
            gathered += packed
            if len(gathered) >= PIECE_BYTES:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered) + self.tail


class GraphLines:
    """Answers those who ask for lines; what frames the newest graph is kept."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._newest: Framed | None = None

    async def answer(self, request: Request, at: At) -> Response:
        """The graph in lines as gzip, or 304. Raises GraphDamaged, Problem 404."""
        async with self._begin() as history:
            commit = await commit_of(history, at)
            if commit is None:
                raise not_found()
            headers = {"ETag": _etag(commit), "Cache-Control": "no-cache", "Vary": "Accept"}
            if _etag(commit) in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            framed = self._newest
            if framed is None or framed.etag != _etag(commit):
                framed = await asyncio.to_thread(Framed.of, await graph_of(history, commit))
        if at == At():
            self._newest = framed
        headers |= {"Content-Encoding": "gzip", "Content-Length": str(framed.length)}
        # The type is set as a header: a media type of text would get a charset added.
        return StreamingResponse(framed.pieces(), headers={**headers, "Content-Type": GRAPH_LINES})


def asks_for_lines(request: Request) -> bool:
    """Whether the client accepts the graph as lines and gzip; whoever names neither gets one document."""
    return GRAPH_LINES in request.headers.get("accept", "") and "gzip" in request.headers.get("accept-encoding", "")


def _trailer(texts: Iterable[bytes]) -> bytes:
    """RFC 1952 section 2.3.1: the checksum and the length of the text."""
    checksum, length = 0, 0
    for text in texts:
        checksum, length = zlib.crc32(text, checksum), length + len(text)
    return checksum.to_bytes(4, "little") + (length % _WORD).to_bytes(4, "little")


def _etag(commit: Commit) -> str:
    return f'"{commit.version}.{commit.root}"'
