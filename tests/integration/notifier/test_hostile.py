"""Receivers that mean harm, on real sockets: each is cut off, leaves a clear record, and costs no memory."""

import asyncio
import gzip
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache

import pytest

from services.notifier.adapters.webhook import ANSWER_BYTES_MAX, Timeouts, WebhookWire
from services.notifier.domain.model import Answer
from tests.integration.notifier.test_webhook import LOOPBACK, posted
from tests.support.waiting import dawdle

SECOND = Timeouts(connect_seconds=20, attempt_seconds=1)
PATIENT = Timeouts(connect_seconds=20, attempt_seconds=20)
CHUNK = b"\0" * 65_536
GIBIBYTE = 1 << 30
OWN_BUFFERS = 16 << 20
"""What the system and the library hold between two sockets, at most."""


@dataclass
class Peer:
    """One connection of a hostile server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: int = 0

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.sent += len(data)

    def reset(self) -> None:
        """End the connection with RST."""
        own: socket.socket = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def hostile(behave: Callable[[Peer], Awaitable[None]]) -> AsyncIterator[tuple[str, list[Peer]]]:
    peers: list[Peer] = []
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            tasks.add(task)
        peers.append(Peer(reader, writer))
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await reader.readuntil(b"body")
                await behave(peers[-1])
            writer.close()
        finally:
            if behave not in (too_short, two_lengths, smallest_chunks):
                writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", peers
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def hang(_: Peer) -> None:
    await asyncio.Event().wait()


async def drip(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await peer.say(b"x")
        await dawdle(0.05)


async def drip_headers(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await peer.say(b"X: y\r\n")
        await dawdle(0.05)


async def endless_headers(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await peer.say(b"X: y\r\n" * 10_000)


async def gibibyte(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIBIBYTE)
    while peer.sent < GIBIBYTE:
        await peer.say(CHUNK)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def trailer_without_end(peer: Peer) -> None:
    await peer.say(CHUNKED + b"2\r\nok\r\n0\r\nX: ")
    while peer.sent < GIBIBYTE:
        await peer.say(b"y" * 65_536)


async def trailers_without_end(peer: Peer) -> None:
    await peer.say(CHUNKED + b"2\r\nok\r\n0\r\n")
    while peer.sent < GIBIBYTE:
        await peer.say(b"X: y\r\n" * 10_000)


async def extension_without_end(peer: Peer) -> None:
    await peer.say(CHUNKED + b"2;name=")
    while peer.sent < GIBIBYTE:
        await peer.say(b"y" * 65_536)


async def smallest_chunks(peer: Peer) -> None:
    await peer.say(CHUNKED + b"1\r\nx\r\n" * ANSWER_BYTES_MAX + b"0\r\n\r\n")


@cache
def packed_bomb() -> bytes:
    return gzip.compress(b"\0" * (64 << 20))


async def bomb(peer: Peer) -> None:
    packed = packed_bomb()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed))
    await peer.say(packed)


async def too_short(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")


async def too_long(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    await hang(peer)


async def two_lengths(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 900\r\n\r\nok")


async def reset_after_2xx(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    peer.reset()


async def reset_at_once(peer: Peer) -> None:
    peer.reset()


@pytest.mark.parametrize(
    ("behave", "record"),
    [
        (hang, "no whole answer within 1 s"),
        (drip, "no whole answer within 1 s"),
        (drip_headers, "no whole answer within 1 s"),
        (endless_headers, "no answer: "),
        (trailer_without_end, "no answer: HeadTooLong"),
        (trailers_without_end, "no answer: HeadTooLong"),
        (extension_without_end, "no answer: HeadTooLong"),
        (too_short, "no answer: "),
        (two_lengths, "no answer: "),
        (reset_after_2xx, "no answer: "),
        (reset_at_once, "no answer: "),
    ],
)
async def test_what_is_no_whole_answer_is_no_delivery_and_is_recorded_in_words(
    behave: Callable[[Peer], Awaitable[None]], record: str
) -> None:
    async with hostile(behave) as (url, peers):
        began = time.monotonic()
        answer = await posted(url, timeouts=SECOND if record.endswith("1 s") else PATIENT)
        assert (answer.status, answer.body, len(peers)) == (None, b"", 1)
        assert peers[0].sent < OWN_BUFFERS
        assert answer.error.startswith(record)
        assert time.monotonic() - began < PATIENT.attempt_seconds


@pytest.mark.parametrize("behave", [gibibyte, bomb])
async def test_an_answer_without_end_is_read_to_its_first_16_kib_and_then_left(
    behave: Callable[[Peer], Awaitable[None]],
) -> None:
    packed_bomb()  # made beforehand: nobody waits for it
    async with hostile(behave) as (url, peers):
        answer = await posted(url, timeouts=PATIENT)
        assert (answer.status, len(answer.body)) == (200, ANSWER_BYTES_MAX)
        assert peers[0].sent < OWN_BUFFERS


async def test_a_whole_answer_in_the_smallest_chunks_is_read() -> None:
    async with hostile(smallest_chunks) as (url, _):
        answer = await posted(url, timeouts=PATIENT)
        assert (answer.status, answer.body) == (200, b"x" * ANSWER_BYTES_MAX)


async def test_a_second_answer_behind_the_first_is_nobodys() -> None:
    async with hostile(too_long) as (url, peers):
        wire = WebhookWire(LOOPBACK, PATIENT)
        answers = [await wire.post(url, {}, b"body") for _ in range(3)]
        await wire.close()
        assert answers == [Answer(200, b"ok")] * 3
        assert len(peers) == 3
