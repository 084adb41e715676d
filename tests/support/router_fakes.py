"""The router's ports in memory, a small graph, and concerns; the conformance suite holds the store to Postgres."""

import copy
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from fastapi import APIRouter

from services.router.domain.errors import RegistryUnavailable
from services.router.domain.model import (
    Concern,
    DecisionKey,
    DecisionRecord,
    Head,
    ItemCursor,
    ItemKind,
    PastRouting,
    RoutingCursor,
    WorkItem,
)
from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.replica import Bodies, CommitPart, Replica
from services.router.entrypoints.faults import ANSWERS
from services.router.entrypoints.http import DecisionRoutes
from services.router.entrypoints.routings import RoutingRoutes
from services.router.ports import Decided, DecisionStore
from services.router.usecases import GraphPorts
from services.router.usecases.graph import root_over
from shared.agreements import Snapshot, load
from shared.canonical import canonical
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.decision import ConcernRouted
from shared.contracts.notice import NoticeIssued
from shared.faults import PositionMoved
from shared.graphroot import object_key
from shared.http.app import Edge, make_app
from shared.http.auth import Principal, Verifier, unauthorised
from shared.http.jwks import PublishedKeys
from shared.records import Span
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.rules import small
from tests.support.clock import NOON, FrozenClock

Row = dict[str, Any]
SEALED = {"alg": "A256GCM", "kid": "0a1b2c3d", "wrapped_key": "d3JhcA==", "nonce": "bm9uY2U=", "ciphertext": "c2VhbGVk"}
MEMO_BYTES_MAX = 1_000_000
ROUTING: Row = {
    "originator": "alpha",
    "originator_ref": "A-1",
    "received_at": "2025-03-03T10:00:00Z",
    "categories": ["harm"],
    "nation": "england",
    "subjects": [{"kind": "provider"}],
    "marking": None,
}


def a_concern(number: int = 1, *, version: int = 1, **routing: Any) -> Concern:
    """Alpha's concern of harm, which beta is told of; with these changes of its routing part."""
    return Concern(
        concern_id=f"con_{number}",
        version=version,
        digest=f"{number:064x}",
        accepted_at=NOON - timedelta(seconds=1),
        routing={**copy.deepcopy(ROUTING), **routing},
        sealed=dict(SEALED),
    )


def graph_objects(*changed: Row) -> list[Row]:
    """Alpha tells beta of harm; gamma should know of theft, and no clause lets it; with these objects changed."""
    words = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in small.WORDS.items()]
    bodies = [small.org("alpha"), small.org("beta", small.remit()), small.org("gamma", small.remit("theft"))]
    rows = [*bodies, small.pact(), small.POLICY, *words, *changed]
    return list({object_key(row): row for row in rows}.values())


def bodies_of(objects: Iterable[Mapping[str, Any]]) -> Bodies:
    return {object_key(row): canonical(row) for row in objects}


def replica_of(objects: Iterable[Mapping[str, Any]], version: int = 1) -> Replica:
    """A graph at a version, with its true root."""
    bodies = bodies_of(objects)
    return Replica(Head(version, root_over(bodies)), bodies)


def commit_after(before: Replica, *changed: Row) -> CommitPart:
    """The commit that makes these changes."""
    bodies = bodies_of(changed)
    root = root_over({**before.bodies, **bodies})
    return CommitPart(before.head.version + 1, before.head.root, root, 1, 1, bodies)


def judge_of(replica: Replica, *, memo_bytes_max: int = MEMO_BYTES_MAX) -> Judge:
    """Raises GraphInvalid, like the real one."""
    graph = load([orjson.loads(body) for body in replica.bodies.values()])
    return Judge(Snapshot(graph, replica.head.version, replica.head.root), canonical, memo_bytes_max=memo_bytes_max)


def judging(*changed: Row) -> CurrentJudge:
    """A judge in office over the small graph."""
    current = CurrentJudge()
    current.swap(judge_of(replica_of(graph_objects(*changed))))
    return current


