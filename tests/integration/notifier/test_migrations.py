"""The notifier's schema: no drift from its tables, and rights that keep what is written."""

import sys

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from deploy.local import environment
from deploy.local.process import Command, run
from tests.support.stack import TestPostgres

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
CHECK = "from alembic import command; from shared.db.migrate import config_of; command.check(config_of('notifier'))"


async def test_the_migrations_make_exactly_the_tables_of_the_code(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("notifier")
    env = {**environment.python_environment(), "NOTIFIER_OWNER_DATABASE_URL": database.url("notifier", "owner")}
    log = postgres_engine.layout.log("notifier-check")
    await run(Command(name="check", argv=(sys.executable, "-c", CHECK), log=log, env=env), seconds=60)
    assert "No new upgrade operations detected" in log.read_text()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.facts SET event = ''",
        "DELETE FROM audit.facts",
        "TRUNCATE audit.facts",
        "UPDATE notifier.attempts SET status = 204",
        "DELETE FROM notifier.notices",
        "UPDATE notifier.notices SET body = ''",
        "UPDATE notifier.endpoints SET org = 'cqc'",
        "UPDATE notifier.acknowledgements SET word = 'accepted'",
        "DELETE FROM notifier.acknowledgements",
        "UPDATE notifier.endpoints SET url = 'https://elsewhere.example/'",
        "DELETE FROM notifier.replays",
        "CREATE TABLE notifier.mine (id int)",
        "SELECT * FROM router.decisions",
    ],
)
async def test_the_service_may_not(postgres_engine: TestPostgres, statement: str) -> None:
    database = await postgres_engine.fresh_database("notifier")
    url = make_url(database.url("notifier")).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)):
            await connection.execute(statement)
    finally:
        await connection.close()
