"""Which statutory duties cover a concern, on the graph that it was decided on, and which of them were kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from services.router.domain.duties import Duty, duties_on
from services.router.domain.model import Head
from services.router.ports import History
from services.router.usecases.desk import Desk, may_act
from services.router.usecases.judging import chosen
from services.router.usecases.rounds import Absent
from shared.agreements import facts_of


async def duties_of(
    concern_id: str, *, asker: str | None, desk: Desk, history: History
) -> tuple[Head, tuple[Duty, ...]] | Absent:
    """The duties, and the graph. What could not be evaluated shows none: it waits for a person as a whole.

    Raises RegistryUnavailable, GraphUnfit, NoSuchGraph.
    """
    async with desk.begin() as tx:
        dossier = await tx.dossier(concern_id, None) if await may_act(concern_id, asker, tx) else None
    if dossier is None:
        return Absent()
    head = dossier.newest.graph
    judge = desk.current.get() if desk.current.head == head else await history.judge_at(head.version)
    try:
        facts = facts_of(dossier.routing)
    except (KeyError, TypeError, ValueError):
        return head, ()
    concern = replace(dossier.concern, routing=dossier.routing)
    decision = (await chosen(judge, concern, dossier.choices)).decision
    return head, await asyncio.to_thread(duties_on, judge.snapshot, facts, decision, dossier.notices)
