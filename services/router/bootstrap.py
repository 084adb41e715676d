"""Puts the router together: the only file that names concrete adapters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from fastapi import FastAPI
from pydantic import TypeAdapter

from services.router.adapters.history import HttpHistory
from services.router.adapters.judges import JudgeMaker
from services.router.adapters.postgres import PostgresStore
from services.router.adapters.registry import HttpRegistry
from services.router.config import RouterSettings
from services.router.domain.policy import CurrentJudge
from services.router.entrypoints.consumer import (
    GraphRefresher,
    GraphTender,
    RegistryWatch,
    say_overdue,
    say_overdue_panels,
    take_commits,
    take_concerns,
    take_outcomes,
)
from services.router.entrypoints.correlation import ConcernFollower
from services.router.entrypoints.faults import ANSWERS
from services.router.entrypoints.http import routes
from services.router.usecases import (
    Desk,
    GraphPorts,
    Patience,
    catch_up,
    end_stale_holds,
    find_overdue,
    find_overdue_panels,
    follow_concerns,
    follow_graph,
    hear_of_notices,
    newer_at_registry,
    read_ahead,
    refresh_graph,
    route_concerns,
    withdraw_ended,
)
from shared.contracts.concern import ConcernEvent, ConcernRecalled, ConcernSubmitted
from shared.contracts.graph import GraphCommitted
from shared.contracts.outcome import NoticeOutcome
from shared.contracts.topics import CONCERNS, GRAPH, OUTCOMES
from shared.http.app import make_app
from shared.kafka.consumer import GATHER_MILLISECONDS, Subscription
from shared.service import Foundation, lay_foundation
from shared.supervision import Loop

GROUP = "router"
CONCERNS_ABREAST = 8
"""The transactions that a large batch is stored in: some of it is decided while Postgres writes the rest."""
CONCERN_EVENTS: TypeAdapter[ConcernSubmitted | ConcernRecalled] = TypeAdapter(ConcernEvent)


@dataclass(frozen=True, slots=True)
class Parts:
    """The router's own parts on their foundation."""

    foundation: Foundation
    settings: RouterSettings
    store: PostgresStore
    ports: GraphPorts
    current: CurrentJudge

    @property
    def history(self) -> HttpHistory:
        """Graphs of the past, read where they are kept."""
        settings = self.settings
        deadline = settings.registry_deadline_seconds
        return HttpHistory(settings.registry_url, deadline_seconds=deadline)

    @property
    def desk(self) -> Desk:
        """What the acts of people need."""
        wait_max = timedelta(days=self.settings.wait_days_max)
        return Desk(self.current, self.store.begin, self.foundation.clock, wait_max)


async def run(settings: RouterSettings) -> None:
    """Run the router until a signal."""
    parts = assemble(settings)
    await parts.foundation.run(app_of(parts), loops_of(parts))


def assemble(settings: RouterSettings) -> Parts:
    """Make the parts; connects to nothing yet."""
    base = lay_foundation("router", settings)
    store = PostgresStore(base.engine, base.writer, base.relay, base.fail_points)
    registry = HttpRegistry(settings.registry_url, deadline_seconds=settings.registry_deadline_seconds)
    make_judge = JudgeMaker(memo_bytes_max=settings.memo_bytes_max)
    ports = GraphPorts(begin=store.begin, store=store, registry=registry, make_judge=make_judge)
    return Parts(base, settings, store, ports, CurrentJudge())


def app_of(parts: Parts) -> FastAPI:
    """The HTTP app."""
    base = parts.foundation
    return make_app("Concordat router", routes(parts.store, parts.desk, parts.history), base.edge(ANSWERS))


def loops_of(parts: Parts) -> dict[str, Loop]:
    """The loops that run beside the app."""
    base, say = parts.foundation, parts.foundation.telemetry
    patience = Patience(parts.current, base.clock, wait_seconds=parts.settings.graph_wait_seconds)
    route = partial(route_concerns, current=parts.current, ledger=parts.store, clock=base.clock, patience=patience)
    follow = partial(follow_graph, current=parts.current, ports=parts.ports)
    hear = partial(hear_of_notices, begin=parts.store.begin)
    concerns = Subscription(
        GROUP,
        CONCERNS.name,
        CONCERN_EVENTS.validate_json,
        partial(take_concerns, route=route, telemetry=say),
        abreast=CONCERNS_ABREAST,
    )
    commits = Subscription(
        GROUP, GRAPH.name, GraphCommitted.model_validate_json, partial(take_commits, follow=follow, telemetry=say)
    )
    outcomes = Subscription(
        GROUP,
        OUTCOMES.name,
        NoticeOutcome.model_validate_json,
        partial(take_outcomes, hear=hear, telemetry=say),
        gather_milliseconds=GATHER_MILLISECONDS,
    )
    return {
        **_graph_loops(parts),
        "graph tender": _graph_tender(parts).run,
        "concern follower": _concern_follower(parts).run,
        "concerns": base.consumer(concerns).run,
        "graph": base.consumer(commits).run,
        "outcomes": base.consumer(outcomes).run,
    }


def _graph_loops(parts: Parts) -> dict[str, Loop]:
    base, current, ports = parts.foundation, parts.current, parts.ports
    refresher = GraphRefresher(
        partial(refresh_graph, current, ports),
        current,
        poll_seconds=parts.settings.graph_poll_seconds,
        progress=base.health.watch("graph refresher"),
        telemetry=base.telemetry,
    )
    watch = RegistryWatch(
        partial(newer_at_registry, ports),
        partial(catch_up, current=current, ports=ports),
        progress=base.health.watch("registry watch"),
        telemetry=base.telemetry,
    )
    return {"graph refresher": refresher.run, "registry watch": watch.run}


def _graph_tender(parts: Parts) -> GraphTender:
    base = parts.foundation
    chores = {
        "reviews.overdue": partial(say_overdue, partial(find_overdue, parts.desk), base.telemetry),
        "panels.overdue": partial(say_overdue_panels, partial(find_overdue_panels, parts.desk), base.telemetry),
        "holds.ended": partial(end_stale_holds, parts.desk, parts.store),
        "notices.withdrawn": partial(withdraw_ended, parts.desk),
        "slices.read": partial(read_ahead, parts.current),
    }
    progress = base.health.watch("graph tender", essential=False)
    return GraphTender(chores, parts.current, progress=progress, telemetry=base.telemetry)


def _concern_follower(parts: Parts) -> ConcernFollower:
    base = parts.foundation
    progress = base.health.watch("concern follower", essential=False)
    return ConcernFollower(partial(follow_concerns, parts.desk), progress=progress, telemetry=base.telemetry)
