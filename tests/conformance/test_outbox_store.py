"""One suite for the in-memory outbox and the real one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pytest
from sqlalchemy import text

from shared.db.engine import transaction
from shared.db.outbox import OutboxRow
from tests.support.plumbing import Plumbing, plumbing_of
from tests.support.plumbing_fakes import InMemoryOutbox
from tests.support.stack import TestPostgres


class Store(Protocol):
    async def write(self, rows: Sequence[OutboxRow]) -> None: ...
    async def add_again(self, names: Sequence[str]) -> Sequence[OutboxRow]: ...
    async def close(self, names: Sequence[str]) -> None: ...
    async def pass_time(self, seconds: float) -> None: ...
    async def mark_published(self, offsets: Mapping[str, int]) -> None: ...
    async def heights(self) -> Mapping[tuple[str, int], int]: ...
    async def reopen(self, topic: str) -> int: ...
    async def prune(self, count_max: int = 100) -> int: ...
    async def lost(self, count_max: int = 100) -> list[str]: ...


@dataclass
class Fake:
    outbox: InMemoryOutbox

    async def write(self, rows: Sequence[OutboxRow]) -> None:
        self.outbox.write(rows)

    async def add_again(self, names: Sequence[str]) -> Sequence[OutboxRow]:
        return self.outbox.add_again(names)

    async def close(self, names: Sequence[str]) -> None:
        self.outbox.close(names)

    async def pass_time(self, seconds: float) -> None:
        self.outbox.now += seconds

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        await self.outbox.mark_published(offsets)

    async def lost(self, count_max: int = 100) -> list[str]:
        rows = await self.outbox.lost(unpublished_seconds=3, row_count_max=count_max)
        return [row.event_id for row in rows]

    async def heights(self) -> Mapping[tuple[str, int], int]:
        return await self.outbox.heights()

    async def reopen(self, topic: str) -> int:
        return sum([count async for count in self.outbox.reopen(topic)])

    async def prune(self, count_max: int = 100) -> int:
        return await self.outbox.prune(row_count_max=count_max)


@dataclass
class Real:
    plumbing: Plumbing

    async def write(self, rows: Sequence[OutboxRow]) -> None:
        async with transaction(self.plumbing.engine) as connection:
            await self.plumbing.outbox.add(connection, rows)

    async def add_again(self, names: Sequence[str]) -> Sequence[OutboxRow]:
        async with transaction(self.plumbing.engine) as connection:
            return await self.plumbing.outbox.add_again(connection, names)

    async def close(self, names: Sequence[str]) -> None:
        async with transaction(self.plumbing.engine) as connection:
            await self.plumbing.outbox.close(connection, names)

    async def pass_time(self, seconds: float) -> None:
        moments = {"outbox": "created_at", "outbox_unpublished": "created_at", "outbox_open": "again_at"}
        async with self.plumbing.owner.begin() as connection:
            for table, moment in moments.items():
                older = f"UPDATE intake.{table} SET {moment} = {moment} - make_interval(secs => :seconds)"
                await connection.execute(text(older), {"seconds": seconds})

    async def mark_published(self, offsets: Mapping[str, int]) -> None:
        await self.plumbing.outbox.mark_published(offsets)

    async def lost(self, count_max: int = 100) -> list[str]:
        rows = await self.plumbing.outbox.lost(unpublished_seconds=3, row_count_max=count_max)
        return [row.event_id for row in rows]

    async def heights(self) -> Mapping[tuple[str, int], int]:
        return await self.plumbing.outbox.heights()

    async def reopen(self, topic: str) -> int:
        return sum([count async for count in self.plumbing.outbox.reopen(topic)])

    async def prune(self, count_max: int = 100) -> int:
        return await self.plumbing.outbox.prune(row_count_max=count_max)


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    if postgres is None:
        yield Fake(InMemoryOutbox())
        return
    async with plumbing_of(await postgres.fresh_database()) as plumbing:
        yield Real(plumbing)


DAY = 86_400
TOPIC = "concordat.concerns.v1"


def row(name: str, closes_with: str | None = None, value: bytes = b"\x00\xff") -> OutboxRow:
    return OutboxRow(name, TOPIC, 3, "key", value, closes_with)


async def test_a_fresh_row_is_left_to_the_relay_and_an_old_unpublished_one_is_lost(store: Store) -> None:
    await store.write([row("a")])
    assert await store.lost() == []
    await store.pass_time(4)
    assert await store.lost() == ["a"]


async def test_a_published_row_that_closes_with_nothing_is_done(store: Store) -> None:
    await store.write([row("a")])
    await store.mark_published({"a": 0})
    await store.pass_time(1000)
    assert await store.lost() == []


async def test_a_published_row_stays_open_until_it_is_closed(store: Store) -> None:
    await store.write([row("a", "x"), row("b", "y")])
    await store.mark_published({"a": 0, "b": 1})
    await store.pass_time(31)
    await store.close(["y"])
    assert await store.lost() == ["a"]


async def test_the_same_row_again_changes_nothing(store: Store) -> None:
    await store.write([row("a")])
    await store.mark_published({"a": 0})
    await store.write([row("a", value=b"other")])
    await store.pass_time(1000)
    assert await store.lost() == []


async def test_a_row_that_is_added_again_is_published_as_it_is_and_one_that_is_not_there_is_not(store: Store) -> None:
    await store.write([row("a", "x"), row("b")])
    await store.mark_published({"a": 0, "b": 1})
    await store.close(["x"])
    await store.pass_time(4)
    assert await store.add_again(["a", "no such"]) == [row("a", "x")]
    assert await store.add_again(["a"]) == [row("a", "x")]
    assert await store.lost() == ["a"]
    await store.mark_published({"a": 2})
    await store.pass_time(1000)
    assert await store.lost() == []


async def test_what_was_written_at_once_is_found_in_its_order_and_what_came_first_before_it(store: Store) -> None:
    older, newer = ["zz", "m", "a", "z", "b"], ["c", "0", "y"]
    await store.write([row(name) for name in older])
    await store.pass_time(1)
    await store.write([row(name) for name in newer])
    await store.pass_time(4)
    assert await store.lost() == older + newer
    await store.mark_published({"m": 0})
    assert await store.lost(count_max=3) == ["zz", "a", "z"]


async def test_no_more_rows_are_found_than_were_asked_for(store: Store) -> None:
    await store.write([row(str(n)) for n in range(5)])
    await store.pass_time(4)
    assert len(await store.lost(count_max=3)) == 3


async def test_an_open_row_is_due_again_after_twice_as_long_each_time_up_to_an_hour(store: Store) -> None:
    await store.write([row("a", "x")])
    for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]:
        await store.mark_published({"a": 0})
        await store.pass_time(wait - 5)
        assert await store.lost() == []
        await store.pass_time(10)
        assert await store.lost() == ["a"]


async def test_an_open_row_that_was_published_late_waits_before_it_is_published_again(store: Store) -> None:
    await store.write([row("a", "x")])
    await store.pass_time(40)
    assert await store.lost() == ["a"]
    await store.mark_published({"a": 0})
    await store.pass_time(55)
    assert await store.lost() == []
    await store.pass_time(10)
    assert await store.lost() == ["a"]


async def test_the_heights_are_the_highest_offsets_of_each_partition(store: Store) -> None:
    names = ["a", "b", "c", "d"]
    other = OutboxRow("d", "concordat.audit.v1", 11, "key", b"", None)
    await store.write([row("a"), row("b"), row("c"), other])
    assert await store.heights() == {}
    await store.mark_published(dict(zip(names, [4, 9, 2, 0], strict=True)))
    assert await store.heights() == {(TOPIC, 3): 9, ("concordat.audit.v1", 11): 0}


async def test_a_topic_that_is_reopened_is_unpublished_as_far_back_as_kafka_keeps_it(store: Store) -> None:
    await store.write([row("old"), row("old and open", "x")])
    await store.pass_time(8 * DAY)
    await store.write([row("new"), row("closed", "y"), OutboxRow("z", "concordat.audit.v1", 0, "k", b"", None)])
    await store.mark_published({"old": 0, "old and open": 1, "new": 2, "closed": 3, "z": 7})
    await store.close(["y"])
    assert await store.reopen(TOPIC) == 3
    await store.pass_time(4)
    assert set(await store.lost()) == {"old and open", "new", "closed"}
    assert await store.heights() == {("concordat.audit.v1", 0): 7}
    assert await store.reopen(TOPIC) == 0


async def test_what_is_done_is_deleted_after_the_retention_and_nothing_else_is(store: Store) -> None:
    await store.write([row("done"), row("closed", "x"), row("open", "y"), row("unpublished")])
    await store.mark_published({"done": 0, "closed": 1, "open": 2})
    await store.close(["x"])
    await store.pass_time(7.5 * DAY)
    assert await store.prune() == 0
    await store.pass_time(1 * DAY)
    assert await store.prune(count_max=1) == 1
    assert await store.prune() == 1
    assert set(await store.lost()) == {"open", "unpublished"}
    await store.close(["y"])
    assert await store.prune() == 1
    assert await store.lost() == ["unpublished"]
