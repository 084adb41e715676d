"""Panels as they stand: a list for who may see them."""

from __future__ import annotations

from collections.abc import Sequence

from services.router.domain.convening import panel_of
from services.router.domain.panels import PanelQuery
from services.router.usecases.convening import Convened
from services.router.usecases.desk import Desk


async def look_at_panels(query: PanelQuery, desk: Desk) -> Sequence[Convened]:
    """The panels that are asked for, in the order in which they were proposed."""
    async with desk.begin() as tx:
        found = await tx.panels(query)
    return [Convened(panel_of(name, events), events) for name, events in found.items()]
