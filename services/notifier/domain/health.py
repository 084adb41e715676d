"""How an endpoint does, as people see it: the breaker, what was learned, and when it will be suspended; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.domain.model import EndpointId
from services.notifier.domain.throttle import Breaker

SUSPENDED_AFTER = timedelta(days=8)
"""No success for as long as any notice is tried: nothing of what waits would be delivered any more."""
TOO_LONG = "no delivery went well for 8 days"


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """What this process has seen of an endpoint. `failing_since` is None after a success."""

    endpoint_id: EndpointId
    breaker: Breaker
    failure_count: int
    failing_since: datetime | None
    next_probe_at: datetime | None
    rate_per_minute: int | None
    in_flight_cap: int
    last_success_at: datetime | None
    last_failure: str


def suspends_at(failing_since: datetime | None) -> datetime | None:
    """When an endpoint is suspended that does not recover."""
    return failing_since and failing_since + SUSPENDED_AFTER
