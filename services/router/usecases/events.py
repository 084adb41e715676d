"""What a decision says to others, in the words of the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.router.domain.model import Concern, DecisionRecord, Verdict
from shared.agreements import Outcome
from shared.contracts.concern import Sealed
from shared.contracts.decision import ConcernRouted, RoutedConcern, ToldBody
from shared.contracts.notice import Because, Notice, NoticeIssued
from shared.contracts.topics import lane_of

SOURCE = "/concordat/router"


def routed_event(
    concern: Concern, verdict: Verdict, record: DecisionRecord, notices: Mapping[str, str]
) -> ConcernRouted:
    """What the originator's side hears; `notices` has the one of each body that is told."""
    told = [_told(row, notices[row.org]) for row in verdict.told]
    return ConcernRouted(
        id=record.decision_id,
        source=SOURCE,
        time=record.decided_at,
        subject=concern.concern_id,
        traceparent=concern.traceparent,
        data=RoutedConcern(
            decision_id=record.decision_id,
            concern_id=concern.concern_id,
            version=concern.version,
            round=record.key.round,
            digest=record.digest,
            graph_version=record.graph.version,
            graph_root=record.graph.root,
            engine=record.engine,
            decided_at=record.decided_at,
            told=told,
            available=list(verdict.available),
            hold=list(verdict.hold),
            unroutable=verdict.unroutable,
            totals=dict(verdict.totals),
        ),
    )


def _told(outcome: Outcome, notice_id: str) -> ToldBody:
    """With what the body may pass on: intake needs it where another concern is built on this one."""
    given = {name: how for name, how in outcome.fields.items() if how != "omit" and _travels(name, outcome)}
    return ToldBody(
        org=outcome.org, notice_id=notice_id, reason=outcome.reason, onward=outcome.onward or "none", fields=given
    )


def _travels(name: str, outcome: Outcome) -> bool:
    return name == "header" or not outcome.pointer_only


def issued_event(concern: Concern, outcome: Outcome, record: DecisionRecord, notice_id: str) -> NoticeIssued:
    """What the notifier hears for one body."""
    return NoticeIssued(
        id=notice_id,
        source=SOURCE,
        time=record.decided_at,
        subject=concern.concern_id,
        traceparent=concern.traceparent,
        data=Notice(
            notice_id=notice_id,
            decision_id=record.decision_id,
            concern_id=concern.concern_id,
            version=concern.version,
            round=record.key.round,
            kind="tell",
            recipient=outcome.org,
            lane=lane_of(outcome.org),
            reason=outcome.reason,
            graph_version=record.graph.version,
            graph_root=record.graph.root,
            accepted_at=concern.accepted_at,
            routing=dict(concern.routing),
            sealed=Sealed.model_validate(concern.sealed),
            **_terms(outcome),
        ),
    )


def _terms(outcome: Outcome) -> dict[str, Any]:
    """On which terms a body is told. A telling clause always states an onward term; without one nothing goes on."""
    return {
        "because": [Because.model_validate(row.to_json()) for row in outcome.because],
        "fields": outcome.fields,
        "withheld": {row.field: row.by for row in outcome.withheld},
        "pointer_only": outcome.pointer_only,
        "duties": outcome.duties.to_json(),
        "onward": outcome.onward or "none",
        "valid_until": outcome.valid_until,
    }
