"""Days and moments of a question: which day it asks about, and as it was known when.

A civil day is one of Europe/London; an instant names its offset, best UTC. What is neither is told what to send.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Query

from shared.agreements.days import LONDON, civil_day, instant_of
from shared.contracts.envelope import rfc3339
from shared.http.problems import FieldError, bad_fields

TEXT_LENGTH_MAX = 64
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_A_DAY = "send a civil day in Europe/London like 2022-05-03"
_AN_INSTANT = "send an instant in UTC like 2022-05-03T11:00:00Z"

AsOf = Annotated[
    str,
    Query(
        max_length=TEXT_LENGTH_MAX,
        description="what applies on this civil day in Europe/London, like 2022-05-03; default: the day of `known_at`",
    ),
]
KnownAt = Annotated[
    str,
    Query(
        max_length=TEXT_LENGTH_MAX,
        description="as it was known at this instant, like 2022-05-03T11:00:00Z; default: now",
    ),
]


class NoMoment(ValueError):
    """What was sent is no day or no instant; the words say what to send."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What is asked about. `day` is None where none was named; `known_at` is None for what is known now."""

    day: date | None
    known_at: datetime | None
    now: datetime

    @property
    def day_or_default(self) -> date:
        """The day asked about: named, or that of the moment."""
        return self.day or civil_day(self.known_at or self.now)


def moments(as_of: str, known_at: str, now: datetime, names: tuple[str, str] = ("as_of", "known_at")) -> Moments:
    """Day and moment of a question, "" where one is not named. Raises Problem 422 with every fault."""
    faults: list[FieldError] = []
    day, moment = None, None
    try:
        day = day_of(as_of) if as_of else None
    except NoMoment as fault:
        faults.append(FieldError(f"/{names[0]}", str(fault)))
    try:
        moment = known_moment(known_at, now) if known_at else None
    except NoMoment as fault:
        faults.append(FieldError(f"/{names[1]}", str(fault)))
    refuse(faults)
    return Moments(day, moment, now)


def refuse(faults: Iterable[FieldError]) -> None:
    """Raises Problem 422 where there are any."""
    if found := list(faults):
        raise bad_fields(found)


def day_of(text: str, hint: str = "; an instant belongs into `known_at`") -> date:
    """A civil day. Raises NoMoment; `hint` is what else may have been meant."""
    if not _DAY.fullmatch(text):
        raise NoMoment(f"this is no day: {_A_DAY}{hint}")
    return _existing(text)


def known_moment(text: str, now: datetime) -> datetime:
    """A past or present instant, in UTC. Raises NoMoment."""
    moment = instant(text)
    if moment > now:
        raise NoMoment("this is in the future: what will be known then cannot be said. `as_of` may be a day to come")
    return moment


def instant(text: str) -> datetime:
    """An instant, in UTC. Raises NoMoment."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise NoMoment(f"this is no instant: {_AN_INSTANT} (in a URL the + of an offset is written %2B)")
    _existing(found[1])
    if found[4] is None:
        raise NoMoment(_why_not_civil(_parsed(text)))
    return _parsed(text)


def _existing(text: str) -> date:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    if year < 1 or not 1 <= month <= 12:
        raise NoMoment(f"there is no such month: {_A_DAY}")
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise NoMoment(f"there is no such day: that month has {last} days")
    return date(year, month, day)


def _parsed(text: str) -> datetime:
    try:
        has_offset = text.endswith("Z") or text[-6] in "+-"
        return instant_of(text) if has_offset else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise NoMoment(f"there is no such time of day: {_AN_INSTANT}") from None


def _why_not_civil(civil: datetime) -> str:
    """A civil time says which instant it means only outside the hours in which clocks change."""
    try:
        first, second = (civil.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1))
        is_there = first.astimezone(LONDON).replace(tzinfo=None) == civil
    except OverflowError:
        return f"this names no offset: {_AN_INSTANT}"
    if not is_there:
        return f"this time does not exist in Europe/London, where clocks went forward over it: {_AN_INSTANT}"
    if first != second:
        both = f"{rfc3339(first)} or {rfc3339(second)}"
        return f"this time is there twice in Europe/London, where clocks went back: send {both}"
    return f"this names no offset: if it is a time in Europe/London, send {rfc3339(first)}"
