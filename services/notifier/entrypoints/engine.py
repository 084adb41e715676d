"""The engine: supervised loops that lease notices, attempt them lane by lane, and write what came of it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from services.notifier.domain import policy
from services.notifier.domain.escalation import Escalation
from services.notifier.domain.health import HealthSeen
from services.notifier.domain.lane import Lane
from services.notifier.domain.model import (
    ISSUED_KINDS,
    Delivered,
    Leased,
    NoticeId,
    Result,
    Retry,
    Returned,
    Stopped,
    Target,
)
from services.notifier.domain.throttle import Breaker
from services.notifier.entrypoints.lanes import LaneBook, LaneLimits, OwnedLanes
from services.notifier.entrypoints.pulse import Pulse, heard_of
from services.notifier.ports import Recorded, Replay
from shared.batching import Pace
from shared.faults import Transient, fault_name
from shared.supervision import Health, Loop, Pause, Progress, repeat
from shared.telemetry import Telemetry

CLAIM_SECONDS = 0.25
RENEW_SECONDS = 2.0
TARGETS_SECONDS = 1.0
END_SECONDS = 1.0
CONFIRM_SECONDS = 1.0
RESULTS_MAX = 500
RESULTS_PACE_SECONDS = 0.02
"""Nobody waits until an answer is written down, but a crash forgets it before."""


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
    escalate: Callable[[], Awaitable[Sequence[Escalation]]]
    replay: Callable[[], Awaitable[Sequence[Replay]]]
    keep_health: Callable[[Sequence[HealthSeen]], Awaitable[Mapping[str, str]]]
    hasten: Callable[[Target, int | None], Awaitable[None]]
    knock: Callable[[Target], Awaitable[bool]]


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
        self._drain_seconds = limits.drain_seconds
        self._owned = owned
        self._telemetry = telemetry
        self._health = health
        self._claim_wake = Wake()
        self._targets_wake = Wake()
        self._answered = asyncio.Event()
        self._results: list[Result] = []
        self._workers: asyncio.TaskGroup | None = None
        self._flying: set[asyncio.Task[None]] = set()
        self._unreachable: set[str] = set()
        self._refusing: set[tuple[str, int]] = set()
        self.pulses: dict[str, Pulse] = {}
        self.recovered: set[str] = set()
        self.lanes = LaneBook(limits, on_work=self._start, on_surplus=self._claim_wake.now)

    def loops(self) -> Mapping[str, Loop]:
        """The loops, to be supervised; each ends only with the process."""
        return {
            "deliveries": self.deliver,
            "results": self.write_results,
            "claims": self.repeating("claims", self.claim_once),
            "leases": self.repeating("leases", self._renew_once),
            "endpoints": self.repeating("endpoints", self.refresh_once),
            "endings": self.repeating("endings", self._end_once),
            "confirmations": self.repeating("confirmations", self._confirm_once),
        }

    def endpoints_changed(self) -> None:
        """Look at the endpoints at once."""
        self._targets_wake.now()

    async def deliver(self) -> None:
        """Own the deliveries under way; a bug in the lanes themselves ends this loop, and the process with it.

        At shutdown they may end and are written down, so that nothing is sent twice because of a deploy.
        """
        owner = asyncio.create_task(self._own())
        try:
            await asyncio.shield(owner)
        except asyncio.CancelledError:
            # The consumer ends its batch after us: what it still takes in is left to the lease's next holder.
            self._workers = None
            await self._drain()
            raise
        finally:
            owner.cancel()
            await asyncio.gather(owner, return_exceptions=True)

    async def _own(self) -> None:
        async with asyncio.TaskGroup() as workers:
            self._workers = workers
            self.start_waiting()
            await asyncio.Event().wait()

    async def _drain(self) -> None:
        """Let what is under way end, within the time there is; write it down, and give back what was not sent."""
        running = asyncio.get_running_loop()
        deadline = running.time() + self._drain_seconds
        try:
            while self._flying and (left := deadline - running.time()) > 0:
                await asyncio.wait(self._flying, timeout=min(left, RENEW_SECONDS))
                await self._renew_once()
            for lane in self.lanes.at_work().values():
                await self._give_back(lane.empty())
            if self._results:
                await self._flows.settle(self._results)
        except Transient as fault:
            self._telemetry.line("drain.cut-short", fault=fault_name(fault))  # the leases run out by themselves

    async def _give_back(self, notices: Sequence[Leased]) -> None:
        for notice in notices:
            self._results.append(await self._flows.attempt(notice, None))
        self._answered.set()

    async def write_results(self) -> None:
        """Write batch after batch; what is answered during one write, or closely behind it, is the next batch."""
        progress, pause = self._health.watch("results"), Pause("results", self._telemetry)
        pace = Pace(RESULTS_PACE_SECONDS)
        while True:
            await self._next_result(progress)
            await pace.turn()
            batch = self._results[:RESULTS_MAX]
            written = await self._write(batch, pause, progress)
            del self._results[: len(batch)]
            self.lanes.let_go(result.notice for result in written)
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
        self.start_waiting()
        await self._claim_wake.wait(CLAIM_SECONDS)
        return 0.0

    async def refresh_once(self) -> float:
        """Read the active endpoints; a new one is claimed for at once."""
        targets = {target.lane_name: target for target in await self._flows.targets()}
        added = self.lanes.aim(targets)
        self._unreachable -= targets.keys()
        if added:
            self._claim_wake.now()
        await self._targets_wake.wait(TARGETS_SECONDS)
        return 0.0

    def repeating(self, name: str, step: Callable[[], Awaitable[float]]) -> Loop:
        """A supervised loop that does `step` for ever; it says after how many seconds to do it again."""
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
            task = self._workers.create_task(self._work(recipient))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)

    def start_waiting(self) -> None:
        """Deliver what stands in line where pace and breaker let it go again."""
        for name, lane in self.lanes.at_work().items():
            if lane.waiting:
                self._start(name)

    async def _work(self, recipient: str) -> None:
        """Deliver one after the other until the lane is empty or its cap is reached."""
        lane = self.lanes.lane(recipient)
        while self._workers is not None and (notice := self.lanes.start(recipient)) is not None:
            result = await self._flows.attempt(notice, self.lanes.targets.get(recipient))
            self._hear(recipient, lane, result)
            self._results.append(result)
            self._answered.set()
            if lane.throttle.is_open(self.lanes.now()):
                await self._give_back(lane.empty())  # what waits for a dead endpoint waits in the ledger
            self._start(recipient, already=1)

    def _hear(self, name: str, lane: Lane, result: Result) -> None:
        if result.attempt is None:
            lane.not_sent()
            return
        before = lane.throttle.breaker
        lane.answered(heard_of(result))
        pulse = self.pulses.setdefault(name, Pulse(result.attempt.endpoint_id))
        pulse.note(result, seconds_to_probe=lane.throttle.hold_until - self.lanes.now())
        if before is not Breaker.CLOSED and lane.throttle.breaker is Breaker.CLOSED:
            self.recovered.add(name)
        if isinstance(result.verdict, Retry) and result.verdict.suspends:
            self.lanes.targets.pop(name, None)

    async def _next_result(self, progress: Progress) -> None:
        while not self._results:
            progress.made(waiting=0)
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._answered.wait()
            except TimeoutError:
                continue
            self._answered.clear()

    async def _write(self, batch: Sequence[Result], pause: Pause, progress: Progress) -> Sequence[Result]:
        """Write them, by row where the whole is refused; gives what was dealt with.

        A result that cannot be written stays held under its lease: its notice is not sent again before a restart.
        """
        while True:
            try:
                with self._telemetry.unit("notices.attempted", items=len(batch), **_verdicts(batch)) as line:
                    settled = await self._flows.settle(batch)
                    line["fenced"] = len(batch) - len(settled)
            except Transient as fault:
                progress.beat(waiting=len(self._results))
                await pause.after(fault)
                continue
            except Exception as fault:  # noqa: BLE001 - the bad one is held back, its neighbours go on
                if len(batch) > 1:
                    return [one for result in batch for one in await self._write([result], pause, progress)]
                self._telemetry.alarm("result-unwritable", notice_id=batch[0].notice.notice_id, fault=fault_name(fault))
                return ()
            pause.over()
            self._say(settled)
            return batch

    async def _renew_once(self) -> float:
        since, held = self.lanes.now(), self.lanes.to_renew(again_seconds=RENEW_SECONDS)
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
            self._note_refusal(result)
            if result.fault:
                self._telemetry.alarm("attempt-failed", notice_id=result.notice.notice_id, fault=result.fault)
            match result.verdict:
                case Stopped(reason) if result.notice.subject.kind in ISSUED_KINDS:
                    self._telemetry.alarm("notice-expired", notice_id=result.notice.notice_id, reason=reason)
                case Retry(suspends=True):
                    self._telemetry.alarm("endpoint-suspended", recipient=result.notice.subject.recipient)
                    self.endpoints_changed()
                case Delivered() | Retry() | Returned() | Stopped():
                    continue

    def _note_refusal(self, result: Result) -> None:
        """An endpoint that refuses what it is sent is said once, until it takes something again."""
        name, status = result.notice.lane_name, result.attempt and result.attempt.answer.status
        if isinstance(result.verdict, Delivered):
            self._refusing = {(lane, code) for lane, code in self._refusing if lane != name}
        elif status and policy.refuses(status) and (name, status) not in self._refusing:
            self._refusing.add((name, status))
            self._telemetry.alarm("endpoint-refuses", recipient=result.notice.subject.recipient, status=status)


def _verdicts(batch: Sequence[Result]) -> Mapping[str, int]:
    return Counter(type(result.verdict).__name__.lower() for result in batch)
