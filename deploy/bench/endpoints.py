"""What endpoints do to the rest: one of five that hangs, and a backlog that waits until its endpoints open again."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from statistics import mean
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.bench.rates import Bench, RateResult
from deploy.bench.rows import Row
from deploy.bench.traffic import Traffic
from deploy.bench.usage import usage_of
from deploy.client import Concordat
from deploy.demo.cases import Case, read_cases
from deploy.demo.farm import Farm
from deploy.local.keys import SUPERUSER
from deploy.local.layout import RECEIVER_PORT_OFFSET
from deploy.local.progress import Progress, step
from deploy.local.system import LocalSystem
from deploy.local.waiting import until
from shared.clock import SystemClock
from shared.ids import new_id

HEALTHY, HANGING = ("cqc", "hse", "nhs-england", "ofsted"), "gmc"
RATE, WARM_UP_SECONDS, WITHOUT_SECONDS, HANG_SECONDS = 100.0, 10.0, 60.0, 120.0
RATIO_BUDGET = 1.2
BACKLOG, BACKLOG_MAX, FILL_PER_SECOND, DRAIN_BUDGET, DRAIN_CPU_BUDGET_MS = 50_000, 100_000, 400.0, 3_000, 0.66
FILLED_SECONDS, DRAINED_SECONDS, REST_SECONDS = 300.0, 600.0, 60.0
LOOK_SECONDS, RESTING_CORES = 0.5, 0.25
"""A system at rest takes an eighth of a core."""
RECEIVERS = "receivers"
_WAITING = text("SELECT count(*) FROM notifier.notices WHERE state = 'pending'")


class HangingFarm(Farm):
    """Two processes: the healthy bodies', and that of the one which can be made to take requests and never answer."""

    def hang(self) -> None:
        """Its kernel goes on accepting connections, and nobody reads from them."""
        self._children[1].signal(signal.SIGSTOP)

    @property
    def pids(self) -> Sequence[int]:
        """Their processes."""
        return [child.pid for child in self._children]

    def wake(self) -> None:
        """It answers again."""
        self._children[1].signal(signal.SIGCONT)


class HealthyTraffic(Traffic):
    """Concerns that reach these five bodies alone; who is told is counted without the one that hangs."""

    def next(self, number: int) -> tuple[Case, dict[str, Any]]:
        case, concern = super().next(number)
        told = [row for row in case.expected["told"] if row["org"] != HANGING]
        return replace(case, expected={**case.expected, "told": told}), concern


@dataclass(frozen=True, slots=True)
class Stand:
    """A running system with its receivers."""

    system: LocalSystem
    concordat: Concordat
    farm: HangingFarm
    superuser: AsyncEngine
    files: Sequence[Path]

    def bench(self) -> Bench:
        """Measures what the healthy ones receive."""
        traffic = HealthyTraffic(_cases(), new_id("run"))
        return Bench(self.system, self.concordat, self.superuser, traffic, SystemClock(), self.files[0])

    def usage(self) -> Mapping[str, float]:
        """CPU seconds so far, by part; the receivers' are one."""
        receivers = usage_of({str(pid): pid for pid in self.farm.pids}).cpu_seconds
        return {**usage_of(self.system.pids).cpu_seconds, RECEIVERS: sum(receivers.values())}

    async def at_rest(self) -> None:
        """Wait until all that the deliveries set off is done: what is told of them, and kept, and marked."""
        last = sum(self.usage().values())

        async def rests() -> bool:
            nonlocal last
            await asyncio.sleep(LOOK_SECONDS)
            before, last = last, sum(self.usage().values())
            return last - before < RESTING_CORES * LOOK_SECONDS

        await until(rests, seconds=REST_SECONDS)

    async def each_endpoint(self, verb: str) -> None:
        """`pause` or `resume` all five."""
        for org in (*HEALTHY, HANGING):
            for row in (await self.concordat.get(org, "notifier", "/v1/endpoints"))["items"]:
                if row["state"] != "removed":
                    path = f"/v1/endpoints/{row['endpoint_id']}/{verb}"
                    headers = await self.concordat.authorization(org)
                    answer = await self.concordat.http.post(self.concordat.urls["notifier"] + path, headers=headers)
                    answer.raise_for_status()


def _cases() -> Sequence[Case]:
    """Those that reach some of the five, and nobody else."""
    five = {*HEALTHY, HANGING}
    return [case for case in read_cases() if not case.assumed and case.told and case.told <= five]


