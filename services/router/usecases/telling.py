"""From a verdict to what is stored and said: the record, the events, the audit fact, the work items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.router.domain.model import ENGINE, Concern, DecisionKey, DecisionRecord, Head, Verdict, WorkItem
from services.router.domain.policy import waiting_for_a_person
from services.router.domain.rounds import Act, Dossier
from services.router.ports import Decided
from shared.agreements import Outcome
from shared.canonical import canonical, digest
from shared.contracts.audit import AuditFact
from shared.contracts.concern import Sealed
from shared.contracts.decision import (
    ConcernRouted,
    RoutedConcern,
    ToldBody,
)
from shared.contracts.envelope import JsonObject
from shared.contracts.notice import Because, Notice, NoticeIssued
from shared.contracts.topics import lane_of
from shared.ids import derived_id, new_id

SOURCE = "/concordat/router"


def decided_of(concern: Concern, verdict: Verdict, graph: Head, now: datetime) -> Decided:
    """Everything that follows from a verdict on a concern, ready for one transaction."""
    return _decided(
        concern, verdict, _record(DecisionKey(concern.concern_id, concern.version), concern, verdict, graph, now), {}
    )


def round_of(dossier: Dossier, act: Act, verdict: Verdict, graph: Head, now: datetime) -> Decided:
    """The same of a later round: who was told before is not told again."""
    concern = dossier.concern
    record = _record(dossier.next_key, concern, verdict, graph, now)
    decided = _decided(concern, verdict, record, dossier.notices)
    said = {**decided.fact.body, "act": _act(act)}
    return replace(decided, fact=decided.fact.model_copy(update={"actor": act.by.principal, "body": said}))


def amended_of(concern: Concern, act: Act, verdict: Verdict, graph: Head, now: datetime) -> Decided:
    """The same of a version that follows another, with the choices that were made before."""
    decided = decided_of(concern, verdict, graph, now)
    fact = decided.fact.model_copy(update={"body": {**decided.fact.body, "act": _act(act)}})
    return replace(decided, fact=fact)


def silenced(decided: Decided) -> Decided:
    """The same on a concern that was recalled before: the decision is kept, nobody is told, and nobody need look."""
    said = {**decided.fact.body, "notices": [], "recalled": True}
    data = decided.routed.data.model_copy(update={"told": []})
    return replace(
        decided,
        items=(),
        issued=(),
        routed=decided.routed.model_copy(update={"data": data}),
        fact=decided.fact.model_copy(update={"body": said}),
    )


def _decided(concern: Concern, verdict: Verdict, record: DecisionRecord, told_before: Mapping[str, str]) -> Decided:
    fresh = (outcome for outcome in verdict.told if outcome.org not in told_before)
    issued = tuple(_issued(concern, outcome, record) for outcome in fresh)
    notices = {**told_before, **{notice.data.recipient: notice.id for notice in issued}}
    return Decided(
        concern=concern,
        record=record,
        items=_items(verdict, record),
        routed=_routed(concern, verdict, record, notices),
        issued=issued,
        fact=_fact(verdict, record, issued),
    )


def _act(act: Act) -> JsonObject:
    """Ids, and digests in place of words."""
    return {
        "kind": act.kind,
        "org": act.by.org,
        "organisations": list(act.organisations),
        "choices": dict(act.choices),
        "request": act.request,
        "routing_digest": None if act.routing is None else digest(canonical(act.routing)),
        "record_digest": None if act.record is None else digest(canonical(act.record)),
    }


def _record(key: DecisionKey, concern: Concern, verdict: Verdict, graph: Head, now: datetime) -> DecisionRecord:
    return DecisionRecord(
        decision_id=new_id("dec"),
        key=key,
        originator=str(concern.routing.get("originator", "")),
        concern_digest=concern.digest,
        digest=digest(verdict.body, graph.root.encode(), concern.digest.encode(), ENGINE.encode()),
        body_digest=verdict.body_digest,
        body=verdict.body,
        graph=graph,
        engine=ENGINE,
        as_of=str(concern.routing.get("received_at", "")),
        decided_at=now,
    )


def _items(verdict: Verdict, record: DecisionRecord) -> tuple[WorkItem, ...]:
    return tuple(
        WorkItem(derived_id("wrk", *_parts(record.key), kind), kind, record.key, codes, bodies, record.decided_at)
        for kind, codes, bodies in waiting_for_a_person(verdict)
    )


def _parts(key: DecisionKey) -> tuple[str, int, int]:
    return key.concern_id, key.version, key.round


def _routed(concern: Concern, verdict: Verdict, record: DecisionRecord, notices: Mapping[str, str]) -> ConcernRouted:
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


def _issued(concern: Concern, outcome: Outcome, record: DecisionRecord) -> NoticeIssued:
    notice_id = new_id("ntc")
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


def _fact(verdict: Verdict, record: DecisionRecord, issued: tuple[NoticeIssued, ...]) -> AuditFact:
    """Digests, ids and counts: enough to replay the decision and to compare, and nothing of the concern itself."""
    return AuditFact(
        fact_id=new_id("fct"),
        kind="decision",
        concern_id=record.key.concern_id,
        at=record.decided_at,
        service="router",
        actor="router",
        body={
            "decision_id": record.decision_id,
            "version": record.key.version,
            "round": record.key.round,
            "digest": record.digest,
            "body_digest": record.body_digest,
            "concern_digest": record.concern_digest,
            "graph": {"version": record.graph.version, "root": record.graph.root},
            "engine": record.engine,
            "notices": [notice.id for notice in issued],
            "totals": dict(verdict.totals),
            "hold": list(verdict.hold),
            "unroutable": verdict.unroutable,
        },
    )
