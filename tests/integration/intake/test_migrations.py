"""The schema of intake: as its tables say, with named rights and no more, and no way into other schemas."""

import asyncio

import asyncpg
import pytest
from alembic import command

from shared.db.migrate import config_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

RIGHTS = {
    "concerns": {"SELECT", "INSERT"},
    "versions": {"SELECT", "INSERT"},
    "steps": {"SELECT", "INSERT"},
    "lineage": {"SELECT", "INSERT"},
    "timeline": {"SELECT", "INSERT"},
    "outbox": {"SELECT", "INSERT", "DELETE"},
    "outbox_unpublished": {"SELECT", "INSERT", "DELETE"},
    "outbox_open": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "outbox_heights": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "positions": {"SELECT", "INSERT", "UPDATE"},
    "parked_records": {"SELECT", "INSERT"},
}


async def test_the_migrations_make_exactly_the_tables(
    postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await postgres_engine.fresh_database("intake")
    monkeypatch.setenv("INTAKE_OWNER_DATABASE_URL", database.url("intake", "owner"))
    await asyncio.to_thread(command.check, config_of("intake"))


async def test_the_schema_can_be_taken_back_and_made_again(
    postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await postgres_engine.fresh_database("intake")
    monkeypatch.setenv("INTAKE_OWNER_DATABASE_URL", database.url("intake", "owner"))
    await asyncio.to_thread(command.downgrade, config_of("intake"), "base")
    await asyncio.to_thread(command.upgrade, config_of("intake"), "head")
    await asyncio.to_thread(command.check, config_of("intake"))


async def test_the_service_has_its_named_rights_and_no_others(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("intake")
    connection = await asyncpg.connect(database.superuser_url)
    rows = await connection.fetch(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'intake_service'"
    )
    await connection.close()
    assert {(row["table_name"], row["privilege_type"]) for row in rows} == {
        (table, right) for table, rights in RIGHTS.items() for right in rights
    }


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM intake.concerns",
        "UPDATE intake.versions SET digest = ''",
        "DELETE FROM intake.steps",
        "UPDATE intake.timeline SET body = '{}'",
        "UPDATE intake.outbox SET value = ''",
        "TRUNCATE intake.outbox",
        "DROP TABLE intake.outbox",
        "ALTER TABLE intake.outbox DISABLE TRIGGER ALL",
        "CREATE TABLE intake.more (a int)",
        "CREATE TABLE public.more (a int)",
        "SELECT * FROM intake.alembic_version",
        "CREATE TABLE router.more (a int)",
    ],
)
async def test_the_service_can_change_no_history_and_reach_no_other_schema(
    postgres_engine: TestPostgres, statement: str
) -> None:
    database = await postgres_engine.fresh_database("intake")
    connection = await asyncpg.connect(database.url("intake").replace("+asyncpg", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
