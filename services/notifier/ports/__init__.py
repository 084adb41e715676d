"""What the notifier needs from outside, in its own words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.notifier.domain.detail import Allowed
from services.notifier.domain.model import (
    Access,
    Answer,
    Endpoint,
    EndpointState,
    Entry,
    Keys,
    Leased,
    NoticeId,
    Subject,
    Target,
)
from services.notifier.ports.ledger import Begin, Conversation, Ledger, LedgerStore
from services.notifier.ports.words import (
    Addressed,
    FactRecord,
    InboxPage,
    Json,
    Listing,
    Place,
    Recorded,
    Replay,
    ReplayState,
    Rest,
    Settled,
    Settlement,
    Shown,
    Withdrawn,
)

__all__ = [
    "Addressed",
    "Begin",
    "Chance",
    "Conversation",
    "Endpoints",
    "FactRecord",
    "InboxPage",
    "Json",
    "Lanes",
    "Law",
    "Ledger",
    "LedgerStore",
    "Listing",
    "Opener",
    "Place",
    "Recorded",
    "Records",
    "Replay",
    "ReplayState",
    "Rest",
    "Settled",
    "Settlement",
    "Shown",
    "Verifying",
    "Wire",
    "Withdrawn",
]


class Lanes(Protocol):
    """The lanes of this process: bounded room for leased notices, one lane per recipient."""

    def reserve(self, entries: Sequence[Entry]) -> Sequence[Leased]:
        """Take slots for as many as have room; gives those notices as they will stand once inserted under a lease."""
        ...

    def cancel(self, notice_ids: Sequence[NoticeId]) -> None:
        """These are withdrawn: none that stands in line is delivered."""
        ...

    def fill(self, slots: Sequence[Leased], inserted: frozenset[NoticeId]) -> None:
        """Deliver the inserted ones; the other slots are given back."""
        ...


class Endpoints(Protocol):
    """Where organisations want to be told."""

    async def add(self, endpoint: Endpoint, keys: Keys, access: Access | None = None) -> None:
        """Store a new endpoint. Raises EndpointExists where its organisation has one of that rank."""
        ...

    async def approve(self, endpoint_id: str, by: str, *, at: datetime) -> None:
        """This person lets requests go there."""
        ...

    async def verify(self, endpoint_id: str, rate_per_minute: int | None, *, at: datetime) -> None:
        """It has shown that it wants deliveries, at this rate; one that waited for it is active now."""
        ...

    async def encrypt_to(self, endpoint_id: str, key: str, *, at: datetime) -> None:
        """Encrypt its messages to this key from now on; to none where it is empty."""
        ...

    async def rotate(self, endpoint_id: str, keys: Keys, *, at: datetime, overlap_until: datetime) -> None:
        """Sign with these keys from now on, and with the ones before beside them until the overlap ends."""
        ...

    async def target(self, endpoint_id: str, *, now: datetime) -> Target | None:
        """One endpoint in whatever state, ready to be sent to."""
        ...

    async def all_of(self, org: str | None) -> Sequence[Endpoint]:
        """The endpoints of an organisation, or of all of them, without the removed ones."""
        ...

    async def one(self, endpoint_id: str) -> Endpoint | None:
        """An endpoint that is not removed."""
        ...

    async def change(self, endpoint_id: str, state: EndpointState, *, at: datetime) -> None:
        """Set its state; a reason of suspension is cleared."""
        ...

    async def targets(self, *, now: datetime) -> Sequence[Target]:
        """The active endpoints whose keys can be read; an overlap of two keys ends by `now`."""
        ...


class Records(Protocol):
    """What callers may read of the ledger and the audit log."""

    async def notices(self, listing: Listing) -> Sequence[Json]:
        """Notices, newest first."""
        ...

    async def notice(self, notice_id: str) -> Json | None:
        """One notice with its attempts."""
        ...

    async def inbox(self, page: InboxPage, *, now: datetime) -> Sequence[Shown]:
        """The next notices of a recipient, in an order in which none appears late."""
        ...

    async def replays(self, recipient: str | None) -> Sequence[Replay]:
        """The jobs of a recipient, or all, newest first."""
        ...

    async def health(self, endpoint_ids: Sequence[str]) -> Mapping[str, Json]:
        """How endpoints do, as far as one was ever sent to."""
        ...

    async def has_endpoint(self, recipient: str) -> bool:
        """Whether it has one that is not removed."""
        ...

    async def facts(self, concern_id: str) -> Sequence[bytes]:
        """The audit events of a concern, oldest first, as exact bytes."""
        ...


class Wire(Protocol):
    """The way to a recipient."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, access: Access | None = None) -> Answer:
        """Send the bytes once; whatever goes wrong on the way is an answer, too."""
        ...


class Verifying(Wire, Protocol):
    """A wire that can also ask an endpoint what it consents to."""

    async def ask(self, url: str, headers: Mapping[str, str], access: Access | None = None) -> Answer:
        """Send OPTIONS; whatever goes wrong on the way is an answer, too."""
        ...


class Opener(Protocol):
    """Opens what intake sealed and makes tokens for recipients."""

    def open(self, sealed: dict[str, str], *, concern_id: str, version: int) -> Json:
        """The sealed detail of a version of a concern. Raises NotOpened."""
        ...

    def pseudonym(self, recipient: str, klass: str, value: str) -> str:
        """The token that stands for a value towards one recipient."""
        ...


class Law(Protocol):
    """What the agreements allow, as of now."""

    async def allowed(self, subject: Subject, *, authorization: str) -> Allowed:
        """What a body may be given of a concern that it was told of; its own token asks. Raises LawUnavailable."""
        ...


class Chance(Protocol):
    """Chance, for jitter."""

    def __call__(self) -> float:
        """A number in [0, 1)."""
        ...
