"""The Kafka topics of the system: created by the runner, because brokers do not create them by themselves."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, TopicAlreadyExistsError, for_code

from deploy.local.faults import EngineFailed, TooLate
from deploy.local.plan import RETENTION_MS
from deploy.local.waiting import until
from shared.contracts.topics import ALL, Topic

CALL_SECONDS = 20
_SETTINGS = {"cleanup.policy": "delete", "retention.ms": str(RETENTION_MS)}


async def create_topics(bootstrap: str, topics: Iterable[Topic] = ALL, *, replicas: int = 1) -> None:
    """Create the topics that are not there yet. Raises EngineFailed when the broker refuses one."""
    wanted = [NewTopic(t.name, t.partitions, replication_factor=replicas, topic_configs=_SETTINGS) for t in topics]
    async with _in_time(bootstrap, "topics are created"), _admin(bootstrap) as admin:
        answer = await admin.create_topics(wanted)
    for name, code, *rest in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise EngineFailed(f"Kafka refused to create {name}: {for_code(code).__name__} {rest}", "See Kafka's log.")


async def open_groups(bootstrap: str) -> None:
    """Have the broker make its own topic for consumer groups now: the first members need not wait and retry."""
    async with _in_time(bootstrap, "a coordinator of groups is there"), _admin(bootstrap) as admin:
        await until(partial(_has_coordinator, admin), seconds=CALL_SECONDS)


async def answers(bootstrap: str) -> bool:
    """Whether a broker answers there."""
    try:
        async with asyncio.timeout(CALL_SECONDS), _admin(bootstrap) as admin:
            await admin.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    return True


async def _has_coordinator(admin: AIOKafkaAdminClient) -> bool:
    try:
        await admin.find_coordinator("concordat")
    except GroupCoordinatorNotAvailableError:
        return False
    return True


@asynccontextmanager
async def _in_time(bootstrap: str, what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except TimeoutError:
        raise TooLate(f"{what}: not within {CALL_SECONDS} s", f"Look into the log of Kafka at {bootstrap}.") from None


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
