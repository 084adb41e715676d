"""One suite for the in-memory outbox and the real one."""

from collections.abc import AsyncIterator, Sequence
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
    async def close(self, names: Sequence[str]) -> None: ...
    async def pass_time(self, seconds: float) -> None: ...
    async def mark_published(self, event_ids: Sequence[str]) -> None: ...
    async def lost(self, count_max: int = 100) -> list[str]: ...


@dataclass
class Fake:
    outbox: InMemoryOutbox

    async def write(self, rows: Sequence[OutboxRow]) -> None:
        self.outbox.write(rows)

    async def close(self, names: Sequence[str]) -> None:
        self.outbox.close(names)

    async def pass_time(self, seconds: float) -> None:
        self.outbox.now += seconds

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        await self.outbox.mark_published(event_ids)

    async def lost(self, count_max: int = 100) -> list[str]:
        rows = await self.outbox.lost(unpublished_seconds=3, open_seconds=30, row_count_max=count_max)
        return [row.event_id for row in rows]


@dataclass
class Real:
    plumbing: Plumbing

    async def write(self, rows: Sequence[OutboxRow]) -> None:
        async with transaction(self.plumbing.engine) as connection:
            await self.plumbing.outbox.add(connection, rows)

    async def close(self, names: Sequence[str]) -> None:
        async with transaction(self.plumbing.engine) as connection:
            await self.plumbing.outbox.close(connection, names)

    async def pass_time(self, seconds: float) -> None:
        older = text(
            "UPDATE intake.outbox SET created_at = created_at - make_interval(secs => :seconds), "
            "published_at = published_at - make_interval(secs => :seconds)"
        )
        async with transaction(self.plumbing.engine) as connection:
            await connection.execute(older, {"seconds": seconds})

    async def mark_published(self, event_ids: Sequence[str]) -> None:
        await self.plumbing.outbox.mark_published(event_ids)

    async def lost(self, count_max: int = 100) -> list[str]:
        rows = await self.plumbing.outbox.lost(unpublished_seconds=3, open_seconds=30, row_count_max=count_max)
        return [row.event_id for row in rows]


@pytest.fixture(params=["in-memory", pytest.param("postgres", marks=pytest.mark.stack)])
def postgres(request: pytest.FixtureRequest) -> TestPostgres | None:
    """The real Postgres, or None; asked for outside any event loop, as a session's fixture must be."""
    return None if request.param == "in-memory" else request.getfixturevalue("postgres_engine")


@pytest.fixture
async def store(postgres: TestPostgres | None) -> AsyncIterator[Store]:
    if postgres is None:
        yield Fake(InMemoryOutbox())
        return
    async with plumbing_of(await postgres.fresh_database()) as plumbing:
        yield Real(plumbing)


def row(name: str, closes_with: str | None = None, value: bytes = b"\x00\xff") -> OutboxRow:
    return OutboxRow(name, "concordat.concerns.v1", 3, "key", value, closes_with)


async def test_a_fresh_row_is_left_to_the_relay_and_an_old_unpublished_one_is_lost(store: Store) -> None:
    await store.write([row("a")])
    assert await store.lost() == []
    await store.pass_time(4)
    assert await store.lost() == ["a"]


async def test_a_published_row_that_closes_with_nothing_is_done(store: Store) -> None:
    await store.write([row("a")])
    await store.mark_published(["a"])
    await store.pass_time(1000)
    assert await store.lost() == []


async def test_a_published_row_stays_open_until_it_is_closed(store: Store) -> None:
    await store.write([row("a", "x"), row("b", "y")])
    await store.mark_published(["a", "b"])
    await store.pass_time(31)
    await store.close(["y"])
    assert await store.lost() == ["a"]


async def test_the_same_row_again_changes_nothing(store: Store) -> None:
    await store.write([row("a")])
    await store.mark_published(["a"])
    await store.write([row("a", value=b"other")])
    await store.pass_time(1000)
    assert await store.lost() == []


async def test_what_was_written_at_once_is_found_in_its_order_and_what_came_first_before_it(store: Store) -> None:
    older, newer = ["zz", "m", "a", "z", "b"], ["c", "0", "y"]
    await store.write([row(name) for name in older])
    await store.pass_time(1)
    await store.write([row(name) for name in newer])
    await store.pass_time(4)
    assert await store.lost() == older + newer
    await store.mark_published(["m"])
    assert await store.lost(count_max=3) == ["zz", "a", "z"]


async def test_no_more_rows_are_found_than_were_asked_for(store: Store) -> None:
    await store.write([row(str(n)) for n in range(5)])
    await store.pass_time(4)
    assert len(await store.lost(count_max=3)) == 3
