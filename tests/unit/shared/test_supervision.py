import asyncio
import os
import signal

import pytest

from shared.failpoints import FailPoints
from shared.faults import StoreUnavailable
from shared.supervision import Health, Pause, Progress, repeat, supervise
from shared.telemetry import Telemetry
from tests.support.waiting import until


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


async def test_a_loop_that_says_nothing_any_more_ends_the_process(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    health = Health(30, dead_seconds=0.05)
    health.watch("consumer")
    with pytest.raises(SystemExit):
        async with asyncio.timeout(5):
            await supervise({"a": _for_ever}, serve=_for_ever, health=health, telemetry=Telemetry("test"))
    written = capfdbinary.readouterr().out
    assert b'"alarm":"loop-died","loop":"watchdog"' in written
    assert b'"silent":["consumer"]' in written


async def test_silence_counts_from_when_the_loops_run() -> None:
    health = Health(30, dead_seconds=60)
    progress = health.watch("consumer")
    progress.alive_at -= 61
    watching = asyncio.create_task(health.watchdog())
    await asyncio.sleep(0)
    watching.cancel()
    assert health.silent() == []


async def test_a_step_that_keeps_failing_makes_the_service_not_ready() -> None:
    health = Health(30)
    progress = health.watch("sweeper")

    async def step() -> float:
        raise StoreUnavailable("away")

    failing = asyncio.create_task(repeat(step, pause=Pause("step", Telemetry("test")), progress=progress))
    await until(lambda: progress.waiting > 0)
    failing.cancel()
    progress.moved_at -= 31
    assert health.faults() == ["sweeper: no progress for more than 30 s"]


def test_a_failure_forgets_nothing_of_what_waits() -> None:
    progress = Progress("sweeper")
    progress.made(waiting=7)
    progress.failed()
    progress.beat()
    assert progress.waiting == 7


def test_a_loop_that_is_not_essential_only_degrades() -> None:
    health = Health(30)
    progress = health.watch("relay", essential=False)
    progress.beat(waiting=1)
    progress.moved_at -= 31
    assert health.faults() == []
    assert health.degraded() == ["relay: no progress for more than 30 s"]


async def test_the_text_of_what_died_is_not_written(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    async def dies() -> None:
        raise ValueError("9434765919")

    with pytest.raises(SystemExit):
        await supervise({"dies": dies}, serve=_for_ever, health=Health(30), telemetry=Telemetry("test"))
    written = capfdbinary.readouterr().out
    assert b'"fault":"ValueError"' in written
    assert b"9434765919" not in written


async def test_the_text_of_what_passes_is_not_written(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    await Pause("step", Telemetry("test")).after(StoreUnavailable("9434765919"))
    assert b"9434765919" not in capfdbinary.readouterr().out


def test_a_fail_point_that_is_not_armed_does_nothing() -> None:
    points = FailPoints.parse("")
    points.hit("anything")
    assert points.reached == 0


def test_a_fail_point_knows_only_the_action_kill() -> None:
    with pytest.raises(ValueError, match="not known"):
        FailPoints.parse("here:explode:1:/dev/null")
