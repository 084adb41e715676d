"""A notifier that is killed at each named point: the notice arrives, once unless its answer was lost, with one id."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.support.notifier_rig import receiving
from tests.support.stack import TestPostgres

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

SCRIPT = Path(__file__).with_name("deliver_one.py")
ROOT = SCRIPT.parents[3]


@pytest.mark.parametrize(
    ("name", "count", "received"),
    [
        ("notifier.before-commit", 1, 1),
        ("notifier.after-commit", 1, 1),
        ("notifier.before-send", 1, 1),
        ("notifier.after-send", 1, 2),
        ("notifier.before-commit", 2, 2),
        ("notifier.after-commit", 2, 1),
    ],
)
async def test_a_kill_loses_nothing_and_doubles_only_what_was_not_written(
    postgres_engine: TestPostgres, tmp_path: Path, name: str, count: int, received: int
) -> None:
    database, marker = await postgres_engine.fresh_database("notifier"), tmp_path / "reached"

    async def run(fail_point: str) -> int:
        arguments = (database.url("notifier"), receiver.url, fail_point)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), *arguments, env={"PYTHONPATH": str(ROOT)}
        )
        return await process.wait()

    async with receiving() as receiver:
        assert await run(f"{name}:kill:{count}:{marker}") == -signal.SIGKILL
        assert marker.read_text() == name
        assert await run("") == 0
        assert len(receiver.ids) == received
        assert len(set(receiver.received)) == 1
