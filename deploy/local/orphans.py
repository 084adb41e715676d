"""Processes that an earlier run left behind, and whole families of processes."""

import asyncio
import contextlib
import json
import signal
from functools import partial
from pathlib import Path

import psutil

from deploy.local.files import write_private
from deploy.local.waiting import until

END_SECONDS = 10


async def kill_tree(pid: int) -> None:
    """SIGKILL a process and all its descendants; the parent is stopped first so that it can react to nothing."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        parent.suspend()
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            _kill(process)
        await until(partial(_all_gone, family), seconds=END_SECONDS)


class PidFile:
    """Who was started in a data folder, so that the next start can end what should long be gone.

    Wardens end their children when a runner dies; this is for the case that the wardens were killed as well.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, name: str, pid: int) -> None:
        """Write down a process; its start time tells it from a later one with the same number."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._write({**self._read(), name: [pid, psutil.Process(pid).create_time()]})

    def living(self) -> dict[str, psutil.Process]:
        """What still runs of what was noted, by name."""
        return {name: found for name, noted in self._read().items() if (found := _same_process(*noted))}

    async def end_all(self) -> list[str]:
        """End what still runs of what was noted; gives the names."""
        left = self.living()
        for process in left.values():
            # SIGINT: to Postgres a fast shutdown, to all others the same as SIGTERM.
            process.send_signal(signal.SIGINT)
        _, deaf = await asyncio.to_thread(psutil.wait_procs, left.values(), END_SECONDS)
        for process in deaf:
            await kill_tree(process.pid)
        self._write({})
        return sorted(left)

    def _read(self) -> dict[str, list[float]]:
        if not self._file.exists():
            return {}
        noted: dict[str, list[float]] = json.loads(self._file.read_text() or "{}")
        return noted

    def _write(self, noted: dict[str, list[float]]) -> None:
        write_private(self._file, json.dumps(noted).encode())


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


async def _all_gone(family: list[psutil.Process]) -> bool:
    return not any(map(_lives, family))


def _lives(process: psutil.Process) -> bool:
    """A zombie has let go of its memory and files: it is as good as gone."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _same_process(pid: float, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(int(pid))
    except psutil.NoSuchProcess:
        return None
    return process if process.create_time() == started else None
