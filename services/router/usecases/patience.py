"""A concern may ask for a graph that is on its way: it is waited for, a little, and not again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from services.router.domain.model import Concern
from services.router.domain.policy import CurrentJudge
from services.router.domain.tokens import awaited_version
from shared.clock import Clock

REST_SECONDS = 30.0
"""How long nothing is waited for after a wait in vain: concerns that ask for what does not come are held at once."""


class Patience:
    """Waits for the newest graph that some concerns ask for; what else is in their batch waits with them.

    So a partition stands still for at most `wait_seconds` in any `REST_SECONDS`, whatever concerns ask for.
    """

    def __init__(self, current: CurrentJudge, clock: Clock, *, wait_seconds: float) -> None:
        self._current = current
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._resting_until: datetime | None = None
        self._changed = asyncio.Event()
        current.listen(self._changed.set)

    async def wait_for(self, concerns: Iterable[Concern]) -> None:
        """Return once the graph is in office that they ask for, or when it took too long."""
        wanted = max((_wanted(concern) for concern in concerns), default=0)
        if wanted <= self._current.head.version or self._rests():
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                while self._current.head.version < wanted:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self._resting_until = self._clock.now() + timedelta(seconds=REST_SECONDS)

    def _rests(self) -> bool:
        return self._resting_until is not None and self._clock.now() < self._resting_until


def _wanted(concern: Concern) -> int:
    token = concern.routing.get("min_graph_token")
    return awaited_version(token) if isinstance(token, str) else 0
