"""The outbox: what must reach Kafka, written in the transaction of the change it tells of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db import outbox_sql
from shared.db.engine import transaction
from shared.db.outbox_sql import statement

RETENTION_DAYS = 7
"""As long as Kafka keeps its records: so far back can a lost log be filled again."""
AGAIN_SECONDS = 30
AGAIN_SECONDS_MAX = 3600
REOPEN_MAX = 5_000


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One record for Kafka.

    `closes_with` names what the next service will say when it has the record; the row stays open until then and
    is published again: after 30 s, and after twice as long each time, up to an hour. A row without one is done when
    Kafka has acknowledged it.
    """

    event_id: str
    topic: str
    partition: int
    key: str
    value: bytes
    closes_with: str | None = None


def outbox_table(metadata: MetaData) -> Table:
    """The outbox table of one service, with the partial indexes that it is read by.

    `record_offset` is where Kafka has the row, `again_at` when an open row is published again. An offset of -1 means
    that the log which had the row was lost, and that the row is too old to be published again.
    """
    table = Table(
        "outbox",
        metadata,
        Column("event_id", Text, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("partition", SmallInteger, nullable=False),
        Column("key", Text, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("closes_with", Text),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("published_at", DateTime(timezone=True)),
        Column("closed_at", DateTime(timezone=True)),
        Column("record_offset", BigInteger),
        Column("publish_count", SmallInteger, nullable=False, server_default="0"),
        Column("again_at", DateTime(timezone=True)),
    )
    Index("outbox_unpublished", table.c.created_at, postgresql_where=text("published_at IS NULL"))
    is_open = text("closes_with IS NOT NULL AND closed_at IS NULL")
    Index("outbox_open", table.c.closes_with, postgresql_where=is_open)
    Index("outbox_again", table.c.again_at, postgresql_where=is_open)
    is_known = text("record_offset IS NOT NULL")
    Index("outbox_records", table.c.topic, table.c.partition, table.c.record_offset, postgresql_where=is_known)
    return table


class Outbox:
    """The outbox of one service's schema."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._add = statement(outbox_sql.ADD, schema)
        self._mark = statement(outbox_sql.MARK, schema)
        self._close = statement(outbox_sql.CLOSE, schema)
        self._lost = statement(outbox_sql.LOST, schema)
        self._heights = statement(outbox_sql.HEIGHTS, schema)
        self._reopen = statement(outbox_sql.REOPEN, schema)
        self._prune = statement(outbox_sql.PRUNE, schema)

    async def add(self, connection: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
        """Write rows inside the caller's transaction; a row that is there already stays as it is.

        They are dated a microsecond apart, in the order given: the sweeper finds the parts of one thing in order.
        """
        if not rows:
            return
        await connection.execute(
            self._add,
            {
                "ids": [r.event_id for r in rows],
                "topics": [r.topic for r in rows],
                "partitions": [r.partition for r in rows],
                "keys": [r.key for r in rows],
                "bodies": [r.value for r in rows],
                "closes": [r.closes_with for r in rows],
            },
        )

    async def close(self, connection: AsyncConnection, names: Iterable[str]) -> None:
        """The next service has these: their rows need no more publishing. Inside the caller's transaction."""
        await connection.execute(self._close, {"names": sorted(set(names))})

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        """Kafka has acknowledged these rows, at these offsets of their partitions."""
        marks = {
            "ids": sorted(offsets),
            "offsets": [offsets[event_id] for event_id in sorted(offsets)],
            "again_seconds": AGAIN_SECONDS,
            "again_seconds_max": AGAIN_SECONDS_MAX,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(self._mark, marks)

    async def lost(self, *, unpublished_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        """Rows that a crash or Kafka lost: unpublished for that long, or published, still open and due again.

        Oldest first; those that one call of `add` wrote in the order in which it was given them.
        """
        limits = {"unpublished_seconds": unpublished_seconds, "row_count_max": row_count_max}
        async with transaction(self._engine) as connection:
            found = await connection.execute(self._lost, limits)
            return [OutboxRow(*row) for row in found]

    async def heights(self) -> Mapping[tuple[str, int], int]:
        """The highest offset at which Kafka has acknowledged a row, of each (topic, partition)."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(self._heights)
            return {(row.topic, row.partition): row.height for row in found if row.height >= 0}

    async def reopen(self, topic: str) -> int:
        """Make every row of the topic unpublished again, back to the retention; gives how many rows the log had.

        One transaction: until it has committed, the heights show that the log was lost.
        """
        place = {"topic": topic, "partition": -1, "record_offset": -1}
        limits = {"retention_days": RETENTION_DAYS, "row_count_max": REOPEN_MAX}
        count = 0
        async with transaction(self._engine) as connection:
            while last := (await connection.execute(self._reopen, place | limits)).one_or_none():
                place |= {"partition": last.partition, "record_offset": last.record_offset}
                count += last.row_count
        return count

    async def prune(self, *, row_count_max: int) -> int:
        """Delete rows that were done longer ago than the retention, at most so many of a partition; gives how many."""
        limits = {"retention_days": RETENTION_DAYS, "row_count_max": row_count_max}
        async with transaction(self._engine) as connection:
            return (await connection.execute(self._prune, limits)).rowcount
