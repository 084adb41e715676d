"""What became of a notice, told back to the router and to the originator's side."""

from typing import Literal

from shared.contracts.envelope import CloudEvent, Contract, Instant

OutcomeType = Literal[
    "uk.concordat.notice.registered.v1",
    "uk.concordat.notice.delivered.v1",
    "uk.concordat.notice.attempt-failed.v1",
    "uk.concordat.notice.expired.v1",
    "uk.concordat.notice.acknowledged.v1",
    "uk.concordat.notice.accepted.v1",
    "uk.concordat.notice.refused.v1",
    "uk.concordat.notice.used.v1",
    "uk.concordat.notice.escalated.v1",
    "uk.concordat.notice.cancelled.v1",
]
REGISTERED: OutcomeType = "uk.concordat.notice.registered.v1"
DELIVERED: OutcomeType = "uk.concordat.notice.delivered.v1"
ATTEMPT_FAILED: OutcomeType = "uk.concordat.notice.attempt-failed.v1"
EXPIRED: OutcomeType = "uk.concordat.notice.expired.v1"
ACKNOWLEDGED: OutcomeType = "uk.concordat.notice.acknowledged.v1"
ACCEPTED: OutcomeType = "uk.concordat.notice.accepted.v1"
REFUSED: OutcomeType = "uk.concordat.notice.refused.v1"
USED: OutcomeType = "uk.concordat.notice.used.v1"
ESCALATED: OutcomeType = "uk.concordat.notice.escalated.v1"
CANCELLED: OutcomeType = "uk.concordat.notice.cancelled.v1"


class Outcome(Contract):
    """`attempt_no` counts from 1; `detail` is a short cause in words, never an answer's body.

    A refusal carries `reason` and, where the recipient knows one, the `suggested_body`; a use says `used_for`; an
    escalation names its `step`, and `due_at` is the moment by which a person should have acknowledged. All are codes.
    """

    notice_id: str
    concern_id: str
    version: int
    recipient: str
    at: Instant
    attempt_no: int = 0
    status: int | None = None
    detail: str = ""
    reason: str | None = None
    suggested_body: str | None = None
    used_for: str | None = None
    step: str | None = None
    due_at: Instant | None = None


class NoticeOutcome(CloudEvent):
    """What became of a notice (`type` says which): with the recipient's system, with a person there, or with nobody."""

    type: OutcomeType
    data: Outcome
