"""Meetings about a concern that a named person convenes: events that are only added to, and what they come to. Pure.

Kinds are those of collective responses: a Regulatory Review Panel of the Emerging Concerns Protocol, an item for a
Quality Surveillance Group, Risk Summits and what took their place. The machine convenes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

from services.router.domain.rounds import Person

PanelKind = Literal["rrp", "qsg_item", "sqg_item", "risk_summit", "rapid_quality_review", "extraordinary_summit"]
Level = Literal["routine", "enhanced", "intensive"]
"""How close the quality response is that a panel belongs to, from the lowest."""
PanelState = Literal[
    "proposed", "convened", "contributions_open", "quorum_not_met", "decided", "actions_open", "closed", "withdrawn"
]
StepName = Literal[
    "convened",
    "invited",
    "responded",
    "contributions-opened",
    "contributed",
    "no-contribution",
    "attended",
    "quorum-not-met",
    "decided",
    "dissented",
    "subject-told",
    "action-added",
    "action-done",
    "review-set",
    "stepped-down",
    "closed",
    "withdrawn",
]
EventName = Literal["proposed", StepName]
STEP_NAMES: tuple[StepName, ...] = get_args(StepName)
LEVELS: tuple[Level, ...] = get_args(Level)

_FORWARD: Mapping[PanelState, Mapping[EventName, PanelState]] = {
    "proposed": {"convened": "convened"},
    "convened": {"invited": "convened", "responded": "convened", "contributions-opened": "contributions_open"},
    "contributions_open": {
        "invited": "contributions_open",
        "responded": "contributions_open",
        "contributed": "contributions_open",
        "no-contribution": "contributions_open",
        "attended": "contributions_open",
        "subject-told": "contributions_open",
        "quorum-not-met": "quorum_not_met",
        "decided": "decided",
    },
    "quorum_not_met": {"convened": "convened"},
    "decided": {
        "dissented": "decided",
        "subject-told": "decided",
        "action-added": "actions_open",
        "review-set": "decided",
        "stepped-down": "decided",
        "closed": "closed",
    },
    "actions_open": {
        "dissented": "actions_open",
        "subject-told": "actions_open",
        "action-added": "actions_open",
        "action-done": "actions_open",
        "review-set": "actions_open",
        "stepped-down": "actions_open",
        "closed": "closed",
    },
}
_STEPS: Mapping[PanelState, Mapping[EventName, PanelState]] = {
    **{state: {**steps, "withdrawn": "withdrawn"} for state, steps in _FORWARD.items()},
    "closed": {},
    "withdrawn": {},
}
"""From every open state there is a way out: a panel that has lost its ground, or its actions theirs, is withdrawn."""


@dataclass(frozen=True, slots=True)
class PanelEvent:
    """One thing that a person did or said; `request` is the digest of what was asked."""

    number: int
    event: EventName
    at: datetime
    by: Person
    request: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done by the end of a day in London, under the number of the event that says so.

    An action, by its owner; or the panel's review (`action` empty), which its convenor answers for.
    """

    number: int
    day: date
    owner: str
    action: str = ""

    def is_overdue(self, today: date) -> bool:
        """Whether its day is past."""
        return self.day < today


@dataclass(frozen=True, slots=True)
class Panel:
    """What the events come to; `also` are further concerns, `about` those by which each body was invited.

    `contributed` are the bodies that said what they hold, `silent` those that were asked at this meeting and did not;
    `accounted` are the concerns of which it is said whether their provider or registrant was told. `dues` is what is
    still to be done by a day: a review ends with the next one, or with the panel.
    """

    panel_id: str
    concern_id: str
    state: PanelState = "proposed"
    number: int = 1
    convenor: str = ""
    quorum: int = 1
    level: Level | None = None
    invited: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    contributed: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    accounted: frozenset[str] = frozenset()
    open_actions: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dues: tuple[Due, ...] = ()

    @property
    def concern_ids(self) -> tuple[str, ...]:
        """All concerns that it is about."""
        return self.concern_id, *self.also

    def has_invited(self, org: str, concern_ids: Iterable[str]) -> bool:
        """Whether a body has its invitation by all of these."""
        return org in self.invited and set(concern_ids) <= set(self.about.get(org, ()))

    @property
    def may_follow(self) -> frozenset[EventName]:
        """The steps that its state allows."""
        return frozenset(_STEPS[self.state])


def panel_of(panel_id: str, events: Sequence[PanelEvent]) -> Panel:
    """The fold; the first event is the proposal."""
    first = events[0]
    body = first.body
    also = tuple(body.get("also", ()))
    panel = Panel(
        panel_id,
        body["concern_id"],
        convenor=first.by.org,
        quorum=body["quorum"],
        level=body.get("level"),
        also=also,
    )
    for event in events[1:]:
        panel = _after(panel, event)
    return panel


def _after(panel: Panel, event: PanelEvent) -> Panel:
    state = _STEPS[panel.state][event.event]
    panel = replace(panel, number=event.number, state=state, dues=_dues_after(panel, event))
    return _agreed(_at_the_table(panel, event), event)


def _at_the_table(panel: Panel, event: PanelEvent) -> Panel:
    body = event.body
    match event.event:
        case "convened":
            return replace(_with_invited(panel, body), present=frozenset(), silent=frozenset())
        case "invited":
            return _with_invited(panel, body)
        case "attended":
            return replace(panel, present=panel.present | set(body["organisations"]))
        case "contributed":
            return replace(panel, contributed=panel.contributed | {event.by.org})
        case "no-contribution":
            return replace(panel, silent=panel.silent | set(body["organisations"]))
        case _:
            return panel


def _agreed(panel: Panel, event: PanelEvent) -> Panel:
    body = event.body
    match event.event:
        case "subject-told":
            return replace(panel, accounted=panel.accounted | {body["concern_id"]})
        case "action-added":
            return replace(panel, open_actions={**panel.open_actions, body["action"]: body["owner"]})
        case "action-done":
            left = {name: owner for name, owner in panel.open_actions.items() if name != body["action"]}
            return replace(panel, open_actions=left)
        case "stepped-down":
            return replace(panel, level=body["level"])
        case "withdrawn":
            return replace(panel, open_actions={})
        case _:
            return panel


def _dues_after(panel: Panel, event: PanelEvent) -> tuple[Due, ...]:
    body = event.body
    match event.event:
        case "action-added":
            return *panel.dues, Due(event.number, date.fromisoformat(body["due"]), body["owner"], body["action"])
        case "action-done":
            return tuple(one for one in panel.dues if one.action != body["action"])
        case "review-set":
            actions = (one for one in panel.dues if one.action)
            return *actions, Due(event.number, date.fromisoformat(body["due"]), panel.convenor)
        case "closed" | "withdrawn":
            return ()
        case _:
            return panel.dues


def _with_invited(panel: Panel, body: Mapping[str, Any]) -> Panel:
    about = {org: tuple(names) for org, names in body.get("about", {}).items()}
    return replace(panel, invited=panel.invited | set(body["organisations"]), about={**panel.about, **about})
