"""The notifier's engine on the real Postgres with real receivers on loopback; Kafka is left out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_network
from typing import Any

from aiohttp import web
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifier.adapters.endpoints import PostgresEndpoints
from services.notifier.adapters.keys import KeyedOpener, SecretBox
from services.notifier.adapters.postgres import PostgresStore
from services.notifier.adapters.webhook import Timeouts, WebhookWire
from services.notifier.bootstrap import flows_of, said_once
from services.notifier.domain.destination import Guard
from services.notifier.domain.model import Endpoint, EndpointId, EndpointState
from services.notifier.domain.signature import verify
from services.notifier.entrypoints.engine import Engine
from services.notifier.entrypoints.lanes import ALL_LANES, LaneLimits, OwnedLanes
from services.notifier.entrypoints.upkeep import Upkeep
from services.notifier.usecases import register_notices
from shared.clock import Clock, SystemClock
from shared.contracts.notice import NoticeIssued
from shared.db.engine import make_engine, transaction
from shared.db.outbox import OutboxRow
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.records import Batch
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.notifier_fakes import KEYS, SEALING, SECRET, TOKENS
from tests.support.stack import TestDatabase

LOOPBACK = Guard(allow_http=True, networks=(ip_network("127.0.0.0/8"),))
CONSENT = {"WebHook-Allowed-Origin": "concordat.example", "WebHook-Allowed-Rate": "6000"}
Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Receiver:
    """A recipient's server: verifies, remembers each delivery before it answers."""

    url: str = ""
    received: list[tuple[str, bytes]] = field(default_factory=list)
    timestamps: list[str] = field(default_factory=list)
    replayed: list[bool] = field(default_factory=list)
    requests: int = 0

    @property
    def ids(self) -> list[str]:
        """The webhook ids, in order of receipt."""
        return [webhook_id for webhook_id, _ in self.received]


@asynccontextmanager
async def receiving(
    behave: Behaviour | None = None, *, consents: bool = False, clock: Clock | None = None, port: int = 0
) -> AsyncIterator[Receiver]:
    """A receiver on a port of loopback, a free one unless it is said; `behave` makes its answer, `consents` to
    deliveries when it is asked."""
    clock = clock or SystemClock()
    receiver = Receiver()

    async def handle(request: web.Request) -> web.StreamResponse:
        receiver.requests += request.method == "POST"
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=CONSENT) if consents else web.Response(status=405)
        verify([SECRET], headers, body, now_seconds=clock.now().timestamp())
        receiver.received.append((headers["webhook-id"], body))
        receiver.replayed.append("concordat-replayed" in headers)
        receiver.timestamps.append(headers["webhook-timestamp"])
        return await behave(request) if behave else web.Response(status=204)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class QuietTelemetry(Telemetry):
    """Keeps the lines instead of writing them."""

    def __init__(self) -> None:
        super().__init__("notifier")
        self.lines: list[dict[str, Any]] = []

    def line(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})


@dataclass(slots=True)
class Offered:
    """Where a relay would stand."""

    rows: list[OutboxRow] = field(default_factory=list)

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        self.rows.extend(rows)


@dataclass(slots=True)
class Rig:
    """One notifier without Kafka."""

    database: AsyncEngine
    store: PostgresStore
    endpoints: PostgresEndpoints
    engine: Engine
    offered: Offered
    clock: Clock
    opener: KeyedOpener
    upkeep: Upkeep
    telemetry: QuietTelemetry
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    async def add_endpoint(self, org: str, url: str) -> None:
        """An active endpoint under the tests' secret."""
        endpoint = Endpoint(EndpointId(f"end_{org}"), org, url, "", EndpointState.ACTIVE, "", self.clock.now())
        await self.endpoints.add(endpoint, KEYS)

    async def notify(self, *events: NoticeIssued) -> None:
        """What the consumer would hand over."""
        await register_notices(
            Batch(events, ()), opener=self.opener, clock=self.clock, lanes=self.engine.lanes, store=self.store
        )

    async def start(self) -> None:
        """Run the engine's loops; its endpoints are known when this returns."""
        self.engine.lanes.aim({t.lane_name: t for t in await self.endpoints.targets(now=self.clock.now())})
        loops = {**self.engine.loops(), **self.upkeep.loops()}
        self.tasks = [asyncio.create_task(_as_coroutine(loop), name=n) for n, loop in loops.items()]

    async def die(self) -> None:
        """End the loops at once, as a killed process would: leases stay, results are lost."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks = []

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What a statement finds, as a role that may read."""
        async with transaction(self.database) as connection:
            return list(await connection.execute(text(statement), values))

    async def count(self, condition: str) -> int:
        """How many notices are in a state."""
        found = await self.rows(f"SELECT count(*) FROM notifier.notices WHERE {condition}")
        return int(found[0][0])


@asynccontextmanager
async def rig_on(
    database: TestDatabase,
    *,
    clock: Clock | None = None,
    timeouts: Timeouts | None = None,
    limits: LaneLimits | None = None,
    lease_seconds: float = 6,
) -> AsyncIterator[Rig]:
    """A notifier on a migrated database. Its loops run once it is started."""
    clock = clock or SystemClock()
    pool = make_engine(database.url("notifier"), pool_size=6, statement_timeout_seconds=10, name="test")
    offered = Offered()
    writer = Writer(database.url("notifier"), pool_size=6, statement_timeout_seconds=10, name="test")
    store = PostgresStore(pool, writer, offered, FailPoints(), lease_seconds)
    wire = WebhookWire(LOOPBACK, timeouts or Timeouts(2, 5))
    telemetry = QuietTelemetry()
    endpoints = PostgresEndpoints(pool, SecretBox(TOKENS), said_once(telemetry))
    flows = flows_of(store, endpoints, wire, clock)
    engine = Engine(
        flows,
        limits or LaneLimits(slots_max=64, in_flight_max=8, lease_seconds=lease_seconds, drain_seconds=0),
        owned=OwnedLanes(partial(frozenset, ALL_LANES)),
        telemetry=telemetry,
        health=Health(30),
    )
    rig = Rig(
        pool,
        store,
        endpoints,
        engine,
        offered,
        clock,
        KeyedOpener(SEALING, TOKENS),
        Upkeep(engine, flows, telemetry),
        telemetry,
    )
    try:
        yield rig
    finally:
        await rig.die()
        await wire.close()
        await pool.dispose()
        await writer.close()


async def _as_coroutine(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()
