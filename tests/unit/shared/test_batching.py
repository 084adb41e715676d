import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from shared.batching import Batcher, Overloaded, Pace

PACE_SECONDS = 0.05
ROUNDING_SECONDS = 0.002


@dataclass
class Flusher:
    """Records the batches; holds each flush until released."""

    batches: list[list[int]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None

    async def __call__(self, batch: Sequence[int]) -> list[int]:
        self.batches.append(list(batch))
        await self.gate.wait()
        if self.fault:
            raise self.fault
        return [item * 10 for item in batch]


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_arrives_during_a_flush_is_the_next_batch() -> None:
    flush = Flusher()
    batcher: Batcher[int, int] = Batcher(flush, batch_size_max=100, waiting_max=100)
    owner = asyncio.create_task(batcher.run())
    first = asyncio.create_task(batcher.submit(1))
    await _settle()
    rest = [asyncio.create_task(batcher.submit(n)) for n in (2, 3, 4)]
    await _settle()
    flush.gate.set()
    assert await asyncio.gather(first, *rest) == [10, 20, 30, 40]
    assert flush.batches == [[1], [2, 3, 4]]
    owner.cancel()


async def test_a_batch_is_never_larger_than_its_limit() -> None:
    flush = Flusher()
    flush.gate.set()
    batcher: Batcher[int, int] = Batcher(flush, batch_size_max=2, waiting_max=100)
    waiting = [asyncio.create_task(batcher.submit(n)) for n in range(5)]
    await _settle()
    owner = asyncio.create_task(batcher.run())
    await asyncio.gather(*waiting)
    assert [len(b) for b in flush.batches] == [2, 2, 1]
    owner.cancel()


async def test_beyond_the_limit_the_caller_is_refused_and_nothing_waits() -> None:
    batcher: Batcher[int, int] = Batcher(Flusher(), batch_size_max=2, waiting_max=1)
    waiting = asyncio.create_task(batcher.submit(1))
    await _settle()
    with pytest.raises(Overloaded):
        await batcher.submit(2)
    assert batcher.waiting_count == 1
    waiting.cancel()


async def test_a_failed_flush_fails_its_callers_and_not_the_next_batch() -> None:
    flush = Flusher(fault=RuntimeError("full"))
    batcher: Batcher[int, int] = Batcher(flush, batch_size_max=10, waiting_max=10)
    owner = asyncio.create_task(batcher.run())
    flush.gate.set()
    with pytest.raises(RuntimeError, match="full"):
        await batcher.submit(1)
    flush.fault = None
    assert await batcher.submit(2) == 20
    owner.cancel()


async def test_a_caller_that_goes_away_does_not_cancel_the_flush_of_its_neighbours() -> None:
    flush = Flusher()
    batcher: Batcher[int, int] = Batcher(flush, batch_size_max=10, waiting_max=10)
    impatient, patient = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await _settle()
    owner = asyncio.create_task(batcher.run())
    await _settle()
    impatient.cancel()
    flush.gate.set()
    assert await patient == 20
    assert flush.batches == [[1, 2]]
    owner.cancel()


async def test_the_first_turn_comes_at_once_and_the_next_one_not_before_its_time() -> None:
    pace, running = Pace(PACE_SECONDS), asyncio.get_running_loop()
    began = running.time()
    first = asyncio.create_task(pace.turn())
    await _settle()
    assert first.done()
    await pace.turn()
    assert running.time() - began >= PACE_SECONDS - ROUNDING_SECONDS


class Held(Pace):
    """A pace whose next turn comes when the test says so."""

    def __init__(self) -> None:
        super().__init__(0)
        self.gate = asyncio.Event()

    async def turn(self) -> None:
        await self.gate.wait()


async def test_what_comes_before_the_turn_of_a_flush_goes_with_it() -> None:
    flush, pace = Flusher(), Held()
    flush.gate.set()
    batcher: Batcher[int, int] = Batcher(flush, batch_size_max=100, waiting_max=100, pace=pace)
    owner = asyncio.create_task(batcher.run())
    first = asyncio.create_task(batcher.submit(1))
    await _settle()
    second = asyncio.create_task(batcher.submit(2))
    await _settle()
    pace.gate.set()
    assert (await first, await second) == (10, 20)
    assert flush.batches == [[1, 2]]
    owner.cancel()
