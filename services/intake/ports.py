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
    Stored,
)
from shared.contracts.audit import AuditFact
from shared.contracts.concern import ConcernSubmitted
from shared.records import Span


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A concern with the event that announces it and the audit fact that records it."""

    concern: Concern
    event: ConcernSubmitted
    fact: AuditFact


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
        """The router has these versions: they need no more announcing."""
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
