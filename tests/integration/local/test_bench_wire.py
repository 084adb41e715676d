"""The benchmark's own HTTP client against servers that answer in every way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from deploy.bench.wire import Wire

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def wire_to(serve: Serve, *, connections_max: int = 4) -> AsyncIterator[Wire]:
    """A client of a server that answers so; no connection is left behind."""
    serving: set[asyncio.Task[None] | None] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):  # the client has gone
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    wire = Wire("127.0.0.1", server.sockets[0].getsockname()[1], connections_max=connections_max)
    async with server:
        yield wire
        wire.close()
        await asyncio.gather(*(task for task in serving if task))


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    (length,) = [int(line.split(b":")[1]) for line in head.splitlines() if line.startswith(b"Content-Length")]
    return head + await reader.readexactly(length)


async def test_a_connection_is_used_again_and_each_answer_belongs_to_its_request() -> None:
    connections: list[list[bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked: list[bytes] = []
        connections.append(asked)
        for _ in range(3):
            asked.append(await read_request(reader))
            body = asked[-1].rpartition(b"\r\n\r\n")[2].upper()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async with wire_to(serve) as wire:
        answers = [await wire.post("/v1/x", {"A": "b"}, text) for text in (b"one", b"two", b"three")]
    assert answers == [(200, b"ONE"), (200, b"TWO"), (200, b"THREE")]
    assert [len(asked) for asked in connections] == [3]
    assert connections[0][0].startswith(b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_a_connection_that_ends_with_its_answer_is_not_used_again() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
        writer.close()

    async with wire_to(serve) as wire:
        for _ in range(3):
            assert await wire.post("/", {}, b"") == (202, b"ok")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 202 Accepted\r\ncontent-le", b"no HTTP at all\r\n\r\n"])
async def test_an_answer_that_ends_early_or_is_none_is_a_fault(said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)
        writer.close()

    async with wire_to(serve) as wire:
        with pytest.raises(ConnectionError):
            await wire.post("/", {}, b"x")


async def test_no_more_connections_are_open_than_allowed() -> None:
    open_now, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        while not reader.at_eof():
            await read_request(reader)
            writer.write(ACCEPTED)
        open_now -= 1

    async with wire_to(serve, connections_max=2) as wire:
        answers = await asyncio.gather(*(wire.post("/", {}, b"x") for _ in range(20)))
        assert answers == [(202, b"ok")] * 20
        assert most <= 2
