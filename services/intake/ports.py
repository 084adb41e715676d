"""What intake needs of the outside, in its own words."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.intake.domain.model import (
    Answer,
    Concern,
    ConcernId,
    ConcernRecord,
    Entry,
    NaturalKey,
    Page,
    Reader,
    Recall,
    Stored,
    Thread,
)
from services.intake.domain.provenance import Sources
from shared.contracts.audit import AuditFact
from shared.contracts.concern import ConcernRecalled, ConcernSubmitted
from shared.records import Span


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A concern with the event that announces it and the audit fact that records it."""

    concern: Concern
    event: ConcernSubmitted
    fact: AuditFact


@dataclass(frozen=True, slots=True)
class Recalling:
    """A recall of what stands in `thread`, with the event that announces it and the audit fact that records it."""

    thread: Thread
    recall: Recall
    event: ConcernRecalled
    fact: AuditFact


class Steps(Protocol):
    """What follows the first version of a concern: other versions, the recall, which is the last, and other concerns
    that are built on it. One at a time: what one of these transactions reads, no other changes until it ends.

    A step is announced once the router has the one before, so that it meets them in order.
    """

    async def thread(self, concern_id: ConcernId, version: int) -> Thread | None:
        """What stands, with the fingerprint of that version; None where there is no such concern."""
        ...

    async def follow(self, acceptance: Acceptance) -> bool:
        """Store and announce the version; False where it is not, or no longer, the next step."""
        ...

    async def recall(self, recalling: Recalling) -> bool:
        """Store and announce the recall; False where another step came after what stands in its thread."""
        ...

    async def sources(self, concern_ids: Sequence[ConcernId]) -> Sources:
        """These concerns, whosever they are; what does not exist is left out."""
        ...

    async def descendants(self, concern_id: ConcernId) -> Sequence[ConcernId]:
        """All concerns that were built on it, and on those, sorted; never itself."""
        ...

    async def known(self, key: NaturalKey) -> Stored | None:
        """What is on disk under this key."""
        ...

    async def derive(self, acceptance: Acceptance) -> bool:
        """Store and announce a first version with what it is built on; False where its key has just been taken."""
        ...


class BeginSteps(Protocol):
    """Begins a transaction on what follows. Raises StoreUnavailable."""

    def __call__(self) -> AbstractAsyncContextManager[Steps]:
        """Commits at the end of the block, unless the block raised."""
        ...


class Register(Protocol):
    """The concerns that were accepted. Raises StoreUnavailable."""

    async def accept(self, acceptances: Sequence[Acceptance]) -> frozenset[ConcernId]:
        """Store and announce each concern whose (originator, originator_ref) is new, all or none; gives their ids."""
        ...

    async def stored(self, keys: Sequence[NaturalKey]) -> Mapping[NaturalKey, Stored]:
        """What is on disk under these keys."""
        ...


class Transaction(Protocol):
    """Everything said through one of these happens, or none of it does."""

    async def note(self, entries: Sequence[Entry]) -> None:
        """Add to the timelines; an entry that is there stays, an entry of an unknown concern is passed over."""
        ...

    async def close(self, versions: Sequence[tuple[ConcernId, int]]) -> None:
        """The router has these versions: they need no more announcing, and what waited for them does now."""
        ...

    async def close_recalls(self, concern_ids: Sequence[ConcernId]) -> None:
        """The router has the recalls of these concerns: they need no more announcing."""
        ...


class Begin(Protocol):
    """Begins a transaction that also moves past `spans` of a log. Raises StoreUnavailable, PositionMoved."""

    def __call__(self, spans: Sequence[Span] = ()) -> AbstractAsyncContextManager[Transaction]:
        """Commits at the end of the block, unless the block raised."""
        ...


class Accept(Protocol):
    """Hands a concern to the next transaction. Raises StoreUnavailable, Overloaded."""

    async def __call__(self, item: Acceptance) -> Answer:
        """Returns once the concern is on disk."""
        ...


class Archive(Protocol):
    """Concerns and what came of them, to be read. Raises StoreUnavailable."""

    async def concern(self, concern_id: ConcernId, reader: Reader) -> ConcernRecord | None:
        """One concern; None where there is none that the reader may know of."""
        ...

    async def concerns(self, page: Page, reader: Reader) -> Sequence[ConcernRecord]:
        """The reader's concerns, newest first."""
        ...
