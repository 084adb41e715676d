"""How fast one endpoint may be sent to: its granted rate, what its answers taught us, and a breaker; pure.

All moments are monotonic seconds. 429, 502 and 504 halve the rate, which doubles again every RECOVERY_SECONDS
(DELIVERY 2.5). Failures in a row open the breaker: then nothing is sent until a probe has found somebody there, and
one delivery has gone well.
"""

from dataclasses import dataclass
from enum import Enum

FAILURES_MAX = 5
PROBE_SECONDS_MIN, PROBE_SECONDS_MAX = 1.0, 5.0
REFUSED_SECONDS_MAX = 600.0
"""Longest pause between two probes of one who answers, but badly: each costs it a delivery."""
RECOVERY_SECONDS = 30.0
RATE_MIN, RATE_FREE = 0.1, 500.0
"""Deliveries per second: the least that a rate falls to, and where it is no limit any more."""
WINDOW_SECONDS = 5.0
SLOWER_STATUSES = frozenset({429, 502, 504})


class Breaker(Enum):
    """`closed` is the normal state; `half-open` lets one delivery through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Heard:
    """What an attempt taught: it went well, or failed with this status (None: no answer) and this wish for peace."""

    well: bool
    status: int | None = None
    wish_seconds: float = 0.0


class Throttle:
    """The pace of one lane."""

    __slots__ = (
        "_base", "_count", "_granted", "_lowered_at", "_patient_until", "_refilled_at", "_since", "_tokens", "_trips",
        "_was_away", "breaker",
        "failure_count", "hold_until",
    )  # fmt: skip

    def __init__(self, *, rate_per_minute: int | None = None) -> None:
        self._granted = rate_per_minute / 60 if rate_per_minute else None
        self._base: float | None = None
        self._lowered_at = self._refilled_at = self._since = float("-inf")
        self._count = 0
        self._tokens = 1.0
        self._trips = 0
        self._patient_until = float("-inf")
        self._was_away = False
        self.breaker = Breaker.CLOSED
        self.failure_count = 0
        self.hold_until = float("-inf")

    def grant(self, rate_per_minute: int | None) -> None:
        """The endpoint grants another rate."""
        self._granted = rate_per_minute / 60 if rate_per_minute else None

    def rate(self, now: float) -> float | None:
        """Deliveries per second that may be started; None for no limit."""
        learned = None if self._base is None else self._base * 2 ** min((now - self._lowered_at) / RECOVERY_SECONDS, 64)
        if learned is not None and learned >= RATE_FREE:
            learned = self._base = None
        return min((each for each in (self._granted, learned) if each is not None), default=None)

    def is_open(self, now: float) -> bool:
        """Whether nothing at all may be sent."""
        return self.breaker is Breaker.OPEN or now < self.hold_until

    def take(self, now: float) -> bool:
        """Start a delivery if the pace allows one now."""
        if self.is_open(now):
            return False
        rate = self.rate(now)
        if rate is not None and not self._take_token(rate, now):
            return False
        self._note_start(now)
        return True

    def probe_is_due(self, now: float) -> bool:
        """Whether it is time to see if somebody is there again."""
        return self.breaker is Breaker.OPEN and now >= self.hold_until

    def probed(self, now: float, *, there: bool) -> None:
        """A probe has ended: who has come back gets one delivery at once, who was there all along, later."""
        if there and (self._was_away or now >= self._patient_until):
            self.breaker, self._was_away = Breaker.HALF_OPEN, False
            return
        self._was_away = self._was_away or not there
        self.hold_until = now + PROBE_SECONDS_MAX

    def answered(self, heard: Heard, now: float) -> None:
        """A delivery has ended."""
        if heard.well:
            self.failure_count = self._trips = 0
            self.breaker = Breaker.CLOSED
            return
        self.failure_count += 1
        if heard.status in SLOWER_STATUSES:
            self._lower(now)
        self.hold_until = max(self.hold_until, now + heard.wish_seconds) if heard.wish_seconds else self.hold_until
        if self.breaker is Breaker.HALF_OPEN or self.failure_count >= FAILURES_MAX:
            self._open(now, reached=heard.status is not None)

    def _open(self, now: float, *, reached: bool) -> None:
        if self.breaker is not Breaker.OPEN:
            self._trips += 1
        self.breaker = Breaker.OPEN
        pause = PROBE_SECONDS_MIN * 2 ** min(self._trips - 1, 16)
        self._was_away = not reached
        self._patient_until = now + min(pause, REFUSED_SECONDS_MAX)
        self.hold_until = max(self.hold_until, now + min(pause, PROBE_SECONDS_MAX))

    def _lower(self, now: float) -> None:
        """Halve what was sent lately, at most once a second: the answers to one burst are one lesson."""
        if now - self._lowered_at < 1.0:
            return
        seen = self._count / max(min(now - self._since, WINDOW_SECONDS), 1.0)
        current = self.rate(now)
        self._base = max((seen if current is None else min(current, max(seen, RATE_MIN))) / 2, RATE_MIN)
        self._lowered_at = self._refilled_at = now
        self._tokens = 0.0

    def _take_token(self, rate: float, now: float) -> bool:
        if self._refilled_at == float("-inf"):
            self._refilled_at = now
        self._tokens = min(self._tokens + (now - self._refilled_at) * rate, max(rate, 1.0))
        self._refilled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _note_start(self, now: float) -> None:
        if now - self._since > WINDOW_SECONDS:
            self._since, self._count = now, 0
        self._count += 1
