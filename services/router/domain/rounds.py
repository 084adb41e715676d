"""Later rounds of a concern: what opens one, what it starts from, and what it leaves to people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from services.router.domain.choosing import NOTHING, Choices
from services.router.domain.model import (
    OF_THE_DECISION,
    Concern,
    DecisionKey,
    DecisionRecord,
    ItemEvent,
    Resolution,
    WorkItem,
)

ActKind = Literal["graph-arrived", "amended", "route", "choice", "human-decision", "emergency"]
MACHINE = "router"
DO_NOT_SHARE = "do-not-share"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: the client's subject, the organisation it acts for, and the person that it names."""

    principal: str
    org: str
    name: str

    @property
    def is_machine(self) -> bool:
        """Whether the router itself acts; it does so only to end a hold."""
        return self.principal == MACHINE

    def is_another_than(self, principal: object, name: object) -> bool:
        """Whether this is a second person, by client and by name (P21)."""
        same_name = self.name.strip().casefold() == str(name).strip().casefold()
        return self.principal != principal and not same_name


@dataclass(frozen=True, slots=True)
class Act:
    """What opened a round: who did what, and why. `request` is the digest of what was asked: a repeat finds its round.

    `choices` are all that stand from this round on; `routing` is the routing as decided on, where a person's recorded
    decision was added to it; `record` is that decision's record.
    """

    kind: ActKind
    by: Person
    reason: str
    organisations: tuple[str, ...]
    request: str
    choices: Choices
    routing: Mapping[str, Any] | None = None
    record: Mapping[str, Any] | None = None

    @property
    def closes(self) -> bool:
        """Whether a person takes back what was opened before: a gateway, or necessity."""
        return self.routing is not None and (self.record or {}).get("decision") == DO_NOT_SHARE


@dataclass(frozen=True, slots=True)
class Opened:
    """A round that an act opened: the round's key and decision, and the act."""

    decision_id: str
    key: DecisionKey
    at: datetime
    act: Act


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is stored of a version of a concern: as it came in, its newest decision, acts, notices, open items.

    `notices` are those that tell a body, in any round; `taken_back` the bodies that were withdrawn from since.
    """

    concern: Concern
    newest: DecisionRecord
    opened: tuple[Opened, ...]
    notices: Mapping[str, str]
    items: tuple[WorkItem, ...]
    recalled: bool = False
    taken_back: frozenset[str] = frozenset()

    @property
    def routing(self) -> Mapping[str, Any]:
        """The routing as the newest round was decided on it."""
        routings = [one.act.routing for one in self.opened if one.act.routing is not None]
        return routings[-1] if routings else self.concern.routing

    @property
    def choices(self) -> Choices:
        """The choices that stand."""
        return self.opened[-1].act.choices if self.opened else {}

    @property
    def told_nothing(self) -> frozenset[str]:
        """The bodies with which a person decided not to share, and with which nobody decided to share since."""
        return frozenset(org for org, manner in self.choices.items() if manner == NOTHING)

    @property
    def next_key(self) -> DecisionKey:
        """The key of the round that would be opened now."""
        return replace(self.newest.key, round=self.newest.key.round + 1)

    def told_still(self, organisations: Iterable[str]) -> dict[str, str]:
        """Of these bodies those that were told and not withdrawn from since, each with its notice."""
        told = self.notices.keys() - self.taken_back
        return {org: self.notices[org] for org in organisations if org in told}

    def repeated(self, act: Act) -> Opened | None:
        """The round that this very act opened already."""
        same = (one for one in self.opened if one.act.request == act.request and one.act.kind == act.kind)
        return next(same, None)


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision with everything that it was taken on but the graph itself: the concern, and the choices that stood."""

    record: DecisionRecord
    concern: Concern
    choices: Choices


@dataclass(frozen=True, slots=True)
class Handover:
    """What a new round does to the items before it: some end with it, some stand on, new ones are opened."""

    ended: tuple[WorkItem, ...] = ()
    opened: tuple[WorkItem, ...] = field(default=())


def hand_over(standing: Iterable[WorkItem], fresh: Iterable[WorkItem], *, done: WorkItem | None) -> Handover:
    """An item whose matter is unchanged stands on, with its age and its owner; another of its kind takes its owner.

    `done` is the item that the person who opened the round has dealt with: nothing of its kind is opened anew. What no
    decision left (a notice that came back, a suggestion, a review) ends only where a person dealt with that very item.
    """
    before = {item.kind: item for item in standing if item.kind in OF_THE_DECISION}
    after = {item.kind: item for item in fresh}
    dealt_with = done.kind if done else None
    unchanged = {kind for kind, item in after.items() if kind in before and _same(item, before[kind])} - {dealt_with}
    opened = [
        replace(item, owner=before[kind].owner if kind in before else "")
        for kind, item in after.items()
        if kind not in unchanged and kind != dealt_with
    ]
    ended = [item for kind, item in before.items() if kind not in unchanged]
    ended += [done] if done and done.kind not in OF_THE_DECISION else []
    return Handover(tuple(ended), tuple(opened))


def resolved(item: WorkItem, opened: Opened) -> WorkItem:
    """The item as the round ended it."""
    how: Resolution = "graph-arrived" if opened.act.kind == "graph-arrived" else "routed"
    return replace(item, resolution=how, resolved_at=opened.at)


def resolved_by(item: WorkItem, opened: Opened) -> ItemEvent:
    """What that says in the item's history."""
    body = {
        "action": opened.act.kind,
        "resolution": item.resolution,
        "round": opened.key.round,
        "decision_id": opened.decision_id,
        "organisations": list(opened.act.organisations),
        "by": opened.act.by.name,
        "reason": opened.act.reason,
    }
    return ItemEvent("resolved", opened.at, opened.act.by.principal, body)


def _same(item: WorkItem, other: WorkItem) -> bool:
    return (item.codes, item.bodies) == (other.codes, other.bodies)
