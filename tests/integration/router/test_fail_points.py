"""A router that is killed around its commit: nothing half decided, nothing lost, nobody told twice."""

import asyncio
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.support.stack import TestDatabase, TestPostgres

pytestmark = pytest.mark.stack

SCRIPT = Path(__file__).with_name("route_one.py")
ROOT = SCRIPT.parents[3]
TABLES = ("decisions", "decision_bodies", "notices", "outbox")


async def routed(database: TestDatabase, fail_point: str, graph: str) -> int | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), database.url("router"), fail_point, graph, env={"PYTHONPATH": str(ROOT)}
    )
    return await process.wait()


async def counts(database: TestDatabase) -> list[int]:
    """Rows of each table, and the position."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        rows = [await connection.fetchval(f"SELECT count(*) FROM router.{table}") for table in TABLES]
        return [*rows, await connection.fetchval("SELECT next_offset FROM router.positions")]
    finally:
        await connection.close()


async def decided_on(database: TestDatabase) -> list[int]:
    """The graph's version of each decision."""
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return [row["graph_version"] for row in await connection.fetch("SELECT graph_version FROM router.decisions")]
    finally:
        await connection.close()


BEFORE, AFTER = "router.before-commit", "router.after-commit"
NOTHING, ONE, BOTH = [0, 0, 0, 0, 0], [1, 1, 1, 3, 1], [1, 1, 2, 4, 1]
UNUSED = [1, 2, 1, 3, 1]  # bodies are kept by their content: the other graph's is no decision's


@pytest.mark.parametrize(
    ("name", "stored", "graph", "then"),
    [(BEFORE, NOTHING, 1, ONE), (BEFORE, NOTHING, 2, BOTH), (AFTER, ONE, 1, ONE), (AFTER, ONE, 2, UNUSED)],
)
async def test_a_kill_around_the_commit_leaves_all_or_nothing_and_what_is_stored_stands_whatever_the_graph_is_then(
    postgres_engine: TestPostgres, tmp_path: Path, name: str, stored: list[int], graph: int, then: list[int]
) -> None:
    database, marker = await postgres_engine.fresh_database("router"), tmp_path / "reached"
    assert await routed(database, f"{name}:kill:1:{marker}", "1") == -signal.SIGKILL
    assert marker.read_text() == name
    assert await counts(database) == stored
    assert await routed(database, "", str(graph)) == 0
    assert (await counts(database))[:4] == then[:4]
    assert await decided_on(database) == [1 if name == AFTER else graph]
