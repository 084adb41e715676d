"""Clocks that tests move by hand."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.clock import SystemClock

NOON = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class FrozenClock:
    """Stands still until told to move."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> None:
        self.moment += by


@dataclass(slots=True)
class LeapingClock:
    """Goes on as time does, and leaps ahead when told to: the clock on the wall and the one that counts seconds."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()

    def leap(self, by: timedelta) -> None:
        self.ahead += by
