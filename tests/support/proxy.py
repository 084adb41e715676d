"""A TCP proxy that a test can break: it stands between two parts and does to their bytes what a bad link does.

Modes: `pass`; `refuse` (connections end at once, the open ones too); `hole` (bytes are taken and go nowhere); `deaf`
(what the server answers is lost, what it is asked arrives); `flip` (one bit of each piece from the server is turned).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PIECE_BYTES = 64 * 1024
MODES = ("pass", "refuse", "hole", "deaf", "flip")


@dataclass(slots=True)
class Proxy:
    """One listener in front of one server; its mode holds for the open connections too."""

    host: str
    server_port: int
    port: int = 0
    mode: str = "pass"
    connections: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def set(self, mode: str) -> None:
        """From now on."""
        if mode not in MODES:
            raise ValueError(f"{mode}: not one of {', '.join(MODES)}")
        self.mode = mode
        if mode == "refuse":
            for writer in self._open:
                writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one of the two ends it."""
        self.connections += 1
        if self.mode == "refuse":
            writer.transport.abort()
            return
        try:
            their_reader, their_writer = await asyncio.open_connection(self.host, self.server_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, their_writer}
        self._open |= both
        ways = [self._carry(reader, their_writer, back=False), self._carry(their_reader, writer, back=True)]
        try:
            await asyncio.wait([asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= both
            for one in both:
                one.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool) -> None:
        try:
            while piece := await reader.read(PIECE_BYTES):
                if self.mode == "hole" or (self.mode == "deaf" and back):
                    continue
                writer.write(_flipped(piece) if self.mode == "flip" and back else piece)
                await writer.drain()
        except OSError:
            return


def _flipped(piece: bytes) -> bytes:
    """With one bit of its last byte turned: in an answer of Kafka that is content, not length."""
    return piece[:-1] + bytes([piece[-1] ^ 1])


@asynccontextmanager
async def proxy_to(port: int, *, host: str = "127.0.0.1", own_port: int = 0) -> AsyncIterator[Proxy]:
    """A proxy on a free port of loopback, or on one that is said."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.serve, host, own_port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.set("refuse")
