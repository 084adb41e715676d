"""Graphs of the past are read from the registry over a real port, and checked whole."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from services.router.adapters.history import HttpHistory
from services.router.domain.errors import GraphUnfit, NoSuchGraph, RegistryUnavailable
from shared.agreements import GraphInvalid
from shared.graphroot import graph_root
from tests.rules import small
from tests.support.router_fakes import a_concern, graph_objects

FIRST_AT = datetime(2025, 1, 1, tzinfo=UTC)
OBJECTS = graph_objects()
SHUT = graph_objects(small.pact(terminated="2025-01-02"))


def document(version: int, objects: list[Any]) -> Mapping[str, Any]:
    return {
        "version": version,
        "root": graph_root(objects),
        "committed_at": "2025-01-01T00:00:00Z",
        "objects": objects,
    }


def feed(*versions: int) -> Mapping[str, Any]:
    commits = [
        {"version": version, "committed_at": (FIRST_AT + timedelta(days=version)).isoformat(), "root": "r"}
        for version in versions
    ]
    return {"commits": commits, "next": versions[-1] if versions else 0}


@asynccontextmanager
async def registry(answers: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[tuple[HttpHistory, list[str]]]:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        asked.append(path)
        status, body = ("200 OK", orjson.dumps(answers[path])) if path in answers else ("404 Not Found", b"{}")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield HttpHistory(f"http://127.0.0.1:{port}", deadline_seconds=5), asked
    server.close()
    await server.wait_closed()


async def test_a_graph_of_the_past_is_read_once_and_decided_on() -> None:
    async with registry({"/v1/graph?version=3": document(3, OBJECTS)}) as (history, asked):
        judge = await history.judge_at(3)
        assert (judge.head.version, judge.head.root) == (3, graph_root(OBJECTS))
        assert [row.org for row in judge.judge(a_concern()).verdict.told] == ["beta"]
        assert await history.judge_at(3) is judge
        assert asked == ["/v1/graph?version=3"]


async def test_a_change_is_tried_on_it_and_leaves_it_as_it_was() -> None:
    async with registry({"/v1/graph?version=3": document(3, OBJECTS)}) as (history, _):
        changed = await history.judge_with(3, [small.pact(terminated="2025-01-02")])
        assert (changed.judge(a_concern()).verdict.told, changed.head.root) == ((), graph_root(SHUT))
        assert (await history.judge_at(3)).judge(a_concern()).verdict.told
        with pytest.raises(GraphInvalid):
            await history.judge_with(3, [small.pact(parties=[])])


@pytest.mark.parametrize("changes", [{"root": "00" * 32}, {"objects": [{"kind": "source"}]}, {"version": "three"}])
async def test_what_is_no_graph_or_lacks_its_root_is_unfit(changes: Any) -> None:
    async with registry({"/v1/graph?version=3": {**document(3, OBJECTS), **changes}}) as (history, _):
        with pytest.raises(GraphUnfit):
            await history.judge_at(3)


async def test_a_version_that_never_was_is_no_graph() -> None:
    async with registry({}) as (history, _):
        with pytest.raises(NoSuchGraph):
            await history.judge_at(3)


@pytest.mark.parametrize(("hours", "version"), [(24, 1), (47, 1), (48, 2), (72, 3), (9_999, 3)])
async def test_a_commit_is_known_from_its_own_moment_on(hours: int, version: int) -> None:
    pages = {
        "/v1/graph/commits?after=0": feed(1, 2),
        "/v1/graph/commits?after=2": feed(3),
        "/v1/graph/commits?after=3": feed(),
    }
    async with registry(pages) as (history, _):
        assert await history.version_at(FIRST_AT + timedelta(hours=hours)) == version
        with pytest.raises(NoSuchGraph):
            await history.version_at(FIRST_AT)


async def test_a_registry_that_is_away_means_to_wait() -> None:
    history = HttpHistory("http://127.0.0.1:1", deadline_seconds=1)
    with pytest.raises(RegistryUnavailable):
        await history.judge_at(1)
