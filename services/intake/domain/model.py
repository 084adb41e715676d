"""What intake knows: a submission, the concern made of it, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType

from services.intake.domain.identifiers import IdentifierFault

ConcernId = NewType("ConcernId", str)
Body = Mapping[str, Any]
"""A concern as sent, its form found right: strings, integers, booleans, lists and objects; absent fields are absent."""
Fields = dict[str, Any]
NoticeState = Literal[
    "registered", "attempt-failed", "escalated", "expired", "cancelled",
    "delivered", "acknowledged", "accepted", "refused", "used",
]  # fmt: skip
"""The later ones, in this order, say more; `acknowledged` and what follows it are the words of a person."""
Status = Literal["accepted", "routed", "held", "unroutable", "delivered", "undelivered"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks: the client, its organisation, and whether it may state when a concern was received."""

    client: str
    org: str
    historic: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """A concern on its way in. `received_at` is None unless the caller stated it."""

    body: Body
    caller: Caller
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class NaturalKey:
    """What makes a concern the same one when it is sent again."""

    originator: str
    originator_ref: str
    version: int


@dataclass(frozen=True, slots=True)
class IdentifierFlag:
    """An identifier that looks wrong: where it stands (JSON Pointer) and what is wrong, never its value."""

    pointer: str
    scheme: str
    fault: IdentifierFault


@dataclass(frozen=True, slots=True)
class Parts:
    """A concern cut in two: what travels in clear, and the detail that is sealed."""

    routing: Fields
    detail: Fields
    flags: tuple[IdentifierFlag, ...]
    first_token: str | None


@dataclass(frozen=True, slots=True)
class Concern:
    """A version of a concern as it is stored. `partition_key` stays the one of version 1 for all versions."""

    id: ConcernId
    key: NaturalKey
    partition_key: str
    body_mac: bytes
    digest: str
    accepted_at: datetime
    received_at: datetime
    routing: Fields
    sealed: Mapping[str, str]
    flags: tuple[IdentifierFlag, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is on disk under a natural key: whose id it has, and the fingerprint of its body."""

    concern_id: ConcernId
    body_mac: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The concern is on disk; `replayed` when it was there already with the same content."""

    concern_id: ConcernId
    version: int
    flags: tuple[IdentifierFlag, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """Another content is on disk under the same originator, reference and version."""

    key: NaturalKey


Answer = Receipt | Clash


@dataclass(frozen=True, slots=True)
class Told:
    """A body that a decision tells, and why."""

    org: str
    notice_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The router decided on a version, in a round."""

    event_id: str
    concern_id: ConcernId
    version: int
    at: datetime
    round: int
    told: tuple[Told, ...] = ()
    available: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    unroutable: bool = False


@dataclass(frozen=True, slots=True)
class NoticeTurn:
    """Something became of a notice. `code` is why it was refused, what it was used for, or how far it escalated."""

    event_id: str
    concern_id: ConcernId
    version: int
    at: datetime
    notice_id: str
    recipient: str
    state: NoticeState
    attempt_no: int = 0
    code: str = ""
    suggested_body: str = ""


Entry = Decided | NoticeTurn


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A stored version, without what it says."""

    version: int
    digest: str
    accepted_at: datetime
    received_at: datetime
    flags: tuple[IdentifierFlag, ...]


@dataclass(frozen=True, slots=True)
class ConcernRecord:
    """A stored concern with what came of it; `versions` in order, at least one."""

    id: ConcernId
    originator: str
    originator_ref: str
    versions: tuple[VersionRecord, ...]
    entries: tuple[Entry, ...] = field(default=())

    @property
    def current(self) -> VersionRecord:
        """The newest version."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: concerns of its own organisation, or, without one (an operator), all of them."""

    org: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the list, newest first: at most `limit` concerns, older than `after`."""

    limit: int
    after: tuple[datetime, str] | None = None
