"""When a notice is tried again: full jitter over a fixed schedule (DELIVERY 2.4), a receiver's wish, an end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

Schedule = tuple[timedelta, ...]
SCHEDULE: Schedule = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 12 * 3600)
)
"""The longest pause before each attempt, the first included; the last one repeats."""
GIVE_UP_AFTER = timedelta(days=8)
SLOW_PAUSE = timedelta(minutes=5)
"""The least pause where the recipient refuses what it is sent: only a person there can change that (DELIVERY 2.5)."""
PAUSES_MAX, PAUSE_SECONDS_MAX, LAST_PAUSE_SECONDS_MIN = 20, 24 * 3600, 60
RETRY_AFTER_MAX = timedelta(hours=6)


def schedule_of(seconds: Sequence[int] | None) -> Schedule:
    """The schedule that an agreement or an endpoint sets, or ours."""
    return tuple(timedelta(seconds=each) for each in seconds) if seconds else SCHEDULE


def schedule_fault(seconds: Sequence[int]) -> str | None:
    """What is wrong with a schedule that somebody asks for, in words.

    It repeats its last pause until eight days have passed, so that one is bounded from below: nobody is hammered.
    """
    if not 1 <= len(seconds) <= PAUSES_MAX:
        return f"a schedule has 1 to {PAUSES_MAX} pauses"
    if min(seconds) < 0 or max(seconds) > PAUSE_SECONDS_MAX:
        return f"a pause has 0 to {PAUSE_SECONDS_MAX} seconds"
    return None if seconds[-1] >= LAST_PAUSE_SECONDS_MIN else f"the last pause has {LAST_PAUSE_SECONDS_MIN} s or more"


def pause_before(attempt_no: int, *, fraction: float, schedule: Schedule = SCHEDULE) -> timedelta:
    """The pause before attempt `attempt_no` (from 1): a `fraction` in [0, 1) of the schedule's longest pause."""
    return schedule[min(attempt_no, len(schedule)) - 1] * fraction


def retry_after(text: str | None, *, now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for (RFC 9110 section 10.2.3), cut to the cap; None for garbage or the past."""
    asked = _asked(text.strip(), now) if text else None
    return None if asked is None or asked <= timedelta(0) else min(asked, RETRY_AFTER_MAX)


def next_attempt_at(
    attempt_no: int,
    *,
    now: datetime,
    fraction: float,
    wish: timedelta | None = None,
    schedule: Schedule = SCHEDULE,
) -> datetime:
    """When attempt `attempt_no` is due, never before the receiver's wish."""
    pause = pause_before(attempt_no, fraction=fraction, schedule=schedule)
    return now + (pause if wish is None else max(pause, wish))


def _asked(text: str, now: datetime) -> timedelta | None:
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
