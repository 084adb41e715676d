"""The engine's deadlines and faults on the real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import make_engine, transaction
from shared.faults import PositionMoved, StoreUnavailable
from shared.records import Span
from tests.support.plumbing import plumbing_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack


@pytest.fixture
async def engine(postgres_engine: TestPostgres) -> AsyncIterator[AsyncEngine]:
    made = make_engine(postgres_engine.database_url("intake"), pool_size=2, statement_timeout_seconds=1, name="test")
    yield made
    await made.dispose()


async def test_a_statement_that_takes_too_long_is_a_passing_fault(engine: AsyncEngine) -> None:
    with pytest.raises(StoreUnavailable):
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT pg_sleep(5)"))


async def test_a_terminated_backend_is_a_passing_fault_and_the_pool_heals(
    engine: AsyncEngine, postgres_engine: TestPostgres
) -> None:
    async with transaction(engine) as connection:
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    superuser = await asyncpg.connect(postgres_engine.superuser_url)
    await superuser.execute("SELECT pg_terminate_backend($1)", pid)
    await superuser.close()
    with pytest.raises(StoreUnavailable):
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT 1"))
    async with transaction(engine) as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_mistake_in_a_statement_is_no_passing_fault(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError):
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT nothing_such"))


async def test_a_service_cannot_read_the_schema_of_another(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with transaction(engine) as connection:
            await connection.execute(text("CREATE TABLE router.mine (n int)"))


async def test_cancelled_callers_leave_no_sessions_behind(engine: AsyncEngine) -> None:
    async def work() -> None:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT pg_sleep(0.2)"))

    for _ in range(50):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with transaction(engine) as connection:
        count = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test'")
        assert (await connection.execute(count)).scalar_one() <= 2


async def test_a_position_moves_only_from_where_the_span_starts(postgres_engine: TestPostgres) -> None:
    async with plumbing_of(await postgres_engine.fresh_database()) as plumbing:
        await plumbing.positions.set("g", "t", 0, 5)
        with pytest.raises(PositionMoved):
            await plumbing.positions.skip([Span("g", "t", 0, 4, 9)])
        await plumbing.positions.skip([Span("g", "t", 0, 5, 9)])
        with pytest.raises(PositionMoved):
            await plumbing.positions.skip([Span("g", "t", 0, 5, 9)])
        assert await plumbing.positions.read("g", "t") == {0: (10, None)}
