"""Between the router's words and the rows of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from services.router.domain.model import Concern, DecisionKey, DecisionRecord, Head, PastRouting, WorkItem
from services.router.domain.replica import CommitPart
from services.router.ports import Decided
from shared.audit import audit_row
from shared.canonical import canonical
from shared.contracts.topics import DECISIONS, NOTICES
from shared.db.outbox import OutboxRow


def rows_for_kafka(decided: Decided) -> list[OutboxRow]:
    """What one decision says: to the originator's side, to the notifier for each body, to the audit log."""
    record = decided.record
    concern_id = record.key.concern_id
    return [
        OutboxRow(record.decision_id, DECISIONS.name, DECISIONS.partition_of(concern_id), concern_id, decided.routed),
        *(
            OutboxRow(one.notice_id, NOTICES.name, one.lane, one.recipient, one.value, one.notice_id)
            for one in decided.issued
        ),
        audit_row(decided.fact),
    ]


def columns_of(decided: Sequence[Decided], rows: Sequence[tuple[str, OutboxRow]]) -> dict[str, Any]:
    """The arrays of `statements.RECORD`, all but the bodies."""
    return {
        **_decision_columns([one.record for one in decided]),
        **_concern_columns([one.concern for one in decided]),
        **_notice_columns(decided),
        **_item_columns([(one.record.decision_id, item) for one in decided for item in one.items]),
        **_event_columns(rows),
    }


def _decision_columns(records: Sequence[DecisionRecord]) -> dict[str, Any]:
    return {
        "decision_ids": [r.decision_id for r in records],
        "concern_ids": [r.key.concern_id for r in records],
        "versions": [r.key.version for r in records],
        "rounds": [r.key.round for r in records],
        "originators": [r.originator for r in records],
        "concern_digests": [r.concern_digest for r in records],
        "digests": [r.digest for r in records],
        "decision_body_digests": [r.body_digest for r in records],
        "graph_versions": [r.graph.version for r in records],
        "graph_roots": [r.graph.root for r in records],
        "engines": [r.engine for r in records],
        "as_ofs": [r.as_of for r in records],
        "decided_ats": [r.decided_at for r in records],
    }


def _concern_columns(concerns: Sequence[Concern]) -> dict[str, Any]:
    return {
        "received_ats": [concern.received_at for concern in concerns],
        "accepted_ats": [concern.accepted_at for concern in concerns],
        "routings": [canonical(concern.routing) for concern in concerns],
        "sealeds": [canonical(concern.sealed) for concern in concerns],
        "traceparents": [concern.traceparent for concern in concerns],
    }


def _notice_columns(decided: Sequence[Decided]) -> dict[str, Any]:
    notices = [(one.record, notice) for one in decided for notice in one.issued]
    return {
        "notice_ids": [notice.notice_id for _, notice in notices],
        "notice_decision_ids": [record.decision_id for record, _ in notices],
        "notice_concern_ids": [record.key.concern_id for record, _ in notices],
        "notice_versions": [record.key.version for record, _ in notices],
        "recipients": [notice.recipient for _, notice in notices],
        "notice_graphs": [record.graph.version for record, _ in notices],
    }


def _item_columns(items: Sequence[tuple[str, WorkItem]]) -> dict[str, Any]:
    return {
        "item_ids": [item.item_id for _, item in items],
        "item_decision_ids": [decision_id for decision_id, _ in items],
        "item_kinds": [item.kind for _, item in items],
        "item_concern_ids": [item.key.concern_id for _, item in items],
        "item_versions": [item.key.version for _, item in items],
        "item_rounds": [item.key.round for _, item in items],
        "item_codes": [orjson.dumps(item.codes).decode() for _, item in items],
        "item_bodies": [orjson.dumps(item.bodies).decode() for _, item in items],
        "item_opened_ats": [item.opened_at for _, item in items],
        "item_owners": [item.owner for _, item in items],
    }


def _event_columns(rows: Sequence[tuple[str, OutboxRow]]) -> dict[str, Any]:
    return {
        "event_ids": [row.event_id for _, row in rows],
        "event_decision_ids": [decision_id for decision_id, _ in rows],
        "topics": [row.topic for _, row in rows],
        "partitions": [row.partition for _, row in rows],
        "keys": [row.key for _, row in rows],
        "event_values": [row.value for _, row in rows],
        "closes": [row.closes_with for _, row in rows],
    }


def record_of(row: Row[Any]) -> DecisionRecord:
    """A decision from a row of `statements.DECISION`."""
    return DecisionRecord(
        decision_id=row.decision_id,
        key=DecisionKey(row.concern_id, row.version, row.round),
        originator=row.originator,
        concern_digest=row.concern_digest,
        digest=row.digest,
        body_digest=row.body_digest,
        body=row.body,
        graph=Head(row.graph_version, row.graph_root),
        engine=row.engine,
        as_of=row.as_of,
        decided_at=row.decided_at,
    )


def past_routing_of(row: Row[Any]) -> PastRouting:
    """A past routing from a row of `statements.ROUTINGS`."""
    return PastRouting(row.concern_id, row.version, row.received_at, row.routing)


def part_of(row: Row[Any]) -> CommitPart:
    """A part of a commit from a row of `statements.PARTS`."""
    bodies = dict(zip(zip(row.kinds, row.ids, strict=True), row.bodies, strict=True))
    return CommitPart(row.version, row.parent_root, row.root, row.part, row.parts, bodies)


def row_of_part(part: CommitPart) -> dict[str, Any]:
    """The parameters of `statements.KEEP_PART`."""
    keys = sorted(part.bodies)
    return {
        "version": part.version,
        "part": part.part,
        "parts": part.parts,
        "parent_root": part.parent_root,
        "root": part.root,
        "kinds": [kind for kind, _ in keys],
        "ids": [name for _, name in keys],
        "bodies": [part.bodies[key] for key in keys],
    }
