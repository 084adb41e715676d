"""The outbox: what must reach Kafka, written in the transaction of the change it tells of."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db import outbox_sql
from shared.db.engine import transaction
from shared.db.outbox_sql import statement

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
    """The outbox of one service: rows that stay as they are written, and narrow tables of what is still to be done.

    A row is in `outbox_unpublished` until Kafka has acknowledged it, and in `outbox_open` until the next service has
    it; `again_at` is when it is published again. `outbox_heights` has the highest offset of each partition. What is
    marked is thus a few bytes, and never a copy of the record's bytes and of the index entries of its row.
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
    )
    Index("outbox_created", table.c.created_at)
    Table(
        "outbox_unpublished",
        metadata,
        Column("created_at", DateTime(timezone=True), primary_key=True),
        Column("event_id", Text, primary_key=True),
    )
    is_open = Table(
        "outbox_open",
        metadata,
        Column("closes_with", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("again_at", DateTime(timezone=True), nullable=False),
        Column("repeat_count", SmallInteger, nullable=False, server_default="0"),
    )
    Index("outbox_again", is_open.c.again_at)
    Table(
        "outbox_heights",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", SmallInteger, primary_key=True, autoincrement=False),
        Column("record_offset", BigInteger, nullable=False),
    )
    return table


class Outbox:
    """The outbox of one service's schema."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._add = statement(outbox_sql.ADD, schema)
        self._add_again = statement(outbox_sql.ADD_AGAIN, schema)
        self._mark = statement(outbox_sql.MARK, schema)
        self._close = statement(outbox_sql.CLOSE, schema)
        self._lost = statement(outbox_sql.LOST, schema)
        self._heights = statement(outbox_sql.HEIGHTS, schema)
        self._reopen = statement(outbox_sql.REOPEN, schema)
        self._forget = statement(outbox_sql.FORGET, schema)
        self._stray = statement(outbox_sql.STRAY, schema)
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

    async def add_again(self, connection: AsyncConnection, event_ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Have rows that are there published once more, inside the caller's transaction; gives them as they are."""
        found = await connection.execute(self._add_again, {"ids": list(event_ids)})
        return [OutboxRow(*row) for row in found]

    async def close(self, connection: AsyncConnection, names: Iterable[str]) -> None:
        """The next service has these: their rows need no more publishing. Inside the caller's transaction."""
        await connection.execute(self._close, {"names": sorted(set(names))})

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        """Kafka has acknowledged these rows, at these offsets of their partitions.

        One that is open and would soon be published again waits twice as long as the time before.
        """
        event_ids = sorted(offsets)
        marks = {"ids": event_ids, "offsets": [offsets[event_id] for event_id in event_ids]}
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
            return {(row.topic, row.partition): row.record_offset for row in found}

    async def reopen(self, topic: str) -> AsyncIterator[int]:
        """Make every row of the topic unpublished again, back to the retention, and every open one.

        Gives how many, a page at a time, each of which is committed. The heights go last: until then they show that the
        log was lost, and whoever looks next begins anew; what is unpublished already stays as it is.
        """
        place: dict[str, Any] = {"topic": topic, "after": None, "row_count_max": REOPEN_MAX}
        while True:
            async with transaction(self._engine) as connection:
                read = (await connection.execute(self._reopen, place)).one()
                if read.last is None:
                    await connection.execute(self._forget, {"topic": topic})
                    return
            place["after"] = read.last
            yield read.row_count

    async def prune(self, *, row_count_max: int) -> int:
        """Delete rows that are done and older than the retention by a day, at most so many; gives how many."""
        async with transaction(self._engine) as connection:
            await connection.execute(self._stray)
            return (await connection.execute(self._prune, {"row_count_max": row_count_max})).rowcount
