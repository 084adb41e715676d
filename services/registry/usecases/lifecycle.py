"""An agreement's life as changes of the graph: brought in, suspended, resumed, terminated."""

from dataclasses import dataclass

from services.registry.domain.change import folded
from services.registry.domain.change_rules import Actor, Place, Refusal
from services.registry.domain.lifecycle import Turn, turned
from services.registry.usecases.change import Desk, Result, UnknownChange
from services.registry.usecases.change_content import Draft, Objects, OtherContent, change_of, draft_change
from services.registry.usecases.commit import EMPTY, as_object

AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Turning:
    """A turn in the life of one agreement, and why."""

    agreement: str
    turn: Turn
    reason: str


async def turn_agreement(turning: Turning, actor: Actor, key: str, *, desk: Desk) -> Result | OtherContent:
    """Draft the change that suspends, resumes or terminates an agreement; UnknownChange where there is none of it."""
    async with desk.begin() as tx:
        log = await tx.log(change_of(actor, key))
        head = await tx.history().head() or EMPTY
        version = folded(log).drafted.parent_version if log else head.version
        found = await tx.history().states([(AGREEMENT, turning.agreement)], version)
    if not found:
        return UnknownChange()
    row = turned(found[0].item.row(), turning.turn)
    if isinstance(row, Refusal):
        return row
    draft = Draft(_title(turning), turning.reason, version, Objects((as_object(row),)), turning.turn.event)
    return await draft_change(draft, actor, key, desk=desk)


def _title(turning: Turning) -> str:
    return f"{turning.agreement}: {turning.turn.event.lower()} from {turning.turn.on}"


async def draft_agreement(draft: Draft, actor: Actor, key: str, *, desk: Desk) -> Result | OtherContent:
    """Draft the change that brings one agreement that the graph does not have."""
    (item,) = draft.objects.items
    async with desk.begin() as tx:
        repeated = await tx.log(change_of(actor, key))
        known = None if repeated else await tx.history().find(*item.key)
    if known:
        places = (Place("/agreement/id", "an agreement of this id is in the graph"),)
        return Refusal("already-there", "The agreement is there", "Propose a change of it at /v1/changes.", places)
    return await draft_change(draft, actor, key, desk=desk)
