"""A database that is set back to an older copy of itself while Kafka and the receivers are ahead of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.postgres_home import PostgresHome
from tests.support.figures import figure
from tests.support.stack import reachable_dir
from tests.support.waiting import until
from tests.support.world import World, a_world

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
COUNT = 20
RECOVERY_SECONDS = 10.0
UNTIL_ALL_SECONDS = 120.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with reachable_dir() as folder:
        async with a_world(folder) as made:
            yield made


async def test_what_was_accepted_after_the_copy_was_taken_is_read_again_from_kafka_and_none_of_it_is_lost(
    world: World, tmp_path: Path
) -> None:
    """What is known by Postgres alone is gone: intake answers 404 for it. Everybody else reads it again.

    A notice that is decided again has the id that it had, so whoever had it already knows that it is the same.
    """
    before = await world.publish(COUNT)
    await world.told_once(before)
    await in_place_of_the_database(world, take=tmp_path / "copy")
    after = await world.publish(COUNT)
    await world.told_once(after, seconds=UNTIL_ALL_SECONDS)
    await until(lambda: decided(world, after), seconds=UNTIL_ALL_SECONDS)
    await in_place_of_the_database(world, give=tmp_path / "copy")
    back_at = asyncio.get_running_loop().time()
    assert await stored(world, "intake.concerns", after) == 0, "the copy is no older than what was accepted"
    later = await world.publish(COUNT)
    await world.told_once(later, seconds=UNTIL_ALL_SECONDS)
    await until(lambda: decided(world, after), seconds=UNTIL_ALL_SECONDS)
    seconds = asyncio.get_running_loop().time() - back_at
    assert await stored(world, "intake.concerns", before + later) == 2 * COUNT
    receipts = await world.told_once([*before, *after, *later])
    times = Counter(receipt.event["subject"] for receipt in receipts)
    again = sum(times[concern_id] - 1 for concern_id in after)
    figure(
        f"Postgres set back: all goes on after {seconds:.1f} s; {COUNT} concerns gone from intake, {again} told again"
    )
    assert all(receipt.signature_ok for receipt in receipts)
    assert max(times.values()) <= 2
    assert len({receipt.event["id"] for receipt in receipts}) == 3 * COUNT, "a concern has come under two ids"
    assert all(times[concern_id] == 1 for concern_id in later)
    assert seconds <= RECOVERY_SECONDS


async def in_place_of_the_database(world: World, *, take: Path | None = None, give: Path | None = None) -> None:
    """Take a copy of the database's folder, or put one in its place, while it does not run."""
    data = PostgresHome.of(world.system.layout.data_dir).data
    await world.system.postgres.stop()
    await copied(*((data, take) if take else (give or data, data)))
    await world.system.postgres.start()


async def decided(world: World, concern_ids: list[str]) -> bool:
    return await stored(world, "router.decisions", concern_ids) == len(concern_ids)


async def copied(source: Path, target: Path) -> None:
    """With its owner and rights, in the place of whatever is there."""
    for command in (["rm", "-rf", str(target)], ["cp", "-a", str(source), str(target)]):
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0


async def stored(world: World, table: str, concern_ids: list[str]) -> int:
    connection = await asyncpg.connect(world.system.database.superuser_url)
    try:
        query = f"SELECT count(DISTINCT concern_id) FROM {table} WHERE concern_id = ANY($1)"
        return int(await connection.fetchval(query, concern_ids))
    finally:
        await connection.close()
