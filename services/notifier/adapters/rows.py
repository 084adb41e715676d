"""Rows to what they mean, and columns of what is written many at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.notifier.domain.model import Subject
from services.notifier.ports import Replay, ReplayState


def columns_of(names: Sequence[str], rows: Sequence[object]) -> dict[str, list[Any]]:
    """These attributes of all rows, as one list each."""
    return {name: [getattr(row, name) for row in rows] for name in names}


def subjects_of(subjects: Sequence[Subject]) -> dict[str, list[Any]]:
    """Subjects as columns."""
    return columns_of(("concern_id", "version", "recipient", "kind", "ref"), subjects)


def subject_of(row: Any) -> Subject:
    """What a row of the ledger is about."""
    return Subject(row.concern_id, row.version, row.recipient, row.kind, row.ref)


def replay_of(row: Mapping[str, Any]) -> Replay:
    """A job."""
    return Replay(
        replay_id=row["replay_id"],
        recipient=row["recipient"],
        since=row["since"],
        until=row["until"],
        rate_per_minute=row["rate_per_minute"],
        state=ReplayState(row["state"]),
        total=row["total"],
        sent=row["sent"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
