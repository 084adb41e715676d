"""A change of the graph on its way into force: its events, and what they add up to.

A change is drafted, filled, reviewed, assessed, approved by two, signed by the parties, and scheduled: one commit of
the graph, whose objects apply by their own dates. Its state is a fold over its events and is stored nowhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from services.registry.domain.model import EventName, GraphObject

APPROVALS_NEEDED = 2


@dataclass(frozen=True, slots=True)
class Content:
    """What an event brought: how many objects, the digest over theirs, and whether further ones are to come."""

    count: int
    digest: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Drafted:
    """Somebody proposes a change on top of the version that they have read. `event` names the commit to be."""

    title: str
    reason: str
    parent_version: int
    content: Content
    event: EventName = "CHANGED"


@dataclass(frozen=True, slots=True)
class ObjectsAdded:
    """A further part of what is proposed."""

    content: Content


@dataclass(frozen=True, slots=True)
class Revised:
    """What is proposed is replaced as a whole: nothing that was said of it before counts any more."""

    reason: str
    parent_version: int
    content: Content


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A second person has read it."""

    note: str


@dataclass(frozen=True, slots=True)
class Assessed:
    """What the change would do was worked out on the graph of that version and root.

    `difference` is the digest of the stored difference, `root` the root of the graph that the change would make,
    `signatures` how many the parties must give.
    """

    difference: str
    base_version: int
    base_root: str
    root: str
    passes: bool
    signatures: int


@dataclass(frozen=True, slots=True)
class Approved:
    """One person approves the difference of that digest."""

    difference: str


class Signature(NamedTuple):
    """A party agrees to the terms of that digest. A tuple, because a large import has 300,000 of them in sets."""

    agreement: str
    party: str
    terms_digest: str


@dataclass(frozen=True, slots=True)
class Signed:
    """Signatures, given by the party itself or recorded from a document; `evidence` names the document."""

    signatures: tuple[Signature, ...]
    recorded: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Scheduled:
    """It is part of the graph from this commit on."""

    version: int
    root: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """It will never be part of the graph."""

    reason: str


