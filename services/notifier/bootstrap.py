"""Puts the notifier together; the only file that names concrete adapters."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI

from services.notifier.adapters.certificates import certificate_fault
from services.notifier.adapters.endpoints import PostgresEndpoints
from services.notifier.adapters.keys import KeyedOpener, SecretBox
from services.notifier.adapters.law import NoLaw, RouterLaw
from services.notifier.adapters.postgres import PostgresStore
from services.notifier.adapters.records import PostgresRecords
from services.notifier.adapters.webhook import Identity, Timeouts, WebhookWire
from services.notifier.config import NotifierSettings
from services.notifier.domain.consent import is_there
from services.notifier.domain.destination import Guard
from services.notifier.domain.model import Target
from services.notifier.entrypoints.consumer import facts_handler, notices_handler, read_fact
from services.notifier.entrypoints.desk import Desk
from services.notifier.entrypoints.engine import Engine, Flows
from services.notifier.entrypoints.http import FAULTS, routes
from services.notifier.entrypoints.lanes import LaneLimits, OwnedLanes
from services.notifier.entrypoints.upkeep import Upkeep
from services.notifier.ports import Begin, Endpoints, FactRecord, Law, LedgerStore, Opener, Verifying
from services.notifier.usecases import (
    Registration,
    Rules,
    advance_replays,
    attempt_notice,
    claim_due,
    confirm_registered,
    end_notices,
    escalate_notices,
    hasten_lane,
    keep_facts,
    keep_health,
    register_notices,
    renew_leases,
    send_notice,
    settle_results,
)
from shared.clock import Clock
from shared.contracts.notice import NoticeIssued
from shared.contracts.topics import AUDIT, NOTICES
from shared.http.app import make_app
from shared.kafka.consumer import GATHER_MILLISECONDS, BatchConsumer, Subscription
from shared.records import Batch
from shared.sealing import SecretKey
from shared.service import Foundation, lay_foundation
from shared.supervision import Loop
from shared.telemetry import Telemetry

GROUP = "notifier"
DRAIN_BEYOND_SECONDS = 2.0
"""After the last attempt under way has ended, for writing down what came of it."""
Register = Callable[[Batch[NoticeIssued]], Awaitable[Registration]]


@dataclass(frozen=True, slots=True)
class Adapters:
    """The concrete outside."""

    store: PostgresStore
    endpoints: PostgresEndpoints
    wire: WebhookWire
    opener: Opener
    rules: Rules
    law: Law


async def run(settings: NotifierSettings) -> None:
    """Serve until a signal."""
    foundation = lay_foundation("notifier", settings)
    adapters = make_adapters(foundation, settings)
    app, loops = assemble(foundation, settings, adapters)
    try:
        await foundation.run(app, loops)
    finally:
        await adapters.wire.close()


def make_adapters(foundation: Foundation, settings: NotifierSettings) -> Adapters:
    """The adapters. Raises ValueError or OSError for a key file that cannot be read."""
    key = SecretKey.read(settings.secrets_key_file)
    guard = Guard(settings.allow_http, tuple(settings.allowed_networks), frozenset(settings.allowed_ports))
    return Adapters(
        store=PostgresStore(
            foundation.engine,
            foundation.writer,
            foundation.relay,
            foundation.fail_points,
            settings.lease_seconds,
        ),
        endpoints=PostgresEndpoints(foundation.engine, SecretBox(key), said_once(foundation.telemetry)),
        wire=WebhookWire(
            guard,
            Timeouts(settings.connect_seconds, settings.attempt_seconds),
            identity=Identity(settings.origin, settings.authorities_file),
            fail_points=foundation.fail_points,
        ),
        opener=KeyedOpener(SecretKey.read(settings.sealing_key_file), key),
        rules=Rules(guard, settings.origin, verify=not settings.allow_http, hosts=settings.endpoint_hosts),
        law=RouterLaw(settings.router_url, deadline_seconds=settings.router_seconds)
        if settings.router_url
        else NoLaw(),
    )


def assemble(
    foundation: Foundation, settings: NotifierSettings, adapters: Adapters
) -> tuple[FastAPI, Mapping[str, Loop]]:
    """The app and the loops beside it."""
    assigned: list[BatchConsumer[NoticeIssued]] = []
    flows = flows_of(adapters.store, adapters.endpoints, adapters.wire, foundation.clock)
    engine = Engine(
        flows,
        limits_of(settings),
        owned=OwnedLanes(lambda: assigned[0].partitions if assigned else frozenset()),
        telemetry=foundation.telemetry,
        health=foundation.health,
    )
    register = partial(
        register_notices,
        opener=adapters.opener,
        clock=foundation.clock,
        lanes=engine.lanes,
        store=adapters.store,
    )
    notices = foundation.consumer(_notices_subscription(register, foundation))
    assigned.append(notices)
    facts = foundation.consumer(_facts_subscription(adapters.store.begin, foundation))
    app = make_app("Concordat notifier", routes(_desk(foundation, adapters, engine)), foundation.edge(FAULTS))
    upkeep = Upkeep(engine, flows, foundation.telemetry)
    return app, {"notices": notices.run, "facts": facts.run, **engine.loops(), **upkeep.loops()}


def limits_of(settings: NotifierSettings) -> LaneLimits:
    """The bounds of the lanes."""
    return LaneLimits(
        settings.lane_slots,
        settings.in_flight_max,
        settings.lease_seconds,
        held_max=settings.held_max,
        held_bytes_max=settings.held_bytes_max,
        drain_seconds=settings.attempt_seconds + DRAIN_BEYOND_SECONDS,
    )


def said_once(telemetry: Telemetry) -> Callable[[str, str], None]:
    """An alarm for each endpoint that cannot be read; all are read each second."""
    said: set[str] = set()

    def say(endpoint_id: str, fault: str) -> None:
        if endpoint_id not in said:
            said.add(endpoint_id)
            telemetry.alarm("endpoint-unreadable", endpoint_id=endpoint_id, fault=fault)

    return say


def flows_of(store: LedgerStore, endpoints: Endpoints, wire: Verifying, clock: Clock) -> Flows:
    """The use cases of the engine, bound to their adapters."""
    begin = store.begin

    async def targets() -> Sequence[Target]:
        return await endpoints.targets(now=clock.now())

    async def hasten(target: Target, count: int | None) -> None:
        lane, rate = (target.org, target.alternate), target.rate_per_minute
        await hasten_lane(lane, count=count, rate_per_minute=rate, clock=clock, begin=begin)

    async def knock(target: Target) -> bool:
        return is_there(await wire.ask(target.url, {}, target.access))

    chance: Callable[[], float] = secrets.SystemRandom().random
    return Flows(
        claim=partial(claim_due, clock=clock, begin=begin),
        attempt=partial(attempt_notice, send=partial(send_notice, wire=wire, store=store), clock=clock, chance=chance),
        settle=partial(settle_results, store=store),
        renew=partial(renew_leases, begin=begin),
        end=partial(end_notices, clock=clock, begin=begin),
        confirm=partial(confirm_registered, clock=clock, begin=begin),
        targets=targets,
        escalate=partial(escalate_notices, clock=clock, begin=begin),
        replay=partial(advance_replays, clock=clock, begin=begin),
        keep_health=partial(keep_health, clock=clock, begin=begin),
        hasten=hasten,
        knock=knock,
    )


def _notices_subscription(register: Register, foundation: Foundation) -> Subscription[NoticeIssued]:
    return Subscription(
        group=GROUP,
        topic=NOTICES.name,
        decode=NoticeIssued.model_validate_json,
        handle=notices_handler(register, foundation.telemetry),
    )


def _facts_subscription(begin: Begin, foundation: Foundation) -> Subscription[FactRecord]:
    return Subscription(
        group=GROUP,
        topic=AUDIT.name,
        decode=read_fact,
        handle=facts_handler(partial(keep_facts, begin=begin), foundation.telemetry),
        gather_milliseconds=GATHER_MILLISECONDS,
    )


def _desk(foundation: Foundation, adapters: Adapters, engine: Engine) -> Desk:
    return Desk(
        rules=adapters.rules,
        clock=foundation.clock,
        endpoints=adapters.endpoints,
        wire=adapters.wire,
        begin=adapters.store.begin,
        records=PostgresRecords(foundation.engine),
        telemetry=foundation.telemetry,
        changed=engine.endpoints_changed,
        certificate_fault=certificate_fault,
        law=adapters.law,
        opener=adapters.opener,
    )
