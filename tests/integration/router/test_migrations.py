"""The schema of the router: as its tables say, with named rights and no more, and no way into other schemas."""

import asyncio

import asyncpg
import pytest
from alembic import command

from shared.db.migrate import config_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

KEPT, ADDED_TO = {"SELECT", "INSERT"}, {"SELECT", "INSERT", "UPDATE"}
RIGHTS = {
    "graph_head": {"SELECT", "UPDATE"},
    "graph_objects": {*ADDED_TO, "DELETE"},
    "graph_parts": {*KEPT, "DELETE"},
    "decision_bodies": KEPT,
    "acts": KEPT,
    "concerns": KEPT,
    "decisions": KEPT,
    "notices": KEPT,
    "recalls": KEPT,
    "panel_events": KEPT,
    "panels": ADDED_TO,
    "panel_dues": ADDED_TO,
    "sightings": {*KEPT, "DELETE"},
    "suggestions": KEPT,
    "work_item_events": KEPT,
    "work_items": ADDED_TO,
    "outbox": {*KEPT, "DELETE"},
    "outbox_unpublished": {*KEPT, "DELETE"},
    "outbox_open": {*ADDED_TO, "DELETE"},
    "outbox_heights": {*ADDED_TO, "DELETE"},
    "positions": ADDED_TO,
    "parked_records": KEPT,
}


async def test_the_migrations_make_exactly_the_tables(
    postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await postgres_engine.fresh_database("router")
    monkeypatch.setenv("ROUTER_OWNER_DATABASE_URL", database.url("router", "owner"))
    await asyncio.to_thread(command.check, config_of("router"))


async def test_the_schema_can_be_taken_back_and_made_again(
    postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await postgres_engine.fresh_database("router")
    monkeypatch.setenv("ROUTER_OWNER_DATABASE_URL", database.url("router", "owner"))
    await asyncio.to_thread(command.downgrade, config_of("router"), "base")
    await asyncio.to_thread(command.upgrade, config_of("router"), "head")
    await asyncio.to_thread(command.check, config_of("router"))


async def test_the_service_has_its_named_rights_and_no_others(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("router")
    connection = await asyncpg.connect(database.superuser_url)
    rows = await connection.fetch(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'router_service'"
    )
    await connection.close()
    assert {(row["table_name"], row["privilege_type"]) for row in rows} == {
        (table, right) for table, rights in RIGHTS.items() for right in rights
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE router.decisions SET digest = ''",
        "DELETE FROM router.decisions",
        "UPDATE router.decision_bodies SET body = ''",
        "DELETE FROM router.notices",
        "DELETE FROM router.work_items",
        "INSERT INTO router.graph_head VALUES (false, 1, '')",
        "UPDATE router.outbox SET value = ''",
        "DROP TABLE router.outbox",
        "CREATE TABLE router.more (a int)",
        "CREATE TABLE registry.more (a int)",
    ],
)
async def test_the_service_can_change_no_decision_and_reach_no_other_schema(
    postgres_engine: TestPostgres, statement: str
) -> None:
    database = await postgres_engine.fresh_database("router")
    connection = await asyncpg.connect(database.url("router").replace("+asyncpg", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