@asynccontextmanager
async def stand(system: LocalSystem, concordat: Concordat) -> AsyncIterator[Stand]:
    """The five bodies with their endpoints."""
    folder, port = system.layout.data_dir / "receivers", system.layout.port_base + RECEIVER_PORT_OFFSET
    farm = HangingFarm(folder, port, concordat)
    superuser = create_async_engine(system.database.url(SUPERUSER).replace("postgresql://", "postgresql+asyncpg://"))
    try:
        await farm.start([list(HEALTHY), [HANGING]])
        yield Stand(system, concordat, farm, superuser, [folder / f"{port + number}.jsonl" for number in range(2)])
    finally:
        farm.wake()
        await farm.stop()
        await superuser.dispose()


async def hanging_rows(at: Stand, progress: Progress, *, seconds: float = HANG_SECONDS) -> list[Row]:
    """The healthy ones' latency with one of five that hangs, and without before and after: a machine drifts."""
    run = at.bench()
    with step(progress, "Five endpoints, all healthy"):
        await run.at(RATE, WARM_UP_SECONDS)
        without = await run.at(RATE, min(WITHOUT_SECONDS, seconds))
    with step(progress, f"One of them hangs for {seconds:.0f} s"):
        at.farm.hang()
        beside = await run.at(RATE, seconds)
        at.farm.wake()
    await at.at_rest()
    with step(progress, "All healthy again"):
        again = await run.at(RATE, min(WITHOUT_SECONDS, seconds))
    return list(_beside(without, beside, again))


def _beside(without: RateResult, beside: RateResult, again: RateResult) -> Iterator[Row]:
    for name, found in (("all healthy", without), ("one hangs", beside), ("all healthy again", again)):
        counts = found.counts
        yield Row(f"{name}: lost or doubled", counts["expected"] - counts["received"] + counts["repeats"], "notices", 0)
        yield Row(f"{name}: p95 of the healthy", found.receipt_ms["p95"], "ms")
    ratio = beside.receipt_ms["p95"] / mean((without.receipt_ms["p95"], again.receipt_ms["p95"]))
    yield Row("one hangs: p95 against without", ratio, "times", RATIO_BUDGET)


async def drain_rows(at: Stand, progress: Progress, *, backlog: int = BACKLOG) -> list[Row]:
    """So many notices wait behind paused endpoints; how fast they go out once those are open, and at what cost.

    The cost is taken when everything that the deliveries set off is done, too.
    """
    if not 0 < backlog <= BACKLOG_MAX:
        raise ValueError(f"between 1 and {BACKLOG_MAX} notices, not {backlog}")
    lines = _Lines(at.files)
    await at.each_endpoint("pause")
    with step(progress, f"{backlog} notices behind paused endpoints"):
        a_concern = sum(len(case.told) for case in _cases()) / len(_cases())
        await at.bench().offer(FILL_PER_SECOND, ceil(backlog / a_concern) + len(_cases()))
        await until(lambda: _waits(at.superuser, backlog), seconds=FILLED_SECONDS)
    await at.at_rest()
    waiting, clock = await _count(at.superuser), SystemClock()
    before, lines.count, began = at.usage(), 0, clock.now()
    with step(progress, f"{waiting} notices go out"):
        await at.each_endpoint("resume")
        await until(lambda: _all_read(lines, waiting), seconds=DRAINED_SECONDS)
        seconds = (clock.now() - began).total_seconds()
        await at.at_rest()
    cpu = {name: (used - before.get(name, 0.0)) * 1000 / waiting for name, used in at.usage().items()}
    return list(_drained(waiting, seconds, cpu))


def _drained(waiting: int, seconds: float, cpu_ms: Mapping[str, float]) -> Iterator[Row]:
    yield Row("drain: notices that waited", waiting, "notices", None)
    yield Row("drain: deliveries", waiting / seconds, "per s", DRAIN_BUDGET, at_least=True)
    parts, receivers = dict(cpu_ms), cpu_ms.get(RECEIVERS, 0.0)
    parts.pop(RECEIVERS, None)
    yield Row("drain: CPU per delivery", sum(parts.values()), "ms", DRAIN_CPU_BUDGET_MS)
    for name, used in (*sorted(parts.items()), (RECEIVERS, receivers)):
        yield Row(f"drain: CPU per delivery, {name}", used, "ms")


class _Lines:
    """How many lines were added to the receivers' files; they are counted and not read, which would cost more."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._at = {file: file.stat().st_size if file.exists() else 0 for file in files}
        self.count = 0

    def read(self) -> int:
        for file in self._files:
            if file.exists():
                with file.open("rb") as lines:
                    lines.seek(self._at[file])
                    added = lines.read()
                self._at[file] += len(added)
                self.count += added.count(b"\n")
        return self.count


async def _all_read(lines: _Lines, wanted: int) -> bool:
    return lines.read() >= wanted


async def _waits(superuser: AsyncEngine, wanted: int) -> bool:
    return await _count(superuser) >= wanted


async def _count(superuser: AsyncEngine) -> int:
    async with superuser.connect() as connection:
        return int((await connection.execute(_WAITING)).scalar_one())
