"""The sweeper, the pruner and the watch on the log read by index, whatever lies in the outbox."""

import asyncpg
import pytest

from shared.db import outbox_sql
from tests.support.plumbing import SCHEMA, plumbing_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

FILL = """
INSERT INTO intake.outbox (event_id, topic, partition, key, value, closes_with, created_at, published_at, closed_at,
    record_offset, again_at)
SELECT n, 't' || n % 3, n % 12, 'k', convert_to(repeat('x', 400), 'UTF8'), 'c' || n,
    now() - n * interval '1 second', now() - n * interval '1 second',
    CASE WHEN n > 20 THEN now() - n * interval '1 second' END, 100000 - n, now()
FROM generate_series(1, 100000) AS n
"""


@pytest.mark.parametrize("template", [outbox_sql.LOST, outbox_sql.HEIGHTS, outbox_sql.PRUNE, outbox_sql.REOPEN])
async def test_no_statement_walks_a_hundred_thousand_rows(postgres_engine: TestPostgres, template: str) -> None:
    database = await postgres_engine.fresh_database()
    async with plumbing_of(database):
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute(FILL)
            await connection.execute("ANALYZE intake.outbox")
            plan = await connection.fetch("EXPLAIN " + _with_values(template))
        finally:
            await connection.close()
    lines = [row[0] for row in plan]
    assert not [line for line in lines if "Seq Scan on outbox" in line], "\n".join(lines)


def _with_values(template: str) -> str:
    values = {
        ":unpublished_seconds": "3", ":row_count_max": "100", ":retention_days": "7", ":record_offset": "-1",
        ":partition": "-1", ":topic": "'t1'",
    }  # fmt: skip
    statement = outbox_sql.statement(template, SCHEMA).text
    for name, value in values.items():
        statement = statement.replace(name, value)
    return statement
