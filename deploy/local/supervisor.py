"""Starts again what ended by itself: every process of a system is watched, none dies quietly."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from deploy.local.faults import RunnerFault
from deploy.local.progress import Progress

PAUSE_SECONDS_MIN = 0.5
PAUSE_SECONDS_MAX = 30.0
STEADY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to wait before the next start; doubles with each early end, and starts over after a steady run."""

    seconds: float = PAUSE_SECONDS_MIN

    def after_run_of(self, seconds: float) -> "Pause":
        """The pause that follows a run of that length."""
        if seconds >= STEADY_SECONDS:
            return Pause()
        return Pause(min(self.seconds * 2, PAUSE_SECONDS_MAX))


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
        """Start it anew. Raises RunnerFault when it does not become ready."""
        ...


async def keep_running(system: Restartable, progress: Progress) -> None:
    """Watch every process of the system until cancelled."""
    async with asyncio.TaskGroup() as watches:
        for label in system.labels:
            watches.create_task(_watch(system, label, progress))


async def _watch(system: Restartable, label: str, progress: Progress) -> None:
    pause = Pause()
    while True:
        begun = time.monotonic()
        code = await system.exited(label)
        progress.said(f"{label} ended with {code}; starting it again in {pause.seconds:g} s.")
        await asyncio.sleep(pause.seconds)
        pause = pause.after_run_of(time.monotonic() - begun)
        try:
            await system.restart(label)
        except RunnerFault as fault:
            progress.said(str(fault))
