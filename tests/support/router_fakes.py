"""The router's ports in memory, a small graph, and concerns; the conformance suite holds the store to Postgres."""

import copy
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.router.domain.errors import RegistryUnavailable
from services.router.domain.model import (
    Concern,
    DecisionKey,
    DecisionRecord,
    Head,
    ItemCursor,
    ItemEvent,
    ItemQuery,
    PastRouting,
    RoutingCursor,
    StaleHold,
    WorkItem,
)
from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.replica import Bodies, CommitPart, Replica
from services.router.domain.rounds import Dossier, Opened, PastDecision, resolved_by
from services.router.domain.undoing import Settled, ToldNotice
from services.router.ports import Decided, Undoing
from services.router.usecases import GraphPorts
from services.router.usecases.graph import root_over
from shared.agreements import Snapshot, load
from shared.canonical import canonical
from shared.contracts.audit import AuditFact
from shared.contracts.decision import ConcernRouted, ConcernUndone
from shared.contracts.notice import NoticeIssued
from shared.faults import PositionMoved
from shared.graphroot import object_key
from shared.ids import derived_id
from shared.records import Span
from tests.rules import small
from tests.support.clock import NOON
from tests.support.router_correlating import CorrelationPart, Sightings
from tests.support.router_state import State, round_number

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
class InMemoryRouter(Sightings):
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

    async def record(self, decided: Sequence[Decided], spans: Sequence[Span]) -> frozenset[str]:
        async with self.begin(spans) as tx:
            return await tx.record(decided)

    async def head(self) -> Head:
        return self.state.head

    async def stored_replica(self) -> Replica:
        return Replica(self.state.head, dict(self.state.bodies))

    async def decision(self, concern_id: str, version: int | None) -> DecisionRecord | None:
        return self.state.newest(concern_id, version)

    async def is_raised_by(self, concern_id: str, org: str) -> bool:
        return self.state.is_raised_by(concern_id, org)

    async def told_by(self, key: DecisionKey) -> dict[str, str]:
        return self.state.told_of(key.concern_id, key.version)

    async def told_of(self, concern_id: str, org: str) -> DecisionKey | None:
        found = (t for t in self.state.told() if t.settled != "withdrawn")
        versions = [t.version for t in found if (t.concern_id, t.recipient) == (concern_id, org)]
        return DecisionKey(concern_id, max(versions)) if versions else None

    async def past_decisions(self, after: str, limit: int) -> Sequence[PastDecision]:
        records = sorted(self.state.decisions.values(), key=lambda record: record.decision_id)
        return [self.state.past_of(record) for record in records if record.decision_id > after][:limit]

    async def routings(self, since: datetime | None, after: RoutingCursor | None, limit: int) -> Sequence[PastRouting]:
        found = sorted(self.state.concerns.values(), key=_place)
        place = (after.received_at, after.concern_id, after.version) if after else None
        return [
            PastRouting(c.concern_id, c.version, c.received_at, canonical(self.state.routing_of(c)))
            for c in found
            if (since is None or c.received_at >= since) and (place is None or _place(c) > place)
        ][:limit]

    async def work_items(self, query: ItemQuery) -> Sequence[WorkItem]:
        states = ("open", "waiting") if query.state is None else (query.state,)
        return [
            item
            for item in self._items_behind(query.after)
            if item.state(query.now) in states and query.kind in (None, item.kind)
        ][: query.limit]

    async def work_item(self, item_id: str) -> tuple[WorkItem, Sequence[ItemEvent]] | None:
        item = self.state.items.get(item_id)
        return (item, self.state.events_of(item_id)) if item else None

    async def stale_holds(self, after: ItemCursor | None, limit: int) -> Sequence[StaleHold]:
        return [
            StaleHold(item.key.concern_id, item.key.version, ItemCursor(item.opened_at, item.item_id))
            for item in self._items_behind(after)
            if item.resolution is None and "HOLD_STALE_GRAPH" in item.codes
        ][:limit]

    def _items_behind(self, after: ItemCursor | None) -> list[WorkItem]:
        found = sorted(self.state.items.values(), key=lambda item: (item.opened_at, item.item_id))
        return [i for i in found if after is None or (i.opened_at, i.item_id) > (after.opened_at, after.item_id)]


