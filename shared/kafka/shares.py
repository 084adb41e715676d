"""What was polled, in the shares that take effect side by side, and the spans that each of them moves past."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from shared.records import Span

SHARE_RECORDS_MIN = 100
"""A transaction of fewer records costs more than waiting for the one before it."""


def shares(parts: Sequence[Sequence[ConsumerRecord]], abreast: int) -> list[list[ConsumerRecord]]:
    """At most `abreast` shares of about the same size; `parts` are the records of one partition each.

    A partition lies whole and in its order in one share. What is too little for two transactions stays in one.
    """
    worth = max(1, sum(map(len, parts)) // SHARE_RECORDS_MIN)
    made: list[list[ConsumerRecord]] = [[] for _ in range(min(abreast, len(parts), worth))]
    for part in sorted(parts, key=len, reverse=True):
        min(made, key=len).extend(part)
    return made


def spans(group: str, records: Sequence[ConsumerRecord]) -> tuple[Span, ...]:
    """What these records are of each partition."""
    parts: dict[tuple[str, int], list[ConsumerRecord]] = {}
    for record in records:
        parts.setdefault((record.topic, record.partition), []).append(record)
    return tuple(
        Span(group, topic, partition, part[0].offset, part[-1].offset, part[-1].timestamp)
        for (topic, partition), part in sorted(parts.items())
    )
