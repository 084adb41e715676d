"""Where each consumer stands, stored beside the effect; and the records that could not be read."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.engine import transaction
from shared.faults import PositionMoved
from shared.records import Poison, Position, Span

_MOVED = """moved AS (
  UPDATE SCHEMA.positions p SET next_offset = s.last + 1, last_timestamp = s.last_timestamp
  FROM unnest(CAST(:span_topics AS text[]), CAST(:span_partitions AS smallint[]), CAST(:span_firsts AS bigint[]),
              CAST(:span_lasts AS bigint[]), CAST(:span_timestamps AS bigint[]))
       AS s(topic, partition, first, last, last_timestamp)
  WHERE p.consumer_group = CAST(:span_group AS text) AND p.topic = s.topic AND p.partition = s.partition
    AND p.next_offset = s.first
  RETURNING 1
)"""


def positions_table(metadata: MetaData) -> Table:
    """The table of positions of one service: the next offset to be handled, per consumer group and partition.

    `last_timestamp` is the broker's, in milliseconds, of the last handled record.
    """
    return Table(
        "positions",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", SmallInteger, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        Column("last_timestamp", BigInteger),
    )


def parked_table(metadata: MetaData) -> Table:
    """The table of poison records of one service: one row for each content, however often it is sent again."""
    return Table(
        "parked_records",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", SmallInteger, primary_key=True),
        Column("value_digest", Text, primary_key=True),
        Column("record_offset", BigInteger, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


def moved(schema: str) -> str:
    """A CTE `moved` that moves past the spans inside a statement of the hot path (ADR 11).

    The statement must ask `SCHEMA.all_moved((SELECT count(*) FROM moved), cardinality(:span_topics))`, which fails the
    whole of it with SQLSTATE `writer.POSITION_MOVED` when a stored position is not where its span starts.
    """
    return _MOVED.replace("SCHEMA", schema)


def span_columns(spans: Sequence[Span]) -> dict[str, Any]:
    """The parameters of `moved`."""
    return {
        "span_group": spans[0].group if spans else "",
        "span_topics": [s.topic for s in spans],
        "span_partitions": [s.partition for s in spans],
        "span_firsts": [s.first for s in spans],
        "span_lasts": [s.last for s in spans],
        "span_timestamps": [s.last_timestamp for s in spans],
    }


class Positions:
    """The positions of one service's schema."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._advance = text(
            f"""UPDATE {schema}.positions p SET next_offset = b.last + 1, last_timestamp = b.last_timestamp
            FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS smallint[]), CAST(:firsts AS bigint[]),
                        CAST(:lasts AS bigint[]), CAST(:timestamps AS bigint[]))
                 AS b(topic, partition, first, last, last_timestamp)
            WHERE p.consumer_group = :consumer_group AND p.topic = b.topic AND p.partition = b.partition
              AND p.next_offset = b.first"""  # noqa: S608 - the schema is a constant of the service
        )
        self._read = text(
            f"SELECT partition, next_offset, last_timestamp FROM {schema}.positions "  # noqa: S608
            "WHERE consumer_group = :consumer_group AND topic = :topic"
        )
        self._set = text(
            f"""INSERT INTO {schema}.positions VALUES (:consumer_group, :topic, :partition, :next_offset, NULL)
            ON CONFLICT (consumer_group, topic, partition)
            DO UPDATE SET next_offset = excluded.next_offset, last_timestamp = NULL"""  # noqa: S608
        )
        self._park = text(
            f"""INSERT INTO {schema}.parked_records (topic, partition, value_digest, record_offset, value, reason)
            VALUES (:topic, :partition, :value_digest, :record_offset, :value, :reason) ON CONFLICT DO NOTHING"""  # noqa: S608
        )

    async def advance(self, connection: AsyncConnection, spans: Sequence[Span]) -> None:
        """Move past the spans inside the transaction of their effect.

        Raises PositionMoved when any stored position is not where its span starts: roll back and read again.
        """
        if not spans:
            return
        result = await connection.execute(
            self._advance,
            {
                "consumer_group": spans[0].group,
                "topics": [s.topic for s in spans],
                "partitions": [s.partition for s in spans],
                "firsts": [s.first for s in spans],
                "lasts": [s.last for s in spans],
                "timestamps": [s.last_timestamp for s in spans],
            },
        )
        if result.rowcount != len(spans):
            raise PositionMoved(f"{spans[0].group}: another consumer has moved on")

    async def skip(self, spans: Sequence[Span]) -> None:
        """Move past spans that have no effect. Raises PositionMoved."""
        async with transaction(self._engine) as connection:
            await self.advance(connection, spans)

    async def read(self, group: str, topic: str) -> Mapping[int, Position]:
        """The position of each partition of the topic that has one."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(self._read, {"consumer_group": group, "topic": topic})
            return {row.partition: Position(row.next_offset, row.last_timestamp) for row in rows}

    async def set(self, group: str, topic: str, partition: int, next_offset: int) -> None:
        """Set a position: the first time, or when the log was lost and must be read from its start."""
        row = {"consumer_group": group, "topic": topic, "partition": partition, "next_offset": next_offset}
        async with transaction(self._engine) as connection:
            await connection.execute(self._set, row)

    async def park(self, poison: Poison) -> bool:
        """Set a record aside with its reason; whether it was not there yet: the same event may be sent again."""
        row = {
            "topic": poison.topic,
            "partition": poison.partition,
            "value_digest": sha256(poison.value).hexdigest(),
            "record_offset": poison.offset,
            "value": poison.value,
            "reason": poison.reason,
        }
        async with transaction(self._engine) as connection:
            return (await connection.execute(self._park, row)).rowcount == 1
