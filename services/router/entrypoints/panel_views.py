"""What each caller may see of a panel: who convened it all of it, another body its own part and the agreed outcome."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date

from services.router.domain.convening import Due, EventName, Panel, PanelEvent
from services.router.entrypoints.decisions import sees_all
from services.router.usecases import Convened
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http.auth import Principal

SHARED: frozenset[EventName] = frozenset(
    {
        "proposed",
        "convened",
        "invited",
        "contributions-opened",
        "decided",
        "review-set",
        "stepped-down",
        "closed",
        "withdrawn",
    }
)
"""What every body at the table sees: the meeting, the agreed outcome, and when it is looked at again."""
OF_BODIES: frozenset[EventName] = frozenset({"attended", "no-contribution"})
"""What is said of several bodies at once: each sees itself alone in it."""

_NOT_FOR_ALL: Mapping[EventName, frozenset[str]] = {
    "proposed": frozenset({"concern_id", "also"}),
    "convened": frozenset({"about"}),
    "invited": frozenset({"about"}),
    "subject-told": frozenset({"reason", "why_not"}),
}
"""A body at the table sees the concerns that it was told of, and of no other that there is one; whether the subject
of such a concern was told, but not why not."""


def panel_view(convened: Convened, principal: Principal, today: date) -> JsonObject:
    """The panel as this caller may see it, with what was said."""
    events, whole = convened.events, _sees_whole(convened, principal)
    shown = events if whole else _shown_to(principal.org, convened)
    said = [_event_view(one, principal.org, convened.panel, whole=whole) for one in shown]
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
        "level": panel.level,
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


def _shown_to(org: str, convened: Convened) -> list[PanelEvent]:
    """What is for all, and its own part: with the end of each action that it owns, whoever recorded that."""
    owners: dict[str, str] = {}
    shown = []
    for event in convened.events:
        if event.event == "action-added":
            owners[event.body["action"]] = event.body["owner"]
        if event.by.org == org or event.event in SHARED or _is_of(event, org, convened.panel, owners):
            shown.append(event)
    return shown


def _is_of(event: PanelEvent, org: str, panel: Panel, owners: Mapping[str, str]) -> bool:
    """Whether what another said is about this body: itself, an action that it owns, a concern that it was told of."""
    if event.event in OF_BODIES:
        return org in event.body["organisations"]
    if event.event == "subject-told":
        return event.body["concern_id"] in panel.about[org]
    return event.event in ("action-added", "action-done") and owners.get(event.body["action"]) == org


def _event_view(event: PanelEvent, org: str, panel: Panel, *, whole: bool) -> JsonObject:
    body = event.body if whole else _part_of(org, event, panel)
    by = {"org": event.by.org, "name": event.by.name}
    return {"number": event.number, "event": event.event, "at": rfc3339(event.at), "by": by, **body}


def _part_of(org: str, event: PanelEvent, panel: Panel) -> JsonObject:
    """What was said, without what is another's."""
    hidden = _NOT_FOR_ALL.get(event.event, frozenset())
    body = {name: value for name, value in event.body.items() if name not in hidden}
    if event.event in OF_BODIES:
        body["organisations"] = [org]
    if event.event == "decided":
        body["dissent"] = _only(body.get("dissent", {}), {org})
    if event.event == "closed":
        body["feedback"] = _only(body["feedback"], panel.about[org])
    return body


def _only(said: Mapping[str, str], names: Container[str]) -> dict[str, str]:
    return {name: words for name, words in said.items() if name in names}
