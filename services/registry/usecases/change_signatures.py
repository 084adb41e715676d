"""The signatures of a change: whose it needs, and those that are given."""

import asyncio
from collections.abc import Sequence

from services.registry.domain.change import Proposal, Signature, Signed, Step
from services.registry.domain.change_rules import EDITOR, Refusal, no_signature, required_signatures, unfilled
from services.registry.domain.model import Commit, GraphObject
from services.registry.ports import ChangeTransaction, History
from services.registry.usecases.change import Ask, Desk, Result, Taking, take
from services.registry.usecases.remembered import Mark


async def sign_change(ask: Ask, signatures: Sequence[Signature], evidence: str, *, desk: Desk) -> Result:
    """Signatures of parties: their own, or recorded by an editor where `evidence` names the document."""
    recorded = bool(evidence) and EDITOR in ask.actor.roles
    step = Signed(tuple(sorted(signatures)), recorded, evidence)

    async def decide(tx: ChangeTransaction, proposal: Proposal) -> Step | Refusal:
        if refusal := unfilled(proposal):
            return refusal
        required = await signatures_of(tx, proposal, desk=desk)
        return await asyncio.to_thread(no_signature, step, ask.actor, required) or step

    asked = {"signatures": [f"{s.agreement} {s.party} {s.terms_digest}" for s in signatures], "evidence": evidence}
    return await take(ask, Taking(Signed, asked, decide), desk=desk)


async def signatures_of(tx: ChangeTransaction, proposal: Proposal, *, desk: Desk) -> frozenset[Signature]:
    """Whose signatures the change needs, on the graph as it stands; worked out beside the event loop."""
    head = await tx.history().head()
    found = desk.required.of(mark_of(proposal, head, desk=desk))
    if found is not None:
        return found
    asked = await tx.objects(proposal.change_id, proposal.revision)
    stands = await standing_of(tx.history(), asked)
    return await signatures_for(mark_of(proposal, head, desk=desk), stands, asked, desk=desk)


async def signatures_for(
    mark: Mark, stands: Sequence[GraphObject], asked: Sequence[GraphObject], *, desk: Desk
) -> frozenset[Signature]:
    """Whose signatures these objects need, on top of those that stand; remembered."""
    found = await asyncio.to_thread(required_signatures, stands, asked, desk.today())
    desk.required.put(mark, found)
    return found


def mark_of(proposal: Proposal, head: Commit | None, *, desk: Desk) -> Mark:
    """What decides whose signatures a change needs: objects of a revision are only ever added."""
    root = head.root if head else ""
    return Mark(proposal.change_id, proposal.revision, proposal.object_count, root, desk.today())


async def standing_of(history: History, asked: Sequence[GraphObject]) -> list[GraphObject]:
    """The objects that a change touches, as they stand in the graph."""
    head = await history.head()
    keys = [item.key for item in asked]
    return [stored.item for stored in await history.states(keys, head.version)] if head else []
