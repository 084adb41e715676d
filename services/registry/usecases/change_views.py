"""What a change is, what was done with it, and what is still missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.registry.domain.change import ChangeLog, ChangePlace, Proposal, Signature, folded
from services.registry.domain.change_rules import ROLES_OF_A_REGISTRY, Actor, Need, needs
from services.registry.domain.model import GraphObject
from services.registry.usecases.change import Desk
from services.registry.usecases.change_signatures import signatures_of

OPERATOR = "operator"
PAGE = 100


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change with its events, the signatures that it asks for, and what is missing."""

    proposal: Proposal
    log: ChangeLog
    needs: tuple[Need, ...]


def sees_all(actor: Actor) -> bool:
    """Whether the actor works in the registry. Others see the changes that they have to sign, and no difference."""
    return bool(actor.roles & (ROLES_OF_A_REGISTRY | {OPERATOR}))


async def read_change(change_id: str, actor: Actor, *, desk: Desk) -> ChangeView | None:
    """A change; None where there is none, or none that the actor may know of."""
    async with desk.begin() as tx:
        log = await tx.log(change_id)
        if log is None:
            return None
        proposal = folded(log)
        asked_for = await signatures_of(tx, proposal, desk=desk)
    if not sees_all(actor) and actor.org not in _parties(proposal, asked_for):
        return None
    return ChangeView(proposal, log, needs(proposal, asked_for))


def _parties(proposal: Proposal, asked_for: Iterable[Signature]) -> set[str]:
    return {signature.party for signature in (*proposal.signatures, *asked_for)}


async def read_difference(change_id: str, *, desk: Desk) -> tuple[str, bytes] | None:
    """The stored difference as it was last worked out, with its digest."""
    async with desk.begin() as tx:
        log = await tx.log(change_id)
        proposal = folded(log) if log else None
        if proposal is None or proposal.assessment is None:
            return None
        body = await tx.difference(change_id, proposal.assessed_in)
    return (proposal.assessment.difference, body) if body is not None else None


async def read_objects(view: ChangeView, after: int, count_max: int, *, desk: Desk) -> Sequence[GraphObject]:
    """What the change proposes now, from the place `after` on."""
    async with desk.begin() as tx:
        found = await tx.objects(view.proposal.change_id, view.proposal.revision)
    return found[after : after + count_max]


async def list_changes(
    state: str | None, *, before: ChangePlace | None, count_max: int, desk: Desk
) -> Sequence[Proposal]:
    """Changes in that state, the one that was drafted last first."""
    found: list[Proposal] = []
    async with desk.begin() as tx:
        while True:
            page = [folded(log) for log in await tx.logs(before=before, count_max=PAGE)]
            found += [proposal for proposal in page if state in (None, proposal.state)]
            if len(page) < PAGE or len(found) >= count_max:
                return found[:count_max]
            before = ChangePlace(page[-1].drafted_at, page[-1].change_id)
