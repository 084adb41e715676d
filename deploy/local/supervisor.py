"""Starts again what has ended: every process of a system is watched, none dies quietly."""

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import Protocol

from deploy.local.faults import RunnerFault
from deploy.local.progress import Progress

PAUSE_SECONDS_MIN = 0.5
PAUSE_SECONDS_MAX = 30.0
STEADY_SECONDS = 10.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TOLD_TO_END = frozenset({0, -signal.SIGKILL, *(-number for number in _ENDING), *(128 + number for number in _ENDING)})
"""Exit codes of who was ended by another. A signal of its own making (SIGSEGV, SIGABRT) is a fault of its own."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is over: its exit code, and for how many seconds it had been ready, or given up waiting for."""

    code: int
    ready: bool
    seconds: float

    @property
    def failed_early(self) -> bool:
        """Whether it would probably fail again at once: it ended by itself soon after its start, or was never ready."""
        return self.seconds < STEADY_SECONDS and not (self.ready and self.code in TOLD_TO_END)


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to wait before the next start: nothing after a run that was well, and ever longer between early ends."""

    seconds: float = 0.0

    def after(self, run: Run) -> "Pause":
        """The pause that follows a run."""
        if not run.failed_early:
            return Pause()
        return Pause(min(max(self.seconds * 2, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX))


class Restartable(Protocol):
    """What is watched: a system, or whatever else ends and can be started again."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its processes."""
        ...

    async def exited(self, label: str) -> int:
        """Wait for the end of a process; gives its exit code."""
        ...

    async def restart(self, label: str) -> None:
        """Start it anew and wait until it is ready. Raises RunnerFault when it does not become so."""
        ...


async def keep_running(system: Restartable, progress: Progress) -> None:
    """Watch every process of the system, all of them ready now, until cancelled."""
    async with asyncio.TaskGroup() as watches:
        for label in system.labels:
            watches.create_task(_watch(system, label, progress))


async def _watch(system: Restartable, label: str, progress: Progress) -> None:
    pause, ready = Pause(), True
    while True:
        since = time.monotonic()
        code = await system.exited(label)
        pause = pause.after(Run(code, ready, time.monotonic() - since))
        progress.said(f"{label} ended with {code}; starting it again in {pause.seconds:g} s.")
        await asyncio.sleep(pause.seconds)
        ready = await _restarted(system, label, progress)


async def _restarted(system: Restartable, label: str, progress: Progress) -> bool:
    """Whether it became ready."""
    try:
        await system.restart(label)
    except RunnerFault as fault:
        progress.said(str(fault))
        return False
    return True
