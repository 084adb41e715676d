"""What this process has seen of an endpoint since it was last written down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.domain.health import HealthSeen
from services.notifier.domain.lane import Lane
from services.notifier.domain.model import EndpointId, Result, Retry
from services.notifier.domain.throttle import Heard


@dataclass(slots=True)
class Pulse:
    """The latest good and bad of one lane; `changed` until it is written down."""

    endpoint_id: EndpointId
    failing_since: datetime | None = None
    last_success_at: datetime | None = None
    last_failure: str = ""
    next_probe_at: datetime | None = None
    changed: bool = False

    def note(self, result: Result, *, seconds_to_probe: float) -> None:
        """An attempt has ended."""
        if result.attempt is not None:
            self.endpoint_id = result.attempt.endpoint_id
        if isinstance(result.verdict, Retry):
            self.failing_since = self.failing_since or result.at
            self.last_failure = result.verdict.detail
            self.changed = True
        else:
            # A healthy endpoint is written down when it recovers, and once a minute: not at each delivery.
            stale = self.last_success_at is None or result.at - self.last_success_at >= timedelta(minutes=1)
            if stale or self.failing_since is not None:
                self.last_success_at, self.failing_since, self.changed = result.at, None, True
        waits = seconds_to_probe > 0
        self.next_probe_at = result.at + timedelta(seconds=seconds_to_probe) if waits else None

    def seen(self, lane: Lane, now: float) -> HealthSeen:
        """As it is written down."""
        rate = lane.throttle.rate(now)
        return HealthSeen(
            endpoint_id=self.endpoint_id,
            breaker=lane.throttle.breaker,
            failure_count=lane.throttle.failure_count,
            failing_since=self.failing_since,
            next_probe_at=self.next_probe_at,
            rate_per_minute=None if rate is None else max(round(rate * 60), 1),
            in_flight_cap=lane.cap,
            last_success_at=self.last_success_at,
            last_failure=self.last_failure,
        )


def heard_of(result: Result) -> Heard:
    """What an attempt taught the lane."""
    status = result.attempt.answer.status if result.attempt else None
    if not isinstance(result.verdict, Retry):
        return Heard(well=True, status=status)
    wish = result.verdict.wish
    return Heard(well=False, status=status, wish_seconds=wish.total_seconds() if wish else 0.0)
