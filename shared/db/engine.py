"""The engine: sized pool, a deadline on everything, and connection faults told apart from bugs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.faults import StoreUnavailable

CONNECT_SECONDS = 5
POOL_WAIT_SECONDS = 10
_PASSING = ("08", "53", "57P", "40", "25006", "55P03", "57014")
"""SQLSTATE prefixes that pass by themselves: connection, resources, shutdown, conflict, read-only, lock, cancel."""
PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}
"""Off the hot path a plan is made for the tables as they are: one kept from when they were empty would walk them."""
CONNECTION_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver raises where a connection ends: InternalClientError when it ended just before it was used."""


def make_engine(url: str, *, pool_size: int, statement_timeout_seconds: int, name: str) -> AsyncEngine:
    """An engine whose sessions give up on their own: statements, idle transactions, dead sockets."""
    return create_async_engine(
        url,
        hide_parameters=True,  # a fault's text reaches logs and parked records; values never may
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,  # few sessions do most of the work: their plans and pages stay at hand
        pool_reset_on_return="rollback",
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": statement_timeout_seconds + 5,
            "server_settings": {**session_settings(name, statement_timeout_seconds), **PLANNED_ANEW},
        },
    )


def session_settings(name: str, statement_timeout_seconds: int) -> dict[str, str]:
    """The settings of every session: it gives up on its own; `name` shows in pg_stat_activity."""
    milliseconds = str(statement_timeout_seconds * 1000)
    return {
        "application_name": name,
        "statement_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
        "tcp_user_timeout": "10000",
        "jit": "off",
        "timezone": "UTC",
    }


def passes(sqlstate: str | None) -> bool:
    """Whether a fault of this SQLSTATE passes by itself."""
    return (sqlstate or "").startswith(_PASSING)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction. Raises StoreUnavailable where Postgres is away; whether a commit took place is then unknown."""
    try:
        async with engine.begin() as connection:
            yield connection
    except (PoolTimeout, OSError, TimeoutError) as error:
        raise StoreUnavailable(type(error).__name__) from error
    except DBAPIError as error:
        if _passes(error):
            raise StoreUnavailable(type(error.orig).__name__) from error
        raise
    except CONNECTION_LOST as error:
        raise StoreUnavailable(type(error).__name__) from error


def _passes(error: DBAPIError) -> bool:
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if state:
        return passes(state)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
