"""What the router needs from outside, in its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from services.router.domain.convening import Panel, PanelEvent
from services.router.domain.correlation import Sighting, Source, Suggested, Token, Viewer
from services.router.domain.model import (
    Concern,
    DecisionKey,
    DecisionRecord,
    Head,
    ItemCursor,
    ItemEvent,
    ItemQuery,
    PastRouting,
    RoutingCursor,
    StaleHold,
    WorkItem,
)
from services.router.domain.panels import PanelDue, PanelQuery
from services.router.domain.policy import Judge
from services.router.domain.replica import Bodies, CommitPart, Replica
from services.router.domain.rounds import Dossier, Opened, PastDecision
from services.router.domain.undoing import Settled, ToldNotice
from shared.contracts.audit import AuditFact
from shared.contracts.decision import ConcernUndone
from shared.contracts.notice import NoticeIssued
from shared.records import Span


class IssuedNotice(NamedTuple):
    """The notice of a body that is told; `value` is its NoticeIssued as it goes out."""

    notice_id: str
    recipient: str
    lane: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision ready to be stored, with everything that it says to others and leaves to people.

    `told` gives the notice of each body that is told, by this round or one before. `routed` is the ConcernRouted as it
    goes out, under the id of the decision.
    """

    concern: Concern
    record: DecisionRecord
    items: tuple[WorkItem, ...]
    told: Mapping[str, str]
    routed: bytes
    issued: tuple[IssuedNotice, ...]
    fact: AuditFact


@dataclass(frozen=True, slots=True)
class Undoing:
    """A notice that takes another back, with its audit fact."""

    issued: NoticeIssued
    fact: AuditFact


class CorrelationTransaction(Protocol):
    """What finding concerns about one subject needs of a transaction."""

    async def unfollowed(self, limit: int) -> Sequence[PastRouting]:
        """Concerns whose sightings are not kept yet, oldest first; () while another router looks after them."""
        ...

    async def keep_sightings(self, followed: Sequence[PastRouting], seen: Sequence[Sighting]) -> None:
        """Keep what these versions show in place of what earlier ones did; they are followed now.

        What is not a concern's newest version leaves nothing.
        """
        ...

    async def seen(self, tokens: Sequence[Token], since: datetime, until: datetime) -> Sequence[Sighting]:
        """All sightings by these tokens received strictly between, but for recalled concerns."""
        ...

    async def sources(
        self, tokens: Sequence[Token], since: datetime, until: datetime
    ) -> Mapping[Token, frozenset[Source]]:
        """Who spoke of the subjects of these tokens: the sources of what `seen` gives, each once."""
        ...

    async def suggested(self, tokens: Sequence[Token]) -> Mapping[Token, Sequence[Suggested]]:
        """What people have, or had, about the subjects of these tokens."""
        ...

    async def suggest(self, item: WorkItem, tokens: Sequence[Token], fact: AuditFact) -> None:
        """Open this item about the subject of these tokens; the same again changes nothing."""
        ...


class PanelTransaction(Protocol):
    """What panels need of a transaction."""

    async def panel_events(self, panel_id: str) -> Sequence[PanelEvent]:
        """All that happened to a panel, in order; () where there is none."""
        ...

    async def keep_panel_event(self, panel: Panel, event: PanelEvent, fact: AuditFact) -> bool:
        """Add an event under its number, and what the panel comes to with it; False where that number is taken."""
        ...

    async def panels(self, query: PanelQuery) -> Mapping[str, Sequence[PanelEvent]]:
        """Panels in the order in which they were proposed, each with all that happened to it."""
        ...

    async def overdue_panels(self, today: date, limit: int) -> Sequence[PanelDue]:
        """What should have been done before that day and of which that was not said yet; it is said with this."""
        ...

    async def invite(self, issued: NoticeIssued) -> None:
        """Send an invitation; the same again changes nothing."""
        ...


