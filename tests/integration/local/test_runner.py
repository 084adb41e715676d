"""A run that is cut off leaves nothing behind but its data."""

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local import environment
from deploy.local.faults import AlreadyRunning, PortTaken
from deploy.local.layout import Layout
from deploy.local.plan import POSTGRES
from deploy.local.ports import free_port_base
from deploy.local.system import LocalSystem

pytestmark = pytest.mark.stack
RUN_ENGINES = Path(__file__).with_name("run_engines.py")
START_SECONDS = 120


@pytest.fixture
def layout(data_dir: Path) -> Layout:
    return Layout(data_dir, free_port_base())


async def _runner(layout: Layout) -> tuple[asyncio.subprocess.Process, list[psutil.Process]]:
    arguments = (str(RUN_ENGINES), str(layout.data_dir), str(layout.port_base))
    runner = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, env=environment.python_environment()
    )
    assert runner.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        pids = json.loads(await runner.stdout.readline())
    return runner, [psutil.Process(pid) for pid in pids.values()]


async def test_after_kill_9_nothing_is_orphaned_and_the_next_start_finds_every_row(layout: Layout) -> None:
    runner, engines = await _runner(layout)
    with pytest.raises(AlreadyRunning, match=str(runner.pid)):
        async with LocalSystem(layout):
            pass
    system = LocalSystem(layout)
    connection = await asyncpg.connect(_superuser_url(system))
    await connection.execute("CREATE TABLE intake.kept AS SELECT 'told' AS word")
    runner.send_signal(signal.SIGKILL)
    await runner.wait()
    async with system:
        assert not any(engine.is_running() for engine in engines)
        await system.start_engines()
        connection = await asyncpg.connect(system.database.superuser_url)
        assert await connection.fetchval("SELECT word FROM intake.kept") == "told"
        await connection.close()


async def test_when_the_wardens_are_killed_too_the_next_start_still_works(layout: Layout) -> None:
    runner, engines = await _runner(layout)
    wardens = psutil.Process(runner.pid).children()
    for process in (psutil.Process(runner.pid), *wardens):
        process.kill()
    await runner.wait()
    assert len(wardens) == len(engines)
    async with LocalSystem(layout) as system:
        assert not any(engine.is_running() for engine in engines)
        await system.start_engines()
        assert set(system.pids) == {"postgres", "kafka"}


async def test_a_taken_port_is_named_with_its_holder_and_the_way_out(layout: Layout) -> None:
    with socket.create_server((layout.host, layout.port(POSTGRES))):
        async with LocalSystem(layout) as system:
            with pytest.raises(
                PortTaken, match=rf"port {layout.port(POSTGRES)} for postgres .*{psutil.Process().pid}"
            ) as taken:
                await system.start_engines()
    assert "--port-base" in taken.value.remedy


async def test_engines_come_back_after_kill_9_with_what_they_held(layout: Layout) -> None:
    async with LocalSystem(layout) as system:
        await system.start_engines()
        before = system.pids
        for engine in before:
            await system.kill(engine)
        assert system.pids == {}
        for engine in before:
            await system.restart(engine)
        assert set(system.pids) == set(before)
        assert not set(system.pids.values()) & set(before.values())


def _superuser_url(system: LocalSystem) -> str:
    password = system.keyring.passwords()["postgres"]
    return f"postgresql://postgres:{password}@{system.layout.host}:{system.layout.port(POSTGRES)}/concordat"
