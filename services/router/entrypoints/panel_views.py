"""What each caller may see of a panel: who convened it all of it, another body its own part and the agreed outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from services.router.domain.convening import Due, EventName, PanelEvent
from services.router.entrypoints.decisions import sees_all
from services.router.usecases import Convened
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http.auth import Principal

SHARED: frozenset[EventName] = frozenset(
    {"proposed", "convened", "invited", "contributions-opened", "decided", "review-set", "closed", "withdrawn"}
)
"""What every body at the table sees: the meeting, the agreed outcome, and when it is looked at again."""


_NOT_FOR_ALL = frozenset({"concern_id", "also", "about"})
"""A body at the table sees the concerns that it was told of, and of no other that there is one."""


def panel_view(convened: Convened, principal: Principal, today: date) -> JsonObject:
    """The panel as this caller may see it, with what was said."""
    events, whole = convened.events, _sees_whole(convened, principal)
    shown = events if whole else _shown_to(principal.org, events)
    said = [_event_view(one, principal.org, whole=whole) for one in shown]
    return {**panel_head_view(convened, principal, today), "events": said}


def panel_head_view(convened: Convened, principal: Principal, today: date) -> JsonObject:
    """What the panel is and comes to, as this caller may see it: without a word that was said."""
    panel, opening = convened.panel, convened.events[0]
    whole = _sees_whole(convened, principal)
    dues = [one for one in panel.dues if whole or not one.action or one.owner == principal.org]
    first, *also = panel.concern_ids if whole else panel.about[principal.org]
    return {
        "panel_id": panel.panel_id,
        **{name: opening.body[name] for name in ("kind", "named", "source", "agreement")},
        "concern_id": first,
        "also": also,
        "state": panel.state,
        "convenor": panel.convenor,
        "opened_at": rfc3339(opening.at),
        "dues": [_due_view(one, today) for one in sorted(dues, key=lambda one: (one.day, one.number))],
    }


def _due_view(due: Due, today: date) -> JsonObject:
    """An action names itself; what names no action is the panel's review."""
    named = {"action": due.action} if due.action else {}
    what = "action" if due.action else "review"
    return {
        "what": what, **named, "owner": due.owner, "due": due.day.isoformat(), "overdue": due.is_overdue(today)
    }  # fmt: skip


def _sees_whole(convened: Convened, principal: Principal) -> bool:
    return sees_all(principal) or principal.org == convened.panel.convenor


def _shown_to(org: str, events: Sequence[PanelEvent]) -> list[PanelEvent]:
    """What is for all, and its own part: with the end of each action that it owns, whoever recorded that."""
    owners: dict[str, str] = {}
    shown = []
    for event in events:
        if event.event == "action-added":
            owners[event.body["action"]] = event.body["owner"]
        if _is_for(event, org, owners):
            shown.append(event)
    return shown


def _is_for(event: PanelEvent, org: str, owners: Mapping[str, str]) -> bool:
    if event.by.org == org or event.event in SHARED:
        return True
    if event.event == "attended":
        return org in event.body["organisations"]
    return event.event in ("action-added", "action-done") and owners.get(event.body["action"]) == org


def _event_view(event: PanelEvent, org: str, *, whole: bool) -> JsonObject:
    body = {name: value for name, value in event.body.items() if whole or name not in _NOT_FOR_ALL}
    if event.event == "attended" and not whole:
        body["organisations"] = [org]
    by = {"org": event.by.org, "name": event.by.name}
    return {"number": event.number, "event": event.event, "at": rfc3339(event.at), "by": by, **body}
