"""One run: load at a fixed rate, faults at random moments under it, then rest, then the equation."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.checker import concerns, gather
from tests.checker.face import Face
from tests.checker.ledger import Ledger
from tests.checker.model import AGAIN, FIRST, OK, UNKNOWN, VALID, Answer, Fault, Submit, now
from tests.checker.reconcile import Verdict, reconcile
from tests.support.waiting import dawdle, until

RETRY_SECONDS = 0.2
ANSWERED_SECONDS = 90.0
LOOK_SECONDS = 0.05


class Machinery(Protocol):
    """What can be broken, by name, and how one waits until it is ready again."""

    async def inflict(self, name: str) -> None:
        """Break it now; returns when it is broken."""
        ...

    async def back(self, name: str) -> None:
        """Wait until it is ready again, with nobody's help."""
        ...


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault, so many seconds after the first request."""

    name: str
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    run: int
    prefix: str
    rate_per_second: float
    seconds: float
    faults: Sequence[Planned] = ()
    drain_seconds: float = 90.0
    quiet_seconds: float = 1.0
    settle_seconds: float = 15.0
    read_whole_max: int = 200
    answer_seconds_max: float = 10.0

    @property
    def count(self) -> int:
        """Requests that make something new."""
        return max(1, int(self.rate_per_second * self.seconds))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is over: what it comes to, and how each fault was overcome."""

    plan: Plan
    verdict: Verdict
    recoveries: Sequence["Recovery"]
    read_whole: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each part of the run took."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A fault: how long the part was away, and then until all that was accepted before had been received."""

    name: str
    away_seconds: float
    caught_up_seconds: float


@dataclass(slots=True)
class Runner:
    """Drives one run against a system."""

    face: Face
    ledger: Ledger
    machinery: Machinery
    plan: Plan
    _began: float = field(default_factory=now)
    _seconds: dict[str, float] = field(default_factory=dict)

    async def run(self) -> Outcome:
        """All of it."""
        self._began = now()
        self.ledger.run = self.plan.run
        with self._timed("load and faults"):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._load())
                for planned in self.plan.faults:
                    group.create_task(self._fault(planned))
        with self._timed("until all has come"):
            await self._drained()
        await dawdle(self.plan.quiet_seconds)
        with self._timed("reading and judging"):
            verdict, read_whole = await self._settled()
        return Outcome(self.plan, verdict, self._recoveries(), read_whole, self._seconds)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = now()
        yield
        self._seconds[part] = round(now() - began, 2)

    async def _load(self) -> None:
        """Open loop: each request is sent when it is due, whatever became of the ones before it."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.plan.count):
                due_at = self._began + number / self.plan.rate_per_second
                await _at(due_at)
                group.create_task(self._submit(number, due_at))

    async def _submit(self, number: int, due_at: float) -> None:
        worked, key = concerns.nth(number), f"{self.plan.prefix}-{self.plan.run}-{number}"
        body, summary = worked.numbered(key, number), concerns.summary_of(key)
        await self.ledger.submit(
            Submit(self.plan.run, key, worked.originator, worked.recipients, worked.kind, summary, due_at)
        )
        times = [FIRST, AGAIN] if number % concerns.AGAIN_EVERY == 0 and worked.kind == VALID else [FIRST]
        look = number % concerns.LOOKED_AT_EVERY == 0
        for _ in times:
            await self._until_answered(lambda: self.face.submit(worked.originator, key, body), worked.originator, look)

    async def _until_answered(self, send: Callable[[], Awaitable[Answer]], originator: str, look: bool) -> None:
        """As a client that never gives up: what is unknown is sent again; each answer is written down."""

        async def answered() -> bool:
            answer = await send()
            if look and answer.outcome == OK:
                path = f"/v1/concerns/{answer.concern_id}"
                answer = replace(answer, readable=await self.face.found(originator, "intake", path) is not None)
            await self.ledger.answer(answer)
            return answer.outcome != UNKNOWN

        await until(answered, seconds=ANSWERED_SECONDS, what="a concern is answered", every_seconds=RETRY_SECONDS)

    async def _fault(self, planned: Planned) -> None:
        await _at(self._began + planned.after_seconds)
        await self.machinery.back(planned.name)  # another fault may have taken it along: what is down cannot be broken
        at = now()
        await self.machinery.inflict(planned.name)
        gone_at = now()
        await self.machinery.back(planned.name)
        await self.ledger.fault(Fault(self.plan.run, planned.name, at, gone_at, now()))

    async def _drained(self) -> None:
        """Wait until all have what they must have; what is missing after the deadline is a difference."""
        wanted = {
            (submit.key, org)
            for submit in self.ledger.submits(self.plan.run)
            if submit.kind == VALID
            for org in submit.recipients
        }
        await _within(self.plan.drain_seconds, lambda: _true(wanted <= self.ledger.received(self.plan.run)))

    async def _settled(self) -> tuple[Verdict, int]:
        """The first verdict without a difference, or the last one within the deadline."""
        found: list[tuple[Verdict, int]] = []

        async def adds_up() -> bool:
            evidence = await gather.gathered(self.face, self.ledger, self.plan, since=self._began)
            found.append((reconcile(evidence), len(evidence.dossiers)))
            return not found[-1][0].differences

        deadline = now() + self.plan.settle_seconds
        while not await adds_up() and now() < deadline:
            await dawdle(min(1.0, self.plan.settle_seconds / 4))
        return found[-1]

    def _recoveries(self) -> list[Recovery]:
        accepted: dict[str, float] = {}
        for row in self.ledger.answers(self.plan.run):
            if row.outcome == OK:
                accepted.setdefault(row.key, row.answered_at)
        first: dict[tuple[str, str], float] = {}
        for receipt in self.ledger.receipts(self.plan.run):
            first.setdefault((receipt.key, receipt.org), receipt.received_at)
        return [_recovery(fault, accepted, first) for fault in self.ledger.faults(self.plan.run)]


def _recovery(fault: Fault, accepted: dict[str, float], first: dict[tuple[str, str], float]) -> Recovery:
    before = (came for (key, _), came in first.items() if accepted.get(key, fault.back_at) < fault.back_at)
    caught_up = max(before, default=fault.back_at) - fault.back_at
    return Recovery(fault.name, fault.back_at - fault.at, max(0.0, caught_up))


async def _at(moment: float) -> None:
    if (early_seconds := moment - now()) > 0:
        await dawdle(early_seconds)


async def _true(value: bool) -> bool:
    return value


async def _within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = now() + seconds
    while not await condition() and now() < deadline:
        await dawdle(LOOK_SECONDS)
