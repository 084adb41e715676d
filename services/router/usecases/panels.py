"""Panels as they stand: a list for who may see them, and what they agreed on of which the day is past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.router.domain.convening import panel_of
from services.router.domain.panels import PanelDue, PanelQuery
from services.router.domain.rounds import MACHINE
from services.router.usecases.convening import Convened
from services.router.usecases.desk import Desk
from shared.agreements.days import civil_day
from shared.contracts.audit import AuditFact
from shared.ids import derived_id

OVERDUE_MAX = 100
"""Said in one transaction; what is left waits for the next."""


async def look_at_panels(query: PanelQuery, desk: Desk) -> Sequence[Convened]:
    """The panels that are asked for, in the order in which they were proposed."""
    async with desk.begin() as tx:
        found = await tx.panels(query)
    return [Convened(panel_of(name, events), events) for name, events in found.items()]


async def find_overdue_panels(desk: Desk) -> Sequence[PanelDue]:
    """Actions and reviews of which the day in London is past, each once; a panel's number stays what people saw."""
    now = desk.clock.now()
    async with desk.begin() as tx:
        overdue = await tx.overdue_panels(civil_day(now), OVERDUE_MAX)
        if overdue:
            await tx.say([_fact(one, now) for one in overdue])
    return overdue


def _fact(overdue: PanelDue, now: datetime) -> AuditFact:
    due = overdue.due
    return AuditFact(
        fact_id=derived_id("fct", "overdue", overdue.panel_id, due.number),
        kind="work-item",
        concern_id=overdue.concern_id,
        at=now,
        service="router",
        actor=MACHINE,
        body={
            "panel_id": overdue.panel_id,
            "number": due.number,
            "event": "overdue",
            "org": due.owner,
            "due": due.day.isoformat(),
        },
    )
