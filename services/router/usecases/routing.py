"""Route concerns: decide once, store why, tell; and close what the next service has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.router.domain.model import Concern
from services.router.domain.policy import CurrentJudge, Judge
from services.router.ports import Begin, Decided
from services.router.usecases.patience import Patience
from services.router.usecases.telling import decided_of
from shared.clock import Clock
from shared.records import Batch

BREATH_CONCERNS = 20
"""After so many decisions others get their turn: a decision that is not remembered takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of one concern; `fault` names what the evaluator raised, `repeated` that it was decided before."""

    decided: Decided
    fault: str | None
    repeated: bool = False


async def route_concerns(
    batch: Batch[Concern], *, current: CurrentJudge, begin: Begin, clock: Clock, patience: Patience | None = None
) -> tuple[Routed, ...]:
    """Decide on each concern once, store why, and tell. Raises NoGraphYet; nothing is lost then.

    A concern that asks for a newer graph is waited with as far as `patience` goes, then held. One that was decided
    before keeps its decision: intake did not hear of it, so it is only told again.
    """
    if not batch.events:
        async with begin(batch.spans):
            return ()
    if patience is not None:
        await patience.wait_for(batch.events)
    routed = await _decide(batch.events, current.get(), clock.now())
    async with begin(batch.spans) as tx:
        fresh = await tx.record([one.decided for one in routed])
        known = [one.decided.record.key for one in routed if one.decided.record.decision_id not in fresh]
        if known:
            await tx.offer_again(known)
    return tuple(replace(one, repeated=one.decided.record.decision_id not in fresh) for one in routed)


async def close_notices(batch: Batch[str], *, begin: Begin) -> None:
    """The notifier has the notices of these ids: they need no more publishing."""
    async with begin(batch.spans) as tx:
        if batch.events:
            await tx.close(batch.events)


async def _decide(concerns: Sequence[Concern], judge: Judge, now: datetime) -> list[Routed]:
    """One judge for the whole batch, whatever the graph does meanwhile."""
    routed = []
    for count, concern in enumerate(concerns, start=1):
        judgement = judge.judge(concern)
        routed.append(Routed(decided_of(concern, judgement.verdict, judge.head, now), judgement.fault))
        if count % BREATH_CONCERNS == 0:
            await asyncio.sleep(0)
    return routed
