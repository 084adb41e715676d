"""Until when a person must have acknowledged: limits as agreements word them, by the calendar of a nation."""

from dataclasses import dataclass
from datetime import datetime

from shared.agreements import deadline
from shared.agreements.calendar import calendar_named, calendar_of, default_calendar


@dataclass(frozen=True, slots=True)
class Limit:
    """So many `clock_hours`, `working_hours`, `calendar_days`, `working_days` or `months`.

    `calendar` names whose days are worked; empty is the default one.
    """

    amount: int
    unit: str
    calendar: str = ""

    @classmethod
    def parse(cls, text: str) -> "Limit | None":
        """Read what `str` writes; None for an empty text."""
        amount, _, rest = text.partition(" ")
        unit, _, calendar = rest.partition(" ")
        return cls(int(amount), unit, calendar) if unit else None

    def within(self, nation: str | None) -> "Limit":
        """The same where that nation works; only working days and hours differ between nations."""
        calendar = calendar_of(nation)
        own = self.unit in deadline.WORKING_UNITS and calendar is not default_calendar()
        return Limit(self.amount, self.unit, calendar.name if own else "")

    def __str__(self) -> str:
        return f"{self.amount} {self.unit} {self.calendar}".rstrip()


def ends_at(start: datetime, limit: Limit) -> datetime:
    """The moment (UTC) at which the limit has passed. Raises ValueError for a unit that no agreement may use."""
    return deadline.ends_at(start, limit.amount, limit.unit, calendar_named(limit.calendar))


def is_provisional(end: datetime, limit: Limit) -> bool:
    """Whether bank holidays that are not published yet could still move this end."""
    return deadline.is_provisional(end, limit.unit, calendar_named(limit.calendar))
