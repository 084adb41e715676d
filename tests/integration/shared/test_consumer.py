"""The batch consumer on the real Kafka and Postgres."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.local.topics import create_topics
from shared.contracts.topics import Topic
from shared.faults import LogUnavailable, StoreUnavailable
from shared.kafka.brokers import Brokers
from shared.kafka.consumer import BatchConsumer, Subscription
from shared.kafka.ends import LogEnds
from shared.kafka.lag import Lag
from shared.kafka.producer import Producer, Record
from shared.records import Batch
from shared.supervision import Progress
from shared.telemetry import ALARMS, Telemetry
from tests.support.plumbing import Plumbing, plumbing_of
from tests.support.stack import Engines
from tests.support.waiting import until

pytestmark = pytest.mark.stack


@pytest.fixture
async def plumbing(engines: Engines) -> AsyncIterator[Plumbing]:
    async with plumbing_of(await engines.fresh_database()) as made:
        yield made


def decode(raw: bytes) -> str:
    text = raw.decode()
    if text == "unreadable":
        raise ValueError("unreadable")
    return text


@asynccontextmanager
async def consuming(
    engines: Engines,
    plumbing: Plumbing,
    topic: Topic,
    handle: Callable[[Batch[str]], Awaitable[None]] | None = None,
    kind: type[BatchConsumer[str]] = BatchConsumer,
    abreast: int = 1,
) -> AsyncIterator[Progress]:
    progress = Progress("consumer")
    ends = LogEnds(Brokers(engines.kafka_bootstrap))
    consumer = kind(
        Subscription(f"group-{topic.name}", topic.name, decode, handle or plumbing.handle, abreast=abreast),
        ends=ends,
        positions=plumbing.positions,
        progress=progress,
        telemetry=Telemetry("test"),
    )
    task = asyncio.create_task(consumer.run())
    try:
        yield progress
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ends.close()


async def publish(engines: Engines, topic: Topic, values: Sequence[str]) -> None:
    producer = Producer(bootstrap_servers=engines.kafka_bootstrap, client_id="test", deadline_seconds=10)
    records = [Record(topic.name, n % topic.partitions, "k", v.encode()) for n, v in enumerate(values)]
    await producer.publish(records)
    await producer.close()


async def lose(engines: Engines, topic: Topic) -> None:
    """Delete the topic and create it again, empty."""
    await delete(engines, topic)
    await create_topics(engines.kafka_bootstrap, [topic])


async def delete(engines: Engines, topic: Topic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka_bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name])
    await admin.close()


async def took_effect(plumbing: Plumbing, expected: Sequence[str], *, seconds: float = 60) -> None:
    async def all_there() -> bool:
        return set(expected) <= set(await plumbing.effects())

    await until(all_there, seconds=seconds)
    assert Counter(await plumbing.effects()) == Counter(expected)


async def test_each_record_takes_effect_once_also_after_a_restart(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("once", partitions=3)
    first, second = [f"a{n}" for n in range(50)], [f"b{n}" for n in range(50)]
    await publish(engines, topic, first)
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, first)
    await publish(engines, topic, second)
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, first + second)


async def test_a_poison_record_is_parked_with_its_reason_and_its_partition_goes_on(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("poison")
    await publish(engines, topic, ["a", "unreadable", "b", "bad", "c"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c"])
    assert set(await plumbing.parked()) == {
        "not readable: ValueError",
        "ArithmeticError",
    }


async def test_a_batch_whose_transaction_failed_in_passing_is_done_again(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("again")
    plumbing.faults = [StoreUnavailable("gone"), StoreUnavailable("gone")]
    await publish(engines, topic, ["a", "b"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b"])
    assert await plumbing.parked() == []


async def test_a_commit_of_unknown_outcome_is_not_done_twice(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("unknown")
    faults = [StoreUnavailable("the connection broke at COMMIT")]

    async def committed_but_not_told(batch: Batch[str]) -> None:
        await plumbing.handle(batch)
        if faults:
            raise faults.pop()

    await publish(engines, topic, ["a", "b"])
    async with consuming(engines, plumbing, topic, committed_but_not_told):
        await took_effect(plumbing, ["a", "b"])
        await publish(engines, topic, ["c"])
        await took_effect(plumbing, ["a", "b", "c"])


@dataclass
class Abreast:
    """Handles each share, and sees how many were under way at once and what came of each partition."""

    plumbing: Plumbing
    under_way: int = 0
    most: int = 0
    order: dict[int, list[int]] = field(default_factory=dict)

    async def handle(self, batch: Batch[str]) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.plumbing.handle(batch)
        finally:
            self.under_way -= 1
        for event in batch.events:
            number = int(event)
            self.order.setdefault(number % 4, []).append(number)


async def test_a_large_batch_takes_effect_side_by_side_and_each_partition_in_its_order(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("abreast", partitions=4)
    expected = [f"{n}" for n in range(800)]
    await publish(engines, topic, expected)
    seen = Abreast(plumbing)
    async with consuming(engines, plumbing, topic, seen.handle, abreast=3):
        await took_effect(plumbing, expected)
    assert 2 <= seen.most <= 3
    assert seen.order == {part: list(range(part, 800, 4)) for part in range(4)}


async def test_more_is_read_of_other_partitions_while_one_is_still_under_way(
    engines: Engines, plumbing: Plumbing
) -> None:
    """One poll brings at most 800 records: those of the others come in several, all before the slow one."""
    topic = await engines.fresh_topic("under-way", partitions=4)
    expected = [f"{n}" for n in range(4 * 300)]
    await publish(engines, topic, expected)
    others, slow = asyncio.Event(), list[str]()

    async def handle(batch: Batch[str]) -> None:
        if any(int(event) % 4 == 0 for event in batch.events):
            await others.wait()
            slow.extend(batch.events)
        await plumbing.handle(batch)
        if len(await plumbing.effects()) >= 3 * 300:
            others.set()

    async with consuming(engines, plumbing, topic, handle, abreast=4):
        await took_effect(plumbing, expected)
    assert slow == sorted(slow, key=int)


async def test_a_share_that_failed_in_passing_is_done_again_and_the_others_are_not_doubled(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("abreast-again", partitions=4)
    expected = [f"{n}" for n in range(800)]
    plumbing.faults = [StoreUnavailable("gone"), StoreUnavailable("gone")]
    await publish(engines, topic, expected)
    async with consuming(engines, plumbing, topic, abreast=4):
        await took_effect(plumbing, expected)
    assert await plumbing.parked() == []


async def test_members_that_join_and_leave_double_nothing(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("storm", partitions=4)
    expected = [f"{n}" for n in range(400)]
    async with consuming(engines, plumbing, topic):
        for start in range(0, 400, 100):
            await publish(engines, topic, expected[start : start + 50])
            async with consuming(engines, plumbing, topic):
                await publish(engines, topic, expected[start + 50 : start + 100])
        await took_effect(plumbing, expected, seconds=60)


async def test_a_log_that_was_lost_is_read_from_its_start_with_an_alarm(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("lost")
    await publish(engines, topic, ["a", "b", "c"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c"])
    alarms = ALARMS.labels("log-lost")._value.get()
    await lose(engines, topic)
    await publish(engines, topic, ["d"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c", "d"])
    assert ALARMS.labels("log-lost")._value.get() == alarms + 1


async def test_a_log_that_was_lost_and_has_grown_past_the_stored_position_is_read_from_its_start(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("grown")
    await publish(engines, topic, ["a", "b", "c"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c"])
    alarms = ALARMS.labels("log-lost")._value.get()
    await lose(engines, topic)
    later = [f"d{n}" for n in range(9)]
    await publish(engines, topic, later)
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c", *later])
    assert ALARMS.labels("log-lost")._value.get() == alarms + 1


async def test_a_log_that_is_lost_under_a_running_consumer_is_read_from_its_start(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("running")
    async with consuming(engines, plumbing, topic):
        await publish(engines, topic, ["a", "b", "c"])
        await took_effect(plumbing, ["a", "b", "c"])
        await lose(engines, topic)
        await publish(engines, topic, ["d"])
        await took_effect(plumbing, ["a", "b", "c", "d"], seconds=60)


async def test_a_consumer_whose_topic_was_gone_for_a_while_takes_it_up_again(
    engines: Engines, plumbing: Plumbing
) -> None:
    clients: list[AIOKafkaConsumer] = []

    class Watched(BatchConsumer[str]):
        def _new_consumer(self) -> AIOKafkaConsumer:
            clients.append(super()._new_consumer())
            return clients[-1]

    topic = await engines.fresh_topic("gone")
    async with consuming(engines, plumbing, topic, kind=Watched):
        await publish(engines, topic, ["a"])
        await took_effect(plumbing, ["a"])
        await delete(engines, topic)
        await until(lambda: not clients[-1].assignment(), seconds=60)
        await create_topics(engines.kafka_bootstrap, [topic])
        await publish(engines, topic, ["b"])
        await took_effect(plumbing, ["a", "b"])


async def test_a_position_whose_record_has_been_deleted_by_age_is_kept(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("aged")
    await publish(engines, topic, ["a", "b"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b"])
    await publish(engines, topic, ["c"])
    await delete_records(engines, topic, before=2)
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c"])


async def test_records_that_were_deleted_before_they_were_read_are_an_alarm(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("overtaken")
    await publish(engines, topic, ["a"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a"])
    alarms = ALARMS.labels("records-lost")._value.get()
    await publish(engines, topic, ["b", "c"])
    await delete_records(engines, topic, before=2)
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "c"])
    assert ALARMS.labels("records-lost")._value.get() == alarms + 1


async def test_the_same_poison_sent_again_adds_no_row_and_no_alarm(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("again-and-again")
    alarms = ALARMS.labels("record-parked")._value.get()
    await publish(engines, topic, ["bad", "unreadable", "bad", "unreadable", "bad", "end"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["end"])
    assert sorted(await plumbing.parked()) == ["ArithmeticError", "not readable: ValueError"]
    assert ALARMS.labels("record-parked")._value.get() == alarms + 2


class Frozen(BatchConsumer[str]):
    """Its first client brings nothing, as one does that fetches no more."""

    def _new_consumer(self) -> AIOKafkaConsumer:
        consumer = super()._new_consumer()
        if not isinstance(self._lag, BriefLag):
            self._lag = BriefLag(self._lag)
            consumer.getmany = _nothing
        return consumer


class BriefLag(Lag):
    """Loses its patience sooner."""

    def __init__(self, lag: Lag) -> None:
        Lag.__init__(self, lag._source, frozen_seconds=1)


async def _nothing(*, timeout_ms: int, **_limits: int) -> dict[TopicPartition, list[ConsumerRecord]]:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_ms / 1000):
            await asyncio.Event().wait()
    return {}


async def test_a_client_that_brings_nothing_though_there_is_something_is_replaced(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("frozen")
    await publish(engines, topic, ["a", "b"])
    async with consuming(engines, plumbing, topic, kind=Frozen) as progress:
        await until(lambda: progress.waiting == 2)
        await took_effect(plumbing, ["a", "b"])


class Unheard(Lag):
    """Is told nothing twice."""

    def __init__(self, lag: Lag) -> None:
        Lag.__init__(self, lag._source)
        self.silences = 2

    async def look(self, armed: Mapping[TopicPartition, int], *, busy: Set[TopicPartition] = frozenset()) -> int:
        if armed and self.silences:
            self.silences -= 1
            raise LogUnavailable("away")
        return await Lag.look(self, armed, busy=busy)


async def test_a_broker_that_is_away_makes_no_client_leave_its_place_in_the_group(
    engines: Engines, plumbing: Plumbing
) -> None:
    topic = await engines.fresh_topic("away")
    lags: list[Unheard] = []

    class Kept(BatchConsumer[str]):
        def _new_consumer(self) -> AIOKafkaConsumer:
            self._lag = Unheard(self._lag)
            lags.append(self._lag)
            return super()._new_consumer()

    async with consuming(engines, plumbing, topic, kind=Kept):
        await until(lambda: bool(lags) and not lags[0].silences)
        await publish(engines, topic, ["a", "b"])
        await took_effect(plumbing, ["a", "b"])
    assert len(lags) == 1


async def delete_records(engines: Engines, topic: Topic, *, before: int) -> None:
    """Delete the records before an offset, as the retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka_bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(before_offset=before)})
    await admin.close()
