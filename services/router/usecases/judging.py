"""Judge a concern without holding up the loop: what takes long to read is read beside it, and before if possible."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from services.router.domain.choosing import Choices
from services.router.domain.model import Concern
from services.router.domain.policy import Choice, CurrentJudge, Judge, Judgement
from shared.agreements import GraphInvalid


async def judged(judge: Judge, concern: Concern) -> Judgement:
    """The decision on a concern, as `Judge.judge` has it."""
    if not judge.is_ready(concern):
        await asyncio.to_thread(judge.work_out, concern)
    return judge.judge(concern)


async def chosen(judge: Judge, concern: Concern, choices: Choices) -> Choice:
    """The decision on a concern with a person's choices in it, as `Judge.choose` has it, taken beside the loop."""
    return await asyncio.to_thread(judge.choose, concern, choices)


async def read_ahead(current: CurrentJudge) -> int:
    """Read what the bodies may say that will probably speak, one after the other, as long as the judge is in office.

    Gives how many were read. Raises NoGraphYet, GraphBehind.
    """
    judge, count = current.get(), 0
    for org in judge.decider.ahead():
        if current.head != judge.head:
            break
        with suppress(
            GraphInvalid
        ):  # whoever speaks by an agreement that cannot be read is held then, and no loop ends
            await asyncio.to_thread(judge.decider.slice_of, org)
        count += 1
    return count
