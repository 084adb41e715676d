"""A large graph through the running system: imported as one commit, then read whole by the router.

The commit is made by the registry's own use case on its own schema; what follows (outbox, topic, the router that reads
the graph whole) is the system's. It is the last thing that a benchmark does: the system keeps the graph.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.bench.graphs import LARGE, synthetic
from deploy.bench.rows import Row
from deploy.local.waiting import until
from services.registry.adapters.postgres import PostgresHistory
from services.registry.domain.model import Change, Committed
from services.registry.usecases import as_object, commit_change, read_head
from shared.clock import SystemClock
from shared.db.engine import make_engine
from shared.db.outbox import Outbox
from shared.failpoints import FailPoints
from shared.kafka.producer import Record
from shared.relay import Relay
from shared.supervision import Progress
from shared.telemetry import Telemetry

IMPORT_SECONDS = 60
ADOPT_SECONDS_MAX = 180
_VERSION = text("SELECT version FROM router.graph_head")


class _Unsent:
    """Sends nothing: the registry's own sweeper finds the rows a few seconds later."""

    async def publish(self, records: Sequence[Record]) -> Sequence[int]:
        return [0 for _ in records]


async def import_rows(service_url: str, superuser: AsyncEngine) -> list[Row]:
    """Import the large graph into a system that runs; `service_url` is the registry's own way to its schema."""
    engine = make_engine(service_url, pool_size=2, statement_timeout_seconds=60, name="bench")
    outbox, telemetry = Outbox(engine, "registry"), Telemetry("bench")
    history = PostgresHistory(
        engine, outbox, Relay(outbox, _Unsent(), progress=Progress("relay"), telemetry=telemetry), FailPoints()
    )
    try:
        import_seconds, version = await _import(history)
        adopt_seconds = await _adopted(superuser, version)
    finally:
        await engine.dispose()
    return [
        Row("graph: imported", import_seconds, "s", IMPORT_SECONDS),
        Row("graph: then in the router", adopt_seconds, "s"),
    ]


async def _import(history: PostgresHistory) -> tuple[float, int]:
    head = await read_head(begin=history.begin)
    version = head.version if head else 0
    objects = tuple(map(as_object, synthetic(LARGE)))
    began = time.perf_counter()
    change = Change(version, "bench", "A graph to measure with", objects)
    outcome = await commit_change(change, begin=history.begin, clock=SystemClock())
    if not isinstance(outcome, Committed):
        raise RuntimeError(f"the graph was not imported: {outcome}")
    return time.perf_counter() - began, outcome.commit.version


async def _adopted(superuser: AsyncEngine, version: int) -> float:
    """From the commit on; the sweeper waits three seconds of them before it publishes what another process left."""
    began = time.perf_counter()

    async def there() -> bool:
        async with superuser.connect() as connection:
            return int((await connection.execute(_VERSION)).scalar_one()) >= version

    await until(there, seconds=ADOPT_SECONDS_MAX)
    return time.perf_counter() - began
