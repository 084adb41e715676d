"""Shares of records that take effect side by side, each with partitions of its own."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

LastRecords = Mapping[TopicPartition, ConsumerRecord]
"""The last record of each partition: how far a share leads."""


class _Share(NamedTuple):
    last: LastRecords
    records: int


class UnderWay:
    """At most so many shares and so many records at a time; a partition lies in one of the shares."""

    def __init__(self, most: int, *, records_max: int) -> None:
        self._most = most
        self._records_max = records_max
        self._shares: dict[asyncio.Task[None], _Share] = {}
        self.failed: set[TopicPartition] = set()
        """The partitions of which a share failed, and none has taken effect since."""

    @property
    def room(self) -> int:
        """How many more may begin."""
        return self._most - len(self._shares)

    @property
    def records_room(self) -> int:
        """How many more records they may have."""
        return self._records_max - sum(share.records for share in self._shares.values())

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """Those of which something is under way."""
        return frozenset().union(*(share.last for share in self._shares.values()))

    def begin(self, records: Sequence[ConsumerRecord], taking: Coroutine[None, None, None]) -> None:
        """Let the share of these records take effect."""
        last = {TopicPartition(record.topic, record.partition): record for record in records}
        self._shares[asyncio.create_task(taking)] = _Share(last, len(records))

    async def settled(self) -> Sequence[LastRecords]:
        """Wait for one at least, where there is any; gives what took effect since.

        Raises what one of them raised, once none is under way any more.
        """
        if not self._shares:
            return ()
        over, _ = await asyncio.wait(self._shares, return_when=asyncio.FIRST_COMPLETED)
        for task in over:
            if fault := task.exception():
                self.failed.update(self._shares[task].last)
                await self.end()
                raise fault
        done = [self._shares.pop(task).last for task in over]
        self.failed.difference_update(*done)
        return done

    async def end(self) -> None:
        """Wait until none is under way, however they end."""
        await asyncio.gather(*self._shares, return_exceptions=True)
        self._shares.clear()
