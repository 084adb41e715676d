"""The standing of an agreement on a day: folded from its dates as they are known, and stored nowhere."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.agreements import reasons
from shared.agreements.gates import force_on
from shared.agreements.model import Agreement

Status = Literal["scheduled", "active", "suspended", "superseded", "expired", "terminated"]
STATUS_OF: dict[str | None, Status] = {
    None: "active",
    reasons.NOT_YET_IN_FORCE: "scheduled",
    reasons.SUSPENDED: "suspended",
    reasons.SUPERSEDED: "superseded",
    reasons.EXPIRED: "expired",
    reasons.TERMINATED: "terminated",
}
STANDING_STILL = frozenset({"active", "suspended"})
REVIEW_OVERDUE = "REVIEW_OVERDUE"
INHERITED = "inherited"
"""A succession that nothing more is to be said of."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`since` and `until` bound the days, half-open, on which it has this status; None is no known bound.

    Flags are facts that change no force: REVIEW_OVERDUE, INHERITED_PENDING_REVIEW, INHERITED_ASSUMED.
    """

    status: Status
    flags: tuple[str, ...]
    since: date | None
    until: date | None


def standing(agreement: Agreement, day: date, later: Agreement | None, novations: Iterable[str] = ()) -> Standing:
    """How the agreement stands on the day.

    `later` is the version that supersedes it; `novations` say how its parties' agreements passed to who acts for them.
    """
    starts = _starts(agreement, later)
    statuses = [_status(agreement, start, later) for start in starts]
    first = last = bisect_right(starts, day) - 1
    while first > 0 and statuses[first - 1] == statuses[first]:
        first -= 1
    while last + 1 < len(starts) and statuses[last + 1] == statuses[last]:
        last += 1
    status = statuses[first]
    return Standing(
        status=status,
        flags=tuple(sorted(_flags(agreement, day, novations))) if status in STANDING_STILL else (),
        since=starts[first] if first else None,
        until=starts[last + 1] if last + 1 < len(starts) else None,
    )


def _status(agreement: Agreement, day: date, later: Agreement | None) -> Status:
    return STATUS_OF[force_on(agreement, day, later)]


def _starts(agreement: Agreement, later: Agreement | None) -> list[date]:
    """The first days of the elementary intervals: inside each, the status cannot change."""
    bounds = {agreement.span.start, agreement.span.end, agreement.terminated, later.span.start if later else None}
    bounds |= {bound for span in agreement.suspended for bound in (span.start, span.end)}
    return sorted({date.min} | {bound for bound in bounds if bound is not None})


def _flags(agreement: Agreement, day: date, novations: Iterable[str]) -> set[str]:
    flags = {novation.upper() for novation in novations if novation != INHERITED}
    return flags | ({REVIEW_OVERDUE} if agreement.is_review_overdue(day) else set())
