"""The sweeper, the pruner and the watch on the log read by index, whatever lies in the outbox."""

import asyncpg
import pytest

from shared.db import outbox_sql
from shared.db.engine import transaction
from shared.db.outbox import OutboxRow
from tests.support.plumbing import SCHEMA, plumbing_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

FILL = """
INSERT INTO intake.outbox (event_id, topic, partition, key, value, closes_with, created_at)
SELECT n, 't' || n % 3, n % 12, 'k', convert_to(repeat('x', 400), 'UTF8'), 'c' || n, now() - n * interval '1 second'
FROM generate_series(1, 1000000, 10) AS n;
INSERT INTO intake.outbox_unpublished SELECT created_at, event_id FROM intake.outbox LIMIT 20000;
INSERT INTO intake.outbox_open SELECT closes_with, event_id, now(), 1 FROM intake.outbox LIMIT 20000;
ANALYZE intake.outbox, intake.outbox_unpublished, intake.outbox_open
"""


STRAYS = "INSERT INTO intake.outbox_unpublished SELECT now() - interval '9 days', n FROM generate_series(1, 50) AS n"


@pytest.mark.parametrize(
    "template",
    [
        outbox_sql.LOST,
        outbox_sql.PRUNE,
        outbox_sql.REOPEN,
        outbox_sql.ADD_AGAIN,
        outbox_sql.MARK,
        outbox_sql.CLOSE,
    ],
)
async def test_no_statement_walks_a_hundred_thousand_rows(postgres_engine: TestPostgres, template: str) -> None:
    database = await postgres_engine.fresh_database()
    async with plumbing_of(database):
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute(FILL)
            plan = await connection.fetch("EXPLAIN " + _with_values(template))
        finally:
            await connection.close()
    lines = [row[0] for row in plan]
    assert not [line for line in lines if "Seq Scan on outbox" in line], "\n".join(lines)


def _with_values(template: str) -> str:
    values = {
        ":unpublished_seconds": "3", ":row_count_max": "100", ":after": "now() - interval '1 day'", ":topic": "'t1'",
        ":ids": "'{1,2}'", ":offsets": "'{1,2}'", ":names": "'{c1,c2}'",
    }  # fmt: skip
    statement = outbox_sql.statement(template, SCHEMA).text
    for name, value in values.items():
        statement = statement.replace(name, value)
    return statement


async def test_an_entry_whose_row_is_gone_hides_no_other_and_goes_with_the_next_pruning(
    postgres_engine: TestPostgres,
) -> None:
    database = await postgres_engine.fresh_database()
    async with plumbing_of(database) as plumbing:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute(STRAYS)
            async with transaction(plumbing.engine) as written:
                await plumbing.outbox.add(written, [OutboxRow("there", "concordat.concerns.v1", 0, "k", b"")])
            found = await plumbing.outbox.lost(unpublished_seconds=-1, row_count_max=10)
            assert [row.event_id for row in found] == ["there"]
            assert await plumbing.outbox.prune(row_count_max=10) == 0
            left = await connection.fetch("SELECT event_id FROM intake.outbox_unpublished")
            assert [row["event_id"] for row in left] == ["there"]
        finally:
            await connection.close()
