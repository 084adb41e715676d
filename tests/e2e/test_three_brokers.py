"""Three brokers, of which one is lost under load: the others take over, and nobody restarts a service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaEngine
from deploy.local.system import External
from tests.support.brokers import addresses, three_brokers
from tests.support.figures import figure
from tests.support.pouring import Pouring, patient_clients
from tests.support.stack import reachable_dir
from tests.support.waiting import dawdle
from tests.support.world import World, a_world, times_received

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]
AWAY_SECONDS = 45.0
RECOVERY_SECONDS = 10.0
UNTIL_ALL_SECONDS = 120.0
__all__ = ["patient_clients"]
Running = tuple[World, list[KafkaEngine]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    brokers_dir: Path = tmp_path_factory.mktemp("brokers")
    async with three_brokers(brokers_dir) as brokers:
        with reachable_dir() as folder:
            async with a_world(folder, external=External(kafka=addresses(brokers))) as world:
                yield world, list(brokers)


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_broker_of_three_that_is_lost_for_longer_than_a_request_may_take_stops_nothing(
    running: Running, number: int
) -> None:
    """Each in its turn, so that the leader of everything, and the coordinator of every group, is among them."""
    world, brokers = running
    async with Pouring(world).while_() as pouring:
        await brokers[number].kill()
        without = await pouring.recovered(seconds=UNTIL_ALL_SECONDS)
        late = await later(pouring)
        await brokers[number].start()
        again = await pouring.recovered(seconds=UNTIL_ALL_SECONDS)
    receipts = await world.told_once(pouring.accepted, seconds=UNTIL_ALL_SECONDS)
    repeats = sum(times_received(receipts).values()) - len(pouring.accepted)
    figure(
        f"one of three killed: all had arrived {without:.1f} s later, {late:.1f} s later after {AWAY_SECONDS:g} s,"
        f" {again:.1f} s later when it was back; {len(pouring.accepted)} concerns, {repeats} repeats"
    )
    assert len(times_received(receipts)) == len(set(pouring.accepted)) == len(pouring.accepted)
    assert repeats == 0
    assert max(without, late, again) <= RECOVERY_SECONDS


async def later(pouring: Pouring) -> float:
    """The same, when it has been away for longer than any request may take."""
    await dawdle(AWAY_SECONDS)
    return await pouring.recovered(seconds=UNTIL_ALL_SECONDS)
