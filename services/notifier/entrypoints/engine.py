"""The engine: supervised loops that lease notices, attempt them lane by lane, and write what came of it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from services.notifier.domain.model import Delivered, Leased, NoticeId, Result, Retry, Returned, Stopped, Target
from services.notifier.entrypoints.lanes import LaneBook, LaneLimits, OwnedLanes
from services.notifier.ports import Recorded
from shared.faults import Transient
from shared.supervision import Health, Loop, Pause, Progress, repeat
from shared.telemetry import Telemetry

CLAIM_SECONDS = 0.25
RENEW_SECONDS = 2.0
TARGETS_SECONDS = 1.0
END_SECONDS = 1.0
CONFIRM_SECONDS = 1.0
RESULTS_MAX = 500


@dataclass(frozen=True, slots=True)
class Flows:
    """The use cases that the engine drives, bound to their adapters."""

    claim: Callable[[Mapping[str, int], Sequence[NoticeId]], Awaitable[Sequence[Leased]]]
    attempt: Callable[[Leased, Target | None], Awaitable[Result]]
    settle: Callable[[Sequence[Result]], Awaitable[Sequence[Result]]]
    renew: Callable[[Sequence[Leased]], Awaitable[frozenset[NoticeId]]]
    end: Callable[[], Awaitable[Sequence[Result]]]
    confirm: Callable[[], Awaitable[Sequence[Recorded]]]
    targets: Callable[[], Awaitable[Sequence[Target]]]


class Wake:
    """A signal that shortens a wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def now(self) -> None:
        """End the wait under way, or the next one."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the signal, at most that long."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


class Engine:
    """Delivers what this process holds leases of, and leases what is due."""

    def __init__(
        self, flows: Flows, limits: LaneLimits, *, owned: OwnedLanes, telemetry: Telemetry, health: Health
    ) -> None:
        self._flows = flows
        self._owned = owned
        self._telemetry = telemetry
        self._health = health
        self._claim_wake = Wake()
        self._targets_wake = Wake()
        self._answered = asyncio.Event()
        self._results: list[Result] = []
        self._workers: asyncio.TaskGroup | None = None
        self._unreachable: set[str] = set()
        self.lanes = LaneBook(limits, on_work=self._start, on_surplus=self._claim_wake.now)

    def loops(self) -> Mapping[str, Loop]:
        """The loops, to be supervised; each ends only with the process."""
        return {
            "deliveries": self.deliver,
            "results": self.write_results,
            "claims": self._repeating("claims", self.claim_once),
            "leases": self._repeating("leases", self._renew_once),
            "endpoints": self._repeating("endpoints", self.refresh_once),
            "endings": self._repeating("endings", self._end_once),
            "confirmations": self._repeating("confirmations", self._confirm_once),
        }

    def endpoints_changed(self) -> None:
        """Look at the endpoints at once."""
        self._targets_wake.now()

    async def deliver(self) -> None:
        """Own the deliveries under way; a bug in one of them ends this loop, and the process with it."""
        async with asyncio.TaskGroup() as workers:
            self._workers = workers
            for recipient in {notice.subject.recipient for notice in self.lanes.held.values()}:
                self._start(recipient)
            try:
                await asyncio.Event().wait()
            finally:
                # The consumer ends its batch after us: what it still takes in is left to the lease's next holder.
                self._workers = None

    async def write_results(self) -> None:
        """Write batch after batch; what is answered during one write is the next batch."""
        progress, pause = self._health.watch("results"), Pause("results", self._telemetry)
        while True:
            await self._next_result(progress)
            while self._results:
                batch = self._results[:RESULTS_MAX]
                await self._write(batch, pause, progress)
                del self._results[: len(batch)]
                self.lanes.let_go(result.notice for result in batch)
                progress.made(waiting=len(self._results))

    async def claim_once(self) -> float:
        """Lease what is due and start it."""
        since = self.lanes.now()
        asked = self.lanes.ask(self._owned.now())
        claimed: Sequence[Leased] = ()
        try:
            claimed = await self._flows.claim(asked, list(self.lanes.held))
        finally:
            self.lanes.claimed(asked, claimed, since=since)
        await self._claim_wake.wait(CLAIM_SECONDS)
        return 0.0

    async def refresh_once(self) -> float:
        """Read the active endpoints; a new one is claimed for at once."""
        targets = {target.org: target for target in await self._flows.targets()}
        added = targets.keys() - self.lanes.targets.keys()
        self.lanes.targets = targets
        self._unreachable -= targets.keys()
        if added:
            self._claim_wake.now()
        await self._targets_wake.wait(TARGETS_SECONDS)
        return 0.0

    def _repeating(self, name: str, step: Callable[[], Awaitable[float]]) -> Loop:
        progress = self._health.watch(name)

        async def once() -> float:
            seconds = await step()
            progress.made(waiting=0)
            return seconds

        return lambda: repeat(once, pause=Pause(name, self._telemetry), progress=progress)

    def _start(self, recipient: str, *, already: int = 0) -> None:
        if self._workers is None:
            return
        for _ in range(self.lanes.lane(recipient).workers_wanted - already):
            self._workers.create_task(self._work(recipient))

    async def _work(self, recipient: str) -> None:
        """Deliver one after the other until the lane is empty or its cap is reached."""
        lane = self.lanes.lane(recipient)
        while (notice := self.lanes.start(recipient)) is not None:
            result = await self._flows.attempt(notice, self.lanes.targets.get(recipient))
            lane.answered(well=not isinstance(result.verdict, Retry))
            if isinstance(result.verdict, Retry) and result.verdict.suspends:
                self.lanes.targets.pop(recipient, None)
            self._results.append(result)
            self._answered.set()
            self._start(recipient, already=1)

    async def _next_result(self, progress: Progress) -> None:
        while not self._results:
            progress.made(waiting=0)
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._answered.wait()
            except TimeoutError:
                continue
            self._answered.clear()

    async def _write(self, batch: Sequence[Result], pause: Pause, progress: Progress) -> None:
        while True:
            try:
                with self._telemetry.unit("notices.attempted", items=len(batch), **_verdicts(batch)) as line:
                    settled = await self._flows.settle(batch)
                    line["fenced"] = len(batch) - len(settled)
            except Transient as fault:
                progress.beat(waiting=len(self._results))
                await pause.after(fault)
                continue
            pause.over()
            self._say(settled)
            return

    async def _renew_once(self) -> float:
        since, held = self.lanes.now(), list(self.lanes.held.values())
        ours = await self._flows.renew(held)
        if dropped := self.lanes.renewed(held, ours, since=since):
            self._telemetry.line("leases.lost", items=dropped)
        return RENEW_SECONDS

    async def _end_once(self) -> float:
        self._say(await self._flows.end())
        return END_SECONDS

    async def _confirm_once(self) -> float:
        recipients = {recorded.subject.recipient for recorded in await self._flows.confirm()}
        for recipient in recipients - self.lanes.targets.keys() - self._unreachable:
            self._telemetry.alarm("no-endpoint", recipient=recipient)
            self._unreachable.add(recipient)
        return CONFIRM_SECONDS

    def _say(self, results: Sequence[Result]) -> None:
        """What a person must look at."""
        for result in results:
            match result.verdict:
                case Stopped(reason):
                    self._telemetry.alarm("notice-expired", notice_id=result.notice.notice_id, reason=reason)
                case Retry(suspends=True):
                    self._telemetry.alarm("endpoint-suspended", recipient=result.notice.subject.recipient)
                    self.endpoints_changed()
                case Delivered() | Retry() | Returned():
                    continue


def _verdicts(batch: Sequence[Result]) -> Mapping[str, int]:
    return Counter(type(result.verdict).__name__.lower() for result in batch)
