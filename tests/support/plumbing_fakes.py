"""In-memory ports of the shared plumbing; `tests/conformance/test_outbox_store.py` holds them to the real ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.db.outbox import OutboxRow
from shared.faults import LogUnavailable
from shared.kafka.producer import Record


@dataclass(slots=True)
class InMemoryOutbox:
    """The rows of an outbox; time passes when the test says so."""

    rows: dict[str, OutboxRow] = field(default_factory=dict)
    created_at: dict[str, float] = field(default_factory=dict)
    published_at: dict[str, float] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    now: float = 0.0

    def write(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.event_id, row)
            self.created_at.setdefault(row.event_id, self.now)

    def close(self, names: Sequence[str]) -> None:
        self.closed.update(names)

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        self.published_at.update(dict.fromkeys(event_ids, self.now))

    async def lost(self, *, unpublished_seconds: float, open_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        found = [r for r in self.rows.values() if self._lost(r, unpublished_seconds, open_seconds)]
        return found[:row_count_max]

    def _lost(self, row: OutboxRow, unpublished_seconds: float, open_seconds: float) -> bool:
        published_at = self.published_at.get(row.event_id)
        if published_at is None:
            return self.now - self.created_at[row.event_id] > unpublished_seconds
        is_open = row.closes_with is not None and row.closes_with not in self.closed
        return is_open and self.now - published_at > open_seconds


@dataclass(slots=True)
class InMemoryLog:
    """A Kafka that keeps what it is given, or is away."""

    records: list[Record] = field(default_factory=list)
    away: bool = False

    async def publish(self, records: Sequence[Record]) -> None:
        if self.away:
            raise LogUnavailable("away")
        self.records.extend(records)
