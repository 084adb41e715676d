"""The watch on the log: a log that Kafka has lost is filled again from the outbox.

Two signs: the log ends before a record that was acknowledged, or a new record got an offset that an older one had.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition

from shared.kafka.producer import Record
from shared.supervision import Pause, Progress, repeat
from shared.telemetry import Telemetry

LOOK_SECONDS = 10.0
Heights = Mapping[tuple[str, int], int]


class PublishedRows(Protocol):
    """What the outbox knows of where its rows are in Kafka."""

    async def heights(self) -> Heights:
        """The highest acknowledged offset of each (topic, partition)."""
        ...

    def reopen(self, topic: str) -> AsyncIterator[int]:
        """Make the rows of a topic unpublished again; gives how many, some at a time."""
        ...


class Ends(Protocol):
    """Where the log ends."""

    async def of(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset of the next record of each partition; raises LogUnavailable."""
        ...


class Writer(Protocol):
    """The way to Kafka."""

    async def publish(self, records: Sequence[Record]) -> Sequence[int]:
        """Write the records and give their offsets; raises LogUnavailable."""
        ...


class LogWatch:
    """Stands between the relay and Kafka, and sees by the offsets when a log is not the one it was."""

    def __init__(
        self, rows: PublishedRows, writer: Writer, ends: Ends, *, progress: Progress, telemetry: Telemetry
    ) -> None:
        self._rows = rows
        self._writer = writer
        self._ends = ends
        self._progress = progress
        self._telemetry = telemetry
        self._heights: dict[tuple[str, int], int] = {}
        self._fallen: set[str] = set()

    async def publish(self, records: Sequence[Record]) -> Sequence[int]:
        """Write the records and give their offsets; raises LogUnavailable."""
        before = dict(self._heights)  # what was acknowledged before these were sent: they must lie beyond it
        offsets = await self._writer.publish(records)
        for record, offset in zip(records, offsets, strict=True):
            at = (record.topic, record.partition)
            height = self._heights.get(at, -1)
            if offset <= min(before.get(at, -1), height):
                self._fallen.add(record.topic)
            self._heights[at] = max(height, offset)
        return offsets

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        await repeat(self.look, pause=Pause("log watch", self._telemetry), progress=self._progress)

    async def look(self) -> float:
        """Compare what was acknowledged with what is there, and fill what was lost; gives the seconds to the next."""
        heights = await self._rows.heights()
        for at, height in heights.items():
            self._heights[at] = max(self._heights.get(at, -1), height)
        ends = await self._ends.of([TopicPartition(*at) for at in heights])
        short = {at[0] for at, height in heights.items() if ends[TopicPartition(*at)] <= height}
        for topic in sorted(short | self._fallen):
            await self._fill(topic)
        self._progress.made(waiting=0)
        return LOOK_SECONDS

    async def _fill(self, topic: str) -> None:
        count = 0
        async for some in self._rows.reopen(topic):
            count += some
            self._progress.beat()
        self._fallen.discard(topic)
        self._heights = {at: height for at, height in self._heights.items() if at[0] != topic}
        self._telemetry.alarm("log-lost", topic=topic, rows=count)
