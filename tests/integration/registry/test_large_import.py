"""10,000 organisations x 100,000 agreements on real Postgres: imported, adopted by a router, changed by a commit."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.bench.graphs import LARGE, synthetic
from services.registry.adapters.postgres import PostgresHistory
from services.registry.domain.model import Change, Commit, Committed
from services.registry.usecases import as_object, import_seed, read_graph
from services.registry.usecases.commit import _events
from services.router.adapters.judges import JudgeMaker
from services.router.adapters.postgres import PostgresStore
from services.router.domain.model import Head
from services.router.domain.policy import CurrentJudge
from services.router.domain.replica import Replica
from services.router.entrypoints.consumer import part_of
from services.router.usecases import GraphPorts, follow_graph, refresh_graph
from shared.db.engine import make_engine
from shared.db.outbox import Outbox
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.records import Batch
from shared.relay import Relay
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.clock import FrozenClock
from tests.support.committing import commit_change
from tests.support.router_fakes import InMemoryRegistry
from tests.support.stack import TestPostgres
from tests.unit.agreements.seeds import objects

pytestmark = [pytest.mark.stack, pytest.mark.soak]
IMPORT_SECONDS, COMMIT_SECONDS = 60, 1


_NO_HOT_PATH = Writer("postgresql+asyncpg://unused", pool_size=1, statement_timeout_seconds=1, name="unused")


class _Kept:
    """Keeps what is offered instead of sending it."""

    async def publish(self, _records: Any) -> Sequence[int]:
        return []


async def _engine(postgres: TestPostgres, service: str) -> AsyncEngine:
    database = await postgres.fresh_database(service)
    return make_engine(database.url(service), pool_size=4, statement_timeout_seconds=30, name="large")


@pytest_asyncio.fixture
async def history(postgres_engine: TestPostgres) -> AsyncIterator[PostgresHistory]:
    engine = await _engine(postgres_engine, "registry")
    outbox = Outbox(engine, "registry")
    relay = Relay(outbox, _Kept(), progress=Progress("relay"), telemetry=Telemetry("registry"))
    yield PostgresHistory(engine, outbox, relay, FailPoints())
    await engine.dispose()


@pytest_asyncio.fixture
async def store(postgres_engine: TestPostgres) -> AsyncIterator[PostgresStore]:
    engine = await _engine(postgres_engine, "router")
    outbox = Outbox(engine, "router")
    relay = Relay(outbox, _Kept(), progress=Progress("relay"), telemetry=Telemetry("router"))
    yield PostgresStore(engine, _NO_HOT_PATH, relay, FailPoints())
    await engine.dispose()


async def test_a_large_graph_is_imported_and_one_commit_more_is_in_a_router_within_its_time(
    history: PostgresHistory, store: PostgresStore
) -> None:
    clock = FrozenClock()
    await import_seed(lambda: [dict(row) for row in objects()], begin=history.begin, clock=clock)
    imported, import_seconds = await _committed(history, 1, *synthetic(LARGE))
    graph = await read_graph(None, begin=history.begin)
    assert graph is not None
    assert graph.commit.root == imported.root
    current, registry = CurrentJudge(), InMemoryRegistry(Replica(Head(2, imported.root), graph.objects.copy))
    ports = GraphPorts(store.begin, store, registry, JudgeMaker(memo_bytes_max=0))
    await _in_office(current, ports, imported)
    changed = {**orjson.loads(graph.objects.copy["agreement", "pact-000700"]), "title": "Another"}
    commit, commit_seconds = await _committed(history, 2, changed)
    began = time.perf_counter()
    await follow_graph(Batch((part_of(_events(commit)[0]),), ()), current=current, ports=ports)
    follow_seconds = time.perf_counter() - began + await _in_office(current, ports, commit)
    assert import_seconds <= IMPORT_SECONDS
    assert commit_seconds + follow_seconds <= COMMIT_SECONDS


async def _committed(history: PostgresHistory, on: int, *rows: dict[str, Any]) -> tuple[Commit, float]:
    change = Change(on, "editor", "to measure it", tuple(map(as_object, rows)))
    began = time.perf_counter()
    outcome = await commit_change(change, begin=history.begin, clock=FrozenClock())
    assert isinstance(outcome, Committed), outcome
    return outcome.commit, time.perf_counter() - began


async def _in_office(current: CurrentJudge, ports: GraphPorts, commit: Commit) -> float:
    """Seconds until the router decides on the graph of the commit."""
    began = time.perf_counter()
    while current.head != Head(commit.version, commit.root):
        await refresh_graph(current, ports)
    return time.perf_counter() - began
