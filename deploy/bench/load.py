"""Open-loop load: each request has a moment at which it is due, whatever became of the ones before it.

Latency is taken from that moment, so a slow system cannot hide behind a sender that waits for it (no coordinated
omission). Traffic goes to loopback alone and is bounded in count.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.clock import Clock

COUNT_MAX = 200_000
LEAD_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: when it was due, how long until its answer (seconds), and what the answer named; None = refused."""

    due_at: datetime
    answered_seconds: float
    concern_id: str | None


@dataclass(slots=True)
class OpenLoop:
    """Sends `count` requests at `rate_per_second`; `send(n)` gives the concern id, or None when it was refused."""

    rate_per_second: float
    count: int
    send: Callable[[int], Awaitable[str | None]]
    clock: Clock
    sent: list[Sent] = field(default_factory=list)

    async def run(self) -> Sequence[Sent]:
        """Send all and wait for all answers."""
        if not 0 < self.count <= COUNT_MAX:
            raise ValueError(f"between 1 and {COUNT_MAX} requests, not {self.count}")
        started, started_at = time.perf_counter() + LEAD_SECONDS, self.clock.now() + timedelta(seconds=LEAD_SECONDS)
        async with asyncio.TaskGroup() as group:
            for number in range(self.count):
                due_seconds = number / self.rate_per_second
                if (early_seconds := started + due_seconds - time.perf_counter()) > 0:
                    await asyncio.sleep(early_seconds)
                due_at = started_at + timedelta(seconds=due_seconds)
                group.create_task(self._one(number, due_at, started + due_seconds))
        return self.sent

    async def _one(self, number: int, due_at: datetime, due: float) -> None:
        concern_id = await self.send(number)
        self.sent.append(Sent(due_at, time.perf_counter() - due, concern_id))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie (nearest rank); NaN for none."""
    if not values:
        return float("nan")
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
