"""A schema with nothing but the plumbing's tables and one table of effects, on the real Postgres."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Column, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.db.engine import make_engine, transaction
from shared.db.outbox import Outbox, outbox_table
from shared.db.positions import Positions, parked_table, positions_table
from shared.records import Batch
from tests.support.stack import TestDatabase

SCHEMA = "intake"


@dataclass(slots=True)
class Plumbing:
    """The stores of one schema, and a handler that writes each event as one effect."""

    engine: AsyncEngine
    owner: AsyncEngine
    positions: Positions
    outbox: Outbox
    faults: list[Exception] = field(default_factory=list)

    async def handle(self, batch: Batch[str]) -> None:
        """Write the events in the transaction of their positions; an event `bad` cannot be handled."""
        async with transaction(self.engine) as connection:
            await self.positions.advance(connection, batch.spans)
            for event in batch.events:
                await self._effect(connection, event)
            if self.faults:
                raise self.faults.pop(0)

    async def effects(self) -> Sequence[str]:
        """What took effect, in no order; an effect that took place twice is there twice."""
        return await self._column("SELECT event FROM intake.effects")

    async def parked(self) -> Sequence[str]:
        """The reasons of what was set aside."""
        return await self._column("SELECT reason FROM intake.parked_records")

    async def _effect(self, connection: AsyncConnection, event: str) -> None:
        if event == "bad":
            raise ArithmeticError("cannot be handled")
        await connection.execute(text("INSERT INTO intake.effects VALUES (:event)"), {"event": event})

    async def _column(self, statement: str) -> Sequence[str]:
        async with transaction(self.engine) as connection:
            return list((await connection.execute(text(statement))).scalars())


@asynccontextmanager
async def plumbing_of(database: TestDatabase) -> AsyncIterator[Plumbing]:
    """Make the tables as the schema's owner and hand out the stores of its service role."""
    owner = create_async_engine(database.url(SCHEMA, "owner"))
    await _create(owner)
    engine = make_engine(database.url(SCHEMA), pool_size=4, statement_timeout_seconds=10, name="test")
    try:
        yield Plumbing(engine, owner, Positions(engine, SCHEMA), Outbox(engine, SCHEMA))
    finally:
        await engine.dispose()
        await owner.dispose()


async def _create(owner: AsyncEngine) -> None:
    metadata = MetaData(schema=SCHEMA)
    for factory in (outbox_table, positions_table, parked_table):
        factory(metadata)
    Table("effects", metadata, Column("event", Text))
    async with owner.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(
            text("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA intake TO intake_service")
        )
