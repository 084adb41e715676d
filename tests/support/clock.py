"""Clocks that tests move by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOON = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class FrozenClock:
    """Stands still until told to move."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> None:
        self.moment += by
