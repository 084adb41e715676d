"""What is kept of how endpoints do, and what follows when one recovers, or does not."""

from collections.abc import Mapping, Sequence

from services.notifier.domain.health import TOO_LONG, HealthSeen, suspends_at
from services.notifier.ports import Begin
from services.notifier.usecases.suspend import suspend_endpoints
from shared.clock import Clock

DRAIN_PER_SECOND = 20.0
"""How fast the failures of an endpoint that has come back are tried again, where it grants more or nothing."""


async def keep_health(seen: Sequence[HealthSeen], *, clock: Clock, begin: Begin) -> Mapping[str, str]:
    """Keep what was seen, for people; suspend what has failed for too long. Gives those, with their owners."""
    if not seen:
        return {}
    now = clock.now()
    async with begin() as ledger:
        since = await ledger.keep_health(seen, now=now)
        dead = [endpoint_id for endpoint_id, moment in since.items() if (end := suspends_at(moment)) and end <= now]
        return await suspend_endpoints(dict.fromkeys(dead, TOO_LONG), ledger, at=now) if dead else {}


async def hasten_lane(
    lane: tuple[str, bool], *, count: int | None, rate_per_minute: int | None, clock: Clock, begin: Begin
) -> None:
    """An endpoint is there again: try one failure at once (`count` 1), or all of them (None), at a bounded pace."""
    pace = DRAIN_PER_SECOND if rate_per_minute is None else min(rate_per_minute / 60, DRAIN_PER_SECOND)
    async with begin() as ledger:
        await ledger.hasten(lane, count=count, per_second=pace, now=clock.now())
