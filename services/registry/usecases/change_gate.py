"""The gate to force: what a change would do is worked out and kept; only what was approved like that is committed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.registry.domain.change import Assessed, ChangeEvent, Proposal, Scheduled, Step, folded
from services.registry.domain.change_difference import Found, Ground, Past, difference, touched
from services.registry.domain.change_rules import (
    Place,
    Refusal,
    closed,
    forbidden,
    needs,
    not_ready,
    unfilled,
)
from services.registry.domain.errors import GraphDamaged
from services.registry.domain.model import Change, Commit, Committed, GraphObject, Refused, Stale, Unchanged
from services.registry.domain.packed import PackedObjects
from services.registry.domain.policy import changed
from services.registry.domain.unread import Unread
from services.registry.ports import ChangeTransaction
from services.registry.usecases.change import (
    Analyse,
    Ask,
    Desk,
    Result,
    Taken,
    Taking,
    take,
)
from services.registry.usecases.change_signatures import mark_of, signatures_for, signatures_of
from services.registry.usecases.commit import EMPTY, append_change, defects_in
from services.registry.usecases.graph import Graph, graph_of
from shared.agreements import Snapshot
from shared.agreements.load import KINDS, read, reread
from shared.canonical import canonical, digest

Keyed = Mapping[str, Found] | None
"""Findings by key; None where they are too many to list."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What a change would do, as the bytes that are kept; the digest of them is what two people approve."""

    body: bytes
    root: str
    passes: bool

    @property
    def digest(self) -> str:
        """SHA-256 over the bytes, in hex."""
        return digest(self.body)


@dataclass(frozen=True, slots=True)
class _Question:
    """A change on top of a graph, the concerns of the past, and the civil day that the analyses look at."""

    base: Graph
    asked: tuple[GraphObject, ...]
    past: Past
    day: date


