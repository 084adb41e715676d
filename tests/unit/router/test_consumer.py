"""What comes in from Kafka is put into the router's words; faults become waiting, and people are alarmed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import pytest

from services.router.domain import errors
from services.router.domain.errors import RouterFault
from services.router.domain.model import Head
from services.router.domain.policy import CurrentJudge
from services.router.entrypoints.consumer import (
    COMMIT_ON_ITS_WAY_SECONDS,
    REGISTRY_POLL_SECONDS,
    GraphRefresher,
    RegistryWatch,
    concern_of,
    part_of,
    say_news,
    take_commits,
    take_concerns,
    take_outcomes,
)
from services.router.entrypoints.faults import ANSWERS
from services.router.usecases import (
    Adopted,
    Applied,
    GraphNews,
    catch_up,
    follow_graph,
    hear_of_notices,
    newer_at_registry,
    refresh_graph,
    route_concerns,
)
from shared.contracts.concern import ConcernSubmitted, Sealed, SubmittedConcern
from shared.contracts.graph import GraphCommit, GraphCommitted
from shared.contracts.outcome import REGISTERED, NoticeOutcome, Outcome
from shared.faults import Transient
from shared.graphroot import graph_root
from shared.records import Batch
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import (
    ROUTING,
    SEALED,
    InMemoryRegistry,
    InMemoryRouter,
    a_concern,
    graph_objects,
    graph_ports,
    judging,
    replica_of,
)

Lines = Callable[[], list[dict[str, Any]]]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines(capfdbinary: pytest.CaptureFixture[bytes]) -> Lines:
    """What telemetry has written since the last look."""
    return lambda: [orjson.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("router", clock=FrozenClock())


def submitted(number: int = 1, **routing: Any) -> ConcernSubmitted:
    concern = a_concern(number)
    data = SubmittedConcern(
        concern_id=concern.concern_id,
        version=1,
        digest=concern.digest,
        accepted_at=concern.accepted_at,
        routing={**ROUTING, **routing},
        sealed=Sealed.model_validate(SEALED),
    )
    return ConcernSubmitted(id=f"evt_{number}", source="/concordat/intake", time=NOON, traceparent=TRACE, data=data)


def committed(objects: list[dict[str, Any]]) -> GraphCommitted:
    commit = GraphCommit(
        version=1,
        parent_root="",
        root=graph_root(objects),
        committed_at=NOON,
        principal="p",
        reason="r",
        objects=objects,
    )
    return GraphCommitted(id="evt_1", source="/concordat/registry", time=NOON, data=commit)


def test_a_concern_keeps_its_trace_and_its_sealed_part() -> None:
    concern = concern_of(submitted())
    assert (concern.sealed, concern.traceparent) == (SEALED, TRACE)
    assert concern.routing == ROUTING


def test_a_commit_becomes_the_canonical_bytes_of_its_objects() -> None:
    objects = graph_objects()
    part = part_of(committed(objects))
    assert part.head == Head(1, replica_of(objects).head.root)
    assert part.bodies == replica_of(objects).bodies


async def test_concerns_are_routed_with_one_line_and_an_alarm_for_each_that_waits(
    telemetry: Telemetry, lines: Lines
) -> None:
    router = InMemoryRouter()
    route = partial(route_concerns, current=judging(), ledger=router, clock=FrozenClock())
    events = (submitted(1), submitted(2, categories=["theft"]), submitted(3, received_at="never"))
    await take_concerns(Batch(events, ()), route=route, telemetry=telemetry)
    await take_concerns(Batch(events, ()), route=route, telemetry=telemetry)
    said = lines()
    alarms = [(line["alarm"], line["concern_id"]) for line in said if line["event"] == "alarm"]
    assert alarms == [
        ("concern-unroutable", "con_2"),
        ("concern-gap", "con_2"),
        ("evaluator-fault", "con_3"),
        ("concern-held", "con_3"),
    ]
    wide = [line for line in said if line["event"] == "concerns.routed"]
    assert [(line["items"], line["repeated"], line["told"]) for line in wide] == [(3, 0, 1), (3, 3, 0)]
    assert router.state.issued[0].traceparent == TRACE


async def test_without_a_graph_the_batch_is_taken_again(telemetry: Telemetry) -> None:
    route = partial(route_concerns, current=CurrentJudge(), ledger=InMemoryRouter(), clock=FrozenClock())
    with pytest.raises(Transient):
        await take_concerns(Batch((submitted(),), ()), route=route, telemetry=telemetry)


async def test_commits_are_followed_and_told_of(telemetry: Telemetry, lines: Lines) -> None:
    router = InMemoryRouter()
    follow = partial(follow_graph, current=CurrentJudge(), ports=graph_ports(router, InMemoryRegistry()))
    await take_commits(Batch((committed(graph_objects()),), ()), follow=follow, telemetry=telemetry)
    assert router.state.head.version == 1
    assert [line["event"] for line in lines()] == ["graph.followed", "graph.applied"]


async def test_a_graph_that_is_known_and_cannot_be_used_is_one_alarm_and_no_progress(
    telemetry: Telemetry, lines: Lines
) -> None:
    router, current = InMemoryRouter(), CurrentJudge()
    ports = graph_ports(router, registry := InMemoryRegistry(replica_of(graph_objects())))
    progress = Progress("graph refresher")
    refresher = GraphRefresher(
        partial(refresh_graph, current, ports), current, poll_seconds=0.2, progress=progress, telemetry=telemetry
    )
    await refresher._step()
    await refresher._step()
    first, registry.replica = committed(graph_objects()), None
    gap = first.model_copy(update={"data": first.data.model_copy(update={"version": 5})})
    follow = partial(follow_graph, current=current, ports=ports)
    route = partial(route_concerns, current=current, ledger=router, clock=FrozenClock())
    lines()
    for _ in range(3):
        with pytest.raises(Transient):
            await take_commits(Batch((gap,), ()), follow=follow, telemetry=telemetry)
        with pytest.raises(Transient):
            await take_concerns(Batch((submitted(),), ()), route=route, telemetry=telemetry)
        await refresher._step()
    (alarm,) = [line for line in lines() if line["event"] == "alarm"]
    assert (alarm["alarm"], alarm["version"], alarm["known"]) == ("graph-behind", 1, 5)
    assert progress.waiting == 1
    registry.replica = replica_of(graph_objects(), version=5)
    await take_commits(Batch((gap,), ()), follow=follow, telemetry=telemetry)
    await refresher._step()
    await take_concerns(Batch((submitted(),), ()), route=route, telemetry=telemetry)
    assert progress.waiting == 0
    assert len(router.state.decisions) == 1


async def test_the_registry_is_asked_from_the_start_and_a_newer_head_once_more_before_it_is_read(
    telemetry: Telemetry, lines: Lines
) -> None:
    router, current = InMemoryRouter(), CurrentJudge()
    ports = graph_ports(router, registry := InMemoryRegistry())
    watch = RegistryWatch(
        partial(newer_at_registry, ports),
        partial(catch_up, current=current, ports=ports),
        progress=Progress("registry watch"),
        telemetry=telemetry,
    )
    assert await watch._step() == REGISTRY_POLL_SECONDS
    registry.replica = replica_of(graph_objects())
    assert await watch._step() == COMMIT_ON_ITS_WAY_SECONDS
    assert (registry.asked, router.state.head.version) == (0, 0)
    assert await watch._step() == REGISTRY_POLL_SECONDS
    assert (registry.asked, router.state.head.version) == (1, 1)
    assert await watch._step() == REGISTRY_POLL_SECONDS
    assert [line["alarm"] for line in lines()] == ["graph-read-whole"]


async def test_whatever_became_of_a_notice_it_is_closed(telemetry: Telemetry) -> None:
    router = InMemoryRouter()
    outcome = Outcome(notice_id="ntc_1", concern_id="con_1", version=1, recipient="beta", at=NOON)
    event = NoticeOutcome(id="evt_1", source="/concordat/notifier", time=NOON, type=REGISTERED, data=outcome)
    await take_outcomes(Batch((event,), ()), hear=partial(hear_of_notices, begin=router.begin), telemetry=telemetry)
    assert router.state.closed == {"ntc_1"}


@pytest.mark.parametrize(
    ("news", "alarm"),
    [
        (Applied(Head(2, "r")), None),
        (Adopted(Head(2, "r"), "a gap"), "graph-read-whole"),
    ],
)
def test_everything_but_an_applied_commit_is_an_alarm(
    news: GraphNews, alarm: str | None, telemetry: Telemetry, lines: Lines
) -> None:
    say_news(news, telemetry)
    (line,) = lines()
    assert line.get("alarm") == alarm
    assert line["version"] == 2


async def test_the_refresher_takes_a_graph_in_office_and_reports_progress(telemetry: Telemetry, lines: Lines) -> None:
    router, current = InMemoryRouter(), CurrentJudge()
    ports = graph_ports(router, InMemoryRegistry(replica_of(graph_objects())))
    progress = Progress("graph refresher", moved_at=0.0, alive_at=0.0)
    refresher = GraphRefresher(
        partial(refresh_graph, current, ports), current, poll_seconds=0.2, progress=progress, telemetry=telemetry
    )
    assert await refresher._step() == 0.0
    assert (progress.waiting, progress.moved_at) == (1, 0.0)
    assert progress.alive_at > 0.0
    assert await refresher._step() == 0.2
    assert await refresher._step() == 0.2
    assert (progress.waiting, progress.moved_at) == (0, progress.alive_at)
    assert current.head.version == 1
    assert [line["event"] for line in lines()] == ["graph.applied", "graph.in-force"]


async def test_the_refresher_waits_while_no_graph_can_be_had_without_an_alarm(
    telemetry: Telemetry, lines: Lines
) -> None:
    current = CurrentJudge()
    ports = graph_ports(InMemoryRouter(), InMemoryRegistry())
    refresher = GraphRefresher(
        partial(refresh_graph, current, ports), current, poll_seconds=0.2, progress=Progress("g"), telemetry=telemetry
    )
    with pytest.raises(Transient):
        await refresher._step()
    assert lines() == []


def test_every_fault_has_its_answer() -> None:
    faults = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RouterFault)}
    assert faults - {RouterFault} == set(ANSWERS)