@dataclass(slots=True)
class InMemoryRegistry:
    """A registry that serves one graph, or is away."""

    replica: Replica | None = None
    asked: int = 0

    async def graph(self) -> Replica:
        self.asked += 1
        if self.replica is None:
            raise RegistryUnavailable("away")
        return self.replica

    async def head(self, known: Head) -> Head:  # noqa: ARG002 - the port's
        if self.replica is None:
            raise RegistryUnavailable("away")
        return self.replica.head


@dataclass(slots=True)
class State:
    """Everything that the router stores."""

    head: Head = field(default_factory=Head)
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    parts: list[CommitPart] = field(default_factory=list)
    concerns: dict[tuple[str, int], Concern] = field(default_factory=dict)
    decisions: dict[DecisionKey, DecisionRecord] = field(default_factory=dict)
    notices: dict[tuple[str, int, str, str, str], str] = field(default_factory=dict)
    items: dict[str, WorkItem] = field(default_factory=dict)
    routed: list[ConcernRouted] = field(default_factory=list)
    issued: list[NoticeIssued] = field(default_factory=list)
    facts: list[AuditFact] = field(default_factory=list)
    offered_again: list[DecisionKey] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class InMemoryRouter:
    """A store whose transactions take effect when they end well."""

    state: State = field(default_factory=State)
    moved: bool = False

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator["InMemoryTransaction"]:
        if self.moved:
            raise PositionMoved("router: another consumer has moved on")
        tx = InMemoryTransaction(copy.deepcopy(self.state))
        tx.state.spans += spans
        yield tx
        self.state = tx.state

    async def head(self) -> Head:
        return self.state.head

    async def stored_replica(self) -> Replica:
        return Replica(self.state.head, dict(self.state.bodies))

    async def decision(self, concern_id: str, version: int | None) -> DecisionRecord | None:
        found = [
            record
            for key, record in self.state.decisions.items()
            if key.concern_id == concern_id and version in (None, key.version)
        ]
        return max(found, key=lambda record: (record.key.version, record.key.round), default=None)

    async def told_by(self, decision_id: str) -> dict[str, str]:
        return {n.data.recipient: n.id for n in self.state.issued if n.data.decision_id == decision_id}

    async def routings(self, since: datetime | None, after: RoutingCursor | None, limit: int) -> Sequence[PastRouting]:
        found = sorted(self.state.concerns.values(), key=_place)
        place = (after.received_at, after.concern_id, after.version) if after else None
        return [
            PastRouting(c.concern_id, c.version, c.received_at, canonical(c.routing))
            for c in found
            if (since is None or c.received_at >= since) and (place is None or _place(c) > place)
        ][:limit]

    async def work_items(self, kind: ItemKind | None, after: ItemCursor | None, limit: int) -> Sequence[WorkItem]:
        found = sorted(self.state.items.values(), key=lambda item: (item.opened_at, item.item_id))
        if after is not None:
            found = [i for i in found if (i.opened_at, i.item_id) > (after.opened_at, after.item_id)]
        return [item for item in found if kind in (None, item.kind)][:limit]


