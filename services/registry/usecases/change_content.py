"""What a change proposes: drafted, filled part by part, revised. All of a part is taken or none of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.registry.domain.change import (
    ChangeEvent,
    ChangeLog,
    Content,
    Drafted,
    ObjectsAdded,
    Part,
    Proposal,
    Revised,
    Step,
    folded,
    next_event,
)
from services.registry.domain.change_rules import Actor, Place, Refusal, forbidden
from services.registry.domain.model import Commit, Defect, EventName, GraphObject, Refused
from services.registry.domain.policy import changed
from services.registry.ports import ChangeTransaction
from services.registry.usecases.change import Ask, Desk, Result, Taken, Taking, take, write
from services.registry.usecases.commit import EMPTY, defects_in
from services.registry.usecases.graph import Graph, graph_of
from shared.canonical import canonical, digest
from shared.ids import derived_id


@dataclass(frozen=True, slots=True)
class Objects:
    """A part of what is proposed; `more`: further parts follow, so that the whole cannot be checked yet."""

    items: tuple[GraphObject, ...]
    more: bool = False

    def content(self) -> Content:
        """The part in an event."""
        bodies = [digest(item.body) for item in self.items]
        return Content(len(self.items), digest("".join(bodies).encode()), self.more)


@dataclass(frozen=True, slots=True)
class Draft:
    """A change as somebody proposes it, on top of the version that they have read."""

    title: str
    reason: str
    parent_version: int
    objects: Objects
    event: EventName = "CHANGED"

    def step(self) -> Drafted:
        """The draft as its event."""
        return Drafted(self.title, self.reason, self.parent_version, self.objects.content(), self.event)


@dataclass(frozen=True, slots=True)
class OtherContent:
    """The same key was used for another draft, which became this change."""

    change_id: str


def change_of(actor: Actor, key: str) -> str:
    """The id of the change that this principal drafts with this key."""
    return derived_id("chg", actor.principal, key)


async def draft_change(draft: Draft, actor: Actor, key: str, *, desk: Desk) -> Result | OtherContent:
    """Propose a change. The same principal and key again give the same change, whatever became of it.

    Raises ChangeMoved, GraphDamaged.
    """
    if refusal := forbidden(Drafted, actor):
        return refusal
    change_id = change_of(actor, key)
    step = draft.step()
    asked = digest(canonical(ChangeEvent(1, desk.clock.now(), actor.principal, "", step).body()))
    async with desk.begin() as tx:
        known = await tx.log(change_id)
        head, current = (EMPTY, None) if known else await _base(tx)
    if known:
        return _same(known, asked)
    if refusal := _stale(draft.parent_version, head):
        return refusal
    if current and not draft.objects.more and (found := await _faults(current, draft.objects.items, 0)):
        return found
    async with desk.begin() as tx:
        return await _begin(tx, change_id, next_event(None, step, (actor.principal, asked), desk.clock.now()), draft)


async def _begin(tx: ChangeTransaction, change_id: str, event: ChangeEvent, draft: Draft) -> Result | OtherContent:
    await tx.hold(change_id)
    if known := await tx.log(change_id):
        return _same(known, event.asked)
    await write(tx, change_id, event)
    await tx.add_objects(change_id, Part(1, 1, 0, draft.objects.items))
    return Taken(folded(ChangeLog(change_id, (event,))))


def _same(known: ChangeLog, asked: str) -> Taken | OtherContent:
    if known.events[0].asked != asked:
        return OtherContent(known.change_id)
    return Taken(folded(known), repeated=True)


async def _base(tx: ChangeTransaction) -> tuple[Commit, Graph | None]:
    head = await tx.history().head() or EMPTY
    return head, await graph_of(tx.history(), head)


def _stale(parent_version: int, head: Commit) -> Refusal | None:
    if parent_version == head.version:
        return None
    remedy = f"The graph is at version {head.version}. Read it, and propose the change on top of it."
    places = (Place("/parent_version", f"the graph is at version {head.version}"),)
    return Refusal("stale-version", "The graph has moved on; nothing was changed", remedy, places)


async def add_to_change(ask: Ask, objects: Objects, *, desk: Desk) -> Result:
    """Add a part to a draft. Nothing that was said of it before counts any more."""
    content = objects.content()

    async def decide(_tx: ChangeTransaction, _proposal: Proposal) -> Step | Refusal:
        return ObjectsAdded(content)

    async def keep(tx: ChangeTransaction, proposal: Proposal, event: ChangeEvent) -> None:
        await tx.add_objects(
            proposal.change_id, Part(proposal.revision, event.number, proposal.object_count, objects.items)
        )

    if fault := forbidden(ObjectsAdded, ask.actor) or await _part_faults(ask, objects, desk=desk):
        return fault
    asked = {"digest": content.digest, "more": content.more}
    return await take(ask, Taking(ObjectsAdded, asked, decide, keep), desk=desk)


async def _part_faults(ask: Ask, objects: Objects, *, desk: Desk) -> Refusal | Refused | None:
    """What is wrong with the part, and with the whole when it is the last; `take` looks at everything else."""
    async with desk.begin() as tx:
        log = await tx.log(ask.change_id)
        proposal = folded(log) if log else None
        if (
            proposal is None
            or proposal.number != ask.number
            or proposal.is_closed
            or forbidden(ObjectsAdded, ask.actor)
        ):
            return None
        known = await tx.proposed(ask.change_id, proposal.revision, [item.key for item in objects.items])
        before = () if objects.more else tuple(await tx.objects(ask.change_id, proposal.revision))
        current = None if objects.more else (await _base(tx))[1]
    twice = [n for n, item in enumerate(objects.items) if item.key in known]
    if twice:
        places = tuple(Place(f"/objects/{n}", "the change has this object already") for n in twice)
        remedy = "Send each object once; a revision replaces what was sent before."
        return Refusal("invalid-objects", "Some objects are in the change already", remedy, places)
    return None if current is None else await _faults(current, before + objects.items, len(before))


async def revise_change(ask: Ask, draft: Draft, *, desk: Desk) -> Result:
    """Replace what is proposed as a whole; the draft's reason says why."""
    step = Revised(draft.reason, draft.parent_version, draft.objects.content())

    async def decide(tx: ChangeTransaction, _proposal: Proposal) -> Step | Refusal:
        head = await tx.history().head() or EMPTY
        return _stale(draft.parent_version, head) or step

    async def keep(tx: ChangeTransaction, proposal: Proposal, event: ChangeEvent) -> None:
        await tx.add_objects(proposal.change_id, Part(proposal.revision + 1, event.number, 0, draft.objects.items))

    if fault := forbidden(Revised, ask.actor) or await _whole_faults(draft, desk=desk):
        return fault
    asked = {"digest": step.content.digest, "parent": draft.parent_version, "reason": draft.reason}
    return await take(ask, Taking(Revised, asked, decide, keep), desk=desk)


