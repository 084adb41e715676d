"""Tell in an emergency who should know and has no clause, on two people's word; a third person reviews it in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.router.domain.choosing import Manner
from services.router.domain.errors import DecidedOtherwise
from services.router.domain.model import ItemEvent, WorkItem
from services.router.domain.rounds import MACHINE, Act, Dossier, Person
from services.router.usecases.desk import Desk, Sitting, may_act
from services.router.usecases.queues import fact_of
from services.router.usecases.rounds import Absent, ChoiceResult, Stands, open_round
from shared.agreements.calendar import calendar_of
from shared.agreements.deadline import ends_at
from shared.ids import derived_id

REVIEW = "EMERGENCY_REVIEW"
PAGE = 100
IN_EMERGENCY: Manner = "emergency"


@dataclass(frozen=True, slots=True)
class Emergency:
    """Two people's word that these bodies are told at once, with its record: the ground, and who was telephoned."""

    organisations: tuple[str, ...]
    reason: str
    by: Person
    approver: Person
    record: Mapping[str, Any]
    request: str

    @property
    def is_approved(self) -> bool:
        """Whether another person than the one who asks stands behind it."""
        return self.by.is_another_than(self.approver.principal, self.approver.name)


@dataclass(frozen=True, slots=True)
class NotApproved:
    """One person asks and approves; nothing was changed."""


async def tell_in_emergency(
    concern_id: str, made: Emergency, *, asker: str | None, desk: Desk
) -> ChoiceResult | NotApproved:
    """A round that tells them by a pointer, and the review of it, due when the graph's policy says.

    The same again finds its round. Raises RoundTaken, Recalled, ToldOnce, DecidedOtherwise,
    NoGraphYet, GraphBehind.
    """
    if not made.is_approved:
        return NotApproved()
    async with desk.begin() as tx:
        dossier = await tx.dossier(concern_id, None) if await may_act(concern_id, asker, tx) else None
        if dossier is None:
            return Absent()
        act = _act(dossier, made)
        if known := dossier.repeated(act):
            if dossier.told_nothing & set(made.organisations):
                raise DecidedOtherwise(concern_id)
            return Stands(known.decision_id, known.key.round, dossier.told_still(made.organisations), repeated=True)
        sitting = desk.sitting(tx)
        stands = await open_round(dossier, act, sitting)
        if isinstance(stands, Stands):
            await _open_review(_review(dossier, stands, sitting), made, sitting)
        return stands


async def find_overdue(desk: Desk) -> Sequence[WorkItem]:
    """Reviews whose time has come, each once: said in its history, so that it is alarmed for once."""
    async with desk.begin() as tx:
        now = desk.clock.now()
        overdue = await tx.overdue_items(now, PAGE)
        for item in overdue:
            event = ItemEvent("overdue", now, MACHINE, {"due_at": _due(item)})
            await tx.note(item, event, fact_of(item, event, ""))
    return overdue


def _act(dossier: Dossier, made: Emergency) -> Act:
    chosen: dict[str, Manner] = {**dossier.choices, **dict.fromkeys(made.organisations, IN_EMERGENCY)}
    approver = {"principal": made.approver.principal, "org": made.approver.org, "name": made.approver.name}
    record = {**made.record, "approved_by": approver}
    return Act("emergency", made.by, made.reason, made.organisations, made.request, chosen, record=record)


def _review(dossier: Dossier, stands: Stands, sitting: Sitting) -> WorkItem:
    limit = sitting.judge.snapshot.graph.policy.emergency_review
    key = dossier.next_key
    name = derived_id("wrk", key.concern_id, key.version, stands.round, "emergency")
    calendar = calendar_of(dossier.routing.get("nation"))
    due_at = None if limit is None else ends_at(sitting.now, limit.amount, limit.unit, calendar)
    return WorkItem(name, "emergency", key, (REVIEW,), tuple(sorted(stands.told)), sitting.now, due_at=due_at)


async def _open_review(item: WorkItem, made: Emergency, sitting: Sitting) -> None:
    """Its first event names both people, so that a third is asked for; its fact is the log's word on who they were."""
    said = {
        "by": made.by.name,
        "reason": made.reason,
        "approver": made.approver.principal,
        "approved_by": made.approver.name,
        "due_at": _due(item),
    }
    opened = ItemEvent("opened", sitting.now, made.by.principal, said)
    await sitting.tx.open_item(item)
    await sitting.tx.note(item, opened, fact_of(item, opened, made.request, approver=made.approver.principal))


def _due(item: WorkItem) -> str | None:
    return item.due_at.isoformat() if item.due_at else None
