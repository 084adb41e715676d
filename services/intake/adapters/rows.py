"""Rows to what they mean, and back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson

from services.intake.domain.model import (
    Concern,
    ConcernId,
    Decided,
    Entry,
    IdentifierFlag,
    NoticeTurn,
    TakenBack,
    Told,
    UndoingKind,
    Undone,
    VersionRecord,
)
from services.intake.ports import Acceptance, Recalling
from shared.audit import audit_row
from shared.contracts.envelope import CloudEvent
from shared.contracts.topics import CONCERNS
from shared.db.outbox import OutboxRow

DECIDED = "decided"
UNDOING_KINDS: Mapping[str, UndoingKind] = {"withdrawal": "withdrawal", "recall": "recall"}


class VersionRow(Protocol):
    """A row of `versions`."""

    version: int
    digest: str
    accepted_at: datetime
    received_at: datetime
    identifier_flags: list[dict[str, Any]]


class TimelineRow(Protocol):
    """A row of `timeline`."""

    event_id: str
    concern_id: str
    version: int
    kind: Any
    at: datetime
    body: dict[str, Any]


def closing_name(concern_id: str, version: int) -> str:
    """What closes the announcement of a step: of a version by its number, of the recall by the number after all."""
    return f"{concern_id}/{version}"


def outbox_rows(acceptance: Acceptance) -> tuple[OutboxRow, OutboxRow]:
    """The announcement, and the audit fact."""
    concern = acceptance.concern
    name = closing_name(concern.id, concern.key.version)
    return _announcement(acceptance.event, concern.partition_key, name), audit_row(acceptance.fact)


def recall_rows(recalling: Recalling) -> tuple[OutboxRow, OutboxRow]:
    """The announcement of a recall, and the audit fact."""
    thread = recalling.thread
    name = closing_name(thread.concern_id, thread.last + 1)
    return _announcement(recalling.event, thread.partition_key, name), audit_row(recalling.fact)


def _announcement(event: CloudEvent, key: str, name: str) -> OutboxRow:
    return OutboxRow(event.id, CONCERNS.name, CONCERNS.partition_of(key), key, event.encode(), name)


def flags_json(concern: Concern) -> str:
    """The flags of a version as they are stored."""
    return orjson.dumps(concern.flags).decode()


def version_of(row: VersionRow) -> VersionRecord:
    """A stored version."""
    flags = tuple(IdentifierFlag(**flag) for flag in row.identifier_flags)
    return VersionRecord(row.version, row.digest, row.accepted_at, row.received_at, flags)


def entry_kind(entry: Entry) -> str:
    """The kind of a timeline row."""
    if isinstance(entry, Undone):
        return entry.kind
    return DECIDED if isinstance(entry, Decided) else entry.state


def entry_body(entry: Entry) -> str:
    """What a timeline row holds beside its own columns, as JSON."""
    if isinstance(entry, NoticeTurn):
        body: dict[str, Any] = {
            "notice_id": entry.notice_id,
            "recipient": entry.recipient,
            "attempt_no": entry.attempt_no,
            "code": entry.code,
            "suggested_body": entry.suggested_body,
        }
    elif isinstance(entry, Undone):
        body = {"notices": entry.notices}
    else:
        names = ("round", "told", "available", "hold", "unroutable")
        body = {name: getattr(entry, name) for name in names}
    return orjson.dumps(body).decode()


def entry_of(row: TimelineRow) -> Entry:
    """A stored timeline entry."""
    where = (row.event_id, ConcernId(row.concern_id), row.version, row.at)
    if row.kind in UNDOING_KINDS:
        return Undone(*where, UNDOING_KINDS[row.kind], tuple(TakenBack(**one) for one in row.body["notices"]))
    if row.kind != DECIDED:
        return NoticeTurn(*where, state=row.kind, **row.body)
    body = row.body
    told = tuple(Told(**body_told) for body_told in body["told"])
    return Decided(*where, body["round"], told, _texts(body["available"]), _texts(body["hold"]), body["unroutable"])


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(values)
