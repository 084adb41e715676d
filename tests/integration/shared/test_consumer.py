"""The batch consumer on the real Kafka and Postgres."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.topics import create_topics
from shared.contracts.topics import Topic
from shared.faults import StoreUnavailable
from shared.kafka.consumer import BatchConsumer, Subscription
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
    engines: Engines, plumbing: Plumbing, topic: Topic, handle: Callable[[Batch[str]], Awaitable[None]] | None = None
) -> AsyncIterator[Progress]:
    progress = Progress("consumer")
    consumer = BatchConsumer(
        Subscription(f"group-{topic.name}", topic.name, decode, handle or plumbing.handle),
        bootstrap_servers=engines.kafka_bootstrap,
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


async def publish(engines: Engines, topic: Topic, values: Sequence[str]) -> None:
    producer = Producer(bootstrap_servers=engines.kafka_bootstrap, client_id="test", deadline_seconds=10)
    records = [Record(topic.name, n % topic.partitions, "k", v.encode()) for n, v in enumerate(values)]
    await producer.publish(records)
    await producer.close()


async def took_effect(plumbing: Plumbing, expected: Sequence[str], *, seconds: float = 20) -> None:
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
        "ArithmeticError: cannot be handled",
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


async def test_members_that_join_and_leave_double_nothing(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("storm", partitions=4)
    expected = [f"{n}" for n in range(400)]
    async with consuming(engines, plumbing, topic):
        for start in range(0, 400, 100):
            await publish(engines, topic, expected[start : start + 50])
            async with consuming(engines, plumbing, topic):
                await publish(engines, topic, expected[start + 50 : start + 100])
        await took_effect(plumbing, expected, seconds=40)


async def test_a_log_that_was_lost_is_read_from_its_start_with_an_alarm(engines: Engines, plumbing: Plumbing) -> None:
    topic = await engines.fresh_topic("lost")
    await publish(engines, topic, ["a", "b", "c"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c"])
    alarms = ALARMS.labels("log-lost")._value.get()
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka_bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name])
    await admin.close()
    await create_topics(engines.kafka_bootstrap, [topic])
    await publish(engines, topic, ["d"])
    async with consuming(engines, plumbing, topic):
        await took_effect(plumbing, ["a", "b", "c", "d"])
    assert ALARMS.labels("log-lost")._value.get() == alarms + 1
