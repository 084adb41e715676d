"""The registry is asked over a real port: what it answers is taken as it is, and a bad answer means to wait."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
import pytest

from services.router.adapters.registry import HttpRegistry
from services.router.domain.errors import RegistryUnavailable
from services.router.domain.model import Head
from shared.graphlines import line_of
from shared.graphroot import graph_root
from tests.support.router_fakes import bodies_of, replica_of
from tests.support.small_graph import SMALL

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = {"version": 1, "root": graph_root(SMALL), "committed_at": "2025-01-01T00:00:00Z"}
LINES = [orjson.dumps(HEAD), *(line_of(*item) for item in sorted(bodies_of(SMALL).items()))]
PACKED = ("Content-Type: application/x-ndjson", "Content-Encoding: gzip")


def zipped(*lines: bytes) -> bytes:
    return gzip.compress(b"".join(line + b"\n" for line in lines))


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
    async with registry(says("200 OK", zipped(*LINES), *PACKED)) as client:
        assert await client.graph() == replica_of(SMALL)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param("503 Unavailable", zipped(*LINES), id="unavailable"),
        pytest.param("404 Not Found", b"{}", id="not there"),
        pytest.param("200 OK", b"not gzip", id="not packed"),
        pytest.param("200 OK", zipped(*LINES)[:-9], id="cut off"),
        pytest.param("200 OK", zipped(), id="empty"),
        pytest.param("200 OK", zipped(b"not json", *LINES[1:]), id="a head that is not JSON"),
        pytest.param("200 OK", zipped(b'{"version":1}'), id="a head alone"),
        pytest.param("200 OK", zipped(*LINES, b'{"id":"x","object":{}}'), id="another object"),
        pytest.param("200 OK", zipped(LINES[0], *reversed(LINES[1:])), id="another order"),
        pytest.param("200 OK", zipped(*LINES, LINES[-1]), id="an object twice"),
        pytest.param("200 OK", gzip.compress(b"\n".join(LINES)), id="no end of line"),
    ],
)
async def test_an_answer_that_is_no_graph_means_to_wait(status: str, body: bytes) -> None:
    async with registry(says(status, body, *PACKED)) as client:
        with pytest.raises(RegistryUnavailable):
            await client.graph()


async def test_a_graph_in_another_form_than_was_asked_for_means_to_wait() -> None:
    async with registry(says("200 OK", b"{}", "Content-Type: application/json")) as client:
        with pytest.raises(RegistryUnavailable, match="no graph in lines"):
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
