"""The producer: every call has a deadline, and any error throws the client away.

aiokafka's idempotent producer can wedge after an error and `stop()` can hang while the broker is down, so a
client is never used again once it has failed; what it may still write later is absorbed by unique keys downstream.

Nor is one used again that lost a connection: a broker that comes back without its disk gives out the ids of
producers anew, and takes what a second user of an id writes for a repeat, which it acknowledges and does not keep.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.faults import LogUnavailable
from shared.kafka.clients import let_go

STOP_SECONDS = 2.0
REQUEST_BYTES_MAX = 8 * 1024 * 1024
HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
"""What says that a record is a CloudEvent in structured mode (Kafka protocol binding 1.0.2, section 3.3.1)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record for one partition."""

    topic: str
    partition: int
    key: str
    value: bytes


class Producer:
    """Publishes batches of records with acks=all. One per process."""

    def __init__(self, *, bootstrap_servers: str, client_id: str, deadline_seconds: float) -> None:
        self._options = {
            "bootstrap_servers": bootstrap_servers,
            "client_id": client_id,
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            "max_batch_size": 256 * 1024,
            "max_request_size": REQUEST_BYTES_MAX,
            "request_timeout_ms": int(deadline_seconds * 1000),
        }
        self._deadline_seconds = deadline_seconds
        self._client: AIOKafkaProducer | None = None
        self._connections: set[Any] = set()
        self._starting = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()

    async def publish(self, records: Sequence[Record]) -> Sequence[int]:
        """Write the records; returns their offsets when all replicas have them.

        Raises LogUnavailable on any error or when the deadline has passed; whether some were written is unknown.
        """
        client: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._deadline_seconds):
                client = await self._started()
                offsets = await _write(client, records)
                self._remember(client)
                return offsets
        except (KafkaError, TimeoutError, OSError, AssertionError) as error:
            self._discard(client)
            raise LogUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        """Let go of the client, under a deadline."""
        self._discard(self._client)
        await asyncio.gather(*self._stopping, return_exceptions=True)

    async def _started(self) -> AIOKafkaProducer:
        """The one client that all publish with; nobody sees one that is not yet started."""
        async with self._starting:
            if not all(connection.connected() for connection in self._connections):
                self._discard(self._client)
            if self._client is None:
                client = AIOKafkaProducer(**self._options)
                try:
                    await client.start()
                except BaseException:
                    self._let_go(client)
                    raise
                self._client, self._connections = client, set()
                self._remember(client)
            return self._client

    def _remember(self, client: AIOKafkaProducer) -> None:
        """The connections that the client has by now, unless another has taken its place."""
        if client is self._client:
            self._connections.update(_connections(client))

    def _discard(self, failed: AIOKafkaProducer | None) -> None:
        """Throw away the client that failed, and not the one that may have taken its place meanwhile."""
        if failed is not None and failed is self._client:
            self._client = None
            self._let_go(failed)

    def _let_go(self, client: AIOKafkaProducer) -> None:
        task = asyncio.create_task(let_go(client, seconds=STOP_SECONDS))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


def _connections(client: Any) -> Iterable[Any]:
    return tuple(client.client._conns.values())  # noqa: SLF001 - aiokafka replaces a lost one and tells nobody


async def _write(client: AIOKafkaProducer, records: Sequence[Record]) -> Sequence[int]:
    """One batch per partition: a record sent by itself costs the client many times its share of a batch."""
    batches = [batch for place in _by_partition(records) for batch in _batches(client, records, place)]
    under_way = [await client.send_batch(b.builder, b.topic, partition=b.partition) for b in batches]
    offsets = [0] * len(records)
    for batch, written in zip(batches, await asyncio.gather(*under_way), strict=True):
        for behind, index in enumerate(batch.indexes):
            offsets[index] = written.offset + behind
    return offsets


@dataclass(frozen=True, slots=True)
class _Batch:
    """Records of one partition on their way together; `indexes` say which they were."""

    topic: str
    partition: int
    builder: BatchBuilder
    indexes: list[int]


def _by_partition(records: Sequence[Record]) -> Iterable[list[int]]:
    places: dict[tuple[str, int], list[int]] = {}
    for index, record in enumerate(records):
        places.setdefault((record.topic, record.partition), []).append(index)
    return places.values()


def _batches(client: AIOKafkaProducer, records: Sequence[Record], indexes: Sequence[int]) -> Iterator[_Batch]:
    """The records of one partition, in order, in as few batches as their sizes allow; a first one always fits."""
    batch: _Batch | None = None
    for index in indexes:
        record = records[index]
        if batch is None or not _appended(batch.builder, record):
            batch = _Batch(record.topic, record.partition, client.create_batch(), [])
            _appended(batch.builder, record)
            yield batch
        batch.indexes.append(index)


def _appended(builder: BatchBuilder, record: Record) -> bool:
    return builder.append(timestamp=None, key=record.key.encode(), value=record.value, headers=HEADERS) is not None
