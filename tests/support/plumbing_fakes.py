"""In-memory ports of the shared plumbing; `tests/conformance/test_outbox_store.py` holds them to the real ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from shared.db.outbox import AGAIN_SECONDS, AGAIN_SECONDS_MAX, RETENTION_DAYS, OutboxRow
from shared.faults import LogUnavailable
from shared.kafka.producer import Record


@dataclass(slots=True)
class InMemoryOutbox:
    """The rows of an outbox; time passes when the test says so."""

    rows: dict[str, OutboxRow] = field(default_factory=dict)
    created_at: dict[str, float] = field(default_factory=dict)
    published_at: dict[str, float] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    publish_counts: Counter[str] = field(default_factory=Counter)
    closed_at: dict[str, float] = field(default_factory=dict)
    now: float = 0.0

    def write(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.event_id, row)
            self.created_at.setdefault(row.event_id, self.now)

    def close(self, names: Sequence[str]) -> None:
        self.closed_at = dict.fromkeys(names, self.now) | self.closed_at

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        self.published_at.update(dict.fromkeys(offsets, self.now))
        self.offsets.update(offsets)
        self.publish_counts.update(offsets.keys())

    async def lost(self, *, unpublished_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        found = [r for r in self.rows.values() if self._lost(r, unpublished_seconds)]
        return found[:row_count_max]

    async def heights(self) -> Mapping[tuple[str, int], int]:
        heights: dict[tuple[str, int], int] = {}
        for name, offset in self.offsets.items():
            at = (self.rows[name].topic, self.rows[name].partition)
            heights[at] = max(heights.get(at, -1), offset)
        return {at: height for at, height in heights.items() if height >= 0}

    async def reopen(self, topic: str) -> int:
        names = [name for name, at in self.offsets.items() if self.rows[name].topic == topic and at >= 0]
        for name in names:
            if self._open(self.rows[name]) or self._age(self.created_at[name]) < RETENTION_DAYS:
                del self.offsets[name], self.published_at[name]
            else:
                self.offsets[name] = -1
        return len(names)

    async def prune(self, *, row_count_max: int) -> int:
        done = [n for n in self.published_at if self._age(self.published_at[n]) > RETENTION_DAYS and self._done(n)]
        for name in sorted(done, key=self.offsets.__getitem__)[:row_count_max]:
            for column in (self.rows, self.created_at, self.published_at, self.offsets):
                del column[name]
        return min(len(done), row_count_max)

    def _done(self, name: str) -> bool:
        closes_with = self.rows[name].closes_with
        return closes_with is None or self._age(self.closed_at.get(closes_with, self.now)) > RETENTION_DAYS

    def _open(self, row: OutboxRow) -> bool:
        return row.closes_with is not None and row.closes_with not in self.closed_at

    def _age(self, at: float) -> float:
        return (self.now - at) / 86_400

    def _lost(self, row: OutboxRow, unpublished_seconds: float) -> bool:
        published_at = self.published_at.get(row.event_id)
        if published_at is None:
            return self.now - self.created_at[row.event_id] > unpublished_seconds
        wait = min(AGAIN_SECONDS * 2 ** (self.publish_counts[row.event_id] - 1), AGAIN_SECONDS_MAX)
        return self._open(row) and self.now - published_at > wait


@dataclass(slots=True)
class InMemoryLog:
    """A Kafka that keeps what it is given, or is away."""

    records: list[Record] = field(default_factory=list)
    batches: list[Sequence[Record]] = field(default_factory=list)
    away: bool = False

    async def publish(self, records: Sequence[Record]) -> Sequence[int]:
        if self.away:
            raise LogUnavailable("away")
        self.batches.append(records)
        offsets = []
        for record in records:
            offsets.append(self._end(TopicPartition(record.topic, record.partition)))
            self.records.append(record)
        return offsets

    async def of(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        if self.away:
            raise LogUnavailable("away")
        return {at: self._end(at) for at in partitions}

    def _end(self, at: TopicPartition) -> int:
        return sum((r.topic, r.partition) == at for r in self.records)
