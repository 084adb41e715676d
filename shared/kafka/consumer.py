"""The batch consumer: at least once from Kafka, exactly once in effect.

Kafka's own offsets are not used. The position of each partition lies in Postgres and moves in the transaction of
the effect. The rebalance listener only disarms; this loop drops batches of partitions that are not armed, reads
the stored position, seeks and arms. `getmany` is never cancelled (a cancelled one leaves aiokafka's fetch counter
raised for good), and any error it raises rebuilds the client.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from shared.faults import PositionMoved, Transient
from shared.records import Batch, Poison, Span
from shared.supervision import Pause, Progress
from shared.telemetry import LAG, PARKED, Telemetry

EventT = TypeVar("EventT")
POLL_MILLISECONDS = 200
BATCH_RECORDS_MAX = 1000
CALL_SECONDS = 15.0
STOP_SECONDS = 3.0
SESSION_MILLISECONDS = 6000
REBALANCE_MILLISECONDS = 30_000


class PositionStore(Protocol):
    """Where each consumer stands, in the same database as the effects."""

    async def read(self, group: str, topic: str) -> Mapping[int, int]:
        """The next offset of each partition that has one."""
        ...

    async def set(self, group: str, topic: str, partition: int, next_offset: int) -> None:
        """Set a position."""
        ...

    async def park(self, poison: Poison) -> None:
        """Set a record aside."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription(Generic[EventT]):
    """What to consume and what to do with it.

    `decode` raises ValueError for bytes that it cannot read. `handle` takes effect and moves past `batch.spans` in
    one transaction; it raises PositionMoved when it lost a partition, Transient to be called again.
    """

    group: str
    topic: str
    decode: Callable[[bytes], EventT]
    handle: Callable[[Batch[EventT]], Awaitable[None]]