class Transaction(CorrelationTransaction, PanelTransaction, Protocol):
    """Everything said through one of these happens, together with the consumer's new position, or none of it does."""

    async def record(self, decided: Sequence[Decided]) -> frozenset[str]:
        """Store what is new and publish its events; gives the ids of the decisions that are new.

        A decision whose key (concern, version, round) is stored already changes nothing: the stored one wins.
        """
        ...

    async def open_round(self, decided: Decided, opened: Opened, ended: Sequence[WorkItem]) -> bool:
        """Store a later round with the act that opened it, and end these items; False where the round is taken."""
        ...

    async def dossier(self, concern_id: str, version: int | None) -> Dossier | None:
        """All that is stored of that version (the newest for None); None where nothing was decided on it."""
        ...

    async def is_raised_by(self, concern_id: str, org: str) -> bool:
        """Whether that body raised it; one look, whether there is such a concern or not."""
        ...

    async def knows_of(self, concern_id: str, org: str) -> bool:
        """Whether that body raised it or was told of it, in any version; one look, as above."""
        ...

    async def lock_item(self, item_id: str) -> WorkItem | None:
        """A work item, locked against others until the transaction ends."""
        ...

    async def item_events(self, item_id: str) -> Sequence[ItemEvent]:
        """What happened to a work item, in order."""
        ...

    async def note(self, item: WorkItem, event: ItemEvent, fact: AuditFact) -> None:
        """Keep the item as it is now, with what happened to it."""
        ...

    async def offer_again(self, keys: Sequence[DecisionKey]) -> None:
        """Let the stored ConcernRouted events of these be published once more."""
        ...

    async def close(self, notice_ids: Sequence[str]) -> None:
        """The notifier has these notices."""
        ...

    async def settle(self, settled: Mapping[str, Settled]) -> None:
        """These notices are with their bodies, or never will be; the first word on each stands."""
        ...

    async def unsettled(self, version: int, now: datetime, limit: int) -> Sequence[ToldNotice]:
        """Notices that no graph of that version has looked at, or whose end has come; locked, others' left out."""
        ...

    async def checked(self, notice_id: str, version: int, withdraw_at: datetime | None) -> None:
        """A graph of that version lets the notice go, until that moment."""
        ...

    async def told_before(self, concern_id: str, version: int) -> Sequence[ToldNotice]:
        """Who was told of earlier versions, but for what was taken back."""
        ...

    async def undo(self, undoing: Undoing) -> bool:
        """Take a notice back; False where it was before."""
        ...

    async def say_undone(self, event: ConcernUndone) -> None:
        """Tell intake; what was said under this id is said once more."""
        ...

    async def keep_recall(self, concern_id: str, reason: str, at: datetime) -> None:
        """The concern is recalled from now on."""
        ...

    async def recalled_among(self, concern_ids: Sequence[str]) -> Mapping[str, str]:
        """Which of these concerns were recalled, each with its reason."""
        ...

    async def supersede(self, concern_id: str, version: int, at: datetime) -> None:
        """Nobody needs to look at the items of earlier versions any more."""
        ...

    async def say(self, facts: Sequence[AuditFact]) -> None:
        """Record these and nothing else."""
        ...

    async def open_item(self, item: WorkItem) -> None:
        """Something came back that a person must look at; the same again changes nothing."""
        ...

    async def overdue_items(self, now: datetime, limit: int) -> Sequence[WorkItem]:
        """Items that should have been resolved by now and of which that was not said yet; locked, others' left out."""
        ...

    async def replica(self) -> Replica:
        """The copy of the graph, locked against other routers until the transaction ends."""
        ...

    async def follow(self, head: Head, changed: Bodies) -> None:
        """The graph is now at `head`; the parts of its commit are dropped."""
        ...

    async def collect(self, part: CommitPart) -> None:
        """Keep a part of a commit that is not yet whole."""
        ...

    async def replace(self, replica: Replica) -> None:
        """Drop the whole copy for this one."""
        ...


