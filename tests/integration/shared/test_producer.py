"""What lies on the real Kafka: each record says that it is a structured CloudEvent, and none is a tombstone."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka.producer import Producer, Record
from tests.support.stack import Engines

pytestmark = pytest.mark.stack


async def test_every_record_of_a_batch_says_that_it_is_a_structured_event_and_holds_it_whole(engines: Engines) -> None:
    topic = await engines.fresh_topic()
    values = [b'{"specversion":"1.0"}', b"{}" * 200_000, b"{}"]
    producer = Producer(bootstrap_servers=engines.kafka_bootstrap, client_id="test", deadline_seconds=10)
    offsets = await producer.publish([Record(topic.name, 0, f"key-{n}", value) for n, value in enumerate(values)])
    await producer.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=engines.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic.name, 0)])
    await consumer.seek_to_beginning()
    found = [await consumer.getone() for _ in values]
    await consumer.stop()
    assert [(record.offset, record.key, record.value) for record in found] == [
        (offset, f"key-{n}".encode(), value) for n, (offset, value) in enumerate(zip(offsets, values, strict=True))
    ]
    said = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    assert [tuple(record.headers) for record in found] == [said] * len(values)
