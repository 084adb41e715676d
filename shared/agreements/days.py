"""Civil days in Europe/London and half-open intervals of them: in force on `from`, no longer on `to`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def civil_day(instant: datetime) -> date:
    """The day in London on which the instant falls: 23:30 UTC on 31 March may be 1 April."""
    try:
        return instant.astimezone(LONDON).date()
    except OverflowError:  # the first or last day of the calendar has no other side
        return instant.date()


def start_of(day: date) -> datetime:
    """The instant in UTC at which the civil day begins in London."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def instant_of(text: str) -> datetime:
    """An RFC 3339 timestamp as an instant in UTC. Raises ValueError when malformed or without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no offset")
    return instant.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open `[start, end)` in civil days; None is no known bound."""

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        return self.has_begun(day) and not self.has_ended(day)

    def has_begun(self, day: date) -> bool:
        return self.start is None or self.start <= day

    def has_ended(self, day: date) -> bool:
        return self.end is not None and self.end <= day
