"""What a run costs: CPU and memory by process, and statements by role, read from outside the services."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_CALLS = text(
    """SELECT coalesce(sum(s.calls), 0) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
    WHERE r.rolname LIKE '%\\_service' AND s.query !~* '^\\s*(BEGIN|COMMIT|ROLLBACK|SET|SHOW|DISCARD)'"""
)


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds used so far and memory held now (bytes), by process name; children are counted in."""

    cpu_seconds: Mapping[str, float]
    memory_bytes: Mapping[str, int]


def usage_of(pids: Mapping[str, int]) -> Usage:
    """Read the usage of these processes and everything below them."""
    trees = {name: _tree(pid) for name, pid in pids.items()}
    return Usage(
        {name: sum(_cpu(p) for p in tree) for name, tree in trees.items()},
        {name: sum(_memory(p) for p in tree) for name, tree in trees.items()},
    )


async def statement_count(superuser: AsyncEngine) -> int:
    """Statements that the services' roles have run so far, without BEGIN, COMMIT and SET."""
    async with superuser.connect() as connection:
        return int((await connection.execute(_CALLS)).scalar_one())


def _tree(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
