"""What waits is taken by its key, however much waits, and whatever the planner knew of the table when it was asked.

As a rule nothing waits, and so say the statistics. After a kill or behind a dead endpoint thousands do: a plan that
looks at each of them for each other one takes longer than a statement may, again and again until the table is analysed.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.notifier.adapters import statements
from shared.db.writer import Statement
from tests.support.stack import TestDatabase, TestPostgres

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
WAITING, DONE, SLOTS = 2_000, 10_000, 64
RECIPIENTS = ("cqc", "gmc", "nhs-england")
READ_MAX = 2 * SLOTS * len(RECIPIENTS)
FILL = """INSERT INTO notifier.notices (notice_id, decision_id, concern_id, version, recipient, kind, ref, lane, body,
        body_digest, state, next_attempt_at, lease_until, fencing, registered_at, give_up_at, attempt_count)
    SELECT $3 || i, '', $3 || i, 1, (CAST($4 AS text[]))[1 + i % 3], 'tell', '', 0, '', '', $3, now(), $5, 1,
        now(), now() + interval '8 days',
        CASE WHEN $3 = 'pending' THEN i % 2 ELSE 1 END
    FROM generate_series(CAST($1 AS int), $2) i"""
ASKED: Mapping[str, object] = {
    "recipient": list(RECIPIENTS), "slots": [SLOTS] * 3, "alternate": [False] * 3,
    "held": [f"held{i}" for i in range(300)], "ids": [f"pending{i}" for i in range(SLOTS)],
    "fencing": [1] * SLOTS, "seconds": 6.0,
}  # fmt: skip

BATCH_SIZE = 200
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BATCH: Mapping[str, object] = {
    **{name: [f"pending{i}" for i in range(BATCH_SIZE)] for name in ("notice_id", "ids")},
    **{name: [1] * BATCH_SIZE for name in ("fencing", "attempt_no", "duration_ms", "status")},
    **{name: [None] * BATCH_SIZE for name in ("due_at", "acknowledge_by", "escalate_at")},
    **{name: [NOW] * BATCH_SIZE for name in ("closed_at", "at")},
    **{name: [b""] * BATCH_SIZE for name in ("outcome", "outcomes", "answer")},
    **{name: [""] * BATCH_SIZE for name in ("reason", "error", "endpoint_id")},
    "state": ["delivered"] * BATCH_SIZE, "seconds": 6.0,
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def connection(postgres_engine: TestPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A ledger of its own, whose statistics change only when a test says so."""
    database: TestDatabase = await postgres_engine.fresh_database("notifier")
    found = await asyncpg.connect(database.superuser_url)
    await found.execute("ALTER TABLE notifier.notices SET (autovacuum_enabled = false)")
    yield found
    await found.close()


@pytest.mark.parametrize("known", ["nothing", "all-was-done", "much-waits"])
@pytest.mark.parametrize(("name", "taken"), [("CLAIM", SLOTS * 3), ("RENEW", SLOTS)])
async def test_what_is_taken_is_found_by_its_key(
    connection: asyncpg.Connection, name: str, taken: int, known: str
) -> None:
    statement = Statement.of(getattr(statements, name).text)
    values = [
        {**ASKED, "now": await connection.fetchval("SELECT now() + interval '1 minute'")}[n] for n in statement.names
    ]
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    await fill(connection, DONE, "delivered")
    if known != "nothing":
        await connection.execute("ANALYZE notifier.notices")
    asked = await connection.prepare(f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {statement.sql}")
    await asked.fetchval(*values)
    await fill(connection, WAITING, "pending")
    if known == "much-waits":
        await connection.execute("ANALYZE notifier.notices")
    plan = json.loads(await asked.fetchval(*values))[0]["Plan"]
    assert plan["Actual Rows"] == taken
    assert {
        f"{node['Node Type']} of {node['Relation Name']}": rows for node, rows in reads(plan) if rows > READ_MAX
    } == {}


@pytest.mark.parametrize("known", ["nothing", "all-was-done", "much-waits"])
@pytest.mark.parametrize("name", ["SETTLE", "NOTE_OUTCOMES", "RENEW"])
async def test_a_batch_is_never_joined_each_to_each(connection: asyncpg.Connection, name: str, known: str) -> None:
    statement = Statement.of(getattr(statements, name).text)
    await fill(connection, DONE, "delivered")
    if known != "nothing":
        await connection.execute("UPDATE notifier.notices SET outcome = ''")
        await connection.execute("ANALYZE notifier.notices")
    await fill(connection, WAITING, "pending")
    if known == "much-waits":
        await connection.execute("ANALYZE notifier.notices")
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        await connection.execute(f"SET enable_seqscan = {'off' if name == 'SETTLE' else 'on'}")  # as its session has it
        async with aborted(connection):
            await connection.execute(f"PREPARE asked AS {statement.sql}")
            values = ", ".join(written(BATCH[each]) for each in statement.names)
            asked = f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) EXECUTE asked({values})"
            plan = json.loads(await connection.fetchval(asked))[0]["Plan"]
            await connection.execute("DEALLOCATE asked")
        assert {node["Node Type"]: rows for node, rows in parts(plan) if rows > 4 * BATCH_SIZE} == {}


def written(value: object) -> str:
    """A value as Postgres reads it, of a type that it knows."""
    if not isinstance(value, list):
        return f"'{value}'"
    return "'{" + ",".join("NULL" if one is None else f'"{one if one != b"" else ""}"' for one in value) + "}'"


@asynccontextmanager
async def aborted(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction that never was."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


def parts(plan: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Each part of a plan, with how many rows it gave or threw away in all."""
    thrown = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    yield plan, (plan["Actual Rows"] + thrown) * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from parts(part)


async def fill(connection: asyncpg.Connection, count: int, state: str) -> None:
    """So many notices in a state, each after a lease that ran out at noon of 2025 if it waits."""
    lease = await connection.fetchval("SELECT CASE WHEN $1 = 'pending' THEN timestamptz '2025-01-01 12:00Z' END", state)
    await connection.execute(FILL, 0, count - 1, state, list(RECIPIENTS), lease)


def reads(plan: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], float]]:
    """Each part of a plan that reads the table, with how many rows it looked at in all."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        looked_at = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        yield plan, looked_at * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from reads(part)
