"""What the notifier needs from outside, in its own words."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from services.notifier.domain.acknowledgement import Kept
from services.notifier.domain.escalation import Escalation, Silent
from services.notifier.domain.health import HealthSeen
from services.notifier.domain.model import (
    Access,
    Answer,
    Endpoint,
    EndpointId,
    EndpointState,
    Entry,
    Keys,
    Leased,
    NoticeId,
    NoticeState,
    Subject,
    Target,
)
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
    Settled,
    Settlement,
    Shown,
    Withdrawn,
)
from shared.contracts.audit import AuditFact
from shared.contracts.notice import NoticeIssued
from shared.contracts.outcome import NoticeOutcome
from shared.records import Span

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
    "Ledger",
    "LedgerStore",
    "Listing",
    "Opener",
    "Place",
    "Recorded",
    "Records",
    "Replay",
    "ReplayState",
    "Settled",
    "Settlement",
    "Shown",
    "Verifying",
    "Wire",
    "Withdrawn",
]


class Conversation(Protocol):
    """What recipients say and are owed, within the ledger's transaction."""

    async def addressed(self, notice_id: str) -> Addressed | None:
        """A notice, locked against others who speak of it."""
        ...

    async def acknowledge(self, notice_id: NoticeId, kept: Kept, state: NoticeState) -> None:
        """Keep what was said; the notice's state follows and its clock stops."""
        ...

    async def silent(self, *, now: datetime, row_count_max: int) -> Sequence[Silent]:
        """Lock notices that are to be looked at by now; another notifier at the same work gets the others."""
        ...

    async def escalated(self, escalations: Sequence[Escalation], *, now: datetime) -> None:
        """Keep which steps were taken and when to look again; what moves is due at the alternate endpoint now."""
        ...

    async def read(self, read: Sequence[Shown], *, delivered: bool, now: datetime) -> frozenset[NoticeId]:
        """Note that these were read; where that is how they are delivered, gives those that are delivered by it."""
        ...

    async def withdraw(self, subjects: Sequence[Subject], *, now: datetime) -> Sequence[Withdrawn]:
        """Cancel what is pending of what these undo, and those of them that have nothing to undo; gives both.

        A notice may have been told when an attempt was made or is under way, or when it was read.
        """
        ...

    async def add_replay(self, replay: Replay) -> Replay:
        """Keep a job; gives it with the number of notices that it will send."""
        ...

    async def change_replay(self, replay_id: str, state: ReplayState) -> None:
        """Pause, resume or cancel a job that is not over."""
        ...

    async def resend(self, notice_id: str, replay_id: str, *, now: datetime) -> NoticeId | None:
        """Put one notice into the line again under its own message id; None when it is none that was ever sent."""
        ...

    async def hasten(self, lane: tuple[str, bool], *, count: int | None, per_second: float, now: datetime) -> None:
        """Make failures of an organisation's (alternate) endpoint due now, one after the other; None: all of them."""
        ...

    async def keep_health(self, seen: Sequence[HealthSeen], *, now: datetime) -> Mapping[EndpointId, datetime | None]:
        """Keep what was seen of endpoints, for people; gives since when each has been failing."""
        ...

    async def advance_replays(self, *, now: datetime, row_count_max: int) -> Sequence[Replay]:
        """Put the next notices of each job that is due into the line; gives the jobs as they stand now."""
        ...


class Ledger(Conversation, Protocol):
    """The notices within one transaction: everything said through it happens, or none of it does."""

    async def register(self, entries: Sequence[Entry], *, leased: frozenset[NoticeId]) -> frozenset[NoticeId]:
        """Insert the notices that are not there yet, those in `leased` under our lease; gives the inserted ones."""
        ...

    async def recorded(self, subjects: Sequence[Subject]) -> Sequence[Recorded]:
        """What the ledger has under these keys."""
        ...

    async def claim(self, free: Mapping[str, int], *, held: Sequence[NoticeId], now: datetime) -> Sequence[Leased]:
        """Lease due notices, per lane (by name) up to its free slots, first attempts first; none that is `held`."""
        ...

    async def claim_ended(self, *, now: datetime, row_count_max: int) -> Sequence[Leased]:
        """Lease notices whose basis or time has ended."""
        ...

    async def renew(self, held: Sequence[Leased]) -> frozenset[NoticeId]:
        """Keep the leases of what is held; gives which: one whose fencing token has moved on stays as it is."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[NoticeId]:
        """Write results and attempts of leases that are still ours; gives which."""
        ...

    async def untold(self, *, before: datetime, row_count_max: int) -> Sequence[Recorded]:
        """Notices registered before that moment of which no outcome was sent yet."""
        ...

    async def note_outcomes(self, outcomes: Sequence[NoticeOutcome]) -> None:
        """Remember these as the latest outcomes of notices that had none."""
        ...

    async def publish(self, outcomes: Sequence[NoticeOutcome]) -> None:
        """Tell the router and the originator's side."""
        ...

    async def republish(self, outcomes: Sequence[NoticeOutcome]) -> None:
        """Tell again what was told once, as the same events."""
        ...

    async def record(self, facts: Sequence[AuditFact]) -> None:
        """Write audit facts."""
        ...

    async def keep_facts(self, facts: Sequence[FactRecord]) -> None:
        """Insert facts that came from the services; one that is there stays as it is."""
        ...

    async def suspend(self, reasons: Mapping[EndpointId, str], *, at: datetime) -> Mapping[EndpointId, str]:
        """Suspend active endpoints, each with its reason; gives those that were active, with their organisations."""
        ...


class Begin(Protocol):
    """Starts a transaction that also moves past the given spans of the log."""

    def __call__(self, spans: Sequence[Span] = ()) -> AbstractAsyncContextManager[Ledger]:
        """Raises PositionMoved, StoreUnavailable."""
        ...


class LedgerStore(Protocol):
    """The ledger, and what is written in it on the way to a recipient: each of these is one statement (ADR 11)."""

    def begin(self, spans: Sequence[Span] = ()) -> AbstractAsyncContextManager[Ledger]:
        """See Begin."""
        ...

    async def register(
        self, entries: Sequence[Entry], *, leased: frozenset[NoticeId], spans: Sequence[Span]
    ) -> frozenset[NoticeId]:
        """What a transaction past these spans does that says `register` alone."""
        ...

    async def settle(self, settled: Sequence[Settled]) -> frozenset[NoticeId]:
        """Write results, and for those whose lease is still ours their outcomes and facts; gives which."""
        ...


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

    async def verify(self, endpoint_id: str, rate_per_minute: int | None, *, at: datetime) -> None:
        """It has shown that it wants deliveries, at this rate; one that waited for it is active now."""
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
        """The active endpoints with their open keys; an overlap of two keys ends by `now`."""
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

    def open(self, issued: NoticeIssued) -> Json:
        """The sealed detail of a notice's concern. Raises NotOpened."""
        ...

    def pseudonym(self, recipient: str, klass: str, value: str) -> str:
        """The token that stands for a value towards one recipient."""
        ...


class Chance(Protocol):
    """Chance, for jitter."""

    def __call__(self) -> float:
        """A number in [0, 1)."""
        ...
