"""Compares the database drivers on our own write path: `python -m deploy.bench.drivers HOST:PORT/DB USER:PASSWORD`.

One round is what a batch costs: positions and outbox in one transaction, the mark in another, the rows read back.
Prints medians; run it several times, the drivers side by side. The tables live in a schema of their own and go.
"""

import statistics
import sys
import time
from collections.abc import Sequence

import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

DRIVERS = ("asyncpg", "psycopg")
ROUNDS = {1: 400, 10: 200, 100: 80}
BODY = bytes(range(256)) * 8
SET_UP = (
    "DROP SCHEMA IF EXISTS driver_bench CASCADE",
    "CREATE SCHEMA driver_bench",
    """CREATE TABLE driver_bench.outbox (event_id text PRIMARY KEY, topic text NOT NULL, partition smallint NOT NULL,
       value bytea NOT NULL, published_at timestamptz)""",
    "CREATE TABLE driver_bench.positions (partition smallint PRIMARY KEY, next_offset bigint NOT NULL)",
    "INSERT INTO driver_bench.positions SELECT i, 0 FROM generate_series(0, 11) i",
)
ADVANCE = text("UPDATE driver_bench.positions SET next_offset = next_offset + 1 WHERE partition < 3")
ADD = text(
    """INSERT INTO driver_bench.outbox (event_id, topic, partition, value)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:topics AS text[]), CAST(:partitions AS smallint[]),
                         CAST(:bodies AS bytea[])) ON CONFLICT (event_id) DO NOTHING RETURNING event_id"""
)
MARK = text("UPDATE driver_bench.outbox SET published_at = now() WHERE event_id = ANY(CAST(:ids AS text[]))")
READ = text("SELECT event_id, value FROM driver_bench.outbox WHERE event_id = ANY(CAST(:ids AS text[]))")


async def compare(address: str, credentials: str) -> None:
    """Print one line per driver and batch size."""
    for driver in DRIVERS:
        engine = create_async_engine(f"postgresql+{driver}://{credentials}@{address}", pool_size=2)
        async with engine.begin() as connection:
            for statement in SET_UP:
                await connection.execute(text(statement))
        for size, rounds in ROUNDS.items():
            await _measure(engine, driver, size, rounds)
        async with engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA driver_bench CASCADE"))
        await engine.dispose()


async def _measure(engine: AsyncEngine, driver: str, size: int, rounds: int) -> None:
    took: list[float] = []
    cpu = time.process_time()
    for number in range(rounds):
        started = time.perf_counter()
        await _round(engine, [f"{size}-{number}-{row}" for row in range(size)])
        took.append(time.perf_counter() - started)
    cpu = (time.process_time() - cpu) / rounds / size
    p95 = sorted(took)[int(rounds * 0.95)]
    print(
        f"{driver:8} batch {size:3}: median {statistics.median(took) * 1e3:6.2f} ms, "
        f"p95 {p95 * 1e3:6.2f} ms, client CPU per row {cpu * 1e6:5.0f} us"
    )


async def _round(engine: AsyncEngine, ids: Sequence[str]) -> None:
    async with engine.begin() as connection:
        await _write(connection, ids)
    async with engine.begin() as connection:
        await connection.execute(MARK, {"ids": ids})
    async with engine.begin() as connection:
        (await connection.execute(READ, {"ids": ids})).all()


async def _write(connection: AsyncConnection, ids: Sequence[str]) -> None:
    size = len(ids)
    rows = {"ids": ids, "topics": ["concerns"] * size, "partitions": [3] * size, "bodies": [BODY] * size}
    await connection.execute(ADVANCE)
    (await connection.execute(ADD, rows)).all()


if __name__ == "__main__":
    uvloop.run(compare(sys.argv[1], sys.argv[2]))
