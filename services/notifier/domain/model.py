"""A notice in the ledger, the endpoint that it goes to, an attempt and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType

NoticeId = NewType("NoticeId", str)
EndpointId = NewType("EndpointId", str)


class NoticeState(Enum):
    """Where a notice stands; a lease and a due time tell pending ones apart.

    A 2xx is not a person: `acknowledged` and what follows it are the recipient's own words. `expired` has lost its
    basis, `expired_undelivered` its time; a `cancelled` one was withdrawn before it was told.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    USED = "used"
    EXPIRED = "expired"
    EXPIRED_UNDELIVERED = "expired_undelivered"
    CANCELLED = "cancelled"


ISSUED_KINDS = frozenset({"tell", "recall", "withdrawal", "invitation"})
"""What the router issues; the other kinds are our own messages and re-sends, of which nobody waits for an outcome."""
REPLAY = "replay"
REMINDER = "reminder"
SUSPENSION = "suspension"


class EndpointState(Enum):
    """Only an active endpoint is sent to; the notices of the others wait."""

    UNVERIFIED = "unverified"
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
    `rest` is the concern with its detail still sealed, where something of it was left out of `body`.
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
    acknowledge_within: str = ""
    escalate_at: datetime | None = None
    retry_seconds: tuple[int, ...] | None = None
    alternate: bool = False
    rest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Leased:
    """A notice that this process holds the lease of; `fencing` proves it when a result is written.

    `message_id` is what the recipient knows it by: its own id, or that of the notice which it sends again.
    `alternate` says that it goes to the recipient's second endpoint.
    """

    notice_id: NoticeId
    subject: Subject
    body: bytes
    body_digest: str
    attempt_count: int
    fencing: int
    give_up_at: datetime
    valid_until: datetime | None
    message_id: str
    acknowledge_within: str = ""
    retry_seconds: tuple[int, ...] | None = None
    alternate: bool = False

    @property
    def lane_name(self) -> str:
        """The lane that delivers it."""
        return lane_name(self.subject.recipient, alternate=self.alternate)


def lane_name(org: str, *, alternate: bool) -> str:
    """The lane of an organisation's endpoint; no organisation's slug holds a `/`."""
    return f"{org}/alternate" if alternate else org


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an organisation wants to be told. `reason` says why it is suspended.

    An organisation has one first endpoint and at most one `alternate`. `rate_per_minute` is what the endpoint granted
    when it was verified, None for no limit; `retry_seconds` its own pauses before each attempt; `in_order`: of one
    concern one notice after the other; `encryption_key`: the public key (JWK) that its messages are encrypted to;
    `approved_by`: who let requests go there, None where nobody has yet.
    """

    endpoint_id: EndpointId
    org: str
    url: str
    description: str
    state: EndpointState
    reason: str
    created_at: datetime
    alternate: bool = False
    rate_per_minute: int | None = None
    retry_seconds: tuple[int, ...] | None = None
    verified_at: datetime | None = None
    in_order: bool = False
    encryption_key: str = ""
    registered_by: str = ""
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What an endpoint's deliveries are signed with: the shared secret (v1) and the seed of our Ed25519 key (v1a)."""

    secret: bytes
    seed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class OAuthClient:
    """How a bearer token for an endpoint is got (RFC 6749 section 4.4)."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """What an endpoint asks of its callers: a client certificate (PEM, chain and key) and a bearer token."""

    certificate: str = ""
    oauth: OAuthClient | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """An active endpoint with its open keys, the newest first, as a delivery needs it."""

    endpoint_id: EndpointId
    org: str
    url: str
    keys: tuple[Keys, ...]
    alternate: bool = False
    rate_per_minute: int | None = None
    retry_seconds: tuple[int, ...] | None = None
    access: Access | None = None
    in_order: bool = False
    encryption_key: str = ""

    @property
    def lane_name(self) -> str:
        """The lane that it is the end of."""
        return lane_name(self.org, alternate=self.alternate)

    def __repr__(self) -> str:
        return f"Target({self.endpoint_id}, {self.org})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status with the first bytes of the body, or an error in words. `headers`: of consent alone."""

    status: int | None
    body: bytes = b""
    retry_after: str | None = None
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A 2xx: the bytes are with the recipient's system."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A failure: due again. `suspends` an endpoint that said it is gone (410); `wish`: how long we are to stay away."""

    due_at: datetime
    detail: str
    suspends: bool = False
    wish: timedelta | None = None


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
    """One message on the wire and its answer. `copy_digest` is of what was sent where that was an encrypted copy."""

    endpoint_id: EndpointId
    attempt_no: int
    at: datetime
    duration: timedelta
    answer: Answer
    copy_digest: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a leased notice: no `attempt` where nothing was sent; `fault` is what nobody foresaw, by class."""

    notice: Leased
    at: datetime
    verdict: Verdict
    attempt: Attempt | None = None
    fault: str = ""
