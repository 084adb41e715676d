"""The router's store, in memory and in Postgres, for the suites that both must pass."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import text

from services.router.adapters.postgres import PostgresStore
from services.router.domain.model import Concern
from services.router.ports import Decided, DecisionStore, GraphStore, Ledger
from services.router.usecases.telling import decided_of
from shared.db.engine import make_engine, transaction
from shared.db.outbox import Outbox, OutboxRow
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.relay import Relay
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.clock import NOON
from tests.support.router_fakes import InMemoryRouter, graph_objects, judge_of, replica_of
from tests.support.stack import TestDatabase, TestPostgres

REPLICA = replica_of(graph_objects())
JUDGE = judge_of(REPLICA)


class Store(Ledger, GraphStore, DecisionStore, Protocol):
    async def events(self) -> set[str]: ...
    async def unpublished(self) -> set[str]: ...
    async def publish(self) -> None: ...


class Fake(InMemoryRouter):
    """The in-memory store, seen by what it would publish."""

    async def events(self) -> set[str]:
        state = self.state
        events = [*state.routed, *state.issued, *state.undone]
        return {event.id for event in events} | {fact.fact_id for fact in state.facts}

    async def unpublished(self) -> set[str]:
        again = {self.state.decisions[key].decision_id for key in self.state.offered_again}
        again |= {event.id for event in self.state.undone[self.undone_before :]}
        return again if self.published else await self.events()

    async def publish(self) -> None:
        self.published, self.undone_before = True, len(self.state.undone)

    published, undone_before = False, 0


class Real(PostgresStore):
    """The Postgres store, seen by its outbox table."""

    @property
    def offered(self) -> Sequence[OutboxRow]:
        """What the relay was given."""
        assert isinstance(self._relay, Offered)
        return self._relay.rows

    async def events(self) -> set[str]:
        return await self._column("SELECT event_id FROM router.outbox")

    async def unpublished(self) -> set[str]:
        return await self._column("SELECT event_id FROM router.outbox_unpublished")

    async def publish(self) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(text("DELETE FROM router.outbox_unpublished"))

    async def _column(self, statement: str) -> set[str]:
        async with transaction(self._engine) as connection:
            return set((await connection.execute(text(statement))).scalars())


class Nowhere:
    async def publish(self, _records: Any) -> Sequence[int]:
        """Kafka is not part of this suite."""
        return []


class Offered(Relay):
    """A relay that keeps what it is offered."""

    rows: list[OutboxRow]

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        self.rows = [*getattr(self, "rows", []), *rows]


@asynccontextmanager
async def store_on(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    """A fresh store: in a database of its own, or in memory."""
    if postgres is None:
        yield Fake()
        return
    async with store_in(await postgres.fresh_database("router")) as store:
        yield store


@asynccontextmanager
async def store_in(database: TestDatabase) -> AsyncIterator[Real]:
    """The store in that database."""
    engine = make_engine(database.url("router"), pool_size=4, statement_timeout_seconds=10, name="conformance")
    outbox = Outbox(engine, "router")
    relay = Offered(outbox, Nowhere(), progress=Progress("relay"), telemetry=Telemetry("router"))
    writer = Writer(database.url("router"), pool_size=4, statement_timeout_seconds=10, name="conformance")
    yield Real(engine, writer, relay, FailPoints())
    await engine.dispose()
    await writer.close()


def decide(concern: Concern, now: datetime = NOON + timedelta(microseconds=7)) -> Decided:
    return decided_of(concern, JUDGE.judge(concern).verdict, JUDGE.head, now)


async def record(store: Store, *decided: Decided) -> frozenset[str]:
    async with store.begin() as tx:
        return await tx.record(decided)
