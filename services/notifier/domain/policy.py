"""What follows from the clock and from an answer; pure."""

from datetime import datetime

from services.notifier.domain import retry
from services.notifier.domain.model import Answer, Delivered, Leased, Retry, Stopped

BASIS_ENDED = "the basis for telling has ended"
UNDELIVERED = "undelivered for 8 days"
GONE = 410
WISH_STATUSES = frozenset({429, 503})
PASSING_STATUSES = frozenset({408, 410, 425, 429})
"""Of 400 to 499 what passes by itself or has a meaning of its own; the others say that something is set up wrongly."""


def stop(notice: Leased, *, now: datetime) -> Stopped | None:
    """Why nothing may be sent any more at this moment, if so."""
    if notice.valid_until is not None and now >= notice.valid_until:
        return Stopped(BASIS_ENDED)
    return Stopped(UNDELIVERED) if now >= notice.give_up_at else None


def judge(
    notice: Leased, answer: Answer, *, now: datetime, fraction: float, schedule: retry.Schedule = retry.SCHEDULE
) -> Delivered | Retry:
    """What an answer means: 2xx is delivered, everything else a failure that is tried again (DELIVERY 2.5)."""
    if answer.status is not None and 200 <= answer.status <= 299:
        return Delivered()
    wish = retry.retry_after(answer.retry_after, now=now) if answer.status in WISH_STATUSES else None
    least = wish or (retry.SLOW_PAUSE if refuses(answer.status) else None)
    # The attempt just made is attempt_count + 1, the next one is one more.
    due_at = retry.next_attempt_at(notice.attempt_count + 2, now=now, fraction=fraction, wish=least, schedule=schedule)
    return Retry(min(due_at, notice.give_up_at), _detail(answer), suspends=answer.status == GONE, wish=wish)


def refuses(status: int | None) -> bool:
    """Whether the recipient's system refuses what it was sent: tried again slowly, and a person must look at it."""
    return status is not None and 400 <= status <= 499 and status not in PASSING_STATUSES


def basis_ends_at(valid_until: datetime | None, *, as_of: datetime, accepted_at: datetime) -> datetime | None:
    """When the basis ends by our clock (CONTRACTS 2): the law is read at `as_of` + the time since acceptance.

    A live concern is accepted at the very moment that it is read as of, so its basis ends at `valid_until`; that of a
    historic one ends as much later as it was accepted after `as_of`.
    """
    return None if valid_until is None else accepted_at + (valid_until - as_of)


def _detail(answer: Answer) -> str:
    if answer.status is None:
        return answer.error
    if 300 <= answer.status <= 399:
        return f"answered {answer.status}; redirects are not followed"
    return f"answered {answer.status}"
