"""What may hold once at a time: the database itself refuses a second, whoever inserts it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack
ALWAYS = "[2020-01-01T00:00:00Z,)"
BEFORE = "[2020-01-01T00:00:00Z,2021-01-01T00:00:00Z)"
SINCE = "[2021-01-01T00:00:00Z,)"
INSERT = """INSERT INTO registry.intervals (kind, object_id, facet, party, lineage, valid, recorded, opened_version)
    VALUES ($1, $2, $3, $4, $5, $6::text::daterange, $7::text::tstzrange, 1)"""

RULES = {
    "in force": ("agreement", "mou", "in_force", "", ""),
    "a version of a lineage": ("agreement", "mou", "in_force", "", "mou"),
    "a party's capacity": ("agreement", "mou", "party", "cqc", ""),
    "a suspension": ("agreement", "mou", "suspended", "", ""),
    "a body's existence": ("organisation", "cqc", "exists", "", ""),
    "a remit": ("organisation", "cqc", "remit-0123456789abcdef", "", ""),
}


@pytest_asyncio.fixture
async def connection(postgres_engine: TestPostgres) -> AsyncIterator[asyncpg.Connection]:
    """The service's own role, in a database with one commit."""
    database = await postgres_engine.fresh_database("registry")
    opened = await asyncpg.connect(database.url("registry").replace("+asyncpg", ""))
    await opened.execute("INSERT INTO registry.commits VALUES (1, '', 'r', now(), 'seed', 'a reason', 'IMPORTED')")
    yield opened
    await opened.close()


@pytest.mark.parametrize("rule", RULES)
async def test_a_facet_holds_once_on_a_day_as_known_at_a_moment(connection: asyncpg.Connection, rule: str) -> None:
    await connection.execute(INSERT, *RULES[rule], "[2024-01-01,2024-03-01)", ALWAYS)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await connection.execute(INSERT, *RULES[rule], "[2024-02-29,)", SINCE)


@pytest.mark.parametrize("rule", RULES)
async def test_what_follows_on_or_was_known_before_overlaps_nothing(connection: asyncpg.Connection, rule: str) -> None:
    await connection.execute(INSERT, *RULES[rule], "[2024-01-01,2024-03-01)", SINCE)
    await connection.execute(INSERT, *RULES[rule], "[2024-03-01,)", SINCE)
    await connection.execute(INSERT, *RULES[rule], "(,)", BEFORE)
    assert await connection.fetchval("SELECT count(*) FROM registry.intervals") == 3


async def test_two_versions_of_a_lineage_never_hold_on_one_day(connection: asyncpg.Connection) -> None:
    await connection.execute(INSERT, "agreement", "mou-1", "in_force", "", "mou", "[2024-01-01,2024-03-02)", ALWAYS)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await connection.execute(INSERT, "agreement", "mou-2", "in_force", "", "mou", "[2024-03-01,)", ALWAYS)


async def test_what_is_of_other_bodies_or_objects_overlaps_freely(connection: asyncpg.Connection) -> None:
    for other in (("mou", "gmc"), ("mou-2", "cqc"), ("mou", "cqc")):
        await connection.execute(INSERT, "agreement", other[0], "party", other[1], "", "(,)", ALWAYS)
    assert await connection.fetchval("SELECT count(*) FROM registry.intervals") == 3
