"""The store of intake, in memory and in Postgres, for the suites that both must pass."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import text

from services.intake.adapters.archive import PostgresArchive
from services.intake.adapters.followups import PostgresFollowUps
from services.intake.adapters.postgres import PostgresRegister, PostgresTimeline
from services.intake.domain.model import Caller, ConcernId, Submission, Thread
from services.intake.entrypoints.forms import ConcernForm
from services.intake.ports import Acceptance, Archive, Begin, BeginSteps, Recalling, Register
from services.intake.usecases import announce, make_concern
from shared.db.engine import make_engine, transaction
from shared.db.outbox import Outbox, OutboxRow
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.records import Span
from tests.support.clock import NOON
from tests.support.intake_fakes import KEYS, InMemoryIntake, a_concern
from tests.support.stack import TestPostgres

POOL_SIZE = 8


class Store(Protocol):
    """What the suite asks of a store beside its ports."""

    @property
    def register(self) -> Register: ...
    @property
    def steps(self) -> BeginSteps: ...
    @property
    def begin(self) -> Begin: ...
    @property
    def archive(self) -> Archive: ...
    @property
    def offered(self) -> Sequence[OutboxRow]: ...
    async def is_closed(self, name: str) -> bool: ...
    async def place(self, span: Span) -> None: ...
    async def lost(self) -> set[str]: ...


class Fake:
    def __init__(self) -> None:
        self.memory = InMemoryIntake()

    @property
    def register(self) -> Register:
        return self.memory

    @property
    def steps(self) -> BeginSteps:
        return self.memory.begin_steps

    @property
    def begin(self) -> Begin:
        return self.memory.begin

    @property
    def archive(self) -> Archive:
        return self.memory

    @property
    def offered(self) -> Sequence[OutboxRow]:
        return self.memory.offered

    async def is_closed(self, name: str) -> bool:
        return name in self.memory.closed

    async def place(self, span: Span) -> None:
        self.memory.next_offsets[(span.group, span.topic, span.partition)] = span.first

    async def lost(self) -> set[str]:
        return {row.event_id for row in self.memory.offered}


@dataclass
class Real:
    register: PostgresRegister
    follow_ups: PostgresFollowUps
    timeline: PostgresTimeline
    reading: PostgresArchive
    rows: list[OutboxRow]

    @property
    def begin(self) -> Begin:
        return self.timeline.begin

    @property
    def steps(self) -> BeginSteps:
        return self.follow_ups.begin

    @property
    def archive(self) -> Archive:
        return self.reading

    @property
    def offered(self) -> Sequence[OutboxRow]:
        return self.rows

    async def is_closed(self, name: str) -> bool:
        statement = text(
            "SELECT count(*) > 0 FROM intake.outbox WHERE closes_with = :name"
            " AND event_id NOT IN (SELECT event_id FROM intake.outbox_open)"
        )
        async with transaction(self.timeline._engine) as connection:
            return bool((await connection.execute(statement, {"name": name})).scalar())

    async def place(self, span: Span) -> None:
        await self.timeline._positions.set(span.group, span.topic, span.partition, span.first)

    async def lost(self) -> set[str]:
        """What a sweeper finds that was never published."""
        outbox = Outbox(self.timeline._engine, "intake")
        return {row.event_id for row in await outbox.lost(unpublished_seconds=-1, row_count_max=1000)}


@asynccontextmanager
async def store_on(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    """A bare store: in memory, or in a database of its own."""
    if postgres is None:
        yield Fake()
        return
    database = await postgres.fresh_database("intake")
    limits = {"pool_size": POOL_SIZE, "statement_timeout_seconds": 10}
    engine = make_engine(database.url("intake"), name="test", **limits)
    rows: list[OutboxRow] = []
    writer = Writer(database.url("intake"), name="test", **limits)
    register = PostgresRegister(writer, offer=rows.extend, fail_points=FailPoints())
    follow_ups = PostgresFollowUps(engine, offer=rows.extend, fail_points=FailPoints())
    yield Real(register, follow_ups, PostgresTimeline(engine, offer=rows.extend), PostgresArchive(engine), rows)
    await engine.dispose()
    await writer.close()


async def thread_of(store: Store, concern_id: ConcernId, version: int = 1) -> Thread | None:
    async with store.steps() as steps:
        return await steps.thread(concern_id, version)


async def followed(store: Store, acceptance: Acceptance) -> bool:
    async with store.steps() as steps:
        return await steps.follow(acceptance)


async def recalled(store: Store, recalling: Recalling) -> bool:
    async with store.steps() as steps:
        return await steps.recall(recalling)


def acceptance(second: int = 0, *, thread: Thread | None = None, **changes: object) -> Acceptance:
    """A concern that can be stored; with `thread`, a version that follows others."""
    body = ConcernForm.model_validate(a_concern(**changes)).model_dump(by_alias=True, exclude_none=True)
    caller = Caller("cases", str(body["originator"]))
    now = NOON + timedelta(seconds=second)
    return announce(make_concern(Submission(body, caller), keys=KEYS, now=now, thread=thread), client="cases")
