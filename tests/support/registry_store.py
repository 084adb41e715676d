"""The registry's history in a real database, without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from services.registry.adapters.postgres import PostgresHistory
from shared.db.engine import make_engine
from shared.db.outbox import Outbox
from shared.failpoints import FailPoints
from shared.relay import Relay
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.stack import TestDatabase


class _Nowhere:
    async def publish(self, _records: Any) -> Sequence[int]:
        """Kafka is not part of it."""
        return []


@asynccontextmanager
async def history_in(database: TestDatabase, *, timeout_seconds: int = 10) -> AsyncIterator[PostgresHistory]:
    """The history, for as long as the block runs."""
    url = database.url("registry")
    engine = make_engine(url, pool_size=4, statement_timeout_seconds=timeout_seconds, name="history")
    outbox = Outbox(engine, "registry")
    relay = Relay(outbox, _Nowhere(), progress=Progress("relay"), telemetry=Telemetry("registry"))
    yield PostgresHistory(engine, outbox, relay, FailPoints())
    await engine.dispose()
