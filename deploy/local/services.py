"""The services of a local system as processes: any number of instances of each, started and ended at will."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from deploy.local import plan
from deploy.local.faults import EngineFailed, ServiceFailed
from deploy.local.layout import Layout
from deploy.local.orphans import PidFile
from deploy.local.process import Child, Command
from deploy.local.readyz import answers_ready
from deploy.local.waiting import until
from deploy.local.wiring import Wiring

READY_SECONDS = 60
GRACE_SECONDS = 35
"""Requests under way (8 s), then deliveries under way (an attempt of 20 s), end within it."""


Program = Callable[[plan.ServicePlan], tuple[str, ...]]


def python_module(service: plan.ServicePlan) -> tuple[str, ...]:
    """How a service is started."""
    return sys.executable, "-m", service.module


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service; the first is labelled like the service, further ones `router-2`, `router-3`."""

    service: str
    number: int = 1

    @classmethod
    def parse(cls, label: str) -> "Instance":
        """Read a label."""
        service, _, number = label.partition("-")
        return cls(service, int(number or 1))

    @property
    def label(self) -> str:
        """How it is named in logs and in calls."""
        return self.service if self.number == 1 else f"{self.service}-{self.number}"


class Services:
    """The service processes, by label."""

    def __init__(
        self,
        wiring: Wiring,
        pids: PidFile,
        *,
        held_fds: tuple[int, ...] = (),
        program: Program = python_module,
    ) -> None:
        self._wiring = wiring
        self._pids = pids
        self._program = program
        self._held_fds = held_fds
        self._children: dict[str, Child] = {}

    @property
    def layout(self) -> Layout:
        """Where the services answer and log."""
        return self._wiring.layout

    @property
    def labels(self) -> tuple[str, ...]:
        """All that were started, in order."""
        return tuple(self._children)

    def child(self, label: str) -> Child:
        """The process of that label. Raises EngineFailed when it was never started."""
        if label not in self._children:
            raise EngineFailed(f"{label} was not started", "Start it first.")
        return self._children[label]

    async def spawn(self, label: str, extra_env: Mapping[str, str] | None = None) -> Child:
        """Start a process without waiting for it to become ready."""
        instance = Instance.parse(label)
        service = plan.service(instance.service)
        command = Command(
            name=label,
            argv=self._program(service),
            log=self.layout.log(label),
            env=self._wiring.environment(service, instance.number, extra_env or {}),
            grace_seconds=GRACE_SECONDS,
        )
        child = self._children[label] = await Child.start(command, held_fds=self._held_fds)
        self._pids.note(label, child.pid)
        return child

    async def start(self, label: str, extra_env: Mapping[str, str] | None = None) -> None:
        """Start a process and wait until it is ready. Raises ServiceFailed when it ends or takes too long."""
        await self.spawn(label, extra_env)
        await self.until_ready(label)

    async def until_ready(self, label: str) -> None:
        """Wait until the process says by `/readyz` that it is ready."""
        child = self.child(label)
        try:
            await until(partial(self._ready, child), seconds=READY_SECONDS)
        except TimeoutError:
            raise _failed(child, f"was not ready within {READY_SECONDS} s") from None

    async def restart(self, label: str, extra_env: Mapping[str, str] | None = None) -> None:
        """End a process if it still runs, and start it with its plain settings and `extra_env`."""
        await self.child(label).stop()
        await self.start(label, extra_env)

    async def stop_all(self) -> None:
        """End all of them, gracefully and at the same time."""
        await asyncio.gather(*(child.stop() for child in self._children.values() if child.running))

    def signal_all(self, number: signal.Signals) -> None:
        """Send every process a signal."""
        for child in self._children.values():
            child.signal(number)

    async def _ready(self, child: Child) -> bool:
        if not child.running:
            raise _failed(child, f"ended with {await child.exited()}")
        instance = Instance.parse(child.command.name)
        return await answers_ready(self.layout.url(instance.service, instance.number))


def _failed(child: Child, what: str) -> ServiceFailed:
    return ServiceFailed(f"{child.command.name} {what}:\n{child.log_tail()}", f"See {child.command.log}.")