Step = Drafted | ObjectsAdded | Revised | Reviewed | Assessed | Approved | Signed | Scheduled | Withdrawn
NAMES: Mapping[type[Step], str] = {
    Drafted: "DRAFTED",
    ObjectsAdded: "OBJECTS_ADDED",
    Revised: "REVISED",
    Reviewed: "REVIEWED",
    Assessed: "ASSESSED",
    Approved: "APPROVED",
    Signed: "SIGNED",
    Scheduled: "SCHEDULED",
    Withdrawn: "WITHDRAWN",
}


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One step that was taken. `asked` is the digest of what the principal asked for: a repeat is known by it."""

    number: int
    at: datetime
    principal: str
    asked: str
    step: Step

    @property
    def name(self) -> str:
        """The event's name."""
        return NAMES[type(self.step)]

    def body(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        step = self.step
        if isinstance(step, Signed):
            rows = [
                {"agreement": name, "party": party, "terms_digest": terms} for name, party, terms in step.signatures
            ]
            return {"signatures": rows, "recorded": step.recorded, "evidence": step.evidence}
        return asdict(step)


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """A change and all its events, in order. `begun` is what the first of them add up to, where that is known."""

    change_id: str
    events: tuple[ChangeEvent, ...]
    begun: "Proposal | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ChangePlace:
    """A change's place in the list of changes."""

    drafted_at: datetime
    change_id: str


@dataclass(frozen=True, slots=True)
class Part:
    """Objects that the event of that number brings to a revision; `first` is the place of the first among all."""

    revision: int
    number: int
    first: int
    objects: tuple[GraphObject, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the events of a change add up to. `number` is that of the last one.

    `authors` are all who ever gave it content: none of them can review or approve it. `event` is what the commit will
    be called: what was drafted as a termination is one only as long as nothing else is proposed in its place.
    """

    change_id: str
    drafted: Drafted
    drafted_at: datetime
    event: EventName = "CHANGED"
    number: int = 0
    authors: frozenset[str] = frozenset()
    parent_version: int = 0
    revision: int = 0
    object_count: int = 0
    incomplete: bool = False
    reviewer: str | None = None
    assessment: Assessed | None = None
    assessed_in: int = 0
    approvers: tuple[str, ...] = ()
    signatures: frozenset[Signature] = frozenset()
    scheduled: Scheduled | None = None
    withdrawn: bool = False

    @property
    def is_closed(self) -> bool:
        """Nothing can happen to it any more."""
        return self.withdrawn or self.scheduled is not None

    @property
    def is_approved(self) -> bool:
        """Reviewed, and two others approve the difference as it was last worked out."""
        return self.reviewer is not None and len(self.approvers) >= APPROVALS_NEEDED

    @property
    def state(self) -> str:
        """draft | reviewed | assessed | approved | signed | scheduled | withdrawn."""
        if self.is_closed:
            return "withdrawn" if self.withdrawn else "scheduled"
        if self.is_approved and self.assessment:
            return "signed" if len(self.signatures) >= self.assessment.signatures else "approved"
        if self.reviewer is None:
            return "draft"
        return "assessed" if self.assessment else "reviewed"


STATES = ("draft", "reviewed", "assessed", "approved", "signed", "scheduled", "withdrawn")


def folded(log: ChangeLog) -> Proposal:
    """The change as its events leave it. Raises IndexError for a change without events, which there is not."""
    first = log.events[0]
    if not isinstance(first.step, Drafted):
        raise TypeError(f"the first event of {log.change_id} is {first.name}")
    proposal = log.begun or Proposal(log.change_id, first.step, first.at)
    for event in log.events[proposal.number :]:
        proposal = followed(proposal, event)
    return proposal


def followed(proposal: Proposal, event: ChangeEvent) -> Proposal:
    """The change after one event more."""
    return replace(_FOLDS[type(event.step)](proposal, event), number=event.number)


def _drafted(proposal: Proposal, event: ChangeEvent) -> Proposal:
    step: Any = event.step
    filled = _with_content(proposal, event)
    return replace(filled, event=step.event, parent_version=step.parent_version, revision=1)


def _revised(proposal: Proposal, event: ChangeEvent) -> Proposal:
    step: Any = event.step
    emptied = replace(proposal, object_count=0, revision=proposal.revision + 1, parent_version=step.parent_version)
    return _with_content(emptied, event)


def _with_content(proposal: Proposal, event: ChangeEvent) -> Proposal:
    """What was said of other content says nothing of this."""
    step: Any = event.step
    return replace(
        proposal,
        event="CHANGED",
        authors=proposal.authors | {event.principal},
        object_count=proposal.object_count + step.content.count,
        incomplete=step.content.more,
        reviewer=None,
        assessment=None,
        approvers=(),
        signatures=frozenset(),
    )


def _reviewed(proposal: Proposal, event: ChangeEvent) -> Proposal:
    return replace(proposal, reviewer=event.principal)


def _assessed(proposal: Proposal, event: ChangeEvent) -> Proposal:
    """Who approved another difference has not approved this one."""
    step: Any = event.step
    return replace(proposal, assessment=step, assessed_in=event.number, approvers=())


def _approved(proposal: Proposal, event: ChangeEvent) -> Proposal:
    return replace(proposal, approvers=(*proposal.approvers, event.principal))


def _signed(proposal: Proposal, event: ChangeEvent) -> Proposal:
    step: Any = event.step
    return replace(proposal, signatures=proposal.signatures | set(step.signatures))


def _scheduled(proposal: Proposal, event: ChangeEvent) -> Proposal:
    step: Any = event.step
    return replace(proposal, scheduled=step)


def _withdrawn(proposal: Proposal, _event: ChangeEvent) -> Proposal:
    return replace(proposal, withdrawn=True)


_FOLDS: Mapping[type[Step], Callable[[Proposal, ChangeEvent], Proposal]] = {
    Drafted: _drafted,
    ObjectsAdded: _with_content,
    Revised: _revised,
    Reviewed: _reviewed,
    Assessed: _assessed,
    Approved: _approved,
    Signed: _signed,
    Scheduled: _scheduled,
    Withdrawn: _withdrawn,
}


def step_of(name: str, body: Mapping[str, Any]) -> Step:
    """The step from its name and plain values, as `ChangeEvent.body` gave them. Raises KeyError, TypeError."""
    kind = next(kind for kind, known in NAMES.items() if known == name)
    values = dict(body)
    if "content" in values:
        values["content"] = Content(**values["content"])
    if kind is Signed:
        rows = values["signatures"]
        values["signatures"] = tuple(Signature(s["agreement"], s["party"], s["terms_digest"]) for s in rows)
    return kind(**values)


def next_event(proposal: Proposal | None, step: Step, who: tuple[str, str], at: datetime) -> ChangeEvent:
    """The event that follows; `who` is the principal and the digest of what it asked for."""
    return ChangeEvent(1 if proposal is None else proposal.number + 1, at, *who, step)
