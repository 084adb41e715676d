"""Machines whose clocks differ, and one whose clock is wrong for a while: each process has a clock of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.figures import figure
from tests.support.stack import reachable_dir
from tests.support.waiting import until
from tests.support.world import SHORT_SESSIONS, World, a_world, times_received

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
COUNT = 20
APART_SECONDS = 240
"""Just within what a receiver puts up with (Standard Webhooks: five minutes), and more than a lease."""
BACK_SECONDS = -7_200
RECOVERY_SECONDS = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the file that says by how many seconds a notifier's clock is ahead."""
    return tmp_path_factory.mktemp("clocks")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(clocks: Path) -> AsyncIterator[World]:
    with reachable_dir() as folder:
        async with a_world(folder) as made:
            setting = {"NOTIFIER_CLOCK_OFFSET_FILE": str(clocks / "notifier")}
            await made.system.restart("notifier", extra_env={**SHORT_SESSIONS, **setting})
            yield made


@pytest.mark.parametrize("ahead", [1, -1])
async def test_two_notifiers_whose_clocks_are_minutes_apart_tell_each_body_once(
    world: World, clocks: Path, ahead: int
) -> None:
    """A lease goes by the clock of the database, so neither takes the other's work for abandoned."""
    await world.system.start_service("notifier", instance=2, extra_env=SHORT_SESSIONS)
    set_clock(clocks, ahead * APART_SECONDS)
    ids = await world.publish(COUNT)
    receipts = await world.told_once(ids)
    set_clock(clocks, 0)
    await world.system.terminate("notifier-2")
    assert set(times_received(receipts).values()) == {1}
    assert all(receipt.signature_ok for receipt in receipts)


async def test_a_notifier_whose_clock_was_two_hours_slow_loses_and_doubles_nothing(world: World, clocks: Path) -> None:
    """Meanwhile it sends nothing, or what every receiver refuses as too old."""
    running = asyncio.get_running_loop()
    set_clock(clocks, BACK_SECONDS)
    ids = await world.publish(COUNT)
    await until(lambda: decided(world, ids), seconds=60, what="all are decided")
    assert not taken(world, ids)
    right_at = running.time()
    set_clock(clocks, 0)
    await world.told_once(ids)
    seconds = running.time() - right_at
    figure(f"a notifier's clock two hours slow: {COUNT} notices had arrived {seconds:.1f} s after it was right again")
    assert sorted(taken(world, ids)) == sorted(ids)
    assert seconds <= RECOVERY_SECONDS


def set_clock(clocks: Path, seconds: float) -> None:
    """Put in its place whole: a clock is read at any moment."""
    new = clocks / "new"
    new.write_text(str(seconds))
    new.replace(clocks / "notifier")


def taken(world: World, concern_ids: list[str]) -> list[str]:
    """The concerns of the notices that a receiver found genuine, one for each receipt."""
    subjects = [receipt.event["subject"] for receipt in world.farm.receipts() if receipt.signature_ok]
    return [subject for subject in subjects if subject in concern_ids]


async def decided(world: World, concern_ids: list[str]) -> bool:
    return all([await world.decision(concern_id) is not None for concern_id in concern_ids])
