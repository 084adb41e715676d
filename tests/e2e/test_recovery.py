"""Parts that go and come back under load: nothing is lost, and ten seconds after the return everything has arrived.

Each test says its figure: the seconds from the moment at which the part answers again until all that had been accepted
before, and one concern more, had been received. Nobody restarts a process meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

import asyncpg
import pytest
import pytest_asyncio

from tests.support.figures import figure
from tests.support.pouring import PER_SECOND, Pouring, patient_clients
from tests.support.stack import reachable_dir
from tests.support.waiting import dawdle, until
from tests.support.world import ONE_RECIPIENT, World, a_world, times_received

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
AWAY_SECONDS = 60.0
SHORTLY_SECONDS = 12.0
RECOVERY_SECONDS = 10.0
IN_FLIGHT_MAX = 8
UNTIL_ALL_SECONDS = 120.0
Fault = Callable[[World], Awaitable[None]]


__all__ = ["patient_clients"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with reachable_dir() as folder:
        async with a_world(folder) as made:
            yield made


async def stop_kafka(world: World) -> None:
    await world.system.kafka.stop()
    await world.system.kafka.start()


async def kill_kafka(world: World) -> None:
    await world.system.kafka.kill()
    await world.system.kafka.start()


async def freeze_kafka(world: World) -> None:
    world.system.pause("kafka")
    await dawdle(AWAY_SECONDS)
    world.system.resume("kafka")


async def take_kafka_away(world: World) -> None:
    await world.system.kafka.stop()
    await dawdle(AWAY_SECONDS)
    await world.system.kafka.start()


async def restart_postgres(world: World) -> None:
    await world.system.restart("postgres")


async def kill_postgres(world: World) -> None:
    await world.system.kill("postgres")
    await world.system.restart("postgres")


async def freeze_postgres(world: World) -> None:
    """As a link that takes everything and answers nothing."""
    pids = [int(row["pid"]) for row in await ask(world, SESSIONS)]
    async with AsyncExitStack() as thaw:
        for pid in pids:
            stop, go = (["kill", f"-{name}", str(pid)] for name in ("STOP", "CONT"))
            thaw.push_async_callback(run, go)
            await run(stop)
        await dawdle(SHORTLY_SECONDS)


async def end_sessions_at_random(world: World) -> None:
    for _ in range(int(SHORTLY_SECONDS)):
        await ask(world, f"SELECT pg_terminate_backend(pid) FROM ({SESSIONS} ORDER BY random() LIMIT 3) s")
        await dawdle(1.0)


async def lock_the_ledger(world: World) -> None:
    connection = await asyncpg.connect(world.system.database.superuser_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE notifier.notices IN ACCESS EXCLUSIVE MODE")
        await dawdle(SHORTLY_SECONDS)
    await connection.close()


async def make_postgres_read_only(world: World) -> None:
    """Nothing is accepted that cannot be stored."""
    await ask(world, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    stored = await stored_concerns(world)
    await dawdle(SHORTLY_SECONDS / 2)
    assert await stored_concerns(world) == stored
    write = "SET default_transaction_read_only = off"
    await ask(world, write, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")


async def let_nobody_in(world: World) -> None:
    """Intake has lost its sessions and gets no new ones."""
    await ask(world, "ALTER ROLE intake_service CONNECTION LIMIT 0", f"{ENDED} WHERE usename = 'intake_service'")
    await until(partial(is_refused, world), seconds=RECOVERY_SECONDS, what="intake says 503 and when to come again")
    await dawdle(SHORTLY_SECONDS / 2)
    await ask(world, "ALTER ROLE intake_service CONNECTION LIMIT -1")


SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename LIKE '%_service'"
ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
# What may arrive twice: what was under way when its outcome could not be written down.
FAULTS: Sequence[tuple[Fault, int]] = (
    (stop_kafka, 0),
    (kill_kafka, 0),
    (take_kafka_away, 0),
    (freeze_kafka, 0),
    (restart_postgres, IN_FLIGHT_MAX),
    (kill_postgres, IN_FLIGHT_MAX),
    (freeze_postgres, PER_SECOND),
    (end_sessions_at_random, IN_FLIGHT_MAX),
    (lock_the_ledger, IN_FLIGHT_MAX),
    (make_postgres_read_only, IN_FLIGHT_MAX),
    (let_nobody_in, 0),
)


@pytest.mark.parametrize(("fault", "repeats_max"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
async def test_what_was_accepted_arrives_within_ten_seconds_of_the_return(
    world: World, fault: Fault, repeats_max: int
) -> None:
    async with Pouring(world).while_() as pouring:
        await fault(world)
        seconds = await pouring.recovered(seconds=UNTIL_ALL_SECONDS)
    receipts = await world.told_once(pouring.accepted, seconds=UNTIL_ALL_SECONDS)
    repeats = sum(times_received(receipts).values()) - len(pouring.accepted)
    figure(f"{fault.__name__}: recovered after {seconds:.1f} s; {len(pouring.accepted)} concerns, {repeats} repeats")
    assert len(times_received(receipts)) == len(set(pouring.accepted)) == len(pouring.accepted)
    assert repeats <= repeats_max
    assert seconds <= RECOVERY_SECONDS


async def stored_concerns(world: World) -> int:
    return int((await ask(world, "SELECT count(*) FROM intake.concerns"))[0][0])


async def is_refused(world: World) -> bool:
    answer = await world.send_once({**ONE_RECIPIENT, "originator_ref": "nobody-is-let-in", "version": 1})
    return answer.status_code == 503 and "retry-after" in answer.headers


async def ask(world: World, *statements: str) -> list[asyncpg.Record]:
    """As superuser, on a session of its own; gives what the last statement found."""
    connection = await asyncpg.connect(world.system.database.superuser_url)
    try:
        return [await connection.fetch(statement) for statement in statements][-1]
    finally:
        await connection.close()


async def run(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    await process.wait()
