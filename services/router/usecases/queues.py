"""What people do with the items that wait for them: take one on, route by hand, let it wait, close it with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.router.domain.advice import Missing, but_kept_back
from services.router.domain.choosing import Choices
from services.router.domain.model import ItemEvent, ItemEventName, ItemKind, WorkItem
from services.router.domain.rounds import Act, Dossier, Opened, Person, resolved
from services.router.ports import DecisionStore, Transaction
from services.router.usecases.desk import Desk, Sitting
from services.router.usecases.judging import chosen
from services.router.usecases.rounds import Absent, Refused, Stands, kept_back, open_round
from shared.contracts.audit import AuditFact
from shared.ids import new_id

TELLS_NOBODY: frozenset[ItemKind] = frozenset({"correlation", "emergency", "derived"})
"""A suggestion is about a subject of several concerns, a review about what was told, a correction about what others
built on it: nobody is told by these."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asks of an item; `request` is the digest of it: the same asked twice happens once."""

    item_id: str
    by: Person
    reason: str
    request: str


@dataclass(frozen=True, slots=True)
class Done:
    """The item as it is now; `stands` is the decision that a route by hand led to."""

    item: WorkItem
    stands: Stands | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ItemLook:
    """An item with what happened to it, the concern as it was routed on, and what is missing for its bodies now."""

    item: WorkItem
    events: Sequence[ItemEvent]
    routing: Mapping[str, Any]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class AwaitsSecond:
    """A pointer goes to bodies that no clause lets be told more only when a second person says so too."""

    item: WorkItem


@dataclass(frozen=True, slots=True)
class Ended:
    """The item was resolved before, in another way or by somebody else."""

    item: WorkItem


@dataclass(frozen=True, slots=True)
class NotRouted:
    """Nobody is told by an item of this kind."""

    item: WorkItem


@dataclass(frozen=True, slots=True)
class NeedsThird:
    """Who told in an emergency, or approved it, does not review it; nothing was changed."""

    item: WorkItem


ItemResult = Done | AwaitsSecond | Ended | NotRouted | NeedsThird | Refused | Absent
_Effect = Callable[[WorkItem, datetime], WorkItem]


async def look_at_item(item_id: str, store: DecisionStore, desk: Desk) -> ItemLook | Absent:
    """The item, and advice on it. Raises NoGraphYet, GraphBehind."""
    found = await store.work_item(item_id)
    if found is None:
        return Absent()
    item, events = found
    async with desk.begin() as tx:
        dossier = await tx.dossier(item.key.concern_id, item.key.version)
    routing = dossier.routing if dossier else {}
    if not dossier or item.resolution or item.kind in TELLS_NOBODY:
        return ItemLook(item, events, routing, ())
    missing = await asyncio.to_thread(desk.current.get().missing, routing, item.bodies)
    return ItemLook(item, events, routing, but_kept_back(missing, dossier.told_nothing))


async def assign_item(ask: Ask, owner: str, desk: Desk) -> ItemResult:
    """Somebody takes the item on, or is given it."""
    return await _note(ask, "assigned", lambda item, _: replace(item, owner=owner), desk, {"owner": owner})


async def let_item_wait(ask: Ask, until: datetime, desk: Desk) -> ItemResult:
    """The item leaves the queue until that moment; nothing else about it changes."""
    said = {"until": until.isoformat()}
    return await _note(ask, "waits", lambda item, _: replace(item, waits_until=until), desk, said)


async def close_item(ask: Ask, desk: Desk) -> ItemResult:
    """Nothing more is done about it, for the reason given: not sharing is recorded as carefully as sharing."""

    def close(item: WorkItem, now: datetime) -> WorkItem:
        return replace(item, resolution="closed", resolved_at=now)

    return await _note(ask, "resolved", close, desk, {"action": "close"})


async def route_item(ask: Ask, choices: Choices, desk: Desk) -> ItemResult:
    """Tell these bodies by hand, as far as a clause lets each be told; the item ends with that, if all of them are.

    Raises RoundTaken, NoGraphYet, GraphBehind; nothing was changed then.
    """
    async with desk.begin() as tx:
        item, events = await _locked(ask.item_id, tx)
        if item is None:
            return Absent()
        if answered := _answered(item, events, ask):
            return answered
        if item.kind in TELLS_NOBODY:
            return NotRouted(item)
        dossier = await tx.dossier(item.key.concern_id, item.key.version)
        if dossier is None:
            return Absent()
        sitting = desk.sitting(tx)
        if "pointer" in choices.values() and not _proposed_by_another(events, choices, ask.by):
            return await _propose(item, dossier, ask, choices, sitting)
        return await _route(item, dossier, ask, choices, sitting)


