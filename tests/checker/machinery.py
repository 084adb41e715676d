"""What can be broken in a running system, by process id alone; its runner starts again whatever has ended.

A fault is `VERB-NAME`: `kill` is SIGKILL, `stop` the graceful end, `pause` SIGSTOP and, some seconds later, SIGCONT.
"""

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from tests.checker.model import now
from tests.support.waiting import dawdle, until

SERVICES = ("intake", "router", "notifier")
ENGINES = ("kafka", "postgres")
VERBS = ("kill", "stop", "pause")
NAMES = tuple(f"{verb}-{name}" for verb in VERBS for name in (*SERVICES, *ENGINES))
BACK_SECONDS = 120.0
LOOK_SECONDS = 0.05


class NotRunning(Exception):
    """The process that is to be broken is not there."""


@dataclass(slots=True)
class Processes:
    """The processes of a system that `concordat up` runs, from the file in which the runner notes them."""

    data_dir: Path
    urls: Mapping[str, str]
    session: aiohttp.ClientSession
    pause_seconds: float = 10.0

    async def inflict(self, name: str) -> None:
        """Break it. Raises NotRunning."""
        verb, _, label = name.partition("-")
        process = self._process(label)
        if process is None:
            raise NotRunning(f"{label} does not run any more: look into its log in {self.data_dir / 'logs'}")
        if verb == "pause":
            await self._pause(process)
            return
        # SIGINT is the fast shutdown of Postgres, and to all others the same as SIGTERM.
        process.send_signal(signal.SIGKILL if verb == "kill" else signal.SIGINT)
        gone = process.pid
        await until(lambda: self._pid(label) != gone or not _lives(process), seconds=BACK_SECONDS, what=f"{name} works")

    async def back(self, name: str) -> None:
        """Wait until a process of that name runs and all services say that they are ready."""
        label = name.partition("-")[2]
        what = f"{label} is back after {name}"
        await until(lambda: self._process(label) is not None, seconds=BACK_SECONDS, what=what, every_seconds=0.05)
        for service in (label,) if label in SERVICES else SERVICES:
            await self._until_ready(service, what)

    async def _until_ready(self, service: str, what: str) -> None:
        async def ready() -> bool:
            try:
                async with self.session.get(f"{self.urls[service]}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(ready, seconds=BACK_SECONDS, what=what, every_seconds=LOOK_SECONDS)

    async def _pause(self, process: psutil.Process) -> None:
        began = now()
        process.suspend()
        try:
            await dawdle(self.pause_seconds - (now() - began))
        finally:
            process.resume()

    def _pid(self, label: str) -> int | None:
        found = self._process(label)
        return found.pid if found else None

    def _process(self, label: str) -> psutil.Process | None:
        """Who runs under that name now; a number that was given to somebody else since is not taken for it."""
        noted = json.loads((self.data_dir / "pids.json").read_text()).get(label)
        if noted is None:
            return None
        try:
            process = psutil.Process(int(noted[0]))
            return process if process.create_time() == noted[1] and _lives(process) else None
        except psutil.NoSuchProcess:
            return None


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
