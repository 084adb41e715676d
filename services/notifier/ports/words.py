"""What is handed over at the ports: rows, pages and results, without behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from services.notifier.domain.acknowledgement import Kept
from services.notifier.domain.model import (
    Attempt,
    Leased,
    NoticeId,
    NoticeState,
    Subject,
)
from shared.contracts.audit import AuditFact
from shared.contracts.outcome import NoticeOutcome

Json = dict[str, Any]
Place = tuple[int, str]
"""A place in an inbox: the transaction that put the notice there, and its id."""


class ReplayState(Enum):
    """Where a replay stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A notice that the ledger has: its id there, and the latest outcome event that was sent for it, if any."""

    notice_id: NoticeId
    subject: Subject
    outcome: bytes | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A settlement with the audit fact that records it."""

    settlement: "Settlement"
    fact: AuditFact | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written for a leased notice: its new state, the attempt, the outcome to be told.

    `due_at` is set where it stays pending. A returned one has no attempt and no outcome.
    """

    notice: Leased
    state: NoticeState
    due_at: datetime | None
    closed_at: datetime | None
    reason: str
    attempt: Attempt | None
    outcome: NoticeOutcome | None
    acknowledge_by: datetime | None = None
    escalate_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FactRecord:
    """An audit fact that came from Kafka, with the exact bytes of its event."""

    fact: AuditFact
    event: bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """Which notices are asked for. `org` narrows to one recipient, `after` is the place of the last one shown."""

    org: str | None
    concern_id: str | None
    state: NoticeState | None
    after: tuple[datetime, str] | None
    row_count_max: int


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice as its recipient may speak of it, with all that was said of it before."""

    notice_id: NoticeId
    subject: Subject
    state: NoticeState
    said: Sequence[Kept]


@dataclass(frozen=True, slots=True)
class Rest:
    """A notice that its recipient asks the rest of. `concern` has its detail still sealed, None where nothing was left
    out; `taken_back` says that the notice was recalled or withdrawn."""

    notice_id: NoticeId
    subject: Subject
    state: NoticeState
    valid_until: datetime | None
    taken_back: bool
    concern: Json | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice in the inbox, with the exact bytes of its message. `inserted_by` is its place beside its id."""

    notice_id: NoticeId
    subject: Subject
    inserted_by: int
    body: bytes
    state: NoticeState
    registered_at: datetime
    acknowledge_by: datetime | None
    acknowledge_within: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A stretch of a recipient's inbox, after a place."""

    recipient: str
    after: Place
    row_count_max: int


@dataclass(frozen=True, slots=True)
class Replay:
    """A job that sends again what a recipient was sent in a stretch of time; `[since, until)`."""

    replay_id: str
    recipient: str
    since: datetime
    until: datetime
    rate_per_minute: int
    state: ReplayState
    total: int
    sent: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A notice that was cancelled, and whether its recipient may know of it."""

    notice_id: NoticeId
    subject: Subject
    told: bool
