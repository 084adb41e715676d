"""The outbox: what must reach Kafka, written in the transaction of the change it tells of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, SmallInteger, Table, Text, func, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.engine import transaction


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One record for Kafka.

    `closes_with` names what the next service will say when it has the record; the row stays open until then and
    is published again. A row without one is done when Kafka has acknowledged it.
    """

    event_id: str
    topic: str
    partition: int
    key: str
    value: bytes
    closes_with: str | None = None


def outbox_table(metadata: MetaData) -> Table:
    """The outbox table of one service, with the two partial indexes that its sweeper reads by."""
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
    )
    Index("outbox_unpublished", table.c.created_at, postgresql_where=text("published_at IS NULL"))
    is_open = text("closes_with IS NOT NULL AND closed_at IS NULL")
    Index("outbox_open", table.c.closes_with, postgresql_where=is_open)
    return table


class Outbox:
    """The outbox of one service's schema."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._add = text(
            f"""INSERT INTO {schema}.outbox (event_id, topic, partition, key, value, closes_with, created_at)
            SELECT event_id, topic, partition, key, value, closes_with, now() + place * interval '1 microsecond'
            FROM unnest(CAST(:ids AS text[]), CAST(:topics AS text[]), CAST(:partitions AS smallint[]),
                        CAST(:keys AS text[]), CAST(:bodies AS bytea[]), CAST(:closes AS text[]))
                 WITH ORDINALITY AS r(event_id, topic, partition, key, value, closes_with, place)
            ON CONFLICT (event_id) DO NOTHING"""  # noqa: S608 - the schema is a constant of the service
        )
        self._mark = text(
            f"UPDATE {schema}.outbox SET published_at = now() WHERE event_id = ANY(CAST(:ids AS text[]))"  # noqa: S608
        )
        self._close = text(
            f"UPDATE {schema}.outbox SET closed_at = now() "  # noqa: S608
            "WHERE closes_with = ANY(CAST(:names AS text[])) AND closed_at IS NULL"
        )
        self._lost = text(
            f"""SELECT event_id, topic, partition, key, value, closes_with FROM {schema}.outbox
            WHERE (published_at IS NULL AND created_at < now() - make_interval(secs => :unpublished_seconds))
               OR (closes_with IS NOT NULL AND closed_at IS NULL
                   AND published_at < now() - make_interval(secs => :open_seconds))
            ORDER BY created_at, event_id LIMIT :row_count_max"""  # noqa: S608
        )

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

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        """Kafka has acknowledged these."""
        async with transaction(self._engine) as connection:
            await connection.execute(self._mark, {"ids": sorted(event_ids)})

    async def lost(self, *, unpublished_seconds: float, open_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        """Rows that a crash or Kafka lost: unpublished for that long, or published and still open after that long.

        Oldest first; those that one call of `add` wrote in the order in which it was given them.
        """
        limits = {
            "unpublished_seconds": unpublished_seconds,
            "open_seconds": open_seconds,
            "row_count_max": row_count_max,
        }
        async with transaction(self._engine) as connection:
            found = await connection.execute(self._lost, limits)
            return [OutboxRow(*row) for row in found]
