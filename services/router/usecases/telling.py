"""From a verdict to what is stored and said: the record, the events, the audit fact, the work items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import orjson

from services.router.domain.model import ENGINE, Concern, DecisionKey, DecisionRecord, Head, Verdict, WorkItem
from services.router.domain.policy import waiting_for_a_person
from services.router.domain.rounds import Act, Dossier
from services.router.ports import Decided, IssuedNotice
from services.router.usecases.wording import NoticeForm, Values, told_place, values_of, wording_of
from shared.canonical import canonical, digest
from shared.contracts.audit import AuditFact
from shared.contracts.decision import ConcernRouted
from shared.contracts.envelope import JsonObject
from shared.ids import derived_id


def decided_of(concern: Concern, verdict: Verdict, graph: Head, now: datetime) -> Decided:
    """Everything that follows from a verdict on a concern, ready for one transaction."""
    return _decided(
        concern, verdict, _record(DecisionKey(concern.concern_id, concern.version), concern, verdict, graph, now), {}
    )


def round_of(dossier: Dossier, act: Act, verdict: Verdict, graph: Head, now: datetime) -> Decided:
    """The same of a later round: who was told before is not told again."""
    concern = dossier.concern
    record = _record(dossier.next_key, concern, verdict, graph, now)
    return _acted(_decided(concern, verdict, record, dossier.notices), act, act.by.principal)


def amended_of(concern: Concern, act: Act, verdict: Verdict, graph: Head, now: datetime) -> Decided:
    """The same of a version that follows another, with the choices that were made before."""
    decided = decided_of(concern, verdict, graph, now)
    return _acted(decided, act, decided.fact.actor)


def silenced(decided: Decided) -> Decided:
    """The same on a concern that was recalled before: the decision is kept, nobody is told, and nobody need look."""
    said = {"notices": [], "recalled": True}
    event = ConcernRouted.model_validate_json(decided.routed)
    data = event.data.model_copy(update={"told": []})
    return replace(
        decided,
        items=(),
        told={},
        issued=(),
        routed=event.model_copy(update={"data": data}).encode(),
        fact=_also(decided.fact, said, decided.fact.actor),
    )


def _decided(concern: Concern, verdict: Verdict, record: DecisionRecord, told_before: Mapping[str, str]) -> Decided:
    wording, values = wording_of(concern, verdict, record), values_of(concern, record)
    fresh = (notice for notice in wording.notices if notice.recipient not in told_before)
    issued = tuple(_issued(notice, concern, values) for notice in fresh)
    known = {**told_before, **{notice.recipient: notice.notice_id for notice in issued}}
    told = {outcome.org: known[outcome.org] for outcome in verdict.told}
    values.update((told_place(place), orjson.dumps(name)) for place, name in enumerate(told.values()))
    return Decided(
        concern=concern,
        record=record,
        items=_items(verdict, record),
        told=told,
        routed=wording.routed.filled(values),
        issued=issued,
        fact=_fact(verdict, record, issued),
    )


def _issued(notice: NoticeForm, concern: Concern, values: Values) -> IssuedNotice:
    """By its key: a body is told of a version once, by whatever round and graph, and by a restored router too (ADR 33).

    The digest keeps the id from those who know the concern, and apart from another content under the same version.
    """
    notice_id = derived_id("ntc", "tell", concern.concern_id, concern.version, concern.digest, notice.recipient)
    written = notice.form.filled({**values, b"notice": orjson.dumps(notice_id)})
    return IssuedNotice(notice_id, notice.recipient, notice.lane, written)


def _acted(decided: Decided, act: Act, actor: str) -> Decided:
    return replace(decided, fact=_also(decided.fact, {"act": _act(act)}, actor))


def _also(fact: AuditFact, said: JsonObject, actor: str) -> AuditFact:
    """The fact with more said in it, which makes it another one."""
    name = derived_id("fct", fact.fact_id, actor, digest(canonical(said)))
    return fact.model_copy(update={"fact_id": name, "actor": actor, "body": {**fact.body, **said}})


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
    decided = digest(verdict.body, graph.root.encode(), concern.digest.encode(), ENGINE.encode())
    return DecisionRecord(
        decision_id=derived_id("dec", *_parts(key), decided),
        key=key,
        originator=str(concern.routing.get("originator", "")),
        concern_digest=concern.digest,
        digest=decided,
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


def _fact(verdict: Verdict, record: DecisionRecord, issued: tuple[IssuedNotice, ...]) -> AuditFact:
    """Digests, ids and counts: enough to replay the decision and to compare, and nothing of the concern itself."""
    return AuditFact(
        fact_id=derived_id("fct", record.decision_id),
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
            "notices": [notice.notice_id for notice in issued],
            "totals": dict(verdict.totals),
            "hold": list(verdict.hold),
            "unroutable": verdict.unroutable,
        },
    )
