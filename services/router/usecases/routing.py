"""Route concerns: decide once, store why, tell; and close what the next service has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.router.domain.model import Concern, Recall
from services.router.domain.policy import CLOCK_STEP, CurrentJudge, Judge, is_ahead
from services.router.ports import Decided, Ledger
from services.router.usecases.desk import Sitting
from services.router.usecases.judging import judged
from services.router.usecases.patience import Patience
from services.router.usecases.telling import decided_of
from services.router.usecases.undoing import amend, recall
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
    batch: Batch[Concern | Recall],
    *,
    current: CurrentJudge,
    ledger: Ledger,
    clock: Clock,
    patience: Patience | None = None,
) -> tuple[Routed, ...]:
    """Decide on each concern once, store why, and tell. Raises NoGraphYet; nothing is lost then.

    A concern that asks for a newer graph is waited with as far as `patience` goes, then held. One that was decided
    before keeps its decision: intake did not hear of it, so it is only told again. What is recalled is recalled last.
    """
    if not batch.events:
        async with ledger.begin(batch.spans):
            return ()
    concerns = [event for event in batch.events if isinstance(event, Concern)]
    if patience is not None:
        await patience.wait_for(concerns)
    judge, now = current.get(), clock.now()
    routed = await _decide(concerns, judge, now)
    if all(map(_is_first, batch.events)):
        routed = _marked(routed, await ledger.record([one.decided for one in routed], batch.spans))
        await _offer_again(routed, ledger)
        return tuple(routed)
    async with ledger.begin(batch.spans) as tx:
        sitting = Sitting(tx, judge, now)
        routed = await _store(routed, sitting)
        for event in batch.events:
            if isinstance(event, Recall):
                await recall(event, sitting)
    await _offer_again(routed, ledger)
    return tuple(routed)


def _is_first(event: Concern | Recall) -> bool:
    return isinstance(event, Concern) and event.version == 1


def _marked(routed: Sequence[Routed], fresh: frozenset[str]) -> list[Routed]:
    """Of the same decision twice in one batch, one is new."""
    left = set(fresh)
    marked = []
    for one in routed:
        name = one.decided.record.decision_id
        marked.append(replace(one, repeated=name not in left))
        left.discard(name)
    return marked


async def _offer_again(routed: Sequence[Routed], ledger: Ledger) -> None:
    """By itself: what is lost here, intake asks for once more."""
    known = [one.decided.record.key for one in routed if one.repeated]
    if known:
        async with ledger.begin(()) as tx:
            await tx.offer_again(known)


async def _store(routed: Sequence[Routed], sitting: Sitting) -> list[Routed]:
    """First versions all at once; each other one by itself, since it follows what was stored before it."""
    first = [one for one in routed if one.decided.concern.version == 1]
    stored = _marked(first, await sitting.tx.record([one.decided for one in first]) if first else frozenset())
    for one in routed:
        if one.decided.concern.version != 1:
            made = await amend(one.decided, sitting)
            stored.append(replace(one, decided=made or one.decided, repeated=made is None))
    return stored


async def _decide(concerns: Sequence[Concern], judge: Judge, now: datetime) -> list[Routed]:
    """One judge for the whole batch, whatever the graph does meanwhile."""
    routed = []
    for count, concern in enumerate(concerns, start=1):
        ahead = is_ahead(concern, now)
        judgement = judge.hold(concern, CLOCK_STEP) if ahead else await judged(judge, concern)
        routed.append(Routed(decided_of(concern, judgement.verdict, judge.head, now), judgement.fault))
        if count % BREATH_CONCERNS == 0:
            await asyncio.sleep(0)
    return routed
