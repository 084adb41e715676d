"""Concerns at a steady pace while something is broken, and how long it takes until all of them have arrived."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import pytest

from tests.support.waiting import dawdle, until
from tests.support.world import World

PER_SECOND = 20
BEGUN_SECONDS = 120.0


@pytest.fixture(autouse=True)
def patient_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of them wait where nothing is accepted: each tries again once a second, as `Retry-After` asks."""
    monkeypatch.setattr("tests.support.world.RETRY_SECONDS", 1.0)


@dataclass(slots=True)
class Pouring:
    """Concerns at a steady pace, each by a client that never gives up, until told to end."""

    world: World
    accepted: list[str] = field(default_factory=list)
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def while_(self) -> AsyncIterator[Self]:
        """From when a second of them is accepted until what is done meanwhile is over."""
        under_way = asyncio.create_task(self._run())
        try:
            await until(lambda: len(self.accepted) > PER_SECOND, seconds=BEGUN_SECONDS, what="concerns are accepted")
            yield self
        finally:
            self.ending.set()
            await under_way

    async def recovered(self, *, seconds: float) -> float:
        """Seconds until all that was accepted before now, and a new concern, have arrived."""
        running = asyncio.get_running_loop()
        back_at, before = running.time(), list(self.accepted)
        new = await self.world.publish(1)
        await self.world.told_once([*before, *new], seconds=seconds)
        return running.time() - back_at

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as clients:
            while not self.ending.is_set():
                clients.create_task(self._one())
                await dawdle(1 / PER_SECOND)

    async def _one(self) -> None:
        self.accepted += await self.world.publish(1)
