"""The writer's deadlines and faults on the real Postgres, held to those of the engine."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.db.writer import Statement, Writer
from shared.faults import StoreUnavailable
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

ONE = Statement.of("SELECT 1 AS one")


@pytest.fixture
async def writer(postgres_engine: TestPostgres) -> AsyncIterator[Writer]:
    made = Writer(postgres_engine.database_url("intake"), pool_size=2, statement_timeout_seconds=1, name="writing")
    yield made
    await made.close()


async def test_a_statement_that_takes_too_long_is_a_passing_fault(writer: Writer) -> None:
    with pytest.raises(StoreUnavailable):
        await writer.run(Statement.of("SELECT pg_sleep(5)"))


async def test_a_terminated_backend_is_a_passing_fault_at_whatever_moment_it_is_noticed(
    writer: Writer, postgres_engine: TestPostgres
) -> None:
    superuser = await asyncpg.connect(postgres_engine.superuser_url)
    for turns in range(24):  # the driver says it in three ways, by what of the end has been read
        ((pid,),) = await writer.run(Statement.of("SELECT pg_backend_pid()"))
        await superuser.execute("SELECT pg_terminate_backend($1)", pid)
        for _ in range(turns % 6):
            await asyncio.sleep(0)
        answers = await asyncio.gather(*(writer.run(ONE) for _ in range(2)), return_exceptions=True)
        unexpected = [answer for answer in answers if not isinstance(answer, StoreUnavailable | list)]
        assert unexpected == []
        assert [row["one"] for row in await writer.run(ONE)] == [1]
    await superuser.close()


async def test_a_store_that_is_not_there_is_a_passing_fault_and_is_asked_again() -> None:
    writer = Writer("postgresql+asyncpg://a:b@127.0.0.1:1/c", pool_size=2, statement_timeout_seconds=1, name="away")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await writer.run(ONE)


async def test_a_mistake_in_a_statement_is_no_passing_fault(writer: Writer) -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await writer.run(Statement.of("SELECT nothing_such"))


async def test_a_statement_that_fails_at_its_end_has_done_nothing(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("intake")
    writer = Writer(database.url("intake"), pool_size=2, statement_timeout_seconds=5, name="writing")
    both = Statement.of(
        """WITH moved AS (INSERT INTO intake.positions VALUES ('g', 't', 0, :next_offset, NULL) RETURNING next_offset)
        SELECT 1 / (next_offset - :next_offset) FROM moved"""
    )
    with pytest.raises(asyncpg.DivisionByZeroError):
        await writer.run(both, next_offset=5)
    assert not await writer.run(Statement.of("SELECT 1 FROM intake.positions"))
    await writer.close()


async def test_cancelled_callers_leave_no_sessions_behind(writer: Writer) -> None:
    for _ in range(50):
        task = asyncio.create_task(writer.run(Statement.of("SELECT pg_sleep(0.2)")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    sessions = Statement.of("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    ((count,),) = await writer.run(sessions, name="writing")
    assert count <= 2


async def test_its_sessions_give_up_like_those_of_the_engine(writer: Writer) -> None:
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "TimeZone", "jit")
    found = [(await writer.run(Statement.of("SELECT current_setting(:name)"), name=name))[0][0] for name in names]
    assert found == ["1s", "1s", "UTC", "off"]
