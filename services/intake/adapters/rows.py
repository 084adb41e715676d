"""Rows to what they mean, and back."""

from collections.abc import Sequence
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
    Told,
    VersionRecord,
)
from services.intake.ports import Acceptance
from shared.audit import audit_row
from shared.contracts.topics import CONCERNS
from shared.db.outbox import OutboxRow

DECIDED = "decided"


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
    """What closes the announcement of a version."""
    return f"{concern_id}/{version}"


def outbox_rows(acceptance: Acceptance) -> tuple[OutboxRow, OutboxRow]:
    """The announcement, and the audit fact."""
    concern, key = acceptance.concern, acceptance.concern.partition_key
    announcement = OutboxRow(
        acceptance.event.id,
        CONCERNS.name,
        CONCERNS.partition_of(key),
        key,
        acceptance.event.encode(),
        closing_name(concern.id, concern.key.version),
    )
    return announcement, audit_row(acceptance.fact)


def flags_json(concern: Concern) -> str:
    """The flags of a version as they are stored."""
    return orjson.dumps(concern.flags).decode()


def version_of(row: VersionRow) -> VersionRecord:
    """A stored version."""
    flags = tuple(IdentifierFlag(**flag) for flag in row.identifier_flags)
    return VersionRecord(row.version, row.digest, row.accepted_at, row.received_at, flags)


def entry_kind(entry: Entry) -> str:
    """The kind of a timeline row."""
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
    else:
        names = ("round", "told", "available", "hold", "unroutable")
        body = {name: getattr(entry, name) for name in names}
    return orjson.dumps(body).decode()


def entry_of(row: TimelineRow) -> Entry:
    """A stored timeline entry."""
    where = (row.event_id, ConcernId(row.concern_id), row.version, row.at)
    if row.kind != DECIDED:
        return NoticeTurn(*where, state=row.kind, **row.body)
    body = row.body
    told = tuple(Told(**body_told) for body_told in body["told"])
    return Decided(*where, body["round"], told, _texts(body["available"]), _texts(body["hold"]), body["unroutable"])


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(values)
