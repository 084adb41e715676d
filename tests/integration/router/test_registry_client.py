"""The registry is asked over a real port: what it answers is taken as it is, and a bad answer means to wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.router.adapters.registry import HttpRegistry
from services.router.domain.errors import RegistryUnavailable
from services.router.domain.model import Head
from shared.contracts.graph import GraphDocument
from shared.graphroot import graph_root
from tests.support.clock import NOON
from tests.support.router_fakes import replica_of
from tests.support.small_graph import SMALL

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DOCUMENT = GraphDocument(version=1, root=graph_root(SMALL), committed_at=NOON, objects=SMALL)


@asynccontextmanager
async def registry(answer: Answer, *, deadline_seconds: float = 5.0) -> AsyncIterator[HttpRegistry]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield HttpRegistry(f"http://127.0.0.1:{port}/", deadline_seconds=deadline_seconds)
    server.close()
    await server.wait_closed()


def says(status: str, body: bytes, *headers: str) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        assert asked.startswith(b"GET /v1/graph HTTP/1.1\r\n")
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()
        writer.close()

    return answer


async def test_the_graph_arrives_with_the_root_that_the_registry_states() -> None:
    async with registry(says("200 OK", DOCUMENT.model_dump_json().encode())) as client:
        assert await client.graph() == replica_of(SMALL)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("503 Unavailable", b"{}"),
        ("404 Not Found", b"{}"),
        ("200 OK", b"not json"),
        ("200 OK", b'{"version":1}'),
        ("200 OK", b'{"version":1,"root":"r","committed_at":"2025-01-01T00:00:00Z","objects":[{"no":"kind"}]}'),
        ("200 OK", b'{"version":1,"root":"r","committed_at":"2025-01-01T00:00:00Z","objects":[{"kind":1e999}]}'),
    ],
)
async def test_an_answer_that_is_no_graph_means_to_wait(status: str, body: bytes) -> None:
    async with registry(says(status, body)) as client:
        with pytest.raises(RegistryUnavailable):
            await client.graph()


async def test_the_head_is_read_from_the_etag_and_an_unchanged_one_is_known() -> None:
    root = "ab" * 32
    async with registry(says("200 OK", b"not read", f'ETag: "7.{root}"')) as client:
        assert await client.head(Head(6, "cd" * 32)) == Head(7, root)
    async with registry(says("304 Not Modified", b"")) as client:
        assert await client.head(Head(6, "cd" * 32)) == Head(6, "cd" * 32)


@pytest.mark.parametrize(
    "answer", [says("200 OK", b""), says("200 OK", b"", 'ETag: "seven"'), says("503 Unavailable", b"", 'ETag: "7.ab"')]
)
async def test_an_answer_that_names_no_version_means_to_wait(answer: Answer) -> None:
    async with registry(answer) as client:
        with pytest.raises(RegistryUnavailable):
            await client.head(Head())


async def test_the_registry_is_told_which_head_is_known() -> None:
    told = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
        writer.close()

    async with registry(answer) as client:
        await client.head(Head(6, "cd" * 32))
    assert f'if-none-match: "6.{"cd" * 32}"'.encode() in (await told).lower()


async def test_a_registry_that_is_away_means_to_wait() -> None:
    with pytest.raises(RegistryUnavailable):
        await HttpRegistry("http://127.0.0.1:1", deadline_seconds=5).graph()
    with pytest.raises(RegistryUnavailable):
        await HttpRegistry("http://127.0.0.1:1", deadline_seconds=5).head(Head())


async def test_a_registry_that_never_answers_is_waited_for_under_a_deadline() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    async with registry(silent, deadline_seconds=0.05) as client:
        with pytest.raises(RegistryUnavailable):
            await client.graph()
        async with asyncio.timeout(5):
            await left.wait()
