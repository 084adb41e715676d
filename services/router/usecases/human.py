"""Record what a person decided about sharing or not sharing, and decide the concern anew on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.router.domain.choosing import NOTHING, Choices
from services.router.domain.rounds import DO_NOT_SHARE, Act, Dossier, Person
from services.router.usecases.desk import Desk, may_act
from services.router.usecases.rounds import Absent, ChoiceResult, Stands, open_round


@dataclass(frozen=True, slots=True)
class HumanDecision:
    """The record as it is kept, and what it opens: gateways of bars by id, and necessity."""

    record: Mapping[str, Any]
    gateways: tuple[str, ...]
    necessity: bool
    organisations: tuple[str, ...]
    reason: str
    by: Person
    request: str


@dataclass(frozen=True, slots=True)
class UnknownGateways:
    """No bar of the graph has these gateways; nothing was recorded."""

    ids: tuple[str, ...]


async def record_decision(
    concern_id: str, made: HumanDecision, *, asker: str | None, desk: Desk
) -> ChoiceResult | UnknownGateways:
    """A round of its own, with the record; a gateway opens in it for what its bar kept back.

    Who decides not to share opens nothing and is recorded as carefully; those bodies are told by duty alone from then
    on, of later versions too, until they are chosen or it is decided to share. Refused where a duty tells one of them.
    Raises RoundTaken, Recalled, NoGraphYet.
    """
    async with desk.begin() as tx:
        dossier = await tx.dossier(concern_id, None) if await may_act(concern_id, asker, tx) else None
        if dossier is None:
            return Absent()
        act = _act(dossier, made)
        if known := dossier.repeated(act):
            return Stands(known.decision_id, known.key.round, dict(dossier.notices), repeated=True)
        sitting = desk.sitting(tx)
        if unknown := [name for name in made.gateways if name not in sitting.judge.gateways]:
            return UnknownGateways(tuple(unknown))
        return await open_round(dossier, act, sitting)


def _act(dossier: Dossier, made: HumanDecision) -> Act:
    routing = _opened(dossier.routing, made) if made.gateways or made.necessity else None
    return Act(
        "human-decision",
        made.by,
        made.reason,
        made.organisations,
        made.request,
        _choices(dossier, made),
        routing,
        made.record,
    )


def _choices(dossier: Dossier, made: HumanDecision) -> Choices:
    if made.record.get("decision") == DO_NOT_SHARE:
        return {**dossier.choices, **dict.fromkeys(made.organisations, NOTHING)}
    lifted = {org for org in made.organisations if dossier.choices.get(org) == NOTHING}
    return {org: manner for org, manner in dossier.choices.items() if org not in lifted}


def _opened(routing: Mapping[str, Any], made: HumanDecision) -> Mapping[str, Any]:
    """What a gate looks at: that it was decided and by whose client; the words stay in the record."""
    before: Sequence[Mapping[str, Any]] = routing.get("gateways") or ()
    known = {row.get("id") for row in before}
    fresh = [{"id": name, "decided_by": made.by.principal} for name in made.gateways if name not in known]
    necessity = {"statement": "see the record of the decision", "decided_by": made.by.principal}
    stated = {"necessity": routing.get("necessity") or necessity} if made.necessity else {}
    return {**routing, "gateways": [*before, *fresh], **stated}
