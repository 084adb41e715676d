"""A notice in the ledger, the endpoint that it goes to, an attempt and what follows from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType

NoticeId = NewType("NoticeId", str)
EndpointId = NewType("EndpointId", str)


class NoticeState(Enum):
    """Where a notice stands; a lease and a due time tell pending ones apart."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXPIRED = "expired"


class EndpointState(Enum):
    """Only an active endpoint is sent to; the notices of the others wait."""

    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a notice is about and for whom: what makes it one notice, and what every event about it carries."""

    concern_id: str
    version: int
    recipient: str
    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice ready for the ledger: the exact bytes that every attempt will send.

    `valid_until` is the moment, by our clock, at which its basis ends; `give_up_at` ends the attempts in any case.
    """

    notice_id: NoticeId
    decision_id: str
    subject: Subject
    lane: int
    body: bytes
    body_digest: str
    registered_at: datetime
    give_up_at: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Leased:
    """A notice that this process holds the lease of; `fencing` proves it when a result is written."""

    notice_id: NoticeId
    subject: Subject
    body: bytes
    body_digest: str
    attempt_count: int
    fencing: int
    give_up_at: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an organisation wants to be told. `reason` says why it is suspended."""

    endpoint_id: EndpointId
    org: str
    url: str
    description: str
    state: EndpointState
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """An active endpoint with its open secret, as a delivery needs it."""

    endpoint_id: EndpointId
    org: str
    url: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Target({self.endpoint_id}, {self.org})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over the wire: a status with the first bytes of the body, or an error in words without one."""

    status: int | None
    body: bytes = b""
    retry_after: str | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A 2xx: the bytes are with the recipient's system."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A failure: the notice is due again. `suspends` the endpoint when it said that it is gone (410)."""

    due_at: datetime
    detail: str
    suspends: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """No further attempt is made; nothing was sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Nothing was sent because the endpoint is no longer active: the lease goes back."""


Verdict = Delivered | Retry | Stopped | Returned


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message on the wire and its answer."""

    endpoint_id: EndpointId
    attempt_no: int
    at: datetime
    duration: timedelta
    answer: Answer


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a leased notice; `attempt` is absent where nothing was put on the wire."""

    notice: Leased
    at: datetime
    verdict: Verdict
    attempt: Attempt | None = None
