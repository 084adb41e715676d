"""What a consumer hands to a use case: decoded events, and the spans of the log that they cover."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

EventT = TypeVar("EventT", covariant=True)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of records of one partition: offsets from `first` to `last`, both included, for a consumer group.

    `last_timestamp` is when the broker appended the last one, in milliseconds: it proves later that the log is the
    same; None = not known.
    """

    group: str
    topic: str
    partition: int
    first: int
    last: int
    last_timestamp: int | None = None


class Position(NamedTuple):
    """Where a consumer group stands in a partition, and the broker's timestamp of the record before it (ms)."""

    next_offset: int
    last_timestamp: int | None


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that nobody could read or handle, with the reason in words."""

    topic: str
    partition: int
    offset: int
    value: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Batch(Generic[EventT]):
    """What one poll brought: the readable events in order, and the spans that their transaction must move past.

    The spans also cover the records that were parked, so that a batch without events still moves on.
    """

    events: tuple[EventT, ...]
    spans: tuple[Span, ...]
