"""A child never outlives the one who started it, and ends as it was asked to."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.faults import EngineFailed
from deploy.local.process import Child, Command, run

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def _python(tmp_path: Path, code: str, *, grace_seconds: float = 10) -> Command:
    return Command("child", (sys.executable, "-c", code), tmp_path / "child.log", grace_seconds=grace_seconds)


async def _deaf(tmp_path: Path) -> Child:
    child = await Child.start(_python(tmp_path, DEAF, grace_seconds=0.3))
    while "deaf" not in child.log_tail():
        assert child.running
    return child


async def test_a_child_gives_its_exit_code(tmp_path: Path) -> None:
    child = await Child.start(_python(tmp_path, "raise SystemExit(7)"))
    assert await child.exited() == 7
    assert await child.exited() == 7
    assert not child.running


async def test_stop_ends_a_child_by_its_stop_signal(tmp_path: Path) -> None:
    child = await Child.start(_python(tmp_path, "import signal; signal.pause()"))
    assert await child.stop() == -signal.SIGTERM


async def test_a_child_that_does_not_hear_is_ended_by_force(tmp_path: Path) -> None:
    child = await _deaf(tmp_path)
    assert await child.stop() == -signal.SIGKILL


async def test_an_abandoned_child_is_ended_by_its_warden_even_when_deaf(tmp_path: Path) -> None:
    child = await _deaf(tmp_path)
    process = psutil.Process(child.pid)
    child.abandon()
    await child.exited()
    assert not process.is_running()


async def test_a_paused_child_can_still_be_stopped(tmp_path: Path) -> None:
    child = await Child.start(_python(tmp_path, "import signal; signal.pause()"))
    child.signal(signal.SIGSTOP)
    assert await child.stop() == -signal.SIGTERM


async def test_a_warden_that_ends_with_a_signal_unread_is_an_end_like_any_other(tmp_path: Path) -> None:
    child = await Child.start(_python(tmp_path, "import signal; signal.pause()"))
    warden = psutil.Process(child.pid).parent()
    assert warden
    warden.suspend()
    child.signal(signal.SIGWINCH)
    warden.kill()
    async with asyncio.timeout(10):
        assert await child.exited() == -signal.SIGKILL


async def test_a_command_that_does_not_exist_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="no-such-program"):
        await Child.start(Command("absent", ("no-such-program",), tmp_path / "absent.log"))


async def test_a_failing_command_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="the reason"):
        await run(_python(tmp_path, "raise SystemExit('the reason')"), seconds=10)
