"""A process that is killed around its commit: nothing half done, nothing lost."""

import asyncio
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.support.stack import TestDatabase, TestPostgres

pytestmark = pytest.mark.stack

SCRIPT = Path(__file__).with_name("accept_one.py")
ROOT = SCRIPT.parents[3]


async def killed_at(database: TestDatabase, name: str, marker: Path, *, time: int = 1) -> int | None:
    armed = f"{name}:kill:{time}:{marker}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), database.url("intake"), armed, env={"PYTHONPATH": str(ROOT)}
    )
    return await process.wait()


async def counts(database: TestDatabase) -> tuple[int, int, int]:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        tables = ("concerns", "versions", "outbox")
        concerns, versions, outbox = [await connection.fetchval(f"SELECT count(*) FROM intake.{t}") for t in tables]
        return concerns, versions, outbox
    finally:
        await connection.close()


@pytest.mark.parametrize(("name", "stored"), [("intake.before-commit", (0, 0, 0)), ("intake.after-commit", (1, 1, 2))])
async def test_a_kill_around_the_commit_leaves_all_or_nothing_and_the_retry_makes_one(
    postgres_engine: TestPostgres, tmp_path: Path, name: str, stored: tuple[int, int, int]
) -> None:
    database, marker = await postgres_engine.fresh_database("intake"), tmp_path / "reached"
    assert await killed_at(database, name, marker) == -signal.SIGKILL
    assert marker.read_text() == name
    assert await counts(database) == stored
    assert await killed_at(database, "no-such-point", marker) == 0
    assert await counts(database) == (1, 1, 2)


@pytest.mark.parametrize(("name", "times"), [("intake.before-commit", 2), ("intake.after-commit", 1)])
async def test_the_points_are_reached_where_a_concern_is_accepted_and_nowhere_else(
    postgres_engine: TestPostgres, tmp_path: Path, name: str, times: int
) -> None:
    """The script also notes decisions before, and sends the concern again after; a repeat commits nothing new."""
    database, marker = await postgres_engine.fresh_database("intake"), tmp_path / "reached"
    assert await killed_at(database, name, marker, time=times + 1) == 0
    assert not marker.exists()
