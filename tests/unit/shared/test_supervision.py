import asyncio
import os
import signal

import pytest

from shared.failpoints import FailPoints
from shared.faults import StoreUnavailable
from shared.supervision import DEAD_SECONDS, Health, Pause, repeat, supervise
from shared.telemetry import Telemetry


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_loop_that_dies_ends_the_process_and_is_said(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    async def dies() -> None:
        raise RuntimeError("broken")

    health = Health(30)
    with pytest.raises(SystemExit):
        await supervise({"dies": dies}, serve=_for_ever, health=health, telemetry=Telemetry("test"))
    assert b'"alarm":"loop-died"' in capfdbinary.readouterr().out


async def test_a_signal_ends_all_loops_and_readiness_goes_first() -> None:
    health = Health(30)
    ended: list[list[str]] = []

    async def loop() -> None:
        try:
            await _for_ever()
        finally:
            ended.append(health.faults())

    running = asyncio.create_task(
        supervise({"a": loop, "b": loop}, serve=loop, health=health, telemetry=Telemetry("test"))
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert ended == [["the service is stopping"]] * 3


async def test_a_transient_fault_makes_a_step_wait_and_anything_else_ends_it() -> None:
    faults: list[Exception] = [StoreUnavailable("away"), ValueError("a bug")]

    async def step() -> float:
        raise faults.pop(0)

    with pytest.raises(ValueError, match="a bug"):
        await repeat(step, pause=Pause("step", Telemetry("test")))
    assert faults == []


def test_work_that_waits_without_progress_makes_the_service_not_ready() -> None:
    health = Health(30)
    progress = health.watch("consumer")
    assert health.faults() == []
    progress.moved_at -= 31
    progress.beat(waiting=0)
    assert health.faults() == []
    progress.beat(waiting=1)
    assert health.faults() == ["consumer: no progress for more than 30 s"]
    progress.made(waiting=1)
    assert health.faults() == []


async def test_a_loop_that_says_nothing_ends_the_watch() -> None:
    health = Health(30)
    health.watch("consumer").alive_at -= DEAD_SECONDS + 1
    assert health.faults() == ["consumer: no progress for more than 30 s"]
    async with asyncio.timeout(1):
        await health.watchdog()


def test_a_fail_point_that_is_not_armed_does_nothing() -> None:
    points = FailPoints.parse("")
    points.hit("anything")
    assert points.reached == 0


def test_a_fail_point_knows_only_the_action_kill() -> None:
    with pytest.raises(ValueError, match="not known"):
        FailPoints.parse("here:explode:1:/dev/null")
