"""Record what a person decided about sharing or not sharing, and decide the concern anew on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.router.domain.choosing import NOTHING, Choices
from services.router.domain.errors import DecidedOtherwise
from services.router.domain.rounds import DO_NOT_SHARE, Act, Dossier, Person
from services.router.usecases.desk import Desk, may_act
from services.router.usecases.rounds import Absent, ChoiceResult, Stands, open_round


@dataclass(frozen=True, slots=True)
class HumanDecision:
    """The record as it is kept, and what it opens, or closes again: gateways of bars by id, and necessity."""

    record: Mapping[str, Any]
    gateways: tuple[str, ...]
    necessity: bool
    organisations: tuple[str, ...]
    reason: str
    by: Person
    request: str

    @property
    def shares(self) -> bool:
        """Whether it opens; a decision not to share closes."""
        return self.record.get("decision") != DO_NOT_SHARE


@dataclass(frozen=True, slots=True)
class UnknownGateways:
    """No bar of the graph has these gateways; nothing was recorded."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotOpen:
    """These gateways, or the necessity, are not open on this concern, so none can be closed; nothing was recorded."""

    gateways: tuple[str, ...]
    necessity: bool


async def record_decision(
    concern_id: str, made: HumanDecision, *, asker: str | None, desk: Desk
) -> ChoiceResult | UnknownGateways | NotOpen:
    """A round of its own, with the record; a gateway opens in it for what its bar kept back.

    Who decides not to share closes what is named, and is recorded as carefully; who was told and no longer may be is
    told of the withdrawal alone. Those bodies are told by duty alone from then
    on, of later versions too, until they are chosen or it is decided to share. Refused where a duty tells one of them.
    Raises RoundTaken, Recalled, ToldOnce, DecidedOtherwise, NoGraphYet.
    """
    async with desk.begin() as tx:
        dossier = await tx.dossier(concern_id, None) if await may_act(concern_id, asker, tx) else None
        if dossier is None:
            return Absent()
        act = _act(dossier, made)
        if known := dossier.repeated(act):
            if not _stands(dossier, made):
                raise DecidedOtherwise(concern_id)
            return Stands(
                known.decision_id,
                known.key.round,
                dossier.told_still(made.organisations if made.shares else ()),
                repeated=True,
            )
        sitting = desk.sitting(tx)
        if wrong := _wrong(dossier.routing, made, sitting.judge.gateways):
            return wrong
        return await open_round(dossier, act, sitting)


def _act(dossier: Dossier, made: HumanDecision) -> Act:
    routing = _changed(dossier.routing, made) if made.gateways or made.necessity else None
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
    if not made.shares:
        return {**dossier.choices, **dict.fromkeys(made.organisations, NOTHING)}
    lifted = {org for org in made.organisations if dossier.choices.get(org) == NOTHING}
    return {org: manner for org, manner in dossier.choices.items() if org not in lifted}


def _stands(dossier: Dossier, made: HumanDecision) -> bool:
    """Whether all that it decided is still so."""
    opened = {row.get("id") for row in dossier.routing.get("gateways") or ()}
    necessary = made.necessity and bool(dossier.routing.get("necessity"))
    named, silent = set(made.gateways), set(made.organisations) & dossier.told_nothing
    if made.shares:
        return named <= opened and necessary == made.necessity and not silent
    return not named & opened and not necessary and silent == set(made.organisations)


def _wrong(routing: Mapping[str, Any], made: HumanDecision, known: Collection[str]) -> UnknownGateways | NotOpen | None:
    if made.shares:
        unknown = tuple(name for name in made.gateways if name not in known)
        return UnknownGateways(unknown) if unknown else None
    opened = {row.get("id") for row in routing.get("gateways") or ()}
    shut = tuple(name for name in made.gateways if name not in opened)
    unstated = made.necessity and not routing.get("necessity")
    return NotOpen(shut, unstated) if shut or unstated else None


def _changed(routing: Mapping[str, Any], made: HumanDecision) -> Mapping[str, Any]:
    return _opened(routing, made) if made.shares else _closed(routing, made)


def _closed(routing: Mapping[str, Any], made: HumanDecision) -> Mapping[str, Any]:
    """As if what is named had not been opened, whoever opened it."""
    left = [row for row in routing.get("gateways") or () if row.get("id") not in made.gateways]
    gone = {"necessity"} if made.necessity else set()
    return {name: value for name, value in routing.items() if name not in gone} | {"gateways": left}


def _opened(routing: Mapping[str, Any], made: HumanDecision) -> Mapping[str, Any]:
    """What a gate looks at: that it was decided and by whose client; the words stay in the record."""
    before: Sequence[Mapping[str, Any]] = routing.get("gateways") or ()
    known = {row.get("id") for row in before}
    fresh = [{"id": name, "decided_by": made.by.principal} for name in made.gateways if name not in known]
    necessity = {"statement": "see the record of the decision", "decided_by": made.by.principal}
    stated = {"necessity": routing.get("necessity") or necessity} if made.necessity else {}
    return {**routing, "gateways": [*before, *fresh], **stated}