@dataclass(slots=True)
class InMemoryTransaction(CorrelationPart):
    """One transaction on a copy of the state."""

    state: State

    async def record(self, decided: Sequence[Decided]) -> frozenset[str]:
        fresh = [one for one in decided if self._is_new(one.record)]
        for one in fresh:
            self.state.concerns.setdefault((one.concern.concern_id, one.concern.version), one.concern)
            self.state.routed.append(ConcernRouted.model_validate_json(one.routed))
            self.state.facts.append(one.fact)
            self.state.items.update({item.item_id: item for item in one.items})
            self._issue([NoticeIssued.model_validate_json(notice.value) for notice in one.issued])
        return frozenset(one.record.decision_id for one in fresh)

    def _is_new(self, record: DecisionRecord) -> bool:
        return self.state.decisions.setdefault(record.key, record) is record

    def _issue(self, issued: Sequence[NoticeIssued]) -> None:
        for event in issued:
            notice = event.data
            key = (notice.concern_id, notice.version, notice.recipient, notice.kind, notice.ref)
            if key not in self.state.notices:
                self.state.notices[key] = notice.notice_id
                self.state.issued.append(event)

    async def open_round(self, decided: Decided, opened: Opened, ended: Sequence[WorkItem]) -> bool:
        if not await self.record([decided]):
            return False
        self.state.opened[opened.key] = opened
        for item in ended:
            self.state.items[item.item_id] = item
            self.state.item_events.append((item.item_id, resolved_by(item, opened)))
        return True

    async def dossier(self, concern_id: str, version: int | None) -> Dossier | None:
        newest = self.state.newest(concern_id, version)
        if newest is None:
            return None
        place = (newest.key.concern_id, newest.key.version)
        items = [i for i in self.state.items.values() if (i.key.concern_id, i.key.version) == place]
        acts = sorted(
            (o for o in self.state.opened.values() if (o.key.concern_id, o.key.version) == place), key=round_number
        )
        standing = sorted((i for i in items if i.resolution is None), key=lambda i: (i.opened_at, i.item_id))
        told = self.state.told_of(*place)
        recalled = concern_id in self.state.recalls
        taken_back = frozenset(org for org, name in told.items() if self.state.settled.get(name) == "withdrawn")
        return Dossier(self.state.concerns[place], newest, tuple(acts), told, tuple(standing), recalled, taken_back)

    async def is_raised_by(self, concern_id: str, org: str) -> bool:
        return self.state.is_raised_by(concern_id, org)

    async def knows_of(self, concern_id: str, org: str) -> bool:
        told = (t for t in self.state.told() if (t.concern_id, t.recipient) == (concern_id, org))
        return self.state.is_raised_by(concern_id, org) or any(t.settled != "withdrawn" for t in told)

    async def lock_item(self, item_id: str) -> WorkItem | None:
        return self.state.items.get(item_id)

    async def item_events(self, item_id: str) -> Sequence[ItemEvent]:
        return self.state.events_of(item_id)

    async def note(self, item: WorkItem, event: ItemEvent, fact: AuditFact) -> None:
        self.state.items[item.item_id] = item
        self.state.item_events.append((item.item_id, event))
        self.state.facts.append(fact)

    async def offer_again(self, keys: Sequence[DecisionKey]) -> None:
        self.state.offered_again += keys

    async def close(self, notice_ids: Sequence[str]) -> None:
        self.state.closed.update(notice_ids)

    async def settle(self, settled: Mapping[str, Settled]) -> None:
        for name, how in settled.items():
            self.state.settled.setdefault(name, how)

    async def unsettled(self, version: int, now: datetime, limit: int) -> Sequence[ToldNotice]:
        found = [told for told in self.state.told() if told.settled is None]
        unchecked = sorted(
            (told for told in found if self.state.check_of(told.notice_id)[0] < version),
            key=lambda told: self.state.check_of(told.notice_id)[0],
        )[:limit]
        ending = [told for told in found if (at := self.state.check_of(told.notice_id)[1]) is not None and at <= now]
        return list({told.notice_id: told for told in [*unchecked, *ending[:limit]]}.values())

    async def checked(self, notice_id: str, version: int, withdraw_at: datetime | None) -> None:
        self.state.checks[notice_id] = (version, withdraw_at)

    async def told_before(self, concern_id: str, version: int) -> Sequence[ToldNotice]:
        return sorted(
            (
                t
                for t in self.state.told()
                if t.concern_id == concern_id and t.version < version and t.settled != "withdrawn"
            ),
            key=lambda told: (told.version, told.recipient),
        )

    async def undo(self, undoing: Undoing) -> bool:
        if undoing.issued.id in self.state.notices.values():
            return False
        self._issue([undoing.issued])
        self.state.settled[undoing.issued.data.ref] = "withdrawn"
        self.state.facts.append(undoing.fact)
        return True

    async def say_undone(self, event: ConcernUndone) -> None:
        said = next((one for one in self.state.undone if one.id == event.id), event)
        self.state.undone.append(said)

    async def keep_recall(self, concern_id: str, reason: str, at: datetime) -> None:  # noqa: ARG002 - the port's
        self.state.recalls.setdefault(concern_id, reason)

    async def recalled_among(self, concern_ids: Sequence[str]) -> Mapping[str, str]:
        return {name: self.state.recalls[name] for name in concern_ids if name in self.state.recalls}

    async def supersede(self, concern_id: str, version: int, at: datetime) -> None:
        body = {"resolution": "superseded", "by_version": version}
        for item in list(self.state.items.values()):
            if item.key.concern_id == concern_id and item.key.version < version and _can_end(item):
                self.state.items[item.item_id] = replace(item, resolution="superseded", resolved_at=at)
                self.state.item_events.append((item.item_id, ItemEvent("resolved", at, "router", body)))

    async def say(self, facts: Sequence[AuditFact]) -> None:
        self.state.facts += facts

    async def open_item(self, item: WorkItem) -> None:
        self.state.items.setdefault(item.item_id, item)

    async def overdue_items(self, now: datetime, limit: int) -> Sequence[WorkItem]:
        said = {name for name, event in self.state.item_events if event.event == "overdue"}
        found = [i for i in self.state.items.values() if i.is_overdue(now) and i.item_id not in said]
        return sorted(found, key=lambda item: item.due_at or now)[:limit]

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


def _can_end(item: WorkItem) -> bool:
    return item.resolution is None and item.kind not in ("correlation", "emergency")


def _stands_before(version: int, told: ToldNotice) -> bool:
    return told.version < version and told.settled != "withdrawn"


def _place(concern: Concern) -> tuple[datetime, str, int]:
    return concern.received_at, concern.concern_id, concern.version


def graph_ports(router: InMemoryRouter, registry: InMemoryRegistry) -> GraphPorts:
    """What following the graph needs, in memory."""
    return GraphPorts(begin=router.begin, store=router, registry=registry, make_judge=judge_of)


def one_round_later(decided: Decided) -> Decided:
    """The same decision as a later round of its concern."""
    record, fact = decided.record, decided.fact
    name, key = derived_id("dec", record.decision_id, "later"), replace(record.key, round=record.key.round + 1)
    event = ConcernRouted.model_validate_json(decided.routed).model_copy(update={"id": name})
    return replace(
        decided,
        record=replace(record, key=key, decision_id=name),
        routed=event.encode(),
        fact=fact.model_copy(update={"fact_id": derived_id("fct", name)}),
    )