async def assess_change(ask: Ask, *, desk: Desk) -> Result:
    """Work out what the change would do on the graph as it stands, and keep it. Raises HistoryUnavailable."""
    if refusal := forbidden(Assessed, ask.actor):
        return refusal
    async with desk.begin() as tx:
        found = await _read(tx, ask)
    if not isinstance(found, _Subject):
        return await take(ask, Taking(Assessed, {}, _never(found)), desk=desk)
    worked = await work_out(found.base, found.asked, await _past(None, desk), desk=desk)
    if isinstance(worked, Refused):
        return worked
    head = found.base.commit
    stands = _as_it_stands(found.base, found.asked)
    required = await signatures_for(mark_of(found.proposal, head, desk=desk), stands, found.asked, desk=desk)
    step = Assessed(worked.digest, head.version, head.root, worked.root, worked.passes, len(required))

    async def decide(_tx: ChangeTransaction, _proposal: Proposal) -> Step | Refusal:
        return step

    async def keep(tx: ChangeTransaction, proposal: Proposal, event: ChangeEvent) -> None:
        await tx.add_difference(proposal.change_id, event.number, worked.body)

    return await take(ask, Taking(Assessed, {}, decide, keep), desk=desk)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is assessed: the graph as it stands, and the objects on top of it."""

    proposal: Proposal
    base: Graph
    asked: tuple[GraphObject, ...]


def _never(found: Refusal | None) -> Any:
    """For `take` to say what is wrong; where it finds nothing wrong the refusal that was met."""

    async def decide(_tx: ChangeTransaction, _proposal: Proposal) -> Refusal:
        return found or Refusal("stale-change", "The change has moved on", "Read it and try again.")

    return decide


async def _read(tx: ChangeTransaction, ask: Ask) -> _Subject | Refusal | None:
    """None where the change is not as it was read."""
    log = await tx.log(ask.change_id)
    proposal = folded(log) if log else None
    if proposal is None or proposal.number != ask.number:
        return None
    if refusal := closed(proposal) or unfilled(proposal):
        return refusal
    head = await tx.history().head() or EMPTY
    asked = tuple(await tx.objects(ask.change_id, proposal.revision))
    since = {*await tx.history().touched(proposal.parent_version, head.version)}
    moved = {item.key for item in asked if item.key in since}
    return _moved_on(moved, head) if moved else _Subject(proposal, await graph_of(tx.history(), head), asked)


def _moved_on(keys: Iterable[tuple[str, str]], head: Commit) -> Refusal:
    """Somebody else has changed the very objects that are proposed: theirs would be lost."""
    places = tuple(Place("", f"{kind} {name} was changed by another commit since") for kind, name in sorted(keys))
    remedy = f"Read these objects at version {head.version}, and revise the change on top of it."
    return Refusal("stale-version", "The graph has moved on; nothing was changed", remedy, places)


async def _past(since: datetime | None, desk: Desk) -> Past:
    now = desk.clock.now()
    return await desk.past.between(since or now - desk.window, now)


async def work_out(base: Graph, asked: Sequence[GraphObject], past: Past, *, desk: Desk) -> Worked | Refused:
    """The difference, in a thread of its own: it decides thousands of concerns, and the service goes on meanwhile."""
    return await asyncio.to_thread(_worked, _Question(base, tuple(asked), past, desk.today()), desk.analyse)


def _worked(question: _Question, analyse: Analyse) -> Worked | Refused:
    """Only what the change touches is checked and read anew; the rest is the graph as it stands."""
    base, asked = question.base, question.asked
    if found := defects_in(base.objects, asked):
        return Refused(found)
    new = changed(base.objects, asked)
    made, unread = base.objects.with_objects(new), Unread(new)
    before = Snapshot(read(base.objects.known), base.commit.version, base.commit.root)
    after = before.after(reread(before.graph, made.known, unread), base.commit.version + 1, made.root, unread)
    examples_of = _examples_of(base.objects, made, unread)
    now, then = _found(analyse, question.day, before, after)
    said = difference(Ground(before, now), Ground(after, then), question.past, examples_of)
    body = canonical({**said, "objects": touched(_as_it_stands(base, asked), asked)})
    return Worked(body, made.root, said["passes"])


def _examples_of(base: PackedObjects, made: PackedObjects, new: Unread) -> set[str]:
    """The agreements whose examples the change could move; anything but an agreement may bear on all of them."""
    stay = set(base.agreements_naming("examples")) - set(new.ids("agreement"))
    among = stay | set(new.naming("agreement", "examples"))
    if any(new.ids(kind) for kind in KINDS - {"agreement"}):
        return among
    signed = {row["id"]: row["lineage"] for row in new.of_kind("agreement")}
    found = {*signed, *signed.values()}
    for roster in (base.known.roster, made.known.roster):
        for name, lineage in signed.items():
            found.update(roster.later.get(name, ()), roster.children.get(name, ()), roster.versions.get(lineage, ()))
    return found & among


def _as_it_stands(base: Graph, asked: Sequence[GraphObject]) -> list[GraphObject]:
    """The objects that are proposed, as the graph has them; a large graph is not read whole for a few."""
    bodies = ((item.key, base.objects.copy.get(item.key)) for item in asked)
    return [GraphObject(*key, body) for key, body in bodies if body is not None]


def _found(analyse: Analyse, day: date, before: Snapshot, after: Snapshot) -> tuple[Keyed, Keyed]:
    """The larger graph is asked first: where it is too much to list the other need not be looked at."""
    then = analyse(after.graph, day)
    now = None if then is None else analyse(before.graph, day)
    if then is None or now is None:
        return None, None
    return {one.key: one for one in now}, {one.key: one for one in then}


async def what_if(asked: Sequence[GraphObject], since: datetime | None, *, desk: Desk) -> Worked | Refused:
    """What the objects would do on the graph as it stands; nothing is kept. Raises HistoryUnavailable, GraphDamaged."""
    async with desk.begin() as tx:
        base = await graph_of(tx.history(), await tx.history().head() or EMPTY)
    return await work_out(base, asked, await _past(since, desk), desk=desk)


async def schedule_change(ask: Ask, *, desk: Desk) -> Result:
    """Make it one commit of the graph: every condition is looked at again in the transaction that commits it."""

    async def decide(tx: ChangeTransaction, proposal: Proposal) -> Step | Refusal | Refused:
        required = await signatures_of(tx, proposal, desk=desk)
        missing = await asyncio.to_thread(needs, proposal, required)
        head = await tx.history().head() or EMPTY
        if refusal := not_ready(missing) or _base_moved(proposal, head):
            return refusal
        asked = tuple(await tx.objects(proposal.change_id, proposal.revision))
        change = Change(head.version, ask.actor.principal, proposal.drafted.reason, asked, proposal.event)
        return await _commit(tx, proposal, change, desk=desk)

    result = await take(ask, Taking(Scheduled, {}, decide), desk=desk)
    if isinstance(result, Taken):
        desk.required.forget()
    return result


def _base_moved(proposal: Proposal, head: Commit) -> Refusal | None:
    if proposal.assessment is None or proposal.assessment.base_root == head.root:
        return None
    remedy = f"The graph is at version {head.version}. Assess the change again, and have the difference approved."
    return Refusal("stale-version", "The graph has moved on since the change was assessed", remedy)


async def _commit(tx: ChangeTransaction, proposal: Proposal, change: Change, *, desk: Desk) -> Step | Refusal | Refused:
    history = tx.history()
    head = await history.head() or EMPTY
    current = await graph_of(history, head)
    match await append_change(history, head, current.objects, change, desk.clock):
        case Committed(commit):
            if proposal.assessment is None or commit.root != proposal.assessment.root:
                raise GraphDamaged(commit.version)  # what is stored is not what was approved: nothing takes effect
            return Scheduled(commit.version, commit.root)
        case Unchanged():
            return Refusal("nothing-changes", "The graph has every object as it is proposed", "Withdraw the change.")
        case Stale(newer):
            remedy = f"The graph is at version {newer.version}. Assess the change again."
            return Refusal("stale-version", "The graph has moved on since the change was assessed", remedy)
        case refused:
            return refused
