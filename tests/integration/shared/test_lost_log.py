"""A log that Kafka has lost is filled again from Postgres, on the real Kafka and Postgres."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import KafkaEngine
from deploy.local.layout import Layout
from deploy.local.ports import free_port_base
from deploy.local.topics import create_topics
from shared.contracts.topics import Topic
from shared.db.engine import transaction
from shared.db.outbox import OutboxRow
from shared.faults import LogUnavailable
from shared.kafka.brokers import Brokers
from shared.kafka.ends import LogEnds
from shared.kafka.producer import REQUEST_BYTES_MAX, Producer, Record
from shared.logwatch import LogWatch
from shared.relay import Relay
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.plumbing import Plumbing, plumbing_of
from tests.support.stack import Engines, reachable_dir
from tests.support.waiting import until

pytestmark = pytest.mark.stack


@pytest.fixture
async def plumbing(engines: Engines) -> AsyncIterator[Plumbing]:
    async with plumbing_of(await engines.fresh_database()) as made:
        yield made


@pytest.fixture
async def producer(engines: Engines) -> AsyncIterator[Producer]:
    made = Producer(bootstrap_servers=engines.kafka_bootstrap, client_id="test", deadline_seconds=10)
    yield made
    await made.close()


@pytest.fixture
async def ends(engines: Engines) -> AsyncIterator[LogEnds]:
    made = LogEnds(Brokers(engines.kafka_bootstrap))
    yield made
    await made.close()


async def lose(engines: Engines, topic: Topic) -> None:
    """Delete the topic and create it again, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka_bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name])
    await admin.close()
    await create_topics(engines.kafka_bootstrap, [topic])


async def values(engines: Engines, topic: Topic) -> set[bytes]:
    """Everything that the topic holds."""
    consumer = AIOKafkaConsumer(topic.name, bootstrap_servers=engines.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        polled = await consumer.getmany(timeout_ms=1000)
        return {record.value for records in polled.values() for record in records}
    finally:
        await consumer.stop()


async def test_those_who_publish_at_once_share_one_started_client(engines: Engines, producer: Producer) -> None:
    topic = await engines.fresh_topic("at-once")
    batches = [[Record(topic.name, 0, "k", f"{one} {n}".encode()) for n in range(3)] for one in "ab"]
    offsets = await asyncio.gather(*(producer.publish(batch) for batch in batches))
    assert sorted(offset for batch in offsets for offset in batch) == list(range(6))
    assert all(list(batch) == sorted(batch) for batch in offsets)


async def test_a_client_that_fails_late_does_not_take_its_successor_with_it(engines: Engines) -> None:
    topic = await engines.fresh_topic("late")
    producer = Producer(bootstrap_servers=engines.kafka_bootstrap, client_id="test", deadline_seconds=2)
    late = asyncio.create_task(producer.publish([Record("no.such.topic", 0, "k", b"")]))
    await until(lambda: producer._client is not None)
    with pytest.raises(LogUnavailable):
        await producer.publish([Record(topic.name, 0, "k", bytes(REQUEST_BYTES_MAX + 1))])
    await producer.publish([Record(topic.name, 0, "k", b"")])
    successor = producer._client
    with pytest.raises(LogUnavailable):
        await late
    assert successor is not None
    assert producer._client is successor
    await producer.close()


async def test_the_ends_of_the_log_are_told_also_after_a_failed_call(engines: Engines, ends: LogEnds) -> None:
    topic = await engines.fresh_topic("ends", partitions=2)
    asked = [TopicPartition(topic.name, n) for n in range(2)]
    assert set((await ends.of(asked)).values()) == {0}
    assert ends._client is not None
    await ends._client.stop()
    await ends._discard()
    assert await ends.of(asked) == dict.fromkeys(asked, 0)


async def test_a_producer_that_outlives_a_log_shares_its_id_with_nobody_on_the_next() -> None:
    """A broker without its disk gives out the ids of producers anew, and takes a second user's records for repeats."""
    topic = Topic("outlived", 2)
    with reachable_dir() as folder:
        layout = Layout(folder, free_port_base())
        kafka = KafkaEngine(layout)
        old, new = (
            Producer(bootstrap_servers=layout.kafka_bootstrap, client_id=name, deadline_seconds=10)
            for name in ("old", "new")
        )
        try:
            await kafka.start()
            await create_topics(kafka.bootstrap, [topic])
            await old.publish([Record(topic.name, 1, "k", b"on the log that is lost")])
            await kafka.stop()
            kafka.wipe_log()
            await kafka.start()
            await create_topics(kafka.bootstrap, [topic])
            offsets = [
                await producer.publish([Record(topic.name, 0, "k", f"{n}".encode())])
                for n, producer in enumerate([new, old, new, old])
            ]
        finally:
            await asyncio.gather(old.close(), new.close())
            await kafka.stop()
    assert offsets == [[0], [1], [2], [3]]


async def test_the_rows_of_every_topic_come_back_into_a_log_that_was_lost(
    engines: Engines, plumbing: Plumbing, producer: Producer, ends: LogEnds
) -> None:
    topics = [await engines.fresh_topic(name) for name in ("one", "other")]
    telemetry = Telemetry("test")
    watch = LogWatch(plumbing.outbox, producer, ends, progress=Progress("watch"), telemetry=telemetry)
    relay = Relay(plumbing.outbox, watch, progress=Progress("sweeper"), telemetry=telemetry)
    rows = [OutboxRow(f"{topic.name} {n}", topic.name, 0, "k", f"{n}".encode()) for topic in topics for n in range(5)]
    async with transaction(plumbing.engine) as connection:
        await plumbing.outbox.add(connection, rows)
    await relay._publish(rows)
    await relay._mark_once()
    for topic in topics:
        await lose(engines, topic)
    looking = [asyncio.create_task(loop()) for loop in (watch.run, relay.sweep)]
    try:
        for topic in topics:
            await until(lambda topic=topic: _holds_all(engines, topic), seconds=30)
    finally:
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def _holds_all(engines: Engines, topic: Topic) -> bool:
    return await values(engines, topic) == {f"{n}".encode() for n in range(5)}
