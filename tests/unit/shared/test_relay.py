import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.contracts.topics import AUDIT
from shared.db.outbox import OutboxRow
from shared.db.outbox_sql import AGAIN_SECONDS
from shared.faults import StoreUnavailable
from shared.relay import SWEEP_MAX, UNPUBLISHED_SECONDS, Relay
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.plumbing_fakes import InMemoryLog, InMemoryOutbox
from tests.support.waiting import until


def row(name: str, closes_with: str | None = None) -> OutboxRow:
    return OutboxRow(name, "concordat.concerns.v1", 3, "key", name.encode(), closes_with)


def values(log: InMemoryLog) -> list[bytes]:
    return [record.value for record in log.records]


def relay_of(outbox: InMemoryOutbox, log: InMemoryLog) -> Relay:
    return Relay(outbox, log, progress=Progress("sweeper"), telemetry=Telemetry("test"))


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop()) for loop in (relay.run, relay.gather, relay.mark)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def sweep_once(outbox: InMemoryOutbox, log: InMemoryLog) -> None:
    await relay_of(outbox, log)._sweep_once()


def written(rows: Sequence[OutboxRow]) -> InMemoryOutbox:
    outbox = InMemoryOutbox()
    outbox.write(rows)
    return outbox


async def test_offered_rows_are_published_at_once_and_marked() -> None:
    outbox, log = written([row("a"), row("b")]), InMemoryLog()
    relay = relay_of(outbox, log)
    async with running(relay):
        relay.offer([row("a"), row("b")])
        await until(lambda: outbox.published == {"a", "b"})
    assert values(log) == [b"a", b"b"]


async def test_what_nobody_waits_for_follows_later_in_one_batch() -> None:
    facts = [OutboxRow(name, AUDIT.name, 3, "key", name.encode()) for name in "xyz"]
    outbox, log = written([*facts, row("a")]), InMemoryLog()
    relay = relay_of(outbox, log)
    async with running(relay):
        for fact in facts:
            relay.offer([fact])
        relay.offer([row("a")])
        await until(lambda: outbox.published == {"a", "x", "y", "z"})
    assert values(log) == [b"a", b"x", b"y", b"z"]
    assert [len(batch) for batch in log.batches] == [1, 3]


async def test_a_row_that_a_crash_left_unpublished_is_swept_up_once() -> None:
    outbox, log = written([row("a")]), InMemoryLog()
    await sweep_once(outbox, log)
    assert values(log) == []
    outbox.now = UNPUBLISHED_SECONDS + 1
    await sweep_once(outbox, log)
    await sweep_once(outbox, log)
    assert values(log) == [b"a"]


async def test_a_row_that_the_next_service_never_confirmed_is_published_again() -> None:
    outbox, log = written([row("a", closes_with="con_1/1")]), InMemoryLog()
    await outbox.mark_published({"a": 0})
    outbox.now = AGAIN_SECONDS + 1
    await sweep_once(outbox, log)
    assert values(log) == [b"a"]


async def test_a_row_that_the_next_service_confirmed_is_never_published_again() -> None:
    outbox, log = written([row("a", closes_with="con_1/1")]), InMemoryLog()
    await outbox.mark_published({"a": 0})
    outbox.close(["con_1/1"])
    outbox.now = AGAIN_SECONDS * 100
    await sweep_once(outbox, log)
    assert values(log) == []


async def test_nothing_is_lost_while_kafka_is_away() -> None:
    outbox, log = written([row("a")]), InMemoryLog(away=True)
    relay = relay_of(outbox, log)
    async with running(relay):
        relay.offer([row("a")])
        await until(lambda: not relay._urgent.rows)
    assert outbox.published == set()
    log.away = False
    outbox.now = UNPUBLISHED_SECONDS + 1
    await sweep_once(outbox, log)
    assert values(log) == [b"a"]


async def test_a_backlog_is_swept_without_a_rest_in_between() -> None:
    outbox, log = written([row(str(n)) for n in range(SWEEP_MAX + 1)]), InMemoryLog()
    outbox.now = UNPUBLISHED_SECONDS + 1
    relay = relay_of(outbox, log)
    assert await relay._sweep_once() == 0
    assert await relay._sweep_once() > 0
    assert len(log.records) == SWEEP_MAX + 1


@dataclass(slots=True)
class SlowOutbox(InMemoryOutbox):
    """Marks when the test lets it, or fails to."""

    asked: list[set[str]] = field(default_factory=list)
    let: asyncio.Event = field(default_factory=asyncio.Event)
    away: bool = False

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        self.asked.append(set(offsets))
        await self.let.wait()
        if self.away:
            raise StoreUnavailable("away")
        await InMemoryOutbox.mark_published(self, offsets)


async def test_two_loops_that_mark_at_once_lose_no_mark() -> None:
    outbox, log = SlowOutbox(), InMemoryLog()
    outbox.write([row("a"), row("b"), row("c")])
    relay = relay_of(outbox, log)
    await relay._publish([row("a")])
    marking = [asyncio.create_task(relay._mark_once())]
    await until(lambda: len(outbox.asked) == 1)
    await relay._publish([row("b"), row("c")])
    marking.append(asyncio.create_task(relay._mark_once()))
    await until(lambda: len(outbox.asked) == 2)
    outbox.let.set()
    await asyncio.gather(*marking)
    assert outbox.asked == [{"a"}, {"b", "c"}]
    assert outbox.published == {"a", "b", "c"}


async def test_a_mark_that_failed_is_made_again_and_its_row_is_not_swept_meanwhile() -> None:
    outbox, log = SlowOutbox(away=True), InMemoryLog()
    outbox.write([row("a")])
    outbox.now = UNPUBLISHED_SECONDS + 1
    outbox.let.set()
    relay = relay_of(outbox, log)
    await relay._publish([row("a")])
    with pytest.raises(StoreUnavailable):
        await relay._mark_once()
    await relay._sweep_once()
    outbox.away = False
    await relay._mark_once()
    assert values(log) == [b"a"]
    assert outbox.published == {"a"}


async def test_what_waits_for_kafka_is_known_while_it_is_away() -> None:
    outbox, log = written([row("a"), row("b")]), InMemoryLog(away=True)
    outbox.now = UNPUBLISHED_SECONDS + 1
    progress = Progress("sweeper")
    relay = Relay(outbox, log, progress=progress, telemetry=Telemetry("test"))
    sweeping = asyncio.create_task(relay.sweep())
    await until(lambda: progress.waiting == 2)
    sweeping.cancel()
