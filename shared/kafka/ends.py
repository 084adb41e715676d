"""Where the log ends, asked of the broker by a client of its own.

A consumer's `highwater` is only as fresh as its last fetch: a consumer that fetches no more would see no lag.
"""

import asyncio
import time
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.faults import LogUnavailable
from shared.kafka.brokers import Brokers
from shared.kafka.clients import let_go

CALL_SECONDS = 5.0
STOP_SECONDS = 2.0


class NoAnswer(LogUnavailable):
    """The broker takes what it is asked and says nothing, as one that is frozen or behind a dead link."""


class LogEnds:
    """Asks for end offsets. One per process; a client that failed is never used again."""

    def __init__(self, brokers: Brokers) -> None:
        self.brokers = brokers
        self._client: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()
        self._failed_at = float("-inf")
        self._failed_as: type[LogUnavailable] = LogUnavailable

    async def of(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset that the next record of each partition will have. Raises LogUnavailable, NoAnswer."""
        if not partitions:
            return {}
        asked_at = time.monotonic()
        async with self._turn:
            if self._failed_at > asked_at:
                raise self._failed_as("as for who asked before")
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    client = await self._started()
                    ends: Mapping[TopicPartition, int] = await client.end_offsets(list(partitions))
            except (KafkaError, TimeoutError, OSError, AssertionError) as error:
                await self._discard()
                self._failed_at = time.monotonic()
                self._failed_as = NoAnswer if isinstance(error, TimeoutError) else LogUnavailable
                raise self._failed_as(type(error).__name__) from error
        return ends

    async def close(self) -> None:
        """Let go of the client, under a deadline."""
        await self._discard()

    async def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            self._client = AIOKafkaConsumer(bootstrap_servers=self.brokers.bootstrap_servers, enable_auto_commit=False)
            await self._client.start()
        return self._client

    async def _discard(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await let_go(client, seconds=STOP_SECONDS)
