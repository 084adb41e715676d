"""The rows of the benchmark: a name, a value with its unit, its budget, and whether it is within."""

import math
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
_MARKS = {True: "yes", False: "NO", None: ""}


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
        """For machines; a figure that could not be taken is null."""
        value = None if math.isnan(self.value) else round(self.value, 3)
        return {"name": self.name, "value": value, "unit": self.unit, "budget": self.budget, "within": self.within}


def rate_rows(result: RateResult) -> Iterator[Row]:
    """The rows of one rate; none of latency where something was refused, lost or doubled."""
    rate = round(result.rate_per_second)
    counts = result.counts
    missing = counts["offered"] - counts["accepted"] + abs(counts["expected"] - counts["received"]) + counts["repeats"]
    yield Row(f"{rate}/s lost or doubled", missing, "notices", 0)
    if result.complete:
        yield from _latencies(f"{rate}/s accept", result.accept_ms, ACCEPT_BUDGET_MS.get(rate))
        yield from _latencies(f"{rate}/s to receipt", result.receipt_ms, RECEIPT_BUDGET_MS.get(rate))
    yield Row(f"{rate}/s SQL per notice", result.statements_per_notice, "calls", STATEMENT_BUDGET.get(rate))
    cpu = sum(result.cpu_ms_per_concern.values())
    yield Row(f"{rate}/s CPU per concern", cpu, "ms", CPU_BUDGET_MS.get(rate))
    yield Row(f"{rate}/s CPU per notice", sum(result.cpu_ms_per_notice.values()), "ms")


def cost_rows(result: RateResult) -> Iterator[Row]:
    """CPU and memory by process, at one rate. The engines have no budget of memory."""
    rate, per_notice = round(result.rate_per_second), result.cpu_ms_per_notice
    for name, cpu in sorted(result.cpu_ms_per_concern.items()):
        yield Row(f"{rate}/s CPU per concern, {name}", cpu, "ms")
        yield Row(f"{rate}/s CPU per notice, {name}", per_notice[name], "ms")
    for name, held in sorted(result.memory_mb.items()):
        yield Row(f"{rate}/s memory, {name}", held, "MB", MEMORY_BUDGET_MB if name in SERVICES else None)


def sustained_row(results: Sequence[RateResult]) -> Row:
    """The highest rate at which nothing was lost and what was left at the end was gone within two seconds."""
    held = [r.rate_per_second for r in results if r.complete and r.drain_seconds < 2]
    return Row("sustained, backlog steady", max(held, default=0), "concerns/s", SUSTAINED_BUDGET, at_least=True)


def ready_row(seconds: float) -> Row:
    """From nothing running to all services ready."""
    return Row("from start to ready", seconds, "s", READY_BUDGET_SECONDS)


def in_columns(rows: Sequence[Row]) -> Iterator[str]:
    """A line per row for people, within 80 columns."""
    yield f"{'what':<34}{'measured':>19}  {'budget':<18}{'within':>6}"
    for row in rows:
        budget = "" if row.budget is None else f"{'>=' if row.at_least else '<='} {row.budget:g} {row.unit}"
        measured = f"{row.value:,.2f} {row.unit:<10}"
        yield f"{row.name:<34}{measured:>19}  {budget:<18}{_MARKS[row.within]:>6}".rstrip()


def _latencies(name: str, milliseconds: Mapping[str, float], p95_budget: float | None) -> Iterator[Row]:
    for share, value in milliseconds.items():
        yield Row(f"{name}, {share}", value, "ms", p95_budget if share == "p95" else None)
