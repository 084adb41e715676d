"""What every service stands on, made from its settings in one place; each `bootstrap.py` adds its own adapters."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock, SystemClock
from shared.db.engine import make_engine, transaction
from shared.db.outbox import Outbox
from shared.db.positions import Positions
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.http.app import Edge, serve
from shared.http.auth import Verifier
from shared.http.jwks import PublishedKeys
from shared.http.problems import Problem
from shared.kafka.brokers import Brokers
from shared.kafka.consumer import BatchConsumer, Subscription
from shared.kafka.ends import LogEnds
from shared.kafka.producer import Producer
from shared.logwatch import LogWatch
from shared.relay import Relay
from shared.settings import BaseServiceSettings
from shared.supervision import Health, Loop, Pause, Progress, repeat, supervise
from shared.telemetry import Telemetry, route_library_logs

EventT = TypeVar("EventT")
STORE_SECONDS = 5.0
GC_THRESHOLDS = (10_000, 20, 50)


@dataclass(frozen=True, slots=True)
class Foundation:
    """The parts that all services share. `schema` is the Postgres schema, named like the service.

    `accepts`: others bring this service work over HTTP, and it stays ready for them while only Kafka is away.
    """

    schema: str
    accepts: bool
    settings: BaseServiceSettings
    clock: Clock
    telemetry: Telemetry
    health: Health
    engine: AsyncEngine
    writer: Writer
    positions: Positions
    outbox: Outbox
    producer: Producer
    ends: LogEnds
    log_watch: LogWatch
    relay: Relay
    fail_points: FailPoints

    def consumer(self, subscription: Subscription[EventT]) -> BatchConsumer[EventT]:
        """A supervised consumer of one topic."""
        return BatchConsumer(
            subscription,
            ends=self.ends,
            positions=self.positions,
            progress=self.health.watch(f"consumer {subscription.topic}", essential=not self.accepts),
            telemetry=self.telemetry,
        )

    def edge(self, faults: Mapping[type[Exception], Problem]) -> Edge:
        """What the HTTP app needs; `faults` maps the service's own faults to their answers."""
        verifier = Verifier(
            PublishedKeys(self.settings.token_issuers), audience=self.settings.token_audience, clock=self.clock
        )
        return Edge(self.health, self.telemetry, verifier, faults, self.settings.http_body_bytes_max)

    async def run(self, app: FastAPI, loops: Mapping[str, Loop]) -> None:
        """Serve `app` beside the relay and the service's own loops until a signal; then drain and let go."""

        async def serve_app() -> None:
            await serve(app, host=self.settings.http_host, port=self.settings.http_port)

        route_library_logs(self.telemetry)
        _spare_the_collector()
        own = {**self._own_loops(), **loops}
        try:
            await supervise(own, serve=serve_app, health=self.health, telemetry=self.telemetry)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of everything that is connected."""
        await self.producer.close()
        await self.ends.close()
        await self.engine.dispose()
        await self.writer.close()

    def _own_loops(self) -> dict[str, Loop]:
        return {
            "relay": self.relay.run,
            "relay gathering": self.relay.gather,
            "relay marks": self.relay.mark,
            "relay sweeper": self.relay.sweep,
            "relay pruner": self.relay.prune,
            "log watch": self.log_watch.run,
            "store": partial(watch_store, self.engine, self.health.watch("store"), self.telemetry),
        }


def _spare_the_collector() -> None:
    """What was made at start stays for ever: the garbage collector need not look at it again.

    And it looks less often at the rest: a request leaves no circles behind, and a quarter of intake's CPU went into
    looking for some.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def watch_store(engine: AsyncEngine, progress: Progress, telemetry: Telemetry) -> None:
    """Ask Postgres whether it answers, for ever: without it no service can do anything."""

    async def ask() -> float:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT 1"))
        progress.made(waiting=0)
        return STORE_SECONDS

    await repeat(ask, pause=Pause("store", telemetry), progress=progress)


def lay_foundation(service: str, settings: BaseServiceSettings, *, accepts: bool = False) -> Foundation:
    """Make the shared parts of a service from its settings. Connects to nothing yet."""
    clock = SystemClock(settings.clock_offset_file)
    telemetry = Telemetry(service, clock=clock)
    health = Health(settings.ready_stall_seconds)
    url, name = settings.database_url.get_secret_value(), f"concordat-{service}"
    limits = {"pool_size": settings.database_pool_size, "statement_timeout_seconds": settings.statement_timeout_seconds}
    engine = make_engine(url, name=name, **limits)
    producer = Producer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=name,
        deadline_seconds=settings.kafka_deadline_seconds,
    )
    outbox = Outbox(engine, service)
    fail_points = FailPoints.parse(settings.fail_point)
    progress = health.watch("relay sweeper", essential=not accepts)
    ends = LogEnds(Brokers(settings.kafka_bootstrap_servers, settings.kafka_session_seconds))
    looking = health.watch("log watch", essential=False)
    log_watch = LogWatch(outbox, producer, ends, progress=looking, telemetry=telemetry)
    relay = Relay(outbox, log_watch, progress=progress, telemetry=telemetry, fail_points=fail_points)
    return Foundation(
        schema=service,
        accepts=accepts,
        settings=settings,
        clock=clock,
        telemetry=telemetry,
        health=health,
        engine=engine,
        writer=Writer(url, name=name, **limits),
        positions=Positions(engine, service),
        outbox=outbox,
        producer=producer,
        ends=ends,
        log_watch=log_watch,
        relay=relay,
        fail_points=fail_points,
    )
