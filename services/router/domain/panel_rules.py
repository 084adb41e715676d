"""Which steps of a panel can be taken now, by whom, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.router.domain.convening import LEVELS, EventName, Panel

OF_INVITEES: frozenset[EventName] = frozenset({"responded", "contributed", "dissented"})
"""What each invited body says for itself; all else is the convenor's to record, and an action's end its owner's."""


def refused(panel: Panel, event: EventName, body: Mapping[str, Any], org: str, *, convenes: bool = True) -> str | None:
    """Why a step cannot be taken now, in words; None where it can. `convenes`: who acts may do so for a convenor."""
    if event not in panel.may_follow:
        return f"a panel that is {panel.state} takes: {', '.join(sorted(panel.may_follow)) or 'nothing more'}"
    if event in OF_INVITEES:
        return None if org in panel.invited else "only a body that was invited says this for itself"
    if not (convenes and org == panel.convenor) and not _is_owner(panel, event, body, org):
        return "only who convenes for the body that convened the panel records this"
    return _unfit_attendance(panel, event, body) or _unfit_action(panel, event, body) or _unfit_end(panel, event, body)


def _is_owner(panel: Panel, event: EventName, body: Mapping[str, Any], org: str) -> bool:
    return event == "action-done" and panel.open_actions.get(body["action"]) == org


def _unfit_attendance(panel: Panel, event: EventName, body: Mapping[str, Any]) -> str | None:
    match event:
        case "attended" | "no-contribution" if strangers := set(body["organisations"]) - panel.invited:
            return f"not invited: {_listed(strangers)}"
        case "no-contribution" if spoken := set(body["organisations"]) & panel.contributed:
            return f"contributed already: {_listed(spoken)}"
        case "quorum-not-met" if len(panel.present) >= panel.quorum:
            return "the quorum is met"
        case "decided":
            return _undecidable(panel, body.get("dissent", {}))
        case _:
            return None


def _undecidable(panel: Panel, dissent: Iterable[str]) -> str | None:
    """A quorum decides, once each body at the table said what it holds or is on record as asked; they alone dissent."""
    if len(panel.present) < panel.quorum:
        return f"{len(panel.present)} of {panel.quorum} needed bodies are present: record quorum-not-met"
    if unheard := panel.present - panel.contributed - panel.silent:
        return f"present, with neither contributed nor no-contribution: {_listed(unheard)}"
    if absent := set(dissent) - panel.present:
        return f"dissent is of bodies that are present, these are not: {_listed(absent)}"
    return None


def _unfit_action(panel: Panel, event: EventName, body: Mapping[str, Any]) -> str | None:
    is_open = body.get("action") in panel.open_actions
    match event:
        case "action-added" if body["owner"] not in panel.invited | {panel.convenor}:
            return "an action's owner is one of the bodies at the table"
        case "action-added" if is_open:
            return "there is an open action of that name"
        case "action-done" if not is_open:
            return "there is no such open action"
        case _:
            return None


def _unfit_end(panel: Panel, event: EventName, body: Mapping[str, Any]) -> str | None:
    concerns = set(panel.concern_ids)
    match event:
        case "subject-told" if body["concern_id"] not in concerns:
            return "the panel is not about that concern"
        case "stepped-down" if panel.level not in LEVELS[LEVELS.index(body["level"]) + 1 :]:
            return f"it steps down to a level below its own, which is {panel.level or 'none'}"
        case "closed" if panel.open_actions:
            return f"actions are open: {_listed(panel.open_actions)}"
        case "closed" if unsaid := concerns - panel.accounted:
            return f"say first whether the provider or registrant was told (subject-told): {_listed(unsaid)}"
        case "closed" if unlike := concerns ^ set(body["feedback"]):
            return f"feedback is to the source of each of its concerns, and of no other: {_listed(unlike)}"
        case _:
            return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