class History(Protocol):
    """Graphs of the past."""

    async def judge_at(self, version: int) -> Judge:
        """A judge on the graph as it stood at that version. Raises RegistryUnavailable, GraphUnfit, NoSuchGraph."""
        ...

    async def judge_with(self, version: int, changed: Sequence[Mapping[str, Any]]) -> Judge:
        """A judge on that graph with these objects added or put in the place of others.

        Raises GraphInvalid for what cannot be read, and as `judge_at`.
        """
        ...

    async def version_at(self, known_at: datetime) -> int:
        """The newest version committed by then. Raises RegistryUnavailable, NoSuchGraph."""
        ...


class Begin(Protocol):
    """Opens a transaction that also moves past `spans`.

    Entering raises PositionMoved when another router has them, StoreUnavailable when Postgres is away.
    """

    def __call__(self, spans: Sequence[Span] = ()) -> AbstractAsyncContextManager[Transaction]:
        """The transaction."""
        ...


class Ledger(Protocol):
    """Where decisions are stored, with the position of the log that they come from."""

    def begin(self, spans: Sequence[Span] = ()) -> AbstractAsyncContextManager[Transaction]:
        """See Begin."""
        ...

    async def record(self, decided: Sequence[Decided], spans: Sequence[Span]) -> frozenset[str]:
        """What a transaction does that says `record` alone, in one statement; raises what `begin` raises."""
        ...


class GraphStore(Protocol):
    """The copy of the graph, read without a lock."""

    async def head(self) -> Head:
        """Which graph is stored; cheap."""
        ...

    async def stored_replica(self) -> Replica:
        """The whole of it, of one moment."""
        ...


class Registry(Protocol):
    """Where the whole graph can be had."""

    async def graph(self) -> Replica:
        """The newest graph, with the root that the registry states. Raises RegistryUnavailable."""
        ...

    async def head(self, known: Head) -> Head:
        """The registry's head; cheap, and cheapest where it is `known`. Raises RegistryUnavailable."""
        ...


MakeJudge = Callable[[Replica], Judge]
"""Reads the objects of a graph into a judge. Raises GraphInvalid."""


class SightingStore(Protocol):
    """Concerns about one subject, for those who ask: never more than the viewer may link."""

    async def sightings_of(self, concern_id: str, viewer: Viewer) -> Sequence[Sighting] | None:
        """What the newest version of a concern shows the viewer; None where it may not know of the concern."""
        ...

    async def slice_of(
        self, tokens: Sequence[Token], viewer: Viewer, since: datetime, until: datetime
    ) -> Sequence[Sighting]:
        """The viewer's sightings by these tokens received strictly between, but for recalled concerns."""
        ...


class DecisionStore(SightingStore, Protocol):
    """What was decided, for those who ask."""

    async def decision(self, concern_id: str, version: int | None) -> DecisionRecord | None:
        """The newest round of that version (of the newest version for None)."""
        ...

    async def is_raised_by(self, concern_id: str, org: str) -> bool:
        """Whether that body raised it; one look, whether there is such a concern or not."""
        ...

    async def told_by(self, key: DecisionKey) -> dict[str, str]:
        """The notice of each body that was told of that version, in whatever round."""
        ...

    async def told_of(self, concern_id: str, org: str) -> DecisionKey | None:
        """The newest version of which that body was told; one look, whether there is such a concern or not."""
        ...

    async def past_decisions(self, after: str, limit: int) -> Sequence[PastDecision]:
        """Everything that was decided, each with what it was decided on, by id."""
        ...

    async def routings(self, since: datetime | None, after: RoutingCursor | None, limit: int) -> Sequence[PastRouting]:
        """What was routed of the concerns received at or after `since`, in the order of receipt."""
        ...

    async def work_items(self, query: ItemQuery) -> Sequence[WorkItem]:
        """Work items, oldest first."""
        ...

    async def work_item(self, item_id: str) -> tuple[WorkItem, Sequence[ItemEvent]] | None:
        """A work item, with what happened to it."""
        ...

    async def stale_holds(self, after: ItemCursor | None, limit: int) -> Sequence[StaleHold]:
        """Open items of concerns that wait for a newer graph, oldest first."""
        ...
