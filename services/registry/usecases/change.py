"""The steps of a change: each is one event, taken by somebody who may, on top of the events that they have read."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson

from services.registry.domain.change import (
    Approved,
    ChangeEvent,
    ChangeLog,
    Proposal,
    Reviewed,
    Signed,
    Step,
    Withdrawn,
    folded,
    followed,
    next_event,
)
from services.registry.domain.change_difference import Found
from services.registry.domain.change_rules import (
    Actor,
    Refusal,
    closed,
    fails,
    forbidden,
    no_approval,
    no_review,
)
from services.registry.domain.errors import ChangeMoved
from services.registry.domain.model import Refused
from services.registry.ports import BeginChange, ChangeTransaction, PastConcerns
from services.registry.usecases.remembered import Remembered
from shared.agreements import Graph
from shared.agreements.days import civil_day
from shared.canonical import canonical, digest
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.envelope import JsonObject
from shared.ids import derived_id

SERVICE = "registry"
EVENTS_AT_ONCE = 24
"""A change of more events is folded beside the event loop: it came in parts."""


Analyse = Callable[[Graph, date], Sequence[Found] | None]
"""What the analyses find in a graph on a civil day; None where it is too much to list."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where changes are dealt with: their store, the time, and what the gate to force asks.

    `window` is how far back concerns of the past are decided again.
    """

    begin: BeginChange
    clock: Clock
    past: PastConcerns
    analyse: Analyse
    window: timedelta
    required: Remembered = field(default_factory=Remembered)

    def today(self) -> date:
        """The civil day in London."""
        return civil_day(self.clock.now())


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asks for a step on a change as they have read it; `number` is that of the last event that they know."""

    change_id: str
    number: int
    actor: Actor


@dataclass(frozen=True, slots=True)
class Taken:
    """The step is part of the change; `repeated`: it was before, and nothing was added."""

    proposal: Proposal
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class StaleChange:
    """The change has moved on; `number` is that of its last event."""

    number: int


@dataclass(frozen=True, slots=True)
class UnknownChange:
    """There is no such change."""


Result = Taken | Refusal | Refused | StaleChange | UnknownChange
Decide = Callable[[ChangeTransaction, Proposal], Awaitable[Step | Refusal | Refused]]
Keep = Callable[[ChangeTransaction, Proposal, ChangeEvent], Awaitable[None]]


async def nothing_more(_tx: ChangeTransaction, _proposal: Proposal, _event: ChangeEvent) -> None:
    """For steps that say all in their event."""


@dataclass(frozen=True, slots=True)
class Taking:
    """How a step is taken: its kind, what was asked, how it is decided, and what is kept beside the event."""

    kind: type[Step]
    asked: Mapping[str, Any]
    decide: Decide
    keep: Keep = nothing_more

    @property
    def digest(self) -> str:
        """What a repeat of the same request is known by."""
        return digest(self.kind.__name__.encode(), canonical(dict(self.asked)))


async def take(ask: Ask, taking: Taking, *, desk: Desk) -> Result:
    """Take a step, or say why not. The same request of the same principal again finds the step taken.

    Raises ChangeMoved, GraphDamaged.
    """
    if refusal := forbidden(taking.kind, ask.actor):
        return refusal
    async with desk.begin() as tx:
        await tx.hold(ask.change_id)
        log = await tx.log(ask.change_id)
        if log is None:
            return UnknownChange()
        proposal = await state_of(log)
        if proposal.number != ask.number:
            return Taken(proposal, repeated=True) if _repeats(log, ask, taking) else StaleChange(proposal.number)
        step = closed(proposal) or await taking.decide(tx, proposal)
        if isinstance(step, Refusal | Refused):
            return step
        event = next_event(proposal, step, (ask.actor.principal, taking.digest), desk.clock.now())
        await write(tx, ask.change_id, event)
        await taking.keep(tx, proposal, event)
        return Taken(followed(proposal, event))


def _repeats(log: ChangeLog, ask: Ask, taking: Taking) -> bool:
    """Whether the very next step after what was read is this one: an answer was lost on its way."""
    following = log.events[ask.number : ask.number + 1]
    return any((e.principal, e.asked) == (ask.actor.principal, taking.digest) for e in following)


async def write(tx: ChangeTransaction, change_id: str, event: ChangeEvent) -> None:
    """Add the event and its audit fact. Raises ChangeMoved."""
    if not await tx.add(change_id, event):
        raise ChangeMoved
    await tx.history().record([_fact(change_id, event)])


def _fact(change_id: str, event: ChangeEvent) -> AuditFact:
    """Ids and digests alone: the words of a change stay in it."""
    said = {"event": event.name, "change_id": change_id, "number": event.number}
    return AuditFact(
        fact_id=derived_id("fct", "change", change_id, event.number),
        kind="agreement-event",
        at=event.at,
        service=SERVICE,
        actor=event.principal,
        body={**said, "digest": digest(canonical(event.body())), **_telling(event.step)},
    )


def _telling(step: Step) -> JsonObject:
    """What an auditor must see without the change: what was approved, signed and committed."""
    body = {name: getattr(step, name, None) for name in ("difference", "version", "root", "base_root")}
    signed = step.signatures if isinstance(step, Signed) else ()
    rows = [{"agreement": agreement, "party": party, "terms_digest": terms} for agreement, party, terms in signed]
    return {
        **{name: value for name, value in body.items() if value is not None},
        **(
            {"signatures_digest": digest(canonical(rows)), "recorded": step.recorded}
            if isinstance(step, Signed)
            else {}
        ),
    }


async def review_change(ask: Ask, note: str, *, desk: Desk) -> Result:
    """Somebody who wrote no part of it has read it."""

    async def decide(_tx: ChangeTransaction, proposal: Proposal) -> Step | Refusal:
        return no_review(proposal, ask.actor) or Reviewed(note)

    return await take(ask, Taking(Reviewed, {"note": note}, decide), desk=desk)


async def approve_change(ask: Ask, difference: str, *, desk: Desk) -> Result:
    """One of two approvals of the stored difference, by its digest."""

    async def decide(tx: ChangeTransaction, proposal: Proposal) -> Step | Refusal:
        if refusal := no_approval(proposal, ask.actor, difference):
            return refusal
        if proposal.assessment and not proposal.assessment.passes:
            stored = await tx.difference(proposal.change_id, proposal.assessed_in) or b"{}"
            return fails(orjson.loads(stored)["examples"]["failed"])
        return Approved(difference)

    return await take(ask, Taking(Approved, {"difference": difference}, decide), desk=desk)


async def withdraw_change(ask: Ask, reason: str, *, desk: Desk) -> Result:
    """It will never be part of the graph."""

    async def decide(_tx: ChangeTransaction, _proposal: Proposal) -> Step | Refusal:
        return Withdrawn(reason)

    return await take(ask, Taking(Withdrawn, {"reason": reason}, decide), desk=desk)


async def state_of(log: ChangeLog) -> Proposal:
    """What its events add up to; of an import they hold a signature for each of its parties."""
    return await asyncio.to_thread(folded, log) if len(log.events) > EVENTS_AT_ONCE else folded(log)