class _Disarm(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Disarms on every rebalance; aiokafka swallows what a listener raises, so it does nothing else."""

    def __init__(self, armed: dict[TopicPartition, int]) -> None:
        self._armed = armed

    def on_partitions_revoked(self, _revoked: object) -> None:
        self._armed.clear()

    def on_partitions_assigned(self, _assigned: object) -> None:
        self._armed.clear()


class BatchConsumer(Generic[EventT]):
    """Follows one topic for one group, for ever."""

    def __init__(
        self,
        subscription: Subscription[EventT],
        *,
        bootstrap_servers: str,
        positions: PositionStore,
        progress: Progress,
        telemetry: Telemetry,
    ) -> None:
        self._subscription = subscription
        self._bootstrap_servers = bootstrap_servers
        self._positions = positions
        self._progress = progress
        self._telemetry = telemetry
        self._armed: dict[TopicPartition, int] = {}
        self._stopping = asyncio.Event()
        self._pause = Pause(f"consumer {subscription.topic}", telemetry)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions that it follows at this moment; none while it is finding its place."""
        return frozenset(tp.partition for tp in self._armed)

    async def run(self) -> None:
        """Consume until cancelled; a cancellation takes effect between two polls, never inside one."""
        session = asyncio.create_task(self._sessions())
        try:
            await asyncio.shield(session)
        except asyncio.CancelledError:
            self._stopping.set()
            await asyncio.wait({session}, timeout=CALL_SECONDS)
            raise

    async def _sessions(self) -> None:
        while not self._stopping.is_set():
            consumer = self._new_consumer()
            try:
                await self._follow(consumer)
            except (KafkaError, Transient, TimeoutError, OSError) as fault:
                self._progress.failed()
                await self._pause.after(fault)
            finally:
                self._armed.clear()
                await _stop(consumer)

    def _new_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            group_id=self._subscription.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # only until armed: the position comes from Postgres
            session_timeout_ms=SESSION_MILLISECONDS,
            rebalance_timeout_ms=REBALANCE_MILLISECONDS,
            max_poll_records=BATCH_RECORDS_MAX,
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(CALL_SECONDS):
            consumer.subscribe([self._subscription.topic], listener=_Disarm(self._armed))
            await consumer.start()
        while not self._stopping.is_set():
            await self._arm(consumer)
            polled = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
            ready = {tp: records for tp, records in polled.items() if self._expected(tp, records)}
            if not ready or await self._take(ready):
                self._report(consumer, moved=bool(ready))

    def _expected(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        """Whether these records start where the partition is armed; if not it is armed anew."""
        if not records or partition not in self._armed:
            return False
        if records[0].offset == self._armed[partition]:
            return True
        del self._armed[partition]
        return False

    async def _arm(self, consumer: AIOKafkaConsumer) -> None:
        missing = [tp for tp in consumer.assignment() if tp not in self._armed]
        if not missing:
            return
        async with asyncio.timeout(CALL_SECONDS):
            stored = await self._positions.read(self._subscription.group, self._subscription.topic)
            starts = await consumer.beginning_offsets(missing)
            ends = await consumer.end_offsets(missing)
        for tp in missing:
            next_offset = await self._position(tp, stored.get(tp.partition), (starts[tp], ends[tp]))
            if tp in consumer.assignment():
                consumer.seek(tp, next_offset)
                self._armed[tp] = next_offset

    async def _position(self, tp: TopicPartition, stored: int | None, log: tuple[int, int]) -> int:
        """The stored position, or the start of the log where there is none or where it lies outside the log."""
        start, end = log
        if stored is not None and start <= stored <= end:
            return stored
        if stored is not None:
            self._telemetry.alarm("log-lost", topic=tp.topic, partition=tp.partition, stored=stored, log=[start, end])
        await self._positions.set(self._subscription.group, tp.topic, tp.partition, start)
        return start

    async def _take(self, ready: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> bool:
        """Whether the records took effect; if not they are read again."""
        records = [record for part in ready.values() for record in part]
        try:
            await self._take_all(records)
        except (PositionMoved, Transient) as fault:
            self._armed.clear()  # whether the transaction took place is not known: read the positions again
            self._progress.beat(waiting=len(records))
            await self._pause.after(fault)
            return False
        self._pause.over()
        for tp, part in ready.items():
            if tp in self._armed:
                self._armed[tp] = part[-1].offset + 1
        return True

    async def _take_all(self, records: Sequence[ConsumerRecord]) -> None:
        try:
            await self._handle(records)
        except (PositionMoved, Transient):
            raise
        except Exception as error:  # noqa: BLE001 - the consumer loop is one of the two places that catch all
            self._telemetry.line("batch.failed", topic=self._subscription.topic, fault=type(error).__name__)
            for record in records:
                await self._handle_alone(record)
                self._progress.beat()

    async def _handle_alone(self, record: ConsumerRecord) -> None:
        try:
            await self._handle([record])
        except (PositionMoved, Transient):
            raise
        except Exception as error:  # noqa: BLE001 - the bad one is parked, its neighbours go on
            await self._park(record, f"{type(error).__name__}: {error}"[:500])
            await self._subscription.handle(Batch((), _spans(self._subscription.group, [record])))

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        events: list[EventT] = []
        for record in records:
            try:
                events.append(self._subscription.decode(record.value or b""))
            except ValueError as error:
                await self._park(record, f"not readable: {type(error).__name__}")
        await self._subscription.handle(Batch(tuple(events), _spans(self._subscription.group, records)))

    async def _park(self, record: ConsumerRecord, reason: str) -> None:
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        await self._positions.park(Poison(**where, value=record.value or b"", reason=reason))
        PARKED.labels(record.topic).inc()
        self._telemetry.alarm("record-parked", **where, reason=reason)

    def _report(self, consumer: AIOKafkaConsumer, *, moved: bool) -> None:
        lag = sum(max((consumer.highwater(tp) or 0) - at, 0) for tp, at in self._armed.items())
        LAG.labels(self._subscription.topic).set(lag)
        if moved or not lag:
            self._progress.made(waiting=lag)
        else:
            self._progress.beat(waiting=lag)


def _spans(group: str, records: Sequence[ConsumerRecord]) -> tuple[Span, ...]:
    offsets: dict[tuple[str, int], list[int]] = {}
    for record in records:
        offsets.setdefault((record.topic, record.partition), []).append(record.offset)
    return tuple(Span(group, topic, part, at[0], at[-1]) for (topic, part), at in sorted(offsets.items()))


async def _stop(consumer: AIOKafkaConsumer) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await consumer.stop()
    except (KafkaError, TimeoutError, OSError, asyncio.CancelledError):
        return  # a client that does not stop is left behind; the group drops it after the session time
