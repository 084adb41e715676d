"""Everything that the router stores, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.router.domain.convening import PanelEvent
from services.router.domain.correlation import Sighting, Token
from services.router.domain.model import Concern, DecisionKey, DecisionRecord, Head, ItemEvent, WorkItem
from services.router.domain.replica import CommitPart
from services.router.domain.rounds import Opened, PastDecision
from services.router.domain.undoing import Settled, ToldNotice
from shared.contracts.audit import AuditFact
from shared.contracts.decision import ConcernRouted, ConcernUndone
from shared.contracts.notice import NoticeIssued
from shared.records import Span


def round_number(opened: Opened) -> int:
    return opened.key.round


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
    undone: list[ConcernUndone] = field(default_factory=list)
    issued: list[NoticeIssued] = field(default_factory=list)
    facts: list[AuditFact] = field(default_factory=list)
    offered_again: list[DecisionKey] = field(default_factory=list)
    opened: dict[DecisionKey, Opened] = field(default_factory=dict)
    item_events: list[tuple[str, ItemEvent]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    settled: dict[str, Settled] = field(default_factory=dict)
    checks: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)
    recalls: dict[str, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    followed: set[tuple[str, int]] = field(default_factory=set)
    sightings: dict[tuple[Token, str], Sighting] = field(default_factory=dict)
    panels: dict[tuple[str, int], PanelEvent] = field(default_factory=dict)
    said_overdue: set[tuple[str, int]] = field(default_factory=set)
    suggestions: list[tuple[Token, str]] = field(default_factory=list)

    def newest(self, concern_id: str, version: int | None) -> DecisionRecord | None:
        found = [
            record
            for key, record in self.decisions.items()
            if key.concern_id == concern_id and version in (None, key.version)
        ]
        return max(found, key=lambda record: (record.key.version, record.key.round), default=None)

    def is_raised_by(self, concern_id: str, org: str) -> bool:
        return any((k.concern_id, r.originator) == (concern_id, org) for k, r in self.decisions.items())

    def told_of(self, concern_id: str, version: int) -> dict[str, str]:
        return {
            recipient: notice
            for (concern, number, recipient, kind, _), notice in self.notices.items()
            if (concern, number, kind) == (concern_id, version, "tell")
        }

    def past_of(self, record: DecisionRecord) -> PastDecision:
        concern = self.concerns[record.key.concern_id, record.key.version]
        acts = [self.opened.get(replace(record.key, round=n)) for n in range(1, record.key.round + 1)]
        routings = [one.act.routing for one in acts if one and one.act.routing is not None]
        choices = acts[-1].act.choices if acts[-1] else {}
        return PastDecision(record, replace(concern, routing=routings[-1] if routings else concern.routing), choices)

    def routing_of(self, concern: Concern) -> Mapping[str, Any]:
        place = (concern.concern_id, concern.version)
        acts = sorted((o for o in self.opened.values() if (o.key.concern_id, o.key.version) == place), key=round_number)
        routings = [one.act.routing for one in acts if one.act.routing is not None]
        return routings[-1] if routings else concern.routing

    def told(self) -> list[ToldNotice]:
        return [
            ToldNotice(name, concern_id, version, recipient, self.settled.get(name))
            for (concern_id, version, recipient, kind, _), name in self.notices.items()
            if kind == "tell"
        ]

    def check_of(self, notice_id: str) -> tuple[int, datetime | None]:
        graphs = {event.id: event.data.graph_version for event in self.issued}
        return self.checks.get(notice_id, (graphs[notice_id], None))

    def events_of(self, item_id: str) -> list[ItemEvent]:
        return [event for name, event in self.item_events if name == item_id]
