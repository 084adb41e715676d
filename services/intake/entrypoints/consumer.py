"""What the router and the notifier say, in intake's words."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from pydantic import TypeAdapter

from services.intake.domain.model import (
    ConcernId,
    Decided,
    Entry,
    NoticeState,
    NoticeTurn,
    TakenBack,
    Told,
    Undone,
)
from shared.contracts.decision import ConcernRouted, ConcernUndone, DecisionEvent
from shared.contracts.outcome import (
    ACCEPTED,
    ACKNOWLEDGED,
    ATTEMPT_FAILED,
    CANCELLED,
    DELIVERED,
    ESCALATED,
    EXPIRED,
    REFUSED,
    REGISTERED,
    USED,
    NoticeOutcome,
    OutcomeType,
)
from shared.records import Batch, Span
from shared.telemetry import Telemetry

STATES: Mapping[OutcomeType, NoticeState] = {
    REGISTERED: "registered",
    ATTEMPT_FAILED: "attempt-failed",
    DELIVERED: "delivered",
    EXPIRED: "expired",
    ACKNOWLEDGED: "acknowledged",
    ACCEPTED: "accepted",
    REFUSED: "refused",
    USED: "used",
    ESCALATED: "escalated",
    CANCELLED: "cancelled",
}


_DECISIONS: TypeAdapter[ConcernRouted | ConcernUndone] = TypeAdapter(DecisionEvent)


def decision_event(raw: bytes) -> ConcernRouted | ConcernUndone:
    """What lies in the topic of decisions. Raises ValidationError."""
    return _DECISIONS.validate_json(raw)


class NoteDecisions(Protocol):
    """The use case behind `concordat.decisions.v1`."""

    async def __call__(self, decisions: Sequence[Decided | Undone], spans: Sequence[Span]) -> None:
        """Raises StoreUnavailable, PositionMoved."""
        ...


class NoteOutcomes(Protocol):
    """The use case behind `concordat.outcomes.v1`."""

    async def __call__(self, outcomes: Sequence[Entry], spans: Sequence[Span]) -> None:
        """Raises StoreUnavailable, PositionMoved."""
        ...


def decisions_handler(
    note: NoteDecisions, telemetry: Telemetry
) -> Callable[[Batch[ConcernRouted | ConcernUndone]], Awaitable[None]]:
    """Handles batches of decisions."""

    async def handle(batch: Batch[ConcernRouted | ConcernUndone]) -> None:
        with telemetry.unit("decisions.noted", items=len(batch.events)):
            await note([_said(event) for event in batch.events], batch.spans)

    return handle


def outcomes_handler(note: NoteOutcomes, telemetry: Telemetry) -> Callable[[Batch[NoticeOutcome]], Awaitable[None]]:
    """Handles batches of outcomes."""

    async def handle(batch: Batch[NoticeOutcome]) -> None:
        with telemetry.unit("outcomes.noted", items=len(batch.events)):
            await note([turn(event) for event in batch.events], batch.spans)

    return handle


def _said(event: ConcernRouted | ConcernUndone) -> Decided | Undone:
    return decided(event) if isinstance(event, ConcernRouted) else undone(event)


def undone(event: ConcernUndone) -> Undone:
    """What the router took back, in intake's words."""
    data = event.data
    return Undone(
        event_id=event.id,
        concern_id=ConcernId(data.concern_id),
        version=max((notice.version for notice in data.notices), default=0),
        at=data.undone_at,
        kind=data.kind,
        notices=tuple(TakenBack(n.org, n.notice_id, n.of, n.version, n.reason) for n in data.notices),
    )


def decided(event: ConcernRouted) -> Decided:
    """A decision, in intake's words."""
    data = event.data
    return Decided(
        event_id=event.id,
        concern_id=ConcernId(data.concern_id),
        version=data.version,
        at=data.decided_at,
        round=data.round,
        told=tuple(Told(b.org, b.notice_id, b.reason, b.onward or "none", b.fields or {}) for b in data.told),
        available=tuple(data.available),
        hold=tuple(data.hold),
        unroutable=data.unroutable,
    )


def turn(event: NoticeOutcome) -> NoticeTurn:
    """What became of a notice, in intake's words; the cause of a failure stays with the notifier."""
    data = event.data
    return NoticeTurn(
        event_id=event.id,
        concern_id=ConcernId(data.concern_id),
        version=data.version,
        at=data.at,
        notice_id=data.notice_id,
        recipient=data.recipient,
        state=STATES[event.type],
        attempt_no=data.attempt_no,
        code=data.reason or data.used_for or data.step or "",
        suggested_body=data.suggested_body or "",
    )
