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
Status = Literal["accepted", "routed", "held", "unroutable", "delivered", "undelivered", "recalled"]
RecallReason = Literal["wrong-facts", "wrong-subject", "mis-sent", "barred", "consent-withdrawn", "primacy", "merged"]
"""Why a concern is taken back, a closed list. Each comes from the domain pack (DOMAIN.md):

wrong-facts        the facts are wrong and no correction can stand in their place (section 1, correction)
wrong-subject      it is about somebody else than it says (section 7, identifiers)
mis-sent           it went, or was about to go, where it does not belong (section 4, mis-route)
barred             an Act forbids the disclosure after all (section 5, bars)
consent-withdrawn  the consent that opened a gateway is gone (statute.yaml, gateway `consent`)
primacy            another body directs the investigation and asks for silence (section 11, on hold)
merged             another concern holds all of it (section 11, `merged_into`)
"""
UndoingKind = Literal["withdrawal", "recall"]


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
    """A version of a concern as it is stored. `partition_key` stays the one of version 1 for all versions.

    `built_on` names the concerns that it came of, each with the notice that told its originator.
    """

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
    built_on: tuple[tuple[ConcernId, str], ...] = ()


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


SourceFault = Literal["not-told", "taken-back", "recalled", "older-version", "twice", "came-of-this", "left-out"]
"""Why a concern cannot be built on what it names: see the words for each in entrypoints/sources.py."""


@dataclass(frozen=True, slots=True)
class Unsourced:
    """What the concern says that it is built on cannot stand: places (JSON Pointers) and why; nothing was stored."""

    faults: tuple[tuple[str, SourceFault], ...]


Answer = Receipt | Clash | Unsourced


@dataclass(frozen=True, slots=True)
class Recall:
    """The originator took the concern back."""

    reason: RecallReason
    at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A stored concern, as far as it decides what may follow.

    `last` is its newest version; `body_mac` the fingerprint of the version that was asked about, where it is stored.
    `recall` is its own, or that of a concern that it came of; `sources` are those that any version of it named.
    """

    concern_id: ConcernId
    originator: str
    originator_ref: str
    partition_key: str
    last: int
    body_mac: bytes | None = None
    recall: Recall | None = None
    sources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NotNext:
    """A version follows the current one without a gap, and this one does not; nothing was stored."""

    current: int


@dataclass(frozen=True, slots=True)
class Unfit:
    """Fields (JSON Pointers) that a later version must state as the first did; nothing was stored."""

    pointers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """The concern was recalled, and nothing follows; nothing was stored."""

    recall: Recall


Followed = Receipt | Clash | NotNext | Unfit | Over | Unsourced


@dataclass(frozen=True, slots=True)
class RecallReceipt:
    """The recall is on disk; `replayed` when it was there already for the same reason."""

    concern_id: ConcernId
    recall: Recall
    replayed: bool


RecallAnswer = RecallReceipt | Over


@dataclass(frozen=True, slots=True)
class Told:
    """A body that a decision tells, and why; on which term and as what (the policy of each class) it may pass it on."""

    org: str
    notice_id: str
    reason: str
    onward: str = "none"
    fields: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A body that was told is told by `notice_id` that what it was told of by `of` no longer stands."""

    org: str
    notice_id: str
    of: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Undone:
    """The router took back what was told; `version` is the newest of those taken back."""

    event_id: str
    concern_id: ConcernId
    version: int
    at: datetime
    kind: UndoingKind
    notices: tuple[TakenBack, ...] = ()


Entry = Decided | NoticeTurn | Undone


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
    recall: Recall | None = None

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
    """A stretch of the list, newest first: at most `limit` concerns, older than `after`, accepted since `since`."""

    limit: int
    after: tuple[datetime, str] | None = None
    since: datetime | None = None
