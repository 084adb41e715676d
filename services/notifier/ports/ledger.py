"""The ledger of notices: what is said of them within one transaction, or in one statement."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from services.notifier.domain.acknowledgement import Kept
from services.notifier.domain.escalation import Escalation, Silent
from services.notifier.domain.health import HealthSeen
from services.notifier.domain.model import (
    EndpointId,
    Entry,
    Leased,
    NoticeId,
    NoticeState,
    Subject,
)
from services.notifier.ports.words import (
    Addressed,
    FactRecord,
    Recorded,
    Replay,
    ReplayState,
    Rest,
    Settled,
    Settlement,
    Shown,
    Withdrawn,
)
from shared.contracts.audit import AuditFact
from shared.contracts.outcome import NoticeOutcome
from shared.records import Span


class Conversation(Protocol):
    """What recipients say and are owed, within the ledger's transaction."""

    async def addressed(self, notice_id: str) -> Addressed | None:
        """A notice, locked against others who speak of it."""
        ...

    async def rest(self, notice_id: str) -> Rest | None:
        """A notice as its recipient may ask the rest of it."""
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

    async def copy(self, message_id: str, kid: str, make: Callable[[], bytes]) -> bytes:
        """The copy of a message that is encrypted to a key; made once and stored. Raises StoreUnavailable."""
        ...
