"""A cluster of three brokers, as the reference one: each record on three of them, acknowledged by two at least."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.local.kafka import KafkaEngine, KafkaOptions, cluster_id
from deploy.local.layout import Layout
from deploy.local.plan import KAFKA_CONTROLLER
from deploy.local.ports import free_port_base
from deploy.local.topics import create_topics, open_groups
from deploy.local.waiting import together

REPLICAS, IN_SYNC_MIN = 3, 2
_SETTINGS = {
    "min.insync.replicas": str(IN_SYNC_MIN),
    "default.replication.factor": str(REPLICAS),
    "offsets.topic.replication.factor": str(REPLICAS),
    "transaction.state.log.replication.factor": str(REPLICAS),
    "transaction.state.log.min.isr": str(IN_SYNC_MIN),
}


@asynccontextmanager
async def three_brokers(folder: Path) -> AsyncIterator[Sequence[KafkaEngine]]:
    """Start them, with the topics of the system; end them."""
    layouts = [Layout(folder / f"broker-{number}", free_port_base()) for number in range(1, REPLICAS + 1)]
    voters = ",".join(f"{n}@{one.host}:{one.port(KAFKA_CONTROLLER)}" for n, one in enumerate(layouts, 1))
    named = cluster_id(bytes(range(16)))
    brokers = [
        KafkaEngine(one, options=KafkaOptions(settings=_settings(number, voters), cluster=named))
        for number, one in enumerate(layouts, 1)
    ]
    async with AsyncExitStack() as ending:
        for broker in brokers:
            ending.push_async_callback(broker.stop)
        await together(*(broker.start() for broker in brokers))
        await create_topics(addresses(brokers), replicas=REPLICAS)
        await open_groups(addresses(brokers))
        yield brokers


def addresses(brokers: Sequence[KafkaEngine]) -> str:
    """Where they answer."""
    return ",".join(broker.bootstrap for broker in brokers)


def _settings(number: int, voters: str) -> tuple[tuple[str, str], ...]:
    return tuple({**_SETTINGS, "node.id": str(number), "controller.quorum.voters": voters}.items())
