"""What the hot path asks, it asks by an index, also where its plan was made while the tables were empty.

A plan is kept as long as its session; one that walks a table walks it for every concern, however long it has grown.
"""

import asyncpg
import pytest

from services.intake.adapters import followups as intake_follow_ups
from services.intake.adapters import postgres as intake
from services.notifier.adapters import statements as notifier
from services.router.adapters import statements as router
from shared.db.writer import BY_INDEX, Statement
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

HOT = {
    name: {key: one for module in modules for key, one in vars(module).items() if isinstance(one, Statement)}
    for name, modules in {"intake": (intake, intake_follow_ups), "router": (router,), "notifier": (notifier,)}.items()
}


@pytest.mark.parametrize("service", HOT)
async def test_no_statement_of_the_hot_path_walks_a_table_that_was_empty(
    postgres_engine: TestPostgres, service: str
) -> None:
    database = await postgres_engine.fresh_database(service)
    url = database.url(service).replace("+asyncpg", "")
    connection = await asyncpg.connect(url, server_settings=BY_INDEX)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    walks = {name: await _walks(connection, statement) for name, statement in HOT[service].items()}
    await connection.close()
    assert walks
    assert walks == {name: [] for name in HOT[service]}


async def _walks(connection: asyncpg.Connection, statement: Statement) -> list[str]:
    """The nodes of its plan that read the whole of a table, or of an index."""
    await connection.execute(f"PREPARE asked AS {statement.sql}")
    nothing = ", ".join(["NULL"] * len(statement.names))
    plan = [str(row[0]) for row in await connection.fetch(f"EXPLAIN EXECUTE asked({nothing})")]
    await connection.execute("DEALLOCATE asked")
    following = [*plan[1:], ""]
    return [line for line, below in zip(plan, following, strict=True) if _is_walk(line, below)]


def _is_walk(line: str, below: str) -> bool:
    return "Seq Scan on" in line or ("Index" in line and " Scan " in line and "Index Cond" not in below)
