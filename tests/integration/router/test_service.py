"""The whole router on the real engines: commits and concerns in from Kafka, decisions and notices out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from services.router.bootstrap import Parts, app_of, assemble, loops_of
from services.router.config import RouterSettings
from services.router.domain.model import Head
from services.router.domain.replica import CommitPart
from services.router.usecases.graph import root_over
from shared.contracts.concern import ConcernSubmitted, Sealed, SubmittedConcern
from shared.contracts.decision import ConcernRouted
from shared.contracts.graph import GraphCommit, GraphCommitted
from shared.contracts.notice import NoticeIssued
from shared.contracts.outcome import REGISTERED, NoticeOutcome, Outcome
from shared.contracts.topics import CONCERNS, DECISIONS, GRAPH, NOTICES, OUTCOMES, Topic
from shared.db.engine import transaction
from shared.ids import new_id
from shared.kafka.producer import Record
from tests.support.clock import NOON
from tests.support.router_fakes import ROUTING, SEALED, commit_after, graph_objects, replica_of
from tests.support.small_graph import source
from tests.support.stack import Engines, TestDatabase
from tests.support.waiting import until

pytestmark = pytest.mark.stack

FIRST = replica_of(graph_objects())
PUBLISHED = """SELECT count(*) FROM router.outbox
WHERE event_id NOT IN (SELECT event_id FROM router.outbox_unpublished)"""


@dataclass
class Running:
    """One router at work on a database that several may share."""

    parts: Parts

    async def commit(self, part: CommitPart) -> None:
        objects = [orjson.loads(body) for body in part.bodies.values()]
        data = GraphCommit(
            version=part.version,
            parent_root=part.parent_root,
            root=part.root,
            committed_at=NOON,
            principal="p",
            reason="r",
            objects=objects,
            part=part.part,
            parts=part.parts,
        )
        event = GraphCommitted(id=new_id("evt"), source="/concordat/registry", time=NOON, data=data)
        await self.publish(GRAPH, "graph", event.encode())

    async def submit(self, concern_id: str) -> None:
        sealed = Sealed.model_validate(SEALED)
        data = SubmittedConcern(
            concern_id=concern_id, version=1, digest="d" * 64, accepted_at=NOON, routing=ROUTING, sealed=sealed
        )
        event = ConcernSubmitted(id=new_id("evt"), source="/concordat/intake", time=NOON, data=data)
        await self.publish(CONCERNS, concern_id, event.encode())

    async def register(self, notice: NoticeIssued) -> None:
        data = Outcome(
            notice_id=notice.id, concern_id=notice.data.concern_id, version=1, recipient="beta", at=NOON
        )  # fmt: skip
        event = NoticeOutcome(id=new_id("evt"), source="/concordat/notifier", time=NOON, type=REGISTERED, data=data)
        await self.publish(OUTCOMES, notice.data.concern_id, event.encode())

    async def publish(self, topic: Topic, key: str, value: bytes) -> None:
        record = Record(topic.name, topic.partition_of(key), key, value)
        await self.parts.foundation.producer.publish([record])

    async def count(self, statement: str) -> int:
        async with transaction(self.parts.foundation.engine) as connection:
            return int((await connection.execute(text(statement))).scalar_one())


async def ends_of(engines: Engines, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=engines.kafka_bootstrap)
    await consumer.start()
    try:
        wanted = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(wanted)
        return ends
    finally:
        await consumer.stop()


async def read(engines: Engines, topic: Topic, since: dict[TopicPartition, int]) -> list[bytes]:
    """Everything that lies in the topic since then."""
    starts = {tp: offset for tp, offset in since.items() if tp.topic == topic.name}
    ends = {tp: offset for tp, offset in (await ends_of(engines, [topic])).items() if offset > starts[tp]}
    consumer = AIOKafkaConsumer(bootstrap_servers=engines.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    values: list[bytes] = []
    try:
        consumer.assign(list(ends))
        for tp in ends:
            consumer.seek(tp, starts[tp])
        while len(values) < sum(ends[tp] - starts[tp] for tp in ends):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                values += [record.value for record in records]
        return values
    finally:
        await consumer.stop()


@asynccontextmanager
async def a_router(
    engines: Engines, database: TestDatabase, since: dict[TopicPartition, int]
) -> AsyncIterator[Running]:
    """A router that reads each topic from where the test began: the topics are shared by all tests."""
    settings = RouterSettings(
        database_url=database.url("router"),
        kafka_bootstrap_servers=engines.kafka_bootstrap,
        http_port=1,
        token_issuers=[],
        registry_url="http://127.0.0.1:1",
    )
    parts = assemble(settings)
    base = parts.foundation
    stored = {topic.name: await base.positions.read("router", topic.name) for topic in (CONCERNS, GRAPH, OUTCOMES)}
    for tp, offset in since.items():
        if tp.topic in stored and tp.partition not in stored[tp.topic]:
            await base.positions.set("router", tp.topic, tp.partition, offset)
    loops = [*loops_of(parts).values(), base.relay.run, base.relay.mark, base.relay.sweep]
    tasks = [asyncio.ensure_future(loop()) for loop in loops]
    try:
        yield Running(parts)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await base.close()


async def test_a_concern_becomes_a_notice_and_a_repeat_becomes_a_second_word_to_intake(engines: Engines) -> None:
    database = await engines.fresh_database("router")
    since = await ends_of(engines, [CONCERNS, GRAPH, OUTCOMES, DECISIONS, NOTICES])
    concern_id = new_id("con")

    async def decisions() -> list[ConcernRouted]:
        events = [ConcernRouted.model_validate_json(value) for value in await read(engines, DECISIONS, since)]
        return [event for event in events if event.data.concern_id == concern_id]

    async with a_router(engines, database, since) as router:
        await router.submit(concern_id)  # before the graph: it waits
        for part in in_two_parts(CommitPart(1, "", FIRST.head.root, 1, 1, FIRST.bodies)):
            await router.commit(part)
        await until_decided_on(router, FIRST.head)
        await until_count(router, PUBLISHED, 3)
        notices = [NoticeIssued.model_validate_json(value) for value in await read(engines, NOTICES, since)]
        (notice,) = [one for one in notices if one.data.concern_id == concern_id]
        assert (notice.data.recipient, notice.data.routing) == ("beta", ROUTING)
        (routed,) = await decisions()
        assert routed.data.told[0].notice_id == notice.id

        assert await router.count("SELECT count(*) FROM router.outbox_open") == 1
        await router.register(notice)
        await until_count(router, "SELECT count(*) FROM router.outbox_open", 0)
        await router.submit(concern_id)
        await until_two(decisions)
        assert [event.id for event in await decisions()] == [routed.id, routed.id]
        assert await router.count("SELECT count(*) FROM router.notices") == 1


async def test_of_two_routers_one_applies_a_commit_and_both_decide_on_it(engines: Engines) -> None:
    database = await engines.fresh_database("router")
    since = await ends_of(engines, [CONCERNS, GRAPH, OUTCOMES])
    second = commit_after(FIRST, source("new"))
    async with a_router(engines, database, since) as one, a_router(engines, database, since) as other:
        assert app_of(other.parts).title == "Concordat router"
        await one.commit(CommitPart(1, "", FIRST.head.root, 1, 1, FIRST.bodies))
        await one.commit(second)
        for router in (one, other):
            await until_decided_on(router, second.head)
        assert await one.count("SELECT version FROM router.graph_head") == 2


def in_two_parts(commit: CommitPart) -> list[CommitPart]:
    keys = sorted(commit.bodies)
    shares = [keys[: len(keys) // 2], keys[len(keys) // 2 :]]
    parts = [
        replace(commit, part=n, parts=2, bodies={key: commit.bodies[key] for key in share})
        for n, share in enumerate(shares, start=1)
    ]
    assert root_over({**parts[0].bodies, **parts[1].bodies}) == commit.root
    return parts


async def until_decided_on(router: Running, head: Head) -> None:
    await until(lambda: router.parts.current.head == head, seconds=30, what=f"version {head.version} is decided on")


async def until_count(router: Running, statement: str, count: int) -> None:
    async def reached() -> bool:
        return await router.count(statement) >= count

    await until(reached, seconds=20, what=statement)


async def until_two(events: Callable[[], Awaitable[list[ConcernRouted]]]) -> None:
    async def reached() -> bool:
        return len(await events()) >= 2

    await until(reached, seconds=30, what="the decision event is published again")
