"""`concordat up` and `down`: the whole system, as a person uses it."""

import asyncio
import json
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from click.testing import CliRunner

from deploy.cli.main import main
from deploy.local import environment
from deploy.local.hold import runner_of
from deploy.local.ports import free_port_base
from deploy.local.readyz import answers_ready
from deploy.local.waiting import until

pytestmark = pytest.mark.stack
END_SECONDS = 90
BACK_SECONDS = 90


def _concordat(*arguments: object) -> Any:
    told = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert told.exit_code == 0, told.output
    return told.stdout


def _pids(data_dir: Path) -> dict[str, int]:
    return {name: noted[0] for name, noted in json.loads((data_dir / "pids.json").read_text()).items()}


def _token(registry: str, client: dict[str, Any]) -> httpx.Response:
    asked = {"grant_type": "client_credentials"}
    return httpx.post(f"{registry}/oauth2/token", data=asked, auth=(client["client_id"], client["secret"]))


def test_up_starts_everything_revives_what_dies_and_down_ends_it(data_dir: Path) -> None:
    started = json.loads(
        _concordat("up", "--detach", "--json", "--data-dir", data_dir, "--port-base", free_port_base())
    )
    try:
        assert set(started["urls"]) == {"intake", "registry", "router", "notifier"}
        assert _token(started["urls"]["registry"], started["credentials"]["operator"]).status_code == 200
        before = _pids(data_dir)
        psutil.Process(before["router"]).kill()
        asyncio.run(until(partial(_has_another_pid, data_dir, before), seconds=BACK_SECONDS))
        asyncio.run(until(partial(answers_ready, started["urls"]["router"]), seconds=BACK_SECONDS))
    finally:
        _concordat("down", "--data-dir", data_dir)
    assert not any(map(psutil.pid_exists, [*before.values(), *_pids(data_dir).values(), started["pid"]]))


async def test_ctrl_c_while_starting_leaves_nothing_running(data_dir: Path) -> None:
    arguments = ("up", "--json", "--data-dir", str(data_dir), "--port-base", str(free_port_base()))
    runner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli.main", *arguments),
        stderr=asyncio.subprocess.PIPE,
        env=environment.python_environment(),
    )
    assert runner.stderr is not None
    while json.loads(await runner.stderr.readline()) != {"event": "started", "step": "Create schemas and roles"}:
        assert runner.returncode is None
    runner.send_signal(signal.SIGINT)
    async with asyncio.timeout(END_SECONDS):
        await runner.stderr.read()
        assert await runner.wait() == 130
    assert runner_of(data_dir) is None
    assert not any(map(psutil.pid_exists, _pids(data_dir).values()))


async def _has_another_pid(data_dir: Path, before: dict[str, int]) -> bool:
    return _pids(data_dir)["router"] != before["router"]
