"""The schema of the registry: as its tables say, with named rights and no more, and no way into other schemas."""

import asyncio

import asyncpg
import pytest
from alembic import command

from shared.db.migrate import config_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

RIGHTS = {
    "commits": {"SELECT", "INSERT"},
    "objects": {"SELECT", "INSERT"},
    "intervals": {"SELECT", "INSERT"},
    "change_events": {"SELECT", "INSERT"},
    "change_objects": {"SELECT", "INSERT"},
    "change_differences": {"SELECT", "INSERT"},
    "documents": {"SELECT", "INSERT"},
    "outbox": {"SELECT", "INSERT", "DELETE"},
    "outbox_unpublished": {"SELECT", "INSERT", "DELETE"},
    "outbox_open": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "outbox_heights": {"SELECT", "INSERT", "UPDATE", "DELETE"},
}


async def test_the_migrations_make_exactly_the_tables(
    postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await postgres_engine.fresh_database("registry")
    monkeypatch.setenv("REGISTRY_OWNER_DATABASE_URL", database.url("registry", "owner"))
    await asyncio.to_thread(command.check, config_of("registry"))


async def test_the_schema_can_be_taken_back_and_made_again(
    postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await postgres_engine.fresh_database("registry")
    monkeypatch.setenv("REGISTRY_OWNER_DATABASE_URL", database.url("registry", "owner"))
    await asyncio.to_thread(command.downgrade, config_of("registry"), "base")
    await asyncio.to_thread(command.upgrade, config_of("registry"), "head")
    await asyncio.to_thread(command.check, config_of("registry"))


async def test_the_service_has_its_named_rights_and_no_others(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("registry")
    connection = await asyncpg.connect(database.superuser_url)
    rows = await connection.fetch(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'registry_service'"
    )
    await connection.close()
    assert {(row["table_name"], row["privilege_type"]) for row in rows} == {
        (table, right) for table, rights in RIGHTS.items() for right in rights
    }


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM registry.objects",
        "DELETE FROM registry.commits",
        "UPDATE registry.objects SET body = ''",
        "UPDATE registry.commits SET root = ''",
        "UPDATE registry.outbox SET value = ''",
        "DELETE FROM registry.intervals",
        "UPDATE registry.intervals SET valid = '(,)'",
        "UPDATE registry.intervals SET opened_version = 1",
        "DELETE FROM registry.change_events",
        "UPDATE registry.change_events SET principal = ''",
        "UPDATE registry.change_objects SET body = ''",
        "UPDATE registry.change_differences SET body = ''",
        "TRUNCATE registry.objects CASCADE",
        "DROP TABLE registry.outbox",
        "ALTER TABLE registry.outbox DISABLE TRIGGER ALL",
        "CREATE TABLE registry.more (a int)",
        "CREATE TABLE public.more (a int)",
        "SELECT * FROM registry.alembic_version",
        "CREATE TABLE intake.more (a int)",
    ],
)
async def test_the_service_can_change_no_history_and_reach_no_other_schema(
    postgres_engine: TestPostgres, statement: str
) -> None:
    database = await postgres_engine.fresh_database("registry")
    connection = await asyncpg.connect(database.url("registry").replace("+asyncpg", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
