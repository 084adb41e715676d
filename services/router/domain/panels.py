"""What is asked of many panels: a list, and what is overdue. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from services.router.domain.convening import Due, PanelState


class PanelCursor(NamedTuple):
    """Where a page of panels ends: they are listed by when they were proposed, then by id."""

    opened_at: datetime
    panel_id: str


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """Which panels a body asks for, in a state (None: in any), behind a cursor: those that it may see.

    `everything`: who asks sees all. `overdue`: only where, on that day, something is overdue that who asks may see.
    """

    org: str
    today: date
    limit: int
    everything: bool = False
    state: PanelState | None = None
    overdue: bool = False
    after: PanelCursor | None = None


class PanelDue(NamedTuple):
    """Something that a panel agreed on, and about which concern that panel is."""

    panel_id: str
    concern_id: str
    due: Due
