"""The life of an agreement in force: suspended, resumed, terminated. Each gives the object as it should then stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.registry.domain.change_rules import Place, Refusal
from services.registry.domain.model import EventName, Row


@dataclass(frozen=True, slots=True)
class Turn:
    """What should happen to an agreement, and on which civil day (ISO 8601, Europe/London)."""

    event: EventName
    on: str


def turned(agreement: Row, turn: Turn) -> dict[str, Any] | Refusal:
    """The agreement after the turn, or why it cannot be taken."""
    if agreement.get("terminated"):
        day = agreement["terminated"]
        return _refused("already-terminated", f"The agreement was terminated on {day}", "Draft a new agreement.")
    return _TURNS[turn.event](agreement, turn.on)


def _suspended(agreement: Row, on: str) -> dict[str, Any] | Refusal:
    """Until it is resumed: an interval without an end."""
    spans = list(agreement.get("suspended", ()))
    if _covering(spans, on) is not None or any((row.get("from") or "") >= on for row in spans):
        return _refused("already-suspended", "The agreement is suspended on that day or later", "Resume it first.")
    return {**agreement, "suspended": [*spans, {"from": on, "to": None}]}


def _resumed(agreement: Row, on: str) -> dict[str, Any] | Refusal:
    spans = list(agreement.get("suspended", ()))
    place = _covering(spans, on)
    if place is None or spans[place].get("from") == on:
        words = "The agreement is not suspended before that day"
        return _refused("not-suspended", words, "Name a day within the suspension.")
    spans[place] = {**spans[place], "to": on}
    return {**agreement, "suspended": spans}


def _terminated(agreement: Row, on: str) -> dict[str, Any] | Refusal:
    begins = agreement["in_force"].get("from")
    if begins and on < begins:
        return _refused("before-it-began", f"The agreement begins on {begins}", "Name that day or a later one.")
    return {**agreement, "terminated": on}


def _covering(spans: list[Mapping[str, Any]], day: str) -> int | None:
    """The place of the interval that covers the day. ISO days compare as text."""
    for number, row in enumerate(spans):
        begins, ends = row.get("from") or "", row.get("to")
        if begins <= day and (ends is None or day < ends):
            return number
    return None


def _refused(code: str, title: str, remedy: str) -> Refusal:
    return Refusal(code, title, remedy, (Place("/on", title),))


_TURNS = {"SUSPENDED": _suspended, "RESUMED": _resumed, "TERMINATED": _terminated}
