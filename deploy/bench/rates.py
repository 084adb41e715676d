"""One rate of the benchmark: an open loop against the running system, judged from the receiver's own file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.bench.load import OpenLoop, Sent, percentile
from deploy.bench.memory import proportional_bytes
from deploy.bench.traffic import Traffic
from deploy.bench.usage import statement_count, usage_of
from deploy.bench.wire import Wire
from deploy.client import Concordat
from deploy.local.plan import POSTGRES
from deploy.local.system import LocalSystem
from deploy.local.waiting import until
from shared.clock import Clock

CONNECTIONS = 128
JSON_TYPE = {"Content-Type": "application/json"}
DRAIN_SECONDS = 20.0
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class RateResult:
    """Latencies in milliseconds by percentile, and what a delivered notice cost.

    `counts` holds: offered, accepted, expected and received notices (unique ids), and repeats. A result counts only
    when every offered concern was accepted and received = expected. `drain_seconds` run from the moment at which the
    last concern was due until the last notice was received.
    """

    rate_per_second: float
    accept_ms: Mapping[str, float]
    receipt_ms: Mapping[str, float]
    counts: Mapping[str, int]
    drain_seconds: float
    statements_per_notice: float
    cpu_ms_per_concern: Mapping[str, float]
    memory_mb: Mapping[str, float]

    @property
    def cpu_ms_per_notice(self) -> Mapping[str, float]:
        """CPU by process for each notice that was received."""
        share = self.counts["offered"] / max(self.counts["received"], 1)
        return {name: cpu * share for name, cpu in self.cpu_ms_per_concern.items()}

    @property
    def complete(self) -> bool:
        """Whether nothing was refused, lost or doubled."""
        counts = self.counts
        accepted = counts["accepted"] == counts["offered"]
        return accepted and counts["received"] == counts["expected"] and not counts["repeats"]


@dataclass(slots=True)
class Bench:
    """The running system as the benchmark sees it. `out` is the receiver's file."""

    system: LocalSystem
    concordat: Concordat
    superuser: AsyncEngine
    traffic: Traffic
    clock: Clock
    out: Path
    _numbers: int = 0
    _told: dict[str, int] = field(default_factory=dict)

    async def at(self, rate_per_second: float, seconds: float) -> RateResult:
        """Offer concerns at this rate for so long, wait for the rest, and measure."""
        tail = _Tail(self.out)
        tail.read()
        calls, usage = await statement_count(self.superuser), usage_of(self.system.pids)
        sent = await self.offer(rate_per_second, round(rate_per_second * seconds))
        accepted = {s.concern_id: s for s in sent if s.concern_id}
        expected = sum(self._told[concern_id] for concern_id in accepted)
        await _drained(tail, expected)
        drain_seconds = (self.clock.now() - max(s.due_at for s in sent)).total_seconds()
        calls, after = await statement_count(self.superuser) - calls, usage_of(self.system.pids)
        spent = {name: after.cpu_seconds[name] - usage.cpu_seconds.get(name, 0.0) for name in after.cpu_seconds}
        return RateResult(
            rate_per_second=rate_per_second,
            accept_ms=_percentiles([s.answered_seconds for s in sent]),
            receipt_ms=_percentiles(tail.latencies(accepted)),
            counts=_counts(sent, expected, tail),
            drain_seconds=drain_seconds,
            statements_per_notice=calls / max(len(tail.first), 1),
            cpu_ms_per_concern={name: cpu * 1000 / max(len(sent), 1) for name, cpu in spent.items()},
            memory_mb=self._memory(after.memory_bytes),
        )

    def _memory(self, memory_bytes: Mapping[str, int]) -> dict[str, float]:
        """MiB by process. Postgres by its proportional share: each of its processes maps the same buffers."""
        postgres = self.system.pids.get(POSTGRES)
        shared = {POSTGRES: proportional_bytes(postgres)} if postgres else {}
        return {name: held / 2**20 for name, held in {**memory_bytes, **shared}.items()}

    async def offer(self, rate_per_second: float, count: int) -> Sequence[Sent]:
        """Send so many concerns at this rate and wait for all answers."""
        first = self._numbers
        self._numbers += count
        address = urlsplit(self.concordat.urls["intake"])
        wire = Wire(address.hostname or "", address.port or 80, connections_max=CONNECTIONS)

        async def send(number: int) -> str | None:
            return await self._send(wire, first + number)

        try:
            return await OpenLoop(rate_per_second, count, send, self.clock).run()
        finally:
            wire.close()

    async def _send(self, wire: Wire, number: int) -> str | None:
        case, concern = self.traffic.next(number)
        headers = await self.concordat.authorization(case.originator)
        status, answer = await wire.post("/v1/concerns", {**headers, **JSON_TYPE}, orjson.dumps(concern))
        if status != 202:
            return None
        concern_id = str(orjson.loads(answer)["concern_id"])
        self._told[concern_id] = len(case.told)
        return concern_id


class _Tail:
    """Follows the receiver's file: the first receipt of each notice, and how often one came again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at = file.stat().st_size if file.exists() else 0
        self.first: dict[str, tuple[str, datetime]] = {}
        self.repeats = 0

    def read(self) -> int:
        """Take in what was added; gives how many notices there are so far."""
        if self._file.exists():
            with self._file.open("rb") as lines:
                lines.seek(self._at)
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    self._at += len(line)
                    self._take(orjson.loads(line))
        return len(self.first)

    def latencies(self, accepted: Mapping[str, Sent]) -> list[float]:
        """Seconds from the moment at which a concern was due to its first receipt, per notice."""
        return [
            (received_at - accepted[concern_id].due_at).total_seconds()
            for concern_id, received_at in self.first.values()
            if concern_id in accepted
        ]

    def _take(self, line: Mapping[str, str]) -> None:
        if not line["signature_ok"]:
            return
        if line["webhook_id"] in self.first:
            self.repeats += 1
            return
        self.first[line["webhook_id"]] = (line["subject"], datetime.fromisoformat(line["received_at"]))


async def _drained(tail: _Tail, expected: int) -> None:
    async def all_there() -> bool:
        return tail.read() >= expected

    try:
        await until(all_there, seconds=DRAIN_SECONDS)
    except TimeoutError:
        return  # the counts say what is missing


def _counts(sent: Sequence[Sent], expected: int, tail: _Tail) -> dict[str, int]:
    accepted = sum(s.concern_id is not None for s in sent)
    received = len(tail.first)
    return {
        "offered": len(sent),
        "accepted": accepted,
        "expected": expected,
        "received": received,
        "repeats": tail.repeats,
    }


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    return {name: percentile(seconds, share) * 1000 for name, share in SHARES.items()}
