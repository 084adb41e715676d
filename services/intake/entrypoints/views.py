"""What a reader sees of a concern: where it stands and when what happened; never what it says."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.intake.domain.model import (
    ConcernRecord,
    Decided,
    Entry,
    IdentifierFlag,
    Recall,
    TakenBack,
    Undone,
    VersionRecord,
)
from services.intake.domain.status import TakenBackState, ToldState, progress_of
from shared.contracts.envelope import rfc3339

Row = dict[str, Any]


def link_of(concern_id: str) -> str:
    """Where a concern is read."""
    return f"/v1/concerns/{concern_id}"


def flag_rows(flags: Sequence[IdentifierFlag]) -> list[Row]:
    """Flags as JSON."""
    return [{"pointer": flag.pointer, "scheme": flag.scheme, "fault": flag.fault} for flag in flags]


def list_item(record: ConcernRecord) -> Row:
    """A concern in a list."""
    return {
        "concern_id": record.id,
        "version": record.current.version,
        "originator": record.originator,
        "originator_ref": record.originator_ref,
        "status": progress_of(record).status,
        "accepted_at": rfc3339(record.current.accepted_at),
        "links": {"self": link_of(record.id)},
    }


def whole(record: ConcernRecord) -> Row:
    """A concern with its timeline, in order of time."""
    progress = progress_of(record)
    return {
        **list_item(record),
        "received_at": rfc3339(record.current.received_at),
        "digest": record.current.digest,
        "identifier_flags": flag_rows(record.current.flags),
        "told": [_told_row(row) for row in progress.told],
        "available": list(progress.available),
        "hold": list(progress.hold),
        "versions": [_version_row(version) for version in record.versions],
        "recall": recall_row(record.recall) if record.recall else None,
        "taken_back": [_taken_back_row(row) for row in progress.taken_back],
        "timeline": _timeline(record),
    }


def recall_row(recall: Recall) -> Row:
    """A recall as JSON."""
    return {"reason": recall.reason, "at": rfc3339(recall.at)}


def _version_row(version: VersionRecord) -> Row:
    return {
        "version": version.version,
        "digest": version.digest,
        "accepted_at": rfc3339(version.accepted_at),
        "received_at": rfc3339(version.received_at),
        "identifier_flags": flag_rows(version.flags),
    }


def _taken_back_row(row: TakenBackState) -> Row:
    return {**_notice_row(row.taken_back), "kind": row.kind, "state": row.state, "at": rfc3339(row.at)}


def _notice_row(notice: TakenBack) -> Row:
    return {
        "org": notice.org,
        "notice_id": notice.notice_id,
        "of": notice.of,
        "version": notice.version,
        "reason": notice.reason,
    }


def _told_row(row: ToldState) -> Row:
    told = row.told
    return {
        "org": told.org,
        "notice_id": told.notice_id,
        "reason": told.reason,
        "state": row.state,
        "at": rfc3339(row.at),
    }


def _timeline(record: ConcernRecord) -> list[Row]:
    accepted: Iterable[tuple[datetime, Row]] = ((v.accepted_at, _accepted_row(v)) for v in record.versions)
    happened = ((entry.at, _entry_row(entry)) for entry in record.entries)
    recalled = [(record.recall.at, {"event": "recalled", "reason": record.recall.reason})] if record.recall else []
    rows = sorted((*accepted, *happened, *recalled), key=lambda row: row[0])
    return [{"at": rfc3339(at), **row} for at, row in rows]


def _accepted_row(version: VersionRecord) -> Row:
    return {"event": "accepted", "version": version.version, "identifier_flags": flag_rows(version.flags)}


def _entry_row(entry: Entry) -> Row:
    if isinstance(entry, Decided):
        return {
            "event": _decision_word(entry),
            "version": entry.version,
            "round": entry.round,
            "told": [told.org for told in entry.told],
            "available": list(entry.available),
            "hold": list(entry.hold),
        }
    if isinstance(entry, Undone):
        word = "recall-sent" if entry.kind == "recall" else "withdrawn"
        return {"event": word, "notices": [_notice_row(notice) for notice in entry.notices]}
    row = {
        "event": "accepted-by-recipient" if entry.state == "accepted" else entry.state,
        "version": entry.version,
        "org": entry.recipient,
        "notice_id": entry.notice_id,
        "attempt_no": entry.attempt_no,
    }
    said = {"code": entry.code, "suggested_body": entry.suggested_body}
    return row | {name: value for name, value in said.items() if value}


def _decision_word(decided: Decided) -> str:
    if decided.told or not (decided.hold or decided.unroutable):
        return "routed"
    return "held" if decided.hold else "unroutable"
