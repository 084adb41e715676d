"""Where a consumer stands in each partition that it follows: taken from Postgres, proven by the log.

An offset says nothing about which log it belongs to: a log that was lost and has grown again holds other records at
the same offsets. Beside the position lies the broker's timestamp of the last handled record; the record before the
position must carry it, else the log is read from its start.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.records import Position
from shared.telemetry import Telemetry

CALL_SECONDS = 15.0


class StoredPositions(Protocol):
    """Where each consumer stands, in the same database as the effects."""

    async def read(self, group: str, topic: str) -> Mapping[int, Position]:
        """The position of each partition that has one."""
        ...

    async def set(self, group: str, topic: str, partition: int, next_offset: int) -> None:
        """Set a position of which nothing is known but its offset."""
        ...


class Places:
    """The armed partitions of one consumer: what comes from others, or from elsewhere in the log, is not taken."""

    def __init__(self, group: str, topic: str, positions: StoredPositions, telemetry: Telemetry) -> None:
        self.armed: dict[TopicPartition, int] = {}
        self._proofs: dict[TopicPartition, int] = {}
        self._group = group
        self._topic = topic
        self._positions = positions
        self._telemetry = telemetry

    def forget(self) -> None:
        """Disarm all: the stored positions must be read again."""
        self.armed.clear()
        self._proofs.clear()

    def disarm(self, tp: TopicPartition) -> None:
        """Disarm one partition."""
        self.armed.pop(tp, None)
        self._proofs.pop(tp, None)

    def moved(self, last: Mapping[TopicPartition, ConsumerRecord]) -> None:
        """What led up to these records took effect; a partition that was disarmed meanwhile stays so."""
        for tp, record in last.items():
            if tp in self.armed:
                self.armed[tp] = record.offset + 1

    async def arm(self, consumer: AIOKafkaConsumer) -> None:
        """Find the place in every assigned partition that is not armed. Raises StoreUnavailable, KafkaError."""
        missing = [tp for tp in consumer.assignment() if tp not in self.armed]
        if not missing:
            return
        async with asyncio.timeout(CALL_SECONDS):
            stored = await self._positions.read(self._group, self._topic)
            starts = await consumer.beginning_offsets(missing)
            ends = await consumer.end_offsets(missing)
        for tp in missing:
            position = stored.get(tp.partition)
            if position is None or self._is_lost(tp, position, (starts[tp], ends[tp])):
                position = await self._at_start(tp, starts[tp])
            if tp in consumer.assignment():
                self._seek(consumer, tp, position, start=starts[tp])

    async def usable(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> Sequence[ConsumerRecord]:
        """What of these records is to be handled; none while the partition is finding its place."""
        if not records or tp not in self.armed:
            return ()
        if records[0].offset != self.armed[tp]:
            self.disarm(tp)
            return ()
        proof = self._proofs.pop(tp, None)
        if proof is None:
            return records
        if records[0].timestamp == proof:
            self.armed[tp] += 1
            return records[1:]
        await self._other_log(consumer, tp)
        return ()

    def _is_lost(self, tp: TopicPartition, position: Position, log: tuple[int, int]) -> bool:
        start, end = log
        if start <= position.next_offset <= end:
            return False
        alarm = "records-lost" if position.next_offset < start else "log-lost"
        self._telemetry.alarm(
            alarm, topic=tp.topic, partition=tp.partition, stored=position.next_offset, log=[start, end]
        )
        return True

    def _seek(self, consumer: AIOKafkaConsumer, tp: TopicPartition, position: Position, *, start: int) -> None:
        """Go to the position; one record before it where that record is there to prove the log."""
        place = position.next_offset
        if position.last_timestamp is not None and place > start:
            place -= 1
            self._proofs[tp] = position.last_timestamp
        consumer.seek(tp, place)
        self.armed[tp] = place

    async def _other_log(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        """The stored position is one of a log that is no more: read this one from its start."""
        self._telemetry.alarm("log-lost", topic=tp.topic, partition=tp.partition, stored=self.armed[tp] + 1)
        self.disarm(tp)
        async with asyncio.timeout(CALL_SECONDS):
            start = (await consumer.beginning_offsets([tp]))[tp]
        position = await self._at_start(tp, start)
        if tp in consumer.assignment():
            self._seek(consumer, tp, position, start=start)

    async def _at_start(self, tp: TopicPartition, start: int) -> Position:
        await self._positions.set(self._group, tp.topic, tp.partition, start)
        return Position(start, None)
