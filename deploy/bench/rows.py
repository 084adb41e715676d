"""The rows of the benchmark: a name, a value with its unit, its budget, and whether it is within."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.bench.rates import RateResult

SERVICES = ("intake", "registry", "router", "notifier")
RECEIPT_BUDGET_MS = {50: 25, 200: 25, 500: 60, 1000: 120}
ACCEPT_BUDGET_MS = {200: 10}
STATEMENT_BUDGET = {200: 6, 1000: 2}
CPU_BUDGET_MS = {1000: 2}
MEMORY_BUDGET_MB = 250
SUSTAINED_BUDGET = 1500
READY_BUDGET_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `budget` is None where the architecture sets none; `at_least` turns the comparison round."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False

    @property
    def within(self) -> bool | None:
        """Whether the figure keeps its budget; None without one."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        value = round(self.value, 3)
        return {"name": self.name, "value": value, "unit": self.unit, "budget": self.budget, "within": self.within}


def rate_rows(result: RateResult) -> Iterator[Row]:
    """The rows of one rate; none of latency where something was refused, lost or doubled."""
    rate = round(result.rate_per_second)
    counts = result.counts
    missing = counts["offered"] - counts["accepted"] + abs(counts["expected"] - counts["received"]) + counts["repeats"]
    yield Row(f"refused, lost or doubled at {rate}/s", missing, "notices", 0)
    if result.complete:
        yield from _latencies(f"accept at {rate}/s", result.accept_ms, ACCEPT_BUDGET_MS.get(rate))
        yield from _latencies(f"submitted to received at {rate}/s", result.receipt_ms, RECEIPT_BUDGET_MS.get(rate))
    statements = result.statements_per_notice
    yield Row(f"SQL statements per notice at {rate}/s", statements, "", STATEMENT_BUDGET.get(rate))
    cpu = sum(result.cpu_ms_per_concern.values())
    yield Row(f"CPU per concern, all parts, at {rate}/s", cpu, "ms", CPU_BUDGET_MS.get(rate))


def cost_rows(result: RateResult) -> Iterator[Row]:
    """CPU and memory by process, at one rate."""
    rate = round(result.rate_per_second)
    for name, cpu in sorted(result.cpu_ms_per_concern.items()):
        yield Row(f"CPU per concern of {name} at {rate}/s", cpu, "ms")
    for name in SERVICES:
        yield Row(f"memory of {name} after {rate}/s", result.memory_mb[name], "MB", MEMORY_BUDGET_MB)


def sustained_row(results: Sequence[RateResult]) -> Row:
    """The highest rate at which nothing was lost and what was left at the end was gone within two seconds."""
    held = [r.rate_per_second for r in results if r.complete and r.drain_seconds < 2]
    return Row("sustained, backlog not growing", max(held, default=0), "concerns/s", SUSTAINED_BUDGET, at_least=True)


def ready_row(seconds: float) -> Row:
    """From nothing running to all services ready."""
    return Row("from start to ready", seconds, "s", READY_BUDGET_SECONDS)


def _latencies(name: str, milliseconds: Mapping[str, float], p95_budget: float | None) -> Iterator[Row]:
    for share, value in milliseconds.items():
        yield Row(f"{name}, {share}", value, "ms", p95_budget if share == "p95" else None)