async def _route(item: WorkItem, dossier: Dossier, ask: Ask, choices: Choices, sitting: Sitting) -> ItemResult:
    act = _act_of(dossier, ask, choices)
    stands = await open_round(dossier, act, sitting, done=item)
    if isinstance(stands, Refused):
        return stands
    key = replace(dossier.next_key, round=stands.round)
    return Done(resolved(item, Opened(stands.decision_id, key, sitting.now, act)), stands)


async def _propose(item: WorkItem, dossier: Dossier, ask: Ask, choices: Choices, sitting: Sitting) -> ItemResult:
    """Kept for the second person, after every gate was checked; nobody is told yet."""
    act = _act_of(dossier, ask, choices)
    choice = await chosen(sitting.judge, replace(dossier.concern, routing=dossier.routing), act.choices)
    refused = kept_back(act, dossier) | {org: choice.refused[org] for org in choices if org in choice.refused}
    if refused:
        return Refused(refused)
    await _keep(item, "pointer-proposed", ask, {"choices": dict(choices)}, sitting)
    return AwaitsSecond(item)


def _act_of(dossier: Dossier, ask: Ask, choices: Choices) -> Act:
    whole = {**dossier.choices, **choices}
    return Act("route", ask.by, ask.reason, tuple(sorted(choices)), ask.request, whole)


def _proposed_by_another(events: Sequence[ItemEvent], choices: Choices, by: Person) -> bool:
    return any(
        by.is_another_than(event.principal, event.body["by"]) and event.body["choices"] == dict(choices)
        for event in events
        if event.event == "pointer-proposed"
    )


async def _note(ask: Ask, event: ItemEventName, effect: _Effect, desk: Desk, said: dict[str, Any]) -> ItemResult:
    async with desk.begin() as tx:
        item, events = await _locked(ask.item_id, tx)
        if item is None:
            return Absent()
        if answered := _answered(item, events, ask):
            return answered
        if event == "resolved" and not _is_third(ask.by, events):
            return NeedsThird(item)
        now = desk.clock.now()
        after = effect(item, now)
        await _keep(after, event, ask, said, Moment(tx, now))
        return Done(after)


@dataclass(frozen=True, slots=True)
class Moment:
    """A transaction, and when it takes place."""

    tx: Transaction
    now: datetime


async def _keep(item: WorkItem, event: ItemEventName, ask: Ask, said: dict[str, Any], where: Sitting | Moment) -> None:
    body = {**said, "by": ask.by.name, "reason": ask.reason, "request": ask.request}
    note = ItemEvent(event, where.now, ask.by.principal, body)
    await where.tx.note(item, note, fact_of(item, note, ask.request))


def fact_of(item: WorkItem, note: ItemEvent, request: str, **named: str) -> AuditFact:
    """Ids, and the digest of what was said; `named` are further ids that the event is about."""
    return AuditFact(
        fact_id=new_id("fct"),
        kind="work-item",
        concern_id=item.key.concern_id,
        at=note.at,
        service="router",
        actor=note.principal,
        body={
            "item_id": item.item_id,
            "kind": item.kind,
            "version": item.key.version,
            "round": item.key.round,
            "event": note.event,
            "resolution": item.resolution,
            "request": request,
            **named,
        },
    )


async def _locked(item_id: str, tx: Transaction) -> tuple[WorkItem | None, Sequence[ItemEvent]]:
    item = await tx.lock_item(item_id)
    return item, await tx.item_events(item_id) if item else ()


def _answered(item: WorkItem, events: Sequence[ItemEvent], ask: Ask) -> Done | Ended | None:
    """What a repeat is answered with, or what comes too late."""
    same = [event for event in events if event.body.get("request") == ask.request]
    if same and same[-1] is events[-1] and same[-1].event != "pointer-proposed":
        return Done(item, repeated=True)
    return Ended(item) if item.resolution is not None else None


def _is_third(by: Person, events: Sequence[ItemEvent]) -> bool:
    """Whether nothing was told in an emergency on the word of this person."""
    return all(
        by.is_another_than(event.principal, event.body["by"])
        and by.is_another_than(event.body["approver"], event.body["approved_by"])
        for event in events
        if event.event == "opened"
    )
