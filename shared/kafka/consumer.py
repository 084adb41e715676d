"""The batch consumer: at least once from Kafka, exactly once in effect.

Kafka's own offsets are not used. The position of each partition lies in Postgres and moves in the transaction of
the effect. The rebalance listener only disarms; this loop drops batches of partitions that are not armed, finds its
place in them and arms them (places.py). `getmany` is never cancelled (a cancelled one leaves aiokafka's fetch counter
raised for good), and any error it raises rebuilds the client, as does one that stands still (lag.py).

A broker that is away is no reason to rebuild: the client keeps its place in its group and goes on when the broker is
back. One that was left behind would hold its partitions until its session has ended, which nothing can hurry.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from shared.faults import LogUnavailable, PositionMoved, Transient, fault_name
from shared.kafka.clients import let_go
from shared.kafka.ends import LogEnds
from shared.kafka.lag import Lag, UselessClient
from shared.kafka.places import Places, StoredPositions
from shared.kafka.shares import SHARE_RECORDS_MIN, shares, spans
from shared.kafka.underway import UnderWay
from shared.records import Batch, Poison
from shared.supervision import Pause, Progress
from shared.telemetry import LAG, PARKED, Telemetry

EventT = TypeVar("EventT")
POLL_MILLISECONDS = 200
BATCH_RECORDS_MAX = 800
PARTITION_BYTES = 512 * 1024
"""So much of a partition at a time: the client hands out one partition after the other, and a batch is to have many."""
CALL_SECONDS = 15.0
STOP_SECONDS = 3.0
GATHER_BYTES = 1024 * 1024
GATHER_MILLISECONDS = 200
"""Off the way to a recipient: fewer, larger transactions (ADR 10)."""
POLL_WAIT_MILLISECONDS = 500
REBALANCE_MILLISECONDS = 30_000
METADATA_MILLISECONDS = 5_000
"""A group that met while its topic was not there has nothing assigned until somebody looks at the topic again."""


class PositionStore(StoredPositions, Protocol):
    """Where each consumer stands, and what it has set aside, in the same database as the effects."""

    async def park(self, poison: Poison) -> bool:
        """Set a record aside; whether it was not there yet."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription(Generic[EventT]):
    """What to consume and what to do with it.

    `decode` raises ValueError for bytes that it cannot read. `handle` takes effect and moves past `batch.spans` in
    one transaction; it raises PositionMoved when it lost a partition, Transient to be called again.
    `gather_milliseconds`: how long the broker may hold records back to hand out more at once, for what nobody waits
    for; 0 on the way to a recipient.
    `abreast`: so many transactions may be under way side by side, each with partitions of its own: one is thought about
    while Postgres writes another. `handle` must bear being called while it runs.
    """

    group: str
    topic: str
    decode: Callable[[bytes], EventT]
    handle: Callable[[Batch[EventT]], Awaitable[None]]
    gather_milliseconds: int = 0
    abreast: int = 1


