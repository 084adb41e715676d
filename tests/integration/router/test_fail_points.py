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


async def routed(database: TestDatabase, fail_point: str) -> int | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), database.url("router"), fail_point, env={"PYTHONPATH": str(ROOT)}
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


@pytest.mark.parametrize(
    ("name", "stored"), [("router.before-commit", [0, 0, 0, 0, 0]), ("router.after-commit", [1, 1, 1, 3, 1])]
)
async def test_a_kill_around_the_commit_leaves_all_or_nothing_and_the_next_run_makes_one(
    postgres_engine: TestPostgres, tmp_path: Path, name: str, stored: list[int]
) -> None:
    database, marker = await postgres_engine.fresh_database("router"), tmp_path / "reached"
    assert await routed(database, f"{name}:kill:1:{marker}") == -signal.SIGKILL
    assert marker.read_text() == name
    assert await counts(database) == stored
    assert await routed(database, "") == 0
    assert (await counts(database))[:4] == [1, 1, 1, 3]
