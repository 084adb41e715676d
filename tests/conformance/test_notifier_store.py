"""One suite for the notifier's ledger and endpoints, in memory and in the real Postgres."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifier.adapters.endpoints import OVERLAPS_MAX, PostgresEndpoints
from services.notifier.adapters.keys import KeyedOpener, SecretBox
from services.notifier.adapters.postgres import PostgresStore
from services.notifier.bootstrap import said_once
from services.notifier.domain.errors import EndpointExists
from services.notifier.domain.model import (
    Answer,
    Attempt,
    Delivered,
    Endpoint,
    EndpointId,
    EndpointState,
    Entry,
    Keys,
    Leased,
    Result,
    Retry,
    Returned,
    Verdict,
)
from services.notifier.ports import Begin, Endpoints, FactRecord, LedgerStore, Settled
from services.notifier.usecases.register import prepare
from services.notifier.usecases.told import fact_of, outcome_of, settlement_of
from shared.contracts.notice import NoticeIssued
from shared.contracts.outcome import REGISTERED
from shared.db.engine import make_engine, transaction
from shared.db.positions import Positions
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.faults import PositionMoved
from shared.records import Span
from tests.support.clock import NOON
from tests.support.notifier_endpoints import InMemoryEndpoints
from tests.support.notifier_fakes import KEYS, SEALING, TOKENS, InMemoryStore, a_leased, a_notice
from tests.support.notifier_rig import Offered, QuietTelemetry
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.asyncio(loop_scope="session")
LATER = NOON + timedelta(minutes=1)


class Ledgers(Protocol):
    """What the suite asks of a store beside its ports."""

    alone: bool
    """Whether notices are written each batch by one statement, not in a transaction."""

    @property
    def store(self) -> LedgerStore: ...
    @property
    def begin(self) -> Begin: ...
    @property
    def endpoints(self) -> Endpoints: ...
    async def run_out(self) -> None:
        """Let every lease run out."""
        ...

    async def attempt_count(self) -> int: ...
    async def in_order(self, org: str) -> None:
        """An endpoint that wants its notices in order."""
        ...


class Memory:
    def __init__(self, *, alone: bool) -> None:
        self.alone = alone
        self.store, self.endpoints = InMemoryStore(), InMemoryEndpoints()
        self.begin: Begin = self.store.begin

    async def run_out(self) -> None:
        self.store.database_now += timedelta(hours=1)

    async def attempt_count(self) -> int:
        return len(self.store.attempts)

    async def in_order(self, org: str) -> None:
        self.store.in_order.add(org)


@dataclass(slots=True)
class Real:
    engine: AsyncEngine
    store: PostgresStore
    endpoints: Endpoints
    alone: bool

    @property
    def begin(self) -> Begin:
        return self.store.begin

    async def run_out(self) -> None:
        async with transaction(self.engine) as connection:
            await connection.execute(text("UPDATE notifier.notices SET lease_until = now() - interval '1 second'"))

    async def attempt_count(self) -> int:
        async with transaction(self.engine) as connection:
            return int((await connection.execute(text("SELECT count(*) FROM notifier.attempts"))).scalar_one())

    async def in_order(self, org: str) -> None:
        url = f"https://{org}.example/"
        endpoint = Endpoint(EndpointId(f"end_{org}"), org, url, "", EndpointState.ACTIVE, "", NOON, in_order=True)
        await self.endpoints.add(endpoint, KEYS)


class Nobody:
    def offer(self, rows: object) -> None: ...


@pytest.fixture(params=["alone", "in a transaction"])
def alone(request: pytest.FixtureRequest) -> bool:
    """Both ways of writing notices."""
    return bool(request.param == "alone")


@pytest_asyncio.fixture(loop_scope="session")
async def ledgers(postgres: TestPostgres | None, alone: bool) -> AsyncIterator[Ledgers]:
    """The store under test, empty."""
    if postgres is None:
        yield Memory(alone=alone)
        return
    database = await postgres.fresh_database("notifier")
    pool = make_engine(database.url("notifier"), pool_size=4, statement_timeout_seconds=10, name="test")
    writer = Writer(database.url("notifier"), pool_size=4, statement_timeout_seconds=10, name="test")
    store = PostgresStore(pool, writer, Nobody(), FailPoints(), lease_seconds=60)
    yield Real(pool, store, PostgresEndpoints(pool, SecretBox(TOKENS), said_once(QuietTelemetry())), alone)
    await pool.dispose()
    await writer.close()


def an_entry(recipient: str = "gmc", event: NoticeIssued | None = None) -> Entry:
    return prepare(event or a_notice(recipient), KeyedOpener(SEALING, TOKENS), now=NOON)


def ended(notice: Leased, verdict: Verdict, *, status: int = 204) -> Result:
    attempt = Attempt(EndpointId("end_1"), notice.attempt_count + 1, NOON, timedelta(seconds=1), Answer(status, b"ok"))
    return Result(notice, NOON, verdict, None if isinstance(verdict, Returned) else attempt)


async def claimed(ledgers: Ledgers, *, slots: int = 8, recipient: str = "gmc") -> list[Leased]:
    async with ledgers.begin() as ledger:
        return list(await ledger.claim({recipient: slots}, held=(), now=LATER))


async def put(ledgers: Ledgers, *entries: Entry, leased: bool = False) -> int:
    ids = frozenset(entry.notice_id for entry in entries) if leased else frozenset()
    if ledgers.alone:
        return len(await ledgers.store.register(entries, leased=ids, spans=()))
    async with ledgers.begin() as ledger:
        return len(await ledger.register(entries, leased=ids))


async def settled(ledgers: Ledgers, *results: Result) -> int:
    settlements = [settlement_of(result) for result in results]
    if ledgers.alone:
        return len(await ledgers.store.settle([Settled(settlement, None) for settlement in settlements]))
    async with ledgers.begin() as ledger:
        return len(await ledger.settle(settlements))


async def test_a_notice_is_inserted_once_whatever_its_id(ledgers: Ledgers) -> None:
    event = a_notice()
    other = event.model_copy(update={"data": event.data.model_copy(update={"notice_id": "ntc_other"})})
    assert await put(ledgers, an_entry(event=event)) == 1
    assert await put(ledgers, an_entry(event=event), an_entry(event=other), an_entry()) == 1


async def test_a_transaction_that_fails_leaves_nothing(ledgers: Ledgers) -> None:
    async def fail_midway() -> None:
        async with ledgers.begin() as ledger:
            await ledger.register([an_entry()], leased=frozenset())
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await fail_midway()
    assert await claimed(ledgers) == []


async def test_a_leased_notice_is_claimed_only_when_its_lease_ran_out(ledgers: Ledgers) -> None:
    entry = an_entry()
    await put(ledgers, entry, leased=True)
    assert await claimed(ledgers) == []
    await ledgers.run_out()
    (notice,) = await claimed(ledgers)
    assert (notice.fencing, notice.body, notice.subject) == (2, entry.body, entry.subject)


async def test_what_is_held_or_not_due_or_for_others_is_not_claimed(ledgers: Ledgers) -> None:
    held, other = an_entry(), an_entry("nmc")
    await put(ledgers, held, other)
    async with ledgers.begin() as ledger:
        assert not await ledger.claim({"gmc": 8}, held=[held.notice_id], now=LATER)
        assert not await ledger.claim({"gmc": 8}, held=(), now=NOON - timedelta(seconds=1))
        assert not await ledger.claim({}, held=(), now=LATER)
        (only,) = await ledger.claim({"gmc": 8, "hee": 8}, held=(), now=LATER)
    assert only.notice_id == held.notice_id


async def test_a_claim_takes_no_more_than_the_free_slots_first_attempts_ahead(ledgers: Ledgers) -> None:
    await put(ledgers, *[an_entry() for _ in range(8)])
    failed = await claimed(ledgers, slots=4)
    await settled(ledgers, *[ended(n, Retry(NOON, "answered 500"), status=500) for n in failed])
    await settled(ledgers, *[ended(n, Returned()) for n in await claimed(ledgers, slots=1) if n.attempt_count])
    taken = await claimed(ledgers, slots=4)
    assert len(taken) <= 4
    assert {n.attempt_count for n in taken} == {0, 1}
    assert sum(1 for n in taken if n.attempt_count) == 1


async def test_a_delivered_notice_stays_delivered(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry())
    (notice,) = await claimed(ledgers)
    assert await settled(ledgers, ended(notice, Delivered())) == 1
    assert await settled(ledgers, ended(notice, Retry(NOON, "answered 500"))) == 0
    await ledgers.run_out()
    assert await claimed(ledgers) == []
    assert await ledgers.attempt_count() == 1


async def test_an_old_fencing_token_changes_nothing(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry(), leased=True)
    await ledgers.run_out()
    (old,) = await claimed(ledgers)
    await ledgers.run_out()
    (new,) = await claimed(ledgers)
    assert await settled(ledgers, ended(old, Delivered())) == 0
    assert await ledgers.attempt_count() == 0
    assert await settled(ledgers, ended(new, Delivered())) == 1


async def test_a_result_that_is_written_twice_counts_once(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry())
    (notice,) = await claimed(ledgers)
    result = ended(notice, Retry(NOON, "answered 500"), status=500)
    assert [await settled(ledgers, result), await settled(ledgers, result)] == [1, 0]
    assert await ledgers.attempt_count() == 1


async def test_a_returned_notice_has_no_attempt_and_is_claimed_again(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry())
    (notice,) = await claimed(ledgers)
    assert await settled(ledgers, ended(notice, Returned())) == 1
    assert await ledgers.attempt_count() == 0
    (again,) = await claimed(ledgers)
    assert again.attempt_count == 0


async def test_a_renewal_keeps_only_the_leases_that_are_still_ours(ledgers: Ledgers) -> None:
    await put(ledgers, an_entry(), an_entry())
    ours, lost = await claimed(ledgers)
    await ledgers.run_out()
    async with ledgers.begin() as ledger:
        await ledger.claim({"gmc": 8}, held=[ours.notice_id], now=LATER)
    await ledgers.run_out()
    async with ledgers.begin() as ledger:
        assert await ledger.renew([ours, lost]) == {ours.notice_id}
    (claimable,) = await claimed(ledgers)
    assert claimable.notice_id == lost.notice_id


async def test_what_has_ended_is_leased_to_be_ended_and_nothing_else(ledgers: Ledgers) -> None:
    ending = an_entry(event=a_notice(valid_until=NOON + timedelta(hours=1)))
    await put(ledgers, ending, an_entry())
    async with ledgers.begin() as ledger:
        assert not await ledger.claim_ended(now=LATER, row_count_max=10)
        (only,) = await ledger.claim_ended(now=NOON + timedelta(hours=1), row_count_max=10)
    assert only.notice_id == ending.notice_id
    async with ledgers.begin() as ledger:
        (other,) = await ledger.claim_ended(now=NOON + timedelta(days=8), row_count_max=10)
    assert other.notice_id != ending.notice_id


async def test_a_notice_is_untold_until_an_outcome_is_noted(ledgers: Ledgers) -> None:
    entry = an_entry()
    await put(ledgers, entry)
    async with ledgers.begin() as ledger:
        assert not await ledger.untold(before=NOON - timedelta(seconds=1), row_count_max=10)
        (untold,) = await ledger.untold(before=NOON, row_count_max=10)
        outcome = outcome_of(REGISTERED, (untold.notice_id, untold.subject), at=NOON)
        await ledger.note_outcomes([outcome])
        await ledger.publish([outcome])
    async with ledgers.begin() as ledger:
        assert not await ledger.untold(before=LATER, row_count_max=10)
        (known,) = await ledger.recorded([entry.subject])
    assert (known.notice_id, known.outcome) == (entry.notice_id, outcome.encode())


async def test_a_fact_is_kept_once(ledgers: Ledgers) -> None:
    entry = an_entry()
    await put(ledgers, entry)
    (notice,) = await claimed(ledgers)
    record = FactRecord(fact_of(ended(notice, Delivered())), b"{}")
    for _ in range(2):
        async with ledgers.begin() as ledger:
            await ledger.keep_facts([record, record])


async def test_an_organisation_has_one_endpoint_until_it_is_removed(ledgers: Ledgers) -> None:
    first = Endpoint(EndpointId("end_1"), "gmc", "https://a.example/", "", EndpointState.ACTIVE, "", NOON)
    second = Endpoint(EndpointId("end_2"), "gmc", "https://b.example/", "", EndpointState.ACTIVE, "", NOON)
    await ledgers.endpoints.add(first, KEYS)
    with pytest.raises(EndpointExists):
        await ledgers.endpoints.add(second, KEYS)
    assert [(t.url, t.keys) for t in await ledgers.endpoints.targets(now=NOON)] == [("https://a.example/", (KEYS,))]
    await ledgers.endpoints.change("end_1", EndpointState.PAUSED, at=LATER)
    assert await ledgers.endpoints.targets(now=NOON) == []
    assert [e.state for e in await ledgers.endpoints.all_of("gmc")] == [EndpointState.PAUSED]
    await ledgers.endpoints.change("end_1", EndpointState.REMOVED, at=LATER)
    assert await ledgers.endpoints.one("end_1") is None
    await ledgers.endpoints.add(second, KEYS)
    assert await ledgers.endpoints.all_of("nmc") == []
    assert [e.endpoint_id for e in await ledgers.endpoints.all_of(None)] == ["end_2"]


async def test_keys_of_several_changes_sign_side_by_side_each_to_its_own_end(ledgers: Ledgers) -> None:
    endpoint = Endpoint(EndpointId("end_1"), "gmc", "https://a.example/", "", EndpointState.ACTIVE, "", NOON)
    await ledgers.endpoints.add(endpoint, KEYS)
    made = [Keys(bytes([n]) * 32, bytes([n]) * 32) for n in range(1, OVERLAPS_MAX + 3)]
    for n, keys in enumerate(made):
        at = NOON + timedelta(minutes=n)
        await ledgers.endpoints.rotate("end_1", keys, at=at, overlap_until=at + timedelta(hours=1))

    async def signing(minutes: int) -> Sequence[Keys]:
        (target,) = await ledgers.endpoints.targets(now=NOON + timedelta(minutes=minutes))
        return target.keys

    newest_first = tuple(reversed(made))
    assert await signing(len(made)) == newest_first[: OVERLAPS_MAX + 1]
    assert await signing(60 + len(made) - 2) == newest_first[:2]
    assert await signing(60 + len(made)) == newest_first[:1]


@pytest.mark.stack
async def test_a_position_that_has_moved_on_stops_the_whole_batch(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("notifier")
    pool = make_engine(database.url("notifier"), pool_size=2, statement_timeout_seconds=10, name="test")
    positions = Positions(pool, "notifier")
    writer = Writer(database.url("notifier"), pool_size=2, statement_timeout_seconds=10, name="test")
    store = PostgresStore(pool, writer, Nobody(), FailPoints(), lease_seconds=60)
    await positions.set("notifier", "concordat.notices.v1", 0, 5)
    moved = [Span("notifier", "concordat.notices.v1", 0, 4, 4)]
    with pytest.raises(PositionMoved):
        await store.register([an_entry()], leased=frozenset(), spans=moved)
    with pytest.raises(PositionMoved):
        async with store.begin([Span("notifier", "concordat.notices.v1", 0, 4, 4)]) as ledger:
            await ledger.register([an_entry()], leased=frozenset())
    async with store.begin([Span("notifier", "concordat.notices.v1", 0, 5, 7)]) as ledger:
        assert not await ledger.claim({"gmc": 8}, held=(), now=LATER)
    await store.register([], leased=frozenset(), spans=[Span("notifier", "concordat.notices.v1", 0, 8, 9, 77)])
    assert await positions.read("notifier", "concordat.notices.v1") == {0: (10, 77)}
    await pool.dispose()
    await writer.close()


@pytest.mark.stack
async def test_alone_only_what_was_still_ours_is_said(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("notifier")
    pool = make_engine(database.url("notifier"), pool_size=2, statement_timeout_seconds=10, name="test")
    writer = Writer(database.url("notifier"), pool_size=2, statement_timeout_seconds=10, name="test")
    offered = Offered()
    store = PostgresStore(pool, writer, offered, FailPoints(), lease_seconds=60)
    one, other = an_entry("gmc"), an_entry("nmc")
    ids = frozenset({one.notice_id, other.notice_id})
    assert await store.register([one, other], leased=ids, spans=()) == ids
    mine, lost = (
        ended(a_leased(notice_id=entry.notice_id, subject=entry.subject, fencing=fencing), Delivered())
        for entry, fencing in ((one, 1), (other, 2))
    )
    assert await store.settle([Settled(settlement_of(r), fact_of(r)) for r in (mine, lost)]) == {one.notice_id}
    outcome = settlement_of(mine).outcome
    assert outcome is not None
    assert {row.event_id for row in offered.rows} == {outcome.id, fact_of(mine).fact_id}
    async with transaction(pool) as connection:
        written = set((await connection.execute(text("SELECT event_id FROM notifier.outbox"))).scalars())
    assert written == {row.event_id for row in offered.rows}
    await pool.dispose()
    await writer.close()
