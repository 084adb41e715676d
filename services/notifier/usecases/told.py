"""What a result means for the ledger, for those who wait for an outcome, and for the audit log."""

from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from services.notifier.domain.escalation import deadline_of, look_after_delivery_at
from services.notifier.domain.model import (
    ISSUED_KINDS,
    Attempt,
    Delivered,
    NoticeState,
    Result,
    Retry,
    Returned,
    Stopped,
    Subject,
)
from services.notifier.domain.policy import UNDELIVERED
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
            state = NoticeState.EXPIRED_UNDELIVERED if why == UNDELIVERED else NoticeState.EXPIRED
            reason, kind = why, EXPIRED
        case Returned():
            due_at = at
        case _:
            assert_never(result.verdict)
    outcome = None
    if kind and notice.subject.kind in ISSUED_KINDS:
        outcome = outcome_of(kind, (notice.notice_id, notice.subject), at=at, attempt=attempt, detail=reason)
    closed_at = at if due_at is None else None
    settlement = Settlement(notice, state, due_at, closed_at, reason, attempt, outcome)
    return settlement if state is not NoticeState.DELIVERED else _with_clock(settlement, at)


def _with_clock(settlement: Settlement, at: datetime) -> Settlement:
    """A 2xx is not a person: the clock for one starts."""
    within = settlement.notice.acknowledge_within
    by, look = deadline_of(at, within), look_after_delivery_at(at, within)
    return replace(settlement, acknowledge_by=by, escalate_at=look)


def outcome_of(
    kind: OutcomeType,
    named: tuple[str, Subject],
    *,
    at: datetime,
    attempt: Attempt | None = None,
    detail: str = "",
    **codes: Any,
) -> NoticeOutcome:
    """The event of an outcome of a notice, named by its id and subject; the same outcome always has the same id.

    `codes` are the further fields of `Outcome`; those of them that tell two outcomes apart go into the id.
    """
    (notice_id, subject), attempt_no = named, attempt.attempt_no if attempt else 0
    apart = [str(codes[name]) for name in ("step", "used_for") if codes.get(name)]
    return NoticeOutcome(
        id=derived_id("evt", kind, notice_id, attempt_no, *apart),
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
            **codes,
        ),
    )


def fact_of(result: Result) -> AuditFact:
    """The audit fact of an attempt, or of its absence: ids, digests and codes alone."""
    notice, attempt = result.notice, result.attempt
    body = {
        "notice_id": notice.notice_id,
        "webhook_id": notice.message_id,
        "version": notice.subject.version,
        "recipient": notice.subject.recipient,
        "body_digest": notice.body_digest,
        "verdict": type(result.verdict).__name__.lower(),
    }
    if isinstance(result.verdict, Stopped):
        body["reason"] = result.verdict.reason
    if attempt and attempt.copy_digest:
        body["copy_digest"] = attempt.copy_digest
    if attempt:
        body |= {"attempt_no": attempt.attempt_no, "endpoint_id": attempt.endpoint_id, "status": attempt.answer.status}
    return AuditFact(
        fact_id=derived_id("fct", "delivery-attempt", notice.notice_id, attempt.attempt_no if attempt else "stopped"),
        kind="delivery-attempt",
        concern_id=notice.subject.concern_id or None,
        at=result.at,
        service="notifier",
        actor="notifier",
        body=body,
    )
