"""What a result means for the ledger, for those who wait for an outcome, and for the audit log."""

from datetime import datetime
from typing import assert_never

from services.notifier.domain.model import (
    Attempt,
    Delivered,
    NoticeState,
    Result,
    Retry,
    Returned,
    Stopped,
    Subject,
)
from services.notifier.ports import Settlement
from shared.contracts.audit import AuditFact
from shared.contracts.outcome import ATTEMPT_FAILED, DELIVERED, EXPIRED, NoticeOutcome, Outcome, OutcomeType
from shared.ids import derived_id


def settlement_of(result: Result) -> Settlement:
    """What a result means for the ledger and for those who wait for an outcome."""
    notice, at, attempt = result.notice, result.at, result.attempt
    state, due_at, reason, kind = NoticeState.PENDING, None, "", None
    match result.verdict:
        case Delivered():
            state, kind = NoticeState.DELIVERED, DELIVERED
        case Retry(due, detail):
            due_at, reason, kind = due, detail, ATTEMPT_FAILED
        case Stopped(why):
            state, reason, kind = NoticeState.EXPIRED, why, EXPIRED
        case Returned():
            due_at = at
        case _:
            assert_never(result.verdict)
    outcome = (
        outcome_of(kind, (notice.notice_id, notice.subject), at=at, attempt=attempt, detail=reason) if kind else None
    )
    closed_at = at if due_at is None else None
    return Settlement(notice, state, due_at, closed_at, reason, attempt, outcome)


def outcome_of(
    kind: OutcomeType,
    named: tuple[str, Subject],
    *,
    at: datetime,
    attempt: Attempt | None = None,
    detail: str = "",
) -> NoticeOutcome:
    """The event of an outcome of a notice, named by its id and subject; the same outcome always has the same id."""
    (notice_id, subject), attempt_no = named, attempt.attempt_no if attempt else 0
    return NoticeOutcome(
        id=derived_id("evt", kind, notice_id, attempt_no),
        source="/concordat/notifier",
        type=kind,
        time=at,
        subject=subject.concern_id,
        data=Outcome(
            notice_id=notice_id,
            concern_id=subject.concern_id,
            version=subject.version,
            recipient=subject.recipient,
            at=at,
            attempt_no=attempt_no,
            status=attempt.answer.status if attempt else None,
            detail=detail,
        ),
    )


def fact_of(result: Result) -> AuditFact:
    """The audit fact of an attempt, or of its absence: ids, digests and codes alone."""
    notice, attempt = result.notice, result.attempt
    body = {
        "notice_id": notice.notice_id,
        "webhook_id": notice.notice_id,
        "version": notice.subject.version,
        "recipient": notice.subject.recipient,
        "body_digest": notice.body_digest,
        "verdict": type(result.verdict).__name__.lower(),
    }
    if isinstance(result.verdict, Stopped):
        body["reason"] = result.verdict.reason
    if attempt:
        body |= {"attempt_no": attempt.attempt_no, "endpoint_id": attempt.endpoint_id, "status": attempt.answer.status}
    return AuditFact(
        fact_id=derived_id("fct", "delivery-attempt", notice.notice_id, attempt.attempt_no if attempt else "stopped"),
        kind="delivery-attempt",
        concern_id=notice.subject.concern_id,
        at=result.at,
        service="notifier",
        actor="notifier",
        body=body,
    )
