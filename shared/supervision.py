"""Every loop is supervised: it reports progress, pauses grow, and a loop that dies ends the process."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from shared.faults import Transient, fault_name
from shared.telemetry import Telemetry

Loop = Callable[[], Awaitable[None]]
PAUSE_SECONDS_MIN = 0.1
PAUSE_SECONDS_MAX = 2.0
WATCH_SECONDS = 5.0
DEAD_SECONDS = 90.0


@dataclass(slots=True)
class Progress:
    """Whether a loop is alive, how much waits for it, and when it last got on. Monotonic seconds.

    `essential`: without this loop the service cannot do what it accepts; one that is not only lags behind.
    """

    name: str
    essential: bool = True
    waiting: int = 0
    moved_at: float = field(default_factory=time.monotonic)
    alive_at: float = field(default_factory=time.monotonic)

    def made(self, *, waiting: int) -> None:
        """Say that the loop got on (or had nothing to do) and how much still waits."""
        self.beat(waiting=waiting)
        self.moved_at = self.alive_at

    def beat(self, *, waiting: int | None = None) -> None:
        """Say that the loop is alive, without having got on; without `waiting` as much waits as was last known."""
        self.waiting = self.waiting if waiting is None else waiting
        self.alive_at = time.monotonic()

    def failed(self) -> None:
        """Say that the loop is alive and could not do its work: that work waits, be it only the look at what waits."""
        self.beat(waiting=max(self.waiting, 1))

    def stalled(self, *, after_seconds: float) -> bool:
        """Whether work has waited that long without anything moving, or the loop is dead."""
        return self.dead(after_seconds=after_seconds) or (
            self.waiting > 0 and time.monotonic() - self.moved_at > after_seconds
        )

    def dead(self, *, after_seconds: float) -> bool:
        """Whether the loop has said nothing for that long."""
        return time.monotonic() - self.alive_at > after_seconds


@dataclass(slots=True)
class Health:
    """What `/readyz` asks: the progress of each loop, and whether the service is on its way out.

    A stalled essential loop makes the service not ready; any other that stalls is named as degraded and no more:
    a service that accepts work goes on accepting while only Kafka is away.
    """

    stall_seconds: float
    dead_seconds: float = DEAD_SECONDS
    loops: dict[str, Progress] = field(default_factory=dict)
    stopping: bool = False

    def watch(self, name: str, *, essential: bool = True) -> Progress:
        """Add a loop to what is watched."""
        self.loops[name] = Progress(name, essential=essential)
        return self.loops[name]

    def faults(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        return (["the service is stopping"] if self.stopping else []) + self._stalled(essential=True)

    def degraded(self) -> list[str]:
        """What lags without progress while the service is ready all the same."""
        return self._stalled(essential=False)

    def _stalled(self, *, essential: bool) -> list[str]:
        stalled = (p for p in self.loops.values() if p.stalled(after_seconds=self.stall_seconds))
        words = f"no progress for more than {self.stall_seconds:.0f} s"
        return [f"{p.name}: {words}" for p in stalled if p.essential is essential]

    async def watchdog(self) -> None:
        """Return as soon as a loop has said nothing for too long: the supervisor then ends the process.

        Silence counts from here on: until the loops run there is nothing that they could say.
        """
        for progress in self.loops.values():
            progress.made(waiting=progress.waiting)
        while not self.silent():  # noqa: ASYNC110 - silence is no event
            await asyncio.sleep(min(WATCH_SECONDS, self.dead_seconds))

    def silent(self) -> list[str]:
        """The loops that have said nothing for too long."""
        return [p.name for p in self.loops.values() if p.dead(after_seconds=self.dead_seconds)]


class Pause:
    """A pause that grows with each failure and says so once: at the first failure, and when it is over."""

    def __init__(self, name: str, telemetry: Telemetry) -> None:
        self._name = name
        self._telemetry = telemetry
        self._seconds = 0.0

    async def after(self, fault: Exception) -> None:
        """Wait after a failure, longer each time."""
        if not self._seconds:
            self._telemetry.line("loop.paused", loop=self._name, fault=fault_name(fault))
        self._seconds = min(max(self._seconds * 2, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX)
        await asyncio.sleep(self._seconds)

    def over(self) -> None:
        """Say that it works again."""
        if self._seconds:
            self._telemetry.line("loop.resumed", loop=self._name)
        self._seconds = 0.0


async def repeat(step: Callable[[], Awaitable[float]], *, pause: Pause, progress: Progress | None = None) -> None:
    """Do `step` for ever; it says after how many seconds to do it again. Transient faults only make it wait.

    `step` itself says that it got on; a step that failed is work that waits.
    """
    alive = progress or Progress("")
    while True:
        try:
            wait_seconds = await step()
        except Transient as fault:
            alive.failed()
            await pause.after(fault)
            continue
        pause.over()
        await asyncio.sleep(wait_seconds)


async def supervise(loops: Mapping[str, Loop], *, serve: Loop, health: Health, telemetry: Telemetry) -> None:
    """Run the loops beside `serve` until a signal or until `serve` ends.

    A loop that ends, dies or says nothing any more is a bug: it is said, and the process ends with it (the
    orchestrator starts it anew).
    """
    running = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stop.set)
    watched = {**loops, "watchdog": health.watchdog}
    tasks: set[asyncio.Task[None]] = {
        asyncio.create_task(_as_coroutine(loop), name=name) for name, loop in watched.items()
    }
    server = asyncio.create_task(_as_coroutine(serve), name="http")
    stopper = asyncio.create_task(_until(stop), name="stop")
    done, _ = await asyncio.wait({*tasks, server, stopper}, return_when=asyncio.FIRST_COMPLETED)
    health.stopping = True
    died = [task for task in done if task is not stopper]
    _say_what_died(died, health, telemetry)
    await _end(tasks, server, died=died)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _as_coroutine(loop: Loop) -> None:
    await loop()


def _say_what_died(died: list["asyncio.Task[None]"], health: Health, telemetry: Telemetry) -> None:
    for task in died:
        fault = task.exception()
        telemetry.alarm("loop-died", loop=task.get_name(), fault=fault and fault_name(fault), silent=health.silent())


async def _end(
    tasks: set["asyncio.Task[None]"], server: "asyncio.Task[None]", *, died: list["asyncio.Task[None]"]
) -> None:
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if died:
        raise SystemExit(1)
