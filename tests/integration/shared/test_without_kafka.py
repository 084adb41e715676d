"""A consumer whose Kafka is away: it goes on trying, and says so once."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from deploy.local.ports import free_port_base
from shared.kafka.brokers import Brokers
from shared.kafka.consumer import BatchConsumer, Subscription
from shared.kafka.ends import LogEnds
from shared.records import Batch, Poison, Position
from shared.supervision import Progress
from shared.telemetry import Telemetry, route_library_logs
from tests.support.logs import kept_logging, lines
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def routed() -> Iterator[None]:
    with kept_logging():
        route_library_logs(Telemetry("test"))
        yield


class NoPositions:
    async def read(self, _group: str, _topic: str) -> Mapping[int, Position]:
        return {}

    async def set(self, group: str, topic: str, partition: int, next_offset: int) -> None: ...

    async def park(self, poison: Poison) -> bool:
        raise NotImplementedError


@dataclass(slots=True)
class Beats(Progress):
    """Counts how often the consumer came around."""

    failure_count: int = 0

    def failed(self) -> None:
        self.failure_count += 1
        Progress.failed(self)


async def nothing(_: Batch[bytes]) -> None: ...


async def test_a_consumer_without_kafka_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Beats("consumer")
    consumer = BatchConsumer(
        Subscription("group", "topic", bytes, nothing),
        ends=LogEnds(Brokers(f"127.0.0.1:{free_port_base()}")),
        positions=NoPositions(),
        progress=progress,
        telemetry=Telemetry("test"),
    )
    task = asyncio.create_task(consumer.run())
    await until(lambda: progress.failure_count >= 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert progress.waiting == 1
    written = lines(capsys)
    said = Counter((line["event"], line.get("logger"), str(line.get("message"))) for line in written)
    assert set(said.values()) == {1}
    assert said["loop.paused", None, "None"] == 1
    assert len(written) <= 5
