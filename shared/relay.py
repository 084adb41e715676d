"""The relay: outbox rows to Kafka once they are committed, and a sweeper for what a crash or Kafka lost.

Rows are read by their state, never by "id greater than the last". What cannot be published now is dropped from
memory: the sweeper finds it again in the table.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.batching import Pace
from shared.contracts.topics import ALL
from shared.db.outbox import OutboxRow
from shared.failpoints import FailPoints
from shared.faults import LogUnavailable
from shared.kafka.consumer import GATHER_MILLISECONDS
from shared.kafka.producer import Record
from shared.supervision import Pause, Progress, repeat
from shared.telemetry import Telemetry

PACE_SECONDS = 0.008
GATHER_SECONDS = GATHER_MILLISECONDS / 1000
MARK_SECONDS = 0.25
SWEEP_SECONDS = 1.0
UNPUBLISHED_SECONDS = 3.0
WAITING_MAX = 20_000
BATCH_MAX = 1_000
SWEEP_MAX = 2_000
PRUNE_SECONDS = 60.0
PRUNE_MAX = 2_000


_GATHERED = frozenset(topic.name for topic in ALL if topic.gathered)


class OutboxStore(Protocol):
    """The rows and their state."""

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        """Kafka has acknowledged these, at these offsets."""
        ...

    async def lost(self, *, unpublished_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        """Rows unpublished for that long, or published, still open and due again."""
        ...

    async def prune(self, *, row_count_max: int) -> int:
        """Delete rows that are done and old, at most so many; gives how many."""
        ...


class Publisher(Protocol):
    """The way to Kafka."""

    async def publish(self, records: Sequence[Record]) -> Sequence[int]:
        """Write the records and give their offsets; raises LogUnavailable."""
        ...


class Relay:
    """Carries the outbox of one service to Kafka."""

    def __init__(
        self,
        store: OutboxStore,
        publisher: Publisher,
        *,
        progress: Progress,
        telemetry: Telemetry,
        fail_points: FailPoints | None = None,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._fail_points = fail_points or FailPoints()
        self._progress = progress
        self._telemetry = telemetry
        self._urgent = _Offered()
        self._gathering = _Offered()
        self._published: dict[str, int] = {}
        self._marking: dict[str, int] = {}
        self._pause = Pause("relay", telemetry)

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Publish these; their transaction has committed. Beyond the limit they are left to the sweeper."""
        if len(self._urgent.rows) + len(self._gathering.rows) + len(rows) > WAITING_MAX:
            return
        self._urgent.add([row for row in rows if row.topic not in _GATHERED])
        self._gathering.add([row for row in rows if row.topic in _GATHERED])

    async def run(self) -> None:
        """Publish what somebody waits for, for ever: at once, or with what came closely behind the one before."""
        pace = Pace(PACE_SECONDS)
        while True:
            await self._urgent.arrived.wait()
            await pace.turn()
            await self._publish_offered(self._urgent)

    async def gather(self) -> None:
        """Publish what nobody waits for, some at a time, for ever (ADR 10)."""
        while True:
            await self._gathering.arrived.wait()
            await asyncio.sleep(GATHER_SECONDS)
            await self._publish_offered(self._gathering)

    async def mark(self) -> None:
        """Mark what was published, a few times a second, for ever; it is off the hot path."""
        await repeat(self._mark_once, pause=Pause("relay marks", self._telemetry))

    async def sweep(self) -> None:
        """Publish what a crash or Kafka lost, for ever."""
        pause = Pause("relay sweeper", self._telemetry)
        await repeat(self._sweep_once, pause=pause, progress=self._progress)

    async def prune(self) -> None:
        """Delete what was done long ago, for ever."""
        await repeat(self._prune_once, pause=Pause("relay pruner", self._telemetry))

    async def _publish_offered(self, offered: "_Offered") -> None:
        try:
            rows = offered.take()
            for first in range(0, len(rows), BATCH_MAX):
                await self._publish(rows[first : first + BATCH_MAX])
        except LogUnavailable as fault:
            offered.take()  # all of it is in the table; the sweeper brings it back
            await self._pause.after(fault)
            return
        self._pause.over()

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        offsets = await self._publisher.publish([Record(r.topic, r.partition, r.key, r.value) for r in rows])
        self._fail_points.hit("relay.after-publish")
        self._published.update(zip((r.event_id for r in rows), offsets, strict=True))

    async def _mark_once(self) -> float:
        """Mark what was published. Two loops do: each takes what there is away before it waits for the store."""
        mine, self._published = self._published, {}
        if mine:
            self._marking |= mine
            try:
                await self._store.mark_published(mine)
            except BaseException:
                self._published = mine | self._published
                raise
            finally:
                self._marking = {name: at for name, at in self._marking.items() if name not in mine}
        return MARK_SECONDS

    async def _prune_once(self) -> float:
        pruned = await self._store.prune(row_count_max=PRUNE_MAX)
        return MARK_SECONDS if pruned >= PRUNE_MAX else PRUNE_SECONDS

    async def _sweep_once(self) -> float:
        known = {*self._published, *self._marking}
        rows = await self._store.lost(unpublished_seconds=UNPUBLISHED_SECONDS, row_count_max=SWEEP_MAX)
        known |= {*self._published, *self._marking}
        rows = [row for row in rows if row.event_id not in known]
        self._progress.beat(waiting=len(rows))
        if rows:
            await self._publish(rows)
            await self._mark_once()
            self._telemetry.line("relay.swept", items=len(rows))
        self._progress.made(waiting=len(rows))
        return SWEEP_SECONDS if len(rows) < SWEEP_MAX else 0.0


class _Offered:
    """Rows that wait in memory for their turn, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.arrived = asyncio.Event()

    def add(self, rows: Sequence[OutboxRow]) -> None:
        if rows:
            self.rows.extend(rows)
            self.arrived.set()

    def take(self) -> Sequence[OutboxRow]:
        """All that waits; what comes from now on is for the next time."""
        taken, self.rows = self.rows, []
        self.arrived.clear()
        return taken