class _Disarm(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Disarms on every rebalance; aiokafka swallows what a listener raises, so it does nothing else."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def on_partitions_revoked(self, _revoked: object) -> None:
        self._places.forget()

    def on_partitions_assigned(self, _assigned: object) -> None:
        self._places.forget()


class BatchConsumer(Generic[EventT]):
    """Follows one topic for one group, for ever."""

    def __init__(
        self,
        subscription: Subscription[EventT],
        *,
        ends: LogEnds,
        positions: PositionStore,
        progress: Progress,
        telemetry: Telemetry,
    ) -> None:
        self._subscription = subscription
        self._brokers = ends.brokers
        self._positions = positions
        self._progress = progress
        self._telemetry = telemetry
        self._places = Places(subscription.group, subscription.topic, positions, telemetry)
        self._lag = Lag(ends)
        self._stopping = asyncio.Event()
        self._pause = Pause(f"consumer {subscription.topic}", telemetry)
        self._under_way = UnderWay(subscription.abreast, records_max=BATCH_RECORDS_MAX)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions that it follows at this moment; none while it is finding its place."""
        return frozenset(tp.partition for tp in self._places.armed)

    @property
    def _stuck(self) -> bool:
        """Whether a partition that it follows fails again and again, however well the others get on."""
        return not self._under_way.failed.isdisjoint(self._places.armed)

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
                await self._under_way.end()
                self._places.forget()
                self._lag.forget()
                await let_go(consumer, seconds=STOP_SECONDS)

    def _new_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._brokers.bootstrap_servers,
            # A group for each topic: who joins or leaves one makes nobody find a place anew in another.
            group_id=f"{self._subscription.group}.{self._subscription.topic}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # only until armed: the position comes from Postgres
            session_timeout_ms=round(self._brokers.session_seconds * 1000),
            heartbeat_interval_ms=round(self._brokers.session_seconds * 1000 / 3),
            rebalance_timeout_ms=REBALANCE_MILLISECONDS,
            metadata_max_age_ms=METADATA_MILLISECONDS,
            fetch_min_bytes=GATHER_BYTES if self._subscription.gather_milliseconds else 1,
            fetch_max_wait_ms=self._subscription.gather_milliseconds or POLL_WAIT_MILLISECONDS,
            max_partition_fetch_bytes=PARTITION_BYTES,
        )

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(CALL_SECONDS):
            consumer.subscribe([self._subscription.topic], listener=_Disarm(self._places))
            await consumer.start()
        while not self._stopping.is_set():
            await self._places.arm(consumer)
            ready = await self._poll(consumer)
            for share in shares(list(ready.values()), self._under_way.room):
                self._under_way.begin(share, self._take_all(share))
            if await self._settled():
                await self._report(moved=bool(ready) and not self._stuck)

    async def _poll(self, consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """What lies ready of partitions of which nothing is under way; waits for it where nothing is at all."""
        busy = self._under_way.partitions
        idle = [tp for tp in self._places.armed if tp not in busy]
        count = self._under_way.records_room
        if busy and not (idle and self._under_way.room and count >= SHARE_RECORDS_MIN):
            return {}
        # No partition named are all, also those that are still finding their place.
        which, wait = (idle, 0) if busy else ([], POLL_MILLISECONDS)
        polled = await consumer.getmany(*which, timeout_ms=wait, max_records=count)
        return {tp: ready for tp, found in polled.items() if (ready := await self._places.usable(consumer, tp, found))}

    async def _settled(self) -> bool:
        """Whether what is over took effect; if something did not, all is read again."""
        try:
            over = await self._under_way.settled()
        except (PositionMoved, Transient) as fault:
            self._places.forget()  # whether the transaction took place is not known: read the positions again
            self._lag.forget()
            self._progress.failed()
            await self._pause.after(fault)
            return False
        for last in over:
            self._places.moved(last)
        if over and not self._stuck:
            self._pause.over()
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
            await self._park(record, fault_name(error))
            await self._subscription.handle(Batch((), spans(self._subscription.group, [record])))

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        events: list[EventT] = []
        for record in records:
            try:
                events.append(self._subscription.decode(record.value or b""))
            except ValueError as error:
                await self._park(record, f"not readable: {type(error).__name__}")
        await self._subscription.handle(Batch(tuple(events), spans(self._subscription.group, records)))

    async def _park(self, record: ConsumerRecord, reason: str) -> None:
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        if await self._positions.park(Poison(**where, value=record.value or b"", reason=reason)):
            PARKED.labels(record.topic).inc()
            self._telemetry.alarm("record-parked", **where, reason=reason)

    async def _report(self, *, moved: bool) -> None:
        try:
            lag = await self._lag.look(self._places.armed, busy=self._under_way.partitions)
        except UselessClient:
            raise
        except LogUnavailable:
            self._lag.forget()  # what stands still while the broker is away is none of the client's doing
            self._progress.failed()
            return
        LAG.labels(self._subscription.topic).set(lag)
        if moved or not lag:
            self._progress.made(waiting=lag)
        else:
            self._progress.beat(waiting=lag)