@dataclass(slots=True)
class InMemoryTransaction:
    """One transaction on a copy of the state."""

    state: State

    async def record(self, decided: Sequence[Decided]) -> frozenset[str]:
        fresh = [one for one in decided if self._is_new(one.record)]
        for one in fresh:
            self.state.concerns.setdefault((one.concern.concern_id, one.concern.version), one.concern)
            self.state.routed.append(one.routed)
            self.state.facts.append(one.fact)
            self.state.items.update({item.item_id: item for item in one.items})
            self._issue(one.issued)
        return frozenset(one.record.decision_id for one in fresh)

    def _is_new(self, record: DecisionRecord) -> bool:
        return self.state.decisions.setdefault(record.key, record) is record

    def _issue(self, issued: Sequence[NoticeIssued]) -> None:
        for event in issued:
            notice = event.data
            key = (notice.concern_id, notice.version, notice.recipient, notice.kind, notice.ref)
            if self.state.notices.setdefault(key, notice.notice_id) == notice.notice_id:
                self.state.issued.append(event)

    async def offer_again(self, keys: Sequence[DecisionKey]) -> None:
        self.state.offered_again += keys

    async def close(self, notice_ids: Sequence[str]) -> None:
        self.state.closed.update(notice_ids)

    async def replica(self) -> Replica:
        pending = [part for part in self.state.parts if part.version == self.state.head.version + 1]
        return Replica(self.state.head, dict(self.state.bodies), tuple(pending))

    async def follow(self, head: Head, changed: Bodies) -> None:
        self.state.head = head
        self.state.bodies.update(changed)
        self.state.parts.clear()

    async def collect(self, part: CommitPart) -> None:
        self.state.parts.append(part)

    async def replace(self, replica: Replica) -> None:
        self.state.bodies.clear()
        await self.follow(replica.head, replica.bodies)


def _place(concern: Concern) -> tuple[datetime, str, int]:
    return concern.received_at, concern.concern_id, concern.version


def graph_ports(router: InMemoryRouter, registry: InMemoryRegistry) -> GraphPorts:
    """What following the graph needs, in memory."""
    return GraphPorts(begin=router.begin, store=router, registry=registry, make_judge=judge_of)


def one_round_later(decided: Decided) -> Decided:
    """The same decision as a later round of its concern."""
    key = replace(decided.record.key, round=decided.record.key.round + 1)
    return replace(decided, record=replace(decided.record, key=key))


OPERATOR, READER, STRANGER, CASE_SYSTEM = "operator", "alpha-desk", "beta-desk", "alpha-case"
REGISTRY, HALF_REGISTRY = "registry", "reads-all-without-a-role"
_CALLERS = {
    OPERATOR: Principal(
        "op",
        "hq",
        frozenset({"decisions:read", "decisions:preview", "decisions:read-all"}),
        frozenset({"operator"}),
    ),
    REGISTRY: Principal("registry", "hq", frozenset({"decisions:read-all"}), frozenset({"registry"})),
    HALF_REGISTRY: Principal("half", "hq", frozenset({"decisions:read-all"}), frozenset()),
    READER: Principal("a", "alpha", frozenset({"decisions:read", "decisions:preview"}), frozenset()),
    STRANGER: Principal("b", "beta", frozenset({"decisions:read", "decisions:preview"}), frozenset()),
    CASE_SYSTEM: Principal("c", "alpha", frozenset({"concerns:write"}), frozenset()),
}


class KnownCallers(Verifier):
    """Takes the name of a caller for its token."""

    def __init__(self) -> None:
        super().__init__(PublishedKeys([]), audience="concordat", clock=FrozenClock())

    async def principal(self, authorization: str | None) -> Principal:
        name = (authorization or "").removeprefix("Bearer ")
        if name not in _CALLERS:
            raise unauthorised("not known")
        return _CALLERS[name]


class RouterUnderTest:
    """The router's HTTP app on any store, called without a socket by a named caller."""

    def __init__(self, store: DecisionStore, current: CurrentJudge, clock: Clock) -> None:
        telemetry = Telemetry("router", clock=clock)
        routes = APIRouter()
        routes.include_router(DecisionRoutes(store, current, clock).router())
        routes.include_router(RoutingRoutes(store).router())
        edge = Edge(Health(30), telemetry, KnownCallers(), ANSWERS, 65_536)
        app = make_app("router", routes, edge)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://router.test")

    async def get(self, path: str, *, by: str | None = OPERATOR) -> httpx.Response:
        return await self.http.get(path, headers=_bearer(by))

    async def preview(self, body: object, *, by: str = OPERATOR) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post("/v1/decisions/preview", content=content, headers=_bearer(by))


def _bearer(caller: str | None) -> dict[str, str]:
    return {} if caller is None else {"Authorization": f"Bearer {caller}"}