async def _whole_faults(draft: Draft, *, desk: Desk) -> Refusal | Refused | None:
    """What is wrong with what is complete; `take` says whether the graph has moved on meanwhile."""
    async with desk.begin() as tx:
        head, current = await _base(tx)
    if refusal := _stale(draft.parent_version, head):
        return refusal
    return None if draft.objects.more or current is None else await _faults(current, draft.objects.items, 0)


async def _faults(current: Graph, asked: Sequence[GraphObject], first: int) -> Refusal | Refused | None:
    """What is wrong with the graph that the change would make; `first` is the place of the first object just sent."""
    if not asked:
        return None
    return await asyncio.to_thread(_faults_of, current, tuple(asked), first)


def _faults_of(current: Graph, asked: tuple[GraphObject, ...], first: int) -> Refusal | Refused | None:
    if not changed(current.objects, asked):
        return Refusal("nothing-changes", "The graph has every object as it is proposed", "There is nothing to change.")
    found = defects_in(current.objects, asked)
    return Refused(tuple(_in_part(defect, first) for defect in found)) if found else None


def _in_part(defect: Defect, first: int) -> Defect:
    """Places count within what was just sent; what was sent before is named by its words alone."""
    if defect.index is None or defect.index < first:
        return Defect(None, defect.detail)
    return Defect(defect.index - first, defect.detail)
