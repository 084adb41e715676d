"""What the notifier needs from outside, in its own words."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.notifier.domain.model import (
    Answer,
    Attempt,
    Endpoint,
    EndpointId,
    EndpointState,
    Entry,
    Leased,
    NoticeId,
    NoticeState,
    Subject,
    Target,
)
from shared.contracts.audit import AuditFact
from shared.contracts.notice import NoticeIssued
from shared.contracts.outcome import NoticeOutcome
from shared.records import Span

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A notice that the ledger has: its id there, and the latest outcome event that was sent for it, if any."""

    notice_id: NoticeId
    subject: Subject
    outcome: bytes | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written for a leased notice: its new state, the attempt, the outcome to be told.

    `due_at` is set where it stays pending. A returned one has no attempt and no outcome.
    """

    notice: Leased
    state: NoticeState
    due_at: datetime | None
    closed_at: datetime | None
    reason: str
    attempt: Attempt | None
    outcome: NoticeOutcome | None


@dataclass(frozen=True, slots=True)
class FactRecord:
    """An audit fact that came from Kafka, with the exact bytes of its event."""

    fact: AuditFact
    event: bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """Which notices are asked for. `org` narrows to one recipient, `after` is the place of the last one shown."""

    org: str | None
    concern_id: str | None
    state: NoticeState | None
    after: tuple[datetime, str] | None
    row_count_max: int


class Ledger(Protocol):
    """The notices within one transaction: everything said through it happens, or none of it does."""

    async def register(self, entries: Sequence[Entry], *, leased: frozenset[NoticeId]) -> frozenset[NoticeId]:
        """Insert the notices that are not there yet, those in `leased` under our lease; gives the inserted ones."""
        ...

    async def recorded(self, subjects: Sequence[Subject]) -> Sequence[Recorded]:
        """What the ledger has under these keys."""
        ...

    async def claim(self, free: Mapping[str, int], *, held: Sequence[NoticeId], now: datetime) -> Sequence[Leased]:
        """Lease due notices, per recipient up to its free slots, first attempts first; never one that is `held`."""
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

    async def suspend(self, reasons: Mapping[EndpointId, str], *, at: datetime) -> None:
        """Suspend active endpoints, each with its reason."""
        ...


class Begin(Protocol):
    """Starts a transaction that also moves past the given spans of the log."""

    def __call__(self, spans: Sequence[Span] = ()) -> AbstractAsyncContextManager[Ledger]:
        """Raises PositionMoved, StoreUnavailable."""
        ...


class Lanes(Protocol):
    """The lanes of this process: bounded room for leased notices, one lane per recipient."""

    def reserve(self, entries: Sequence[Entry]) -> Sequence[Leased]:
        """Take slots for as many as have room; gives those notices as they will stand once inserted under a lease."""
        ...

    def fill(self, slots: Sequence[Leased], inserted: frozenset[NoticeId]) -> None:
        """Deliver the inserted ones; the other slots are given back."""
        ...


class Endpoints(Protocol):
    """Where organisations want to be told."""

    async def add(self, endpoint: Endpoint, secret: bytes) -> None:
        """Store a new endpoint. Raises EndpointExists."""
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

    async def targets(self) -> Sequence[Target]:
        """The active endpoints with their open secrets."""
        ...


class Records(Protocol):
    """What callers may read of the ledger and the audit log."""

    async def notices(self, listing: Listing) -> Sequence[Json]:
        """Notices, newest first."""
        ...

    async def notice(self, notice_id: str) -> Json | None:
        """One notice with its attempts."""
        ...

    async def facts(self, concern_id: str) -> Sequence[bytes]:
        """The audit events of a concern, oldest first, as exact bytes."""
        ...


class Wire(Protocol):
    """The way to a recipient."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send the bytes once; whatever goes wrong on the way is an answer, too."""
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
