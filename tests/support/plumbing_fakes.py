"""In-memory ports of the shared plumbing; `tests/conformance/test_outbox_store.py` holds them to the real ones."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from shared.db.outbox import OutboxRow
from shared.db.outbox_sql import AGAIN_SECONDS, AGAIN_SECONDS_MAX, KEPT_DAYS, RETENTION_DAYS
from shared.faults import LogUnavailable
from shared.kafka.producer import Record


@dataclass(slots=True)
class InMemoryOutbox:
    """The rows of an outbox; time passes when the test says so."""

    rows: dict[str, OutboxRow] = field(default_factory=dict)
    created_at: dict[str, float] = field(default_factory=dict)
    unpublished: set[str] = field(default_factory=set)
    again_at: dict[str, float] = field(default_factory=dict)
    repeat_counts: Counter[str] = field(default_factory=Counter)
    heights_by_place: dict[tuple[str, int], int] = field(default_factory=dict)
    now: float = 0.0

    @property
    def published(self) -> set[str]:
        return self.rows.keys() - self.unpublished

    def write(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            if row.event_id not in self.rows:
                self.rows[row.event_id], self.created_at[row.event_id] = row, self.now
                self.unpublished.add(row.event_id)
                if row.closes_with is not None:
                    self.again_at[row.event_id] = self.now + AGAIN_SECONDS

    def add_again(self, event_ids: Sequence[str]) -> Sequence[OutboxRow]:
        self.unpublished |= self.rows.keys() & event_ids
        return [self.rows[name] for name in event_ids if name in self.rows]

    def close(self, names: Sequence[str]) -> None:
        self.again_at = {name: at for name, at in self.again_at.items() if self.rows[name].closes_with not in names}

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        self.unpublished -= offsets.keys()
        for name, offset in offsets.items():
            place = (self.rows[name].topic, self.rows[name].partition)
            self.heights_by_place[place] = max(self.heights_by_place.get(place, -1), offset)
        for name in offsets.keys() & self.again_at.keys():
            if self.again_at[name] < self.now + AGAIN_SECONDS / 2:
                self.repeat_counts[name] += 1
                self.again_at[name] = self.now + min(AGAIN_SECONDS * 2 ** self.repeat_counts[name], AGAIN_SECONDS_MAX)

    async def lost(self, *, unpublished_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        old = {name for name in self.unpublished if self.now - self.created_at[name] > unpublished_seconds}
        due = {name for name, at in self.again_at.items() if at < self.now}
        return [row for name, row in self.rows.items() if name in old | due][:row_count_max]

    async def heights(self) -> Mapping[tuple[str, int], int]:
        return self.heights_by_place

    async def reopen(self, topic: str) -> AsyncIterator[int]:
        gone = {n for n, row in self.rows.items() if row.topic == topic and (not self._old(n) or n in self.again_at)}
        count = len(gone - self.unpublished)
        self.unpublished |= gone
        self.heights_by_place = {at: height for at, height in self.heights_by_place.items() if at[0] != topic}
        yield count

    async def prune(self, *, row_count_max: int) -> int:
        done = [
            name
            for name in self.rows
            if self._old(name, KEPT_DAYS) and name not in self.unpublished | self.again_at.keys()
        ]
        for name in done[:row_count_max]:
            del self.rows[name], self.created_at[name]
        return min(len(done), row_count_max)

    def _old(self, name: str, days: int = RETENTION_DAYS) -> bool:
        return (self.now - self.created_at[name]) / 86_400 > days


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
