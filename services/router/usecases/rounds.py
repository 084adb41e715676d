"""Open later rounds: by a person's choice, or by the machine to end a hold; the same pipeline as the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from services.router.domain.errors import DecidedOtherwise, Recalled, RoundTaken, ToldOnce
from services.router.domain.model import StaleHold, WorkItem
from services.router.domain.rounds import Act, ActKind, Dossier, Opened, hand_over, resolved
from services.router.domain.tokens import is_newer
from services.router.ports import Decided, DecisionStore
from services.router.usecases.desk import ROUTER, Desk, Sitting, may_act
from services.router.usecases.judging import chosen
from services.router.usecases.taking_back import withdraw_from_others
from services.router.usecases.telling import round_of
from shared.agreements import Class

STALE_PAGE = 100


@dataclass(frozen=True, slots=True)
class Stands:
    """The act had its effect, now or (`repeated`) before: this decision has it."""

    decision_id: str
    round: int
    told: Mapping[str, str]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Bodies that no clause lets be told so, with the reason code of each; nothing was changed."""

    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such thing that the asker may see."""


ChoiceResult = Stands | Refused | Absent


async def choose_bodies(concern_id: str, act: Act, *, asker: str | None, desk: Desk) -> ChoiceResult:
    """Let the originator tell bodies that are available to it, each gate checked again on the newest graph.

    `act.choices` are the new ones. A repeat changes nothing and finds its round. Raises RoundTaken, Recalled, ToldOnce,
    DecidedOtherwise, NoGraphYet.
    """
    async with desk.begin() as tx:
        dossier = await tx.dossier(concern_id, None) if await may_act(concern_id, asker, tx) else None
        if dossier is None:
            return Absent()
        if again := dossier.repeated(act):
            if dossier.told_nothing & set(act.organisations):
                raise DecidedOtherwise(concern_id)
            return Stands(again.decision_id, again.key.round, dossier.told_still(act.organisations), repeated=True)
        if set(act.organisations) <= dossier.notices.keys() - dossier.told_nothing - dossier.taken_back:
            newest = dossier.newest
            return Stands(newest.decision_id, newest.key.round, dossier.told_still(act.organisations), repeated=True)
        whole = replace(act, choices={**dossier.choices, **act.choices})
        return await open_round(dossier, whole, desk.sitting(tx))


async def open_round(dossier: Dossier, act: Act, sitting: Sitting, *, done: WorkItem | None = None) -> Stands | Refused:
    """Decide anew with all choices that stand; refused, and nothing changed, where a new one of them does not.

    Raises RoundTaken, Recalled, ToldOnce.
    """
    if dossier.recalled:
        raise Recalled(dossier.concern.concern_id)
    routing = dossier.routing if act.routing is None else act.routing
    choice = await chosen(sitting.judge, replace(dossier.concern, routing=routing), act.choices)
    refused = {org: choice.refused[org] for org in act.organisations if org in choice.refused}
    refused = _out_of_reach(act, choice.before) | kept_back(act, dossier) | refused
    if refused:
        return Refused(refused)
    decided = round_of(dossier, act, choice.verdict, sitting.judge.head, sitting.now)
    if again := _told_again(decided, act, dossier):
        raise ToldOnce(", ".join(sorted(again)))
    opened = Opened(decided.record.decision_id, decided.record.key, sitting.now, act)
    handover = hand_over(dossier.items, decided.items, done=done)
    ended = [resolved(item, opened) for item in handover.ended]
    if not await sitting.tx.open_round(replace(decided, items=handover.opened), opened, ended):
        raise RoundTaken(dossier.concern.concern_id)
    await withdraw_from_others(dossier.concern, choice.decision, sitting, also_of_this=act.closes)
    return Stands(opened.decision_id, opened.key.round, _told(decided, act.organisations))


async def end_stale_holds(desk: Desk, store: DecisionStore) -> int:
    """Decide on every concern that waited for a graph which is there now; gives on how many. Raises NoGraphYet."""
    count, after = 0, None
    while page := await store.stale_holds(after, STALE_PAGE):
        for hold in page:
            count += await _end_stale_hold(hold, desk)
        after = page[-1].place
    return count


async def _end_stale_hold(hold: StaleHold, desk: Desk) -> bool:
    """Somebody else may have ended it, or taken the round: then there is nothing left to do here."""
    try:
        async with desk.begin() as tx:
            sitting, dossier = desk.sitting(tx), await tx.dossier(hold.concern_id, None)
            if dossier is None or dossier.concern.version != hold.version:
                return False
            if is_newer(_token(dossier), sitting.judge.head):
                return False
            act = Act("graph-arrived", ROUTER, "", (), "", dossier.choices)
            await open_round(dossier, act, sitting)
    except RoundTaken:
        return False
    return True


def _token(dossier: Dossier) -> str | None:
    token = dossier.routing.get("min_graph_token")
    return token if isinstance(token, str) else None


_REACH: Mapping[ActKind, tuple[str, frozenset[Class]]] = {
    "choice": ("NOT_AVAILABLE", frozenset({Class.AVAILABLE, Class.TOLD})),
    "emergency": ("NOT_A_GAP", frozenset({Class.GAP, Class.TOLD})),
}
"""An originator chooses among what is available to it; an emergency is for who should know and has no clause."""
_BY_OTHERS: frozenset[ActKind] = frozenset({"route", "emergency"})


def _out_of_reach(act: Act, before: Mapping[str, Class]) -> dict[str, str]:
    if act.kind not in _REACH:
        return {}
    code, reach = _REACH[act.kind]
    return {org: code for org in act.organisations if before.get(org) not in reach}


def kept_back(act: Act, dossier: Dossier) -> dict[str, str]:
    """Nobody else tells whom the originator decided not to share with: it decides anew, or chooses the body."""
    if act.kind not in _BY_OTHERS:
        return {}
    return dict.fromkeys(dossier.told_nothing.intersection(act.organisations), "NOT_AVAILABLE")


def _told_again(decided: Decided, act: Act, dossier: Dossier) -> frozenset[str]:
    """Whom this act would tell of what was withdrawn from them: the decision would say so, and no notice would go."""
    meant = decided.told if act.routing is not None else act.organisations
    return dossier.taken_back & decided.told.keys() & set(meant)


def _told(decided: Decided, orgs: Collection[str]) -> dict[str, str]:
    return {org: notice_id for org, notice_id in decided.told.items() if org in orgs}
