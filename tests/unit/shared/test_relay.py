import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared.db.outbox import OutboxRow
from shared.relay import OPEN_SECONDS, SWEEP_MAX, UNPUBLISHED_SECONDS, Relay
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
    tasks = [asyncio.create_task(loop()) for loop in (relay.run, relay.mark)]
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
        await until(lambda: set(outbox.published_at) == {"a", "b"})
    assert values(log) == [b"a", b"b"]


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
    await outbox.mark_published(["a"])
    outbox.now = OPEN_SECONDS + 1
    await sweep_once(outbox, log)
    assert values(log) == [b"a"]


async def test_a_row_that_the_next_service_confirmed_is_never_published_again() -> None:
    outbox, log = written([row("a", closes_with="con_1/1")]), InMemoryLog()
    await outbox.mark_published(["a"])
    outbox.close(["con_1/1"])
    outbox.now = OPEN_SECONDS * 100
    await sweep_once(outbox, log)
    assert values(log) == []


async def test_nothing_is_lost_while_kafka_is_away() -> None:
    outbox, log = written([row("a")]), InMemoryLog(away=True)
    relay = relay_of(outbox, log)
    async with running(relay):
        relay.offer([row("a")])
        await until(lambda: not relay._offered)
    assert outbox.published_at == {}
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
