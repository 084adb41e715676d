"""Natural batching: flush at once when idle; what arrives during a flush, or closely behind one, is the next batch."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Overloaded(Exception):
    """More work waits than the limit allows; the caller should come back later."""


class Pace:
    """Turns at least so many seconds apart: one after a rest comes at once, one close behind another waits for company.

    What a flush costs, on both its sides, is paid for each flush and hardly for what is in it (ADR 26).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next_at = 0.0

    async def turn(self) -> None:
        """Wait until it is time."""
        running = asyncio.get_running_loop()
        if (early_seconds := self._next_at - running.time()) > 0:
            await asyncio.sleep(early_seconds)
        self._next_at = running.time() + self._seconds


class Batcher(Generic[ItemT, ResultT]):
    """Gathers single items into batches for one owner task, which no caller can cancel.

    `flush` takes a batch and gives one result per item, in order; what it raises is raised to every caller of
    that batch.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT]]],
        *,
        batch_size_max: int,
        waiting_max: int,
        pace: Pace | None = None,
    ) -> None:
        self._flush = flush
        self._pace = pace or Pace(0)
        self._batch_size_max = batch_size_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[ItemT, asyncio.Future[ResultT]]] = deque()
        self._arrived = asyncio.Event()

    @property
    def waiting_count(self) -> int:
        """How many items wait for a flush."""
        return len(self._waiting)

    async def submit(self, item: ItemT) -> ResultT:
        """Wait until the item's batch is flushed. Raises Overloaded, or what the flush raised."""
        if len(self._waiting) >= self._waiting_max:
            raise Overloaded
        done: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        self._arrived.set()
        return await asyncio.shield(done)

    async def run(self) -> None:
        """Flush batch after batch, for ever; the one owner task."""
        while True:
            await self._arrived.wait()
            while self._waiting:
                await self._pace.turn()
                await self._flush_next()
            self._arrived.clear()

    async def _flush_next(self) -> None:
        size = min(len(self._waiting), self._batch_size_max)
        batch = [self._waiting.popleft() for _ in range(size)]
        try:
            results = await self._flush([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - each waiting caller gets it and maps it to an answer
            _fail(batch, error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            if not done.done():
                done.set_result(result)


def _fail(batch: Sequence[tuple[ItemT, asyncio.Future[ResultT]]], error: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
            done.exception()  # marked as seen: a caller that has gone away is no fault
