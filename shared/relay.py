"""The relay: outbox rows to Kafka at once after commit, and a sweeper for what a crash or Kafka lost.

Rows are read by their state, never by "id greater than the last". What cannot be published now is dropped from
memory: the sweeper finds it again in the table.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from shared.db.outbox import OutboxRow
from shared.failpoints import FailPoints
from shared.faults import LogUnavailable
from shared.kafka.producer import Record
from shared.supervision import Pause, Progress, repeat
from shared.telemetry import Telemetry

MARK_SECONDS = 0.25
SWEEP_SECONDS = 1.0
UNPUBLISHED_SECONDS = 3.0
OPEN_SECONDS = 30.0
WAITING_MAX = 20_000
BATCH_MAX = 1_000
SWEEP_MAX = 2_000


class OutboxStore(Protocol):
    """The rows and their state."""

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        """Kafka has acknowledged these."""
        ...

    async def lost(self, *, unpublished_seconds: float, open_seconds: float, row_count_max: int) -> Sequence[OutboxRow]:
        """Rows unpublished, or published and still open, for that long."""
        ...


class Publisher(Protocol):
    """The way to Kafka."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Write the records; raises LogUnavailable."""
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
        self._offered: list[OutboxRow] = []
        self._arrived = asyncio.Event()
        self._published: list[str] = []
        self._pause = Pause("relay", telemetry)

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Publish these now; their transaction has committed. Beyond the limit they are left to the sweeper."""
        if len(self._offered) + len(rows) <= WAITING_MAX:
            self._offered.extend(rows)
            self._arrived.set()

    async def run(self) -> None:
        """Publish what is offered, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._offered:
                batch, self._offered = self._offered[:BATCH_MAX], self._offered[BATCH_MAX:]
                await self._publish_or_leave(batch)

    async def mark(self) -> None:
        """Mark what was published, a few times a second, for ever; it is off the hot path."""
        await repeat(self._mark_once, pause=Pause("relay marks", self._telemetry))

    async def sweep(self) -> None:
        """Publish what a crash or Kafka lost, for ever."""
        pause = Pause("relay sweeper", self._telemetry)
        await repeat(self._sweep_once, pause=pause, progress=self._progress)

    async def _publish_or_leave(self, rows: Sequence[OutboxRow]) -> None:
        try:
            await self._publish(rows)
        except LogUnavailable as fault:
            self._offered.clear()  # all of it is in the table; the sweeper brings it back
            await self._pause.after(fault)
            return
        self._pause.over()

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        await self._publisher.publish([Record(r.topic, r.partition, r.key, r.value) for r in rows])
        self._fail_points.hit("relay.after-publish")
        self._published.extend(r.event_id for r in rows)

    async def _mark_once(self) -> float:
        marked = self._published[:]
        if marked:
            await self._store.mark_published(marked)
            del self._published[: len(marked)]
        return MARK_SECONDS

    async def _sweep_once(self) -> float:
        rows = await self._store.lost(
            unpublished_seconds=UNPUBLISHED_SECONDS, open_seconds=OPEN_SECONDS, row_count_max=SWEEP_MAX
        )
        known = set(self._published)
        rows = [row for row in rows if row.event_id not in known]
        self._progress.beat(waiting=len(rows))
        if rows:
            await self._publish(rows)
            await self._mark_once()
            self._telemetry.line("relay.swept", items=len(rows))
        self._progress.made(waiting=len(rows))
        return SWEEP_SECONDS if len(rows) < SWEEP_MAX else 0.0
