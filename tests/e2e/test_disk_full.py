"""A disk that is full: a small one of its own, with the database, the log of Kafka and all logs on it."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.progress import Silent
from deploy.local.supervisor import keep_running
from tests.support.figures import figure
from tests.support.pouring import Pouring, patient_clients
from tests.support.stack import reachable_dir
from tests.support.waiting import dawdle, until
from tests.support.world import ONE_RECIPIENT, World, a_world, times_received

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
__all__ = ["patient_clients"]
DISK_MEGABYTES = 1_200
FULL_SECONDS = 20.0
NOTICED_SECONDS = 30.0
RECOVERY_SECONDS = 40.0
"""The runner waits ever longer, up to 30 s, with what ends again and again soon after its start."""
UNTIL_ALL_SECONDS = 120.0
IN_FLIGHT_MAX = 20
PIECE = bytes(64 * 1024)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own in memory; only the superuser may make one."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0711", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603 - fixed arguments
        pytest.skip("this user may not mount a file system: run it as the superuser")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607 - fixed arguments


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with reachable_dir() as folder, small_disk(folder):
        async with a_world(folder) as made:
            yield made


async def test_a_full_disk_is_said_and_loses_nothing_that_was_accepted(world: World) -> None:
    """Its runner starts again whatever ends, as `concordat up` does; nobody else touches a process."""
    runner = asyncio.create_task(keep_running(world.system, Silent()))
    try:
        async with Pouring(world).while_() as pouring:
            await fill(world)
            seconds = await pouring.recovered(seconds=UNTIL_ALL_SECONDS)
    finally:
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
    receipts = await world.told_once(pouring.accepted, seconds=UNTIL_ALL_SECONDS)
    repeats = sum(times_received(receipts).values()) - len(pouring.accepted)
    count = len(pouring.accepted)
    figure(f"disk full for {FULL_SECONDS:g} s: recovered after {seconds:.1f} s; {count} concerns, {repeats} repeats")
    assert len(times_received(receipts)) == len(set(pouring.accepted)) == count
    assert repeats <= IN_FLIGHT_MAX
    assert seconds <= RECOVERY_SECONDS


async def fill(world: World) -> None:
    """Until intake says so, and for a while after that."""
    ballast = world.system.layout.data_dir / "ballast"
    filling = asyncio.create_task(keep_full(ballast))
    try:
        await until(partial(is_refused, world), seconds=NOTICED_SECONDS, what="intake says 503")
        await dawdle(FULL_SECONDS)
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        ballast.unlink()


async def keep_full(ballast: Path) -> None:
    """Take every byte that is free or becomes free."""
    with ballast.open("ab", buffering=0) as out:
        while True:
            with contextlib.suppress(OSError):
                while out.write(PIECE):
                    pass
            await dawdle(0.02)


async def is_refused(world: World) -> bool:
    answer = await world.send_once({**ONE_RECIPIENT, "originator_ref": "the-disk-is-full", "version": 1})
    return answer.status_code == 503 and "retry-after" in answer.headers
