"""What became of a notice, told back to the router and to the originator's side."""

from typing import Literal

from shared.contracts.envelope import CloudEvent, Contract, Instant

OutcomeType = Literal[
    "uk.concordat.notice.registered.v1",
    "uk.concordat.notice.delivered.v1",
    "uk.concordat.notice.attempt-failed.v1",
    "uk.concordat.notice.expired.v1",
]
REGISTERED: OutcomeType = "uk.concordat.notice.registered.v1"
DELIVERED: OutcomeType = "uk.concordat.notice.delivered.v1"
ATTEMPT_FAILED: OutcomeType = "uk.concordat.notice.attempt-failed.v1"
EXPIRED: OutcomeType = "uk.concordat.notice.expired.v1"


class Outcome(Contract):
    """`attempt_no` counts from 1; `detail` is a short cause in words, never an answer's body."""

    notice_id: str
    concern_id: str
    version: int
    recipient: str
    at: Instant
    attempt_no: int = 0
    status: int | None = None
    detail: str = ""


class NoticeOutcome(CloudEvent):
    """A notice was registered, delivered, failed once, or expired undelivered (`type` says which)."""

    type: OutcomeType
    data: Outcome
