"""Links that break: a call ends within its deadline, the client is replaced, and it works again by itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.kafka import KafkaEngine, KafkaOptions
from deploy.local.layout import Layout
from deploy.local.ports import free_port_base
from deploy.local.topics import create_topics
from shared.contracts.topics import Topic
from shared.db.engine import make_engine, transaction
from shared.faults import LogUnavailable, StoreUnavailable
from shared.kafka.producer import Producer, Record
from tests.support.figures import figure
from tests.support.proxy import Proxy, proxy_to
from tests.support.stack import TestPostgres, reachable_dir
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
TOPIC = Topic("links", 1)
DEADLINE_SECONDS, RECOVERY_SECONDS = 3.0, 10.0
STATEMENT_SECONDS, GRACE_SECONDS = 1, 5
PROXY_PORT_OFFSET = 70
BROKEN = ["refuse", "hole", "deaf"]


@dataclass(slots=True)
class Broker:
    """A Kafka that is reached through a proxy alone: that is the port which it tells its clients."""

    engine: KafkaEngine
    proxy: Proxy

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.proxy.port}"

    async def values(self) -> list[bytes]:
        """All that lies on the topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        await consumer.start()
        partition = TopicPartition(TOPIC.name, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[bytes] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [record.value for record in records]
        await consumer.stop()
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker() -> AsyncIterator[Broker]:
    with reachable_dir() as folder:
        layout = Layout(folder, free_port_base())
        own = layout.port_base + PROXY_PORT_OFFSET
        engine = KafkaEngine(layout, options=KafkaOptions(advertised_port=own))
        async with proxy_to(layout.port("kafka"), own_port=own) as proxy:
            try:
                await engine.start()
                await create_topics(f"127.0.0.1:{own}", [TOPIC])
                yield Broker(engine, proxy)
            finally:
                await engine.stop()


@pytest.mark.parametrize("mode", BROKEN)
async def test_a_producer_gives_up_within_its_deadline_and_goes_on_when_the_link_is_back(
    broker: Broker, mode: str
) -> None:
    producer = Producer(bootstrap_servers=broker.bootstrap, client_id="test", deadline_seconds=DEADLINE_SECONDS)
    running = asyncio.get_running_loop()
    before, during, after = (Record(TOPIC.name, 0, "key", f"{mode} {when}".encode()) for when in ("0", "1", "2"))
    await producer.publish([before])
    broker.proxy.set(mode)
    began = running.time()
    with pytest.raises(LogUnavailable):
        await producer.publish([during])
    assert running.time() - began < DEADLINE_SECONDS + 1
    broker.proxy.set("pass")
    back_at = running.time()
    await until(lambda: _published(producer, [during, after]), seconds=RECOVERY_SECONDS, what="it publishes again")
    figure(f"link to Kafka, {mode}: published again {running.time() - back_at:.1f} s after its return")
    await producer.close()
    found = await broker.values()
    assert {before.value, during.value, after.value} <= set(found)
    # Where only the answer was lost the record is there twice: who reads it keeps one, by its id.
    assert 1 <= found.count(during.value) <= 2


async def test_corrupted_bytes_are_never_read_as_records(broker: Broker) -> None:
    producer = Producer(bootstrap_servers=broker.bootstrap, client_id="test", deadline_seconds=DEADLINE_SECONDS)
    sound = [f"sound {number}".encode() for number in range(20)]
    await producer.publish([Record(TOPIC.name, 0, "key", value) for value in sound])
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    await consumer.start()
    partition = TopicPartition(TOPIC.name, 0)
    consumer.assign([partition])
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.seek(partition, end - len(sound))
    broker.proxy.set("flip")
    read: list[bytes] = []
    refused = 0
    for _ in range(5):
        try:
            read += [r.value for records in (await consumer.getmany(timeout_ms=300)).values() for r in records]
        except (KafkaError, ValueError):
            refused += 1
    broker.proxy.set("pass")
    figure(f"link to Kafka, flip: {len(read)} of {len(sound)} records were read, and {refused} reads refused")
    await consumer.stop()
    await producer.close()
    assert set(read) <= set(sound)
    assert (await broker.values())[-len(sound) :] == sound


@pytest_asyncio.fixture(loop_scope="module")
async def link(postgres_engine: TestPostgres) -> AsyncIterator[tuple[AsyncEngine, Proxy]]:
    """Postgres behind a proxy."""
    parts = urlsplit(postgres_engine.database_url("intake"))
    async with proxy_to(parts.port or 0) as proxy:
        place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}"
        url = urlunsplit(parts._replace(netloc=place))
        engine = make_engine(url, pool_size=2, statement_timeout_seconds=STATEMENT_SECONDS, name="link")
        yield engine, proxy
        proxy.set("refuse")
        await engine.dispose(close=False)


@pytest.mark.parametrize("mode", ["refuse", "hole", "deaf"])
async def test_a_statement_gives_up_within_its_deadline_and_the_pool_is_whole_when_the_link_is_back(
    link: tuple[AsyncEngine, Proxy], mode: str
) -> None:
    engine, proxy = link
    running = asyncio.get_running_loop()
    assert await _answers(engine)
    proxy.set(mode)
    began = running.time()
    results = await asyncio.gather(*(_ask(engine) for _ in range(4)), return_exceptions=True)
    assert {type(one) for one in results} == {StoreUnavailable}
    held_seconds = running.time() - began
    assert held_seconds < 4 * (STATEMENT_SECONDS + GRACE_SECONDS)
    proxy.set("pass")
    back_at = running.time()
    await until(lambda: _answers(engine), seconds=RECOVERY_SECONDS, what="the pool answers again")
    took_seconds = running.time() - back_at
    assert all(await asyncio.gather(*(_answers(engine) for _ in range(4))))
    figure(
        f"link to Postgres, {mode}: given up after {held_seconds:.1f} s, whole {took_seconds:.1f} s after its return"
    )


async def _published(producer: Producer, records: list[Record]) -> bool:
    try:
        return bool(await producer.publish(records))
    except LogUnavailable:
        return False


async def _ask(engine: AsyncEngine) -> int:
    async with transaction(engine) as connection:
        return int((await connection.execute(text("SELECT 1"))).scalar_one())


async def _answers(engine: AsyncEngine) -> bool:
    try:
        return await _ask(engine) == 1
    except StoreUnavailable:
        return False
