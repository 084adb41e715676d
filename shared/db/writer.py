"""The hot path's way to Postgres: a statement that is a transaction of its own, in one round trip (ADR 11).

A transaction of two statements costs four round trips, and each of them a switch of greenlets in SQLAlchemy. What the
way of a concern to its recipient writes is therefore one statement for a whole batch, run on asyncpg itself.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from shared.db.engine import CONNECT_SECONDS, CONNECTION_LOST, POOL_WAIT_SECONDS, passes, session_settings
from shared.faults import PositionMoved, StoreUnavailable

POSITION_MOVED = "CC001"
"""SQLSTATE of a statement that found a position elsewhere than its span starts; see `positions.moved`."""
BY_INDEX = {"enable_seqscan": "off"}
"""A plan is kept for as long as its session: one that was made of a small table would walk the large one it becomes."""
_NAME = re.compile(r"(?<!:):([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `:name` parameters, made ready for a driver that numbers them."""

    sql: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, sql: str) -> "Statement":
        """The statement of `sql`."""
        names = tuple(dict.fromkeys(_NAME.findall(sql)))
        return cls(_NAME.sub(lambda found: f"${names.index(found[1]) + 1}", sql), names)


class Writer:
    """Runs statements, each whole or not at all. Connects when it is first used."""

    def __init__(self, url: str, *, pool_size: int, statement_timeout_seconds: int, name: str) -> None:
        self._options: dict[str, Any] = {
            "dsn": make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            "min_size": 1,
            "max_size": pool_size,
            "timeout": CONNECT_SECONDS,
            "command_timeout": statement_timeout_seconds + 5,
            "server_settings": {**session_settings(name, statement_timeout_seconds), **BY_INDEX},
            "reset": _left_as_it_is,
        }
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def run(self, statement: Statement, **values: Any) -> Sequence[asyncpg.Record]:
        """Run it and give its rows.

        Raises StoreUnavailable where Postgres is away (whether it was committed is then unknown), PositionMoved.
        """
        arguments = [values[name] for name in statement.names]
        try:
            pool = self._pool or await self._opened()
            async with pool.acquire(timeout=POOL_WAIT_SECONDS) as connection:
                rows: Sequence[asyncpg.Record] = await connection.fetch(statement.sql, *arguments)
                return rows
        except (OSError, TimeoutError, *CONNECTION_LOST) as error:
            raise StoreUnavailable(type(error).__name__) from error
        except asyncpg.PostgresError as error:
            if error.sqlstate == POSITION_MOVED:
                raise PositionMoved("another consumer has moved on") from error
            if passes(error.sqlstate):
                raise StoreUnavailable(type(error).__name__) from error
            raise

    async def close(self) -> None:
        """Let go of the connections, whatever they are doing."""
        if self._pool is not None:
            self._pool.terminate()

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(**self._options)
            return self._pool


async def _left_as_it_is(_: asyncpg.Connection) -> None:
    """No round trip between two users of a connection: a statement leaves nothing behind in its session."""
