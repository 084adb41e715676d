"""How long the coverage of a graph takes: every originator and category, over a synthetic graph."""

from __future__ import annotations

from datetime import date
from time import perf_counter

from deploy.bench.rows import Row
from services.registry.domain.analyses.coverage import Coverage
from services.registry.domain.analyses.reach import Reach
from services.registry.domain.analyses.table import Table
from shared.agreements import Snapshot

DAY = date(2025, 11, 12)
COVERAGE_BUDGET_SECONDS = 60


def coverage_rows(snapshot: Snapshot) -> list[Row]:
    """The time for the coverage of a snapshot, with how many cells and gaps it counted."""
    began = perf_counter()
    table = Table(Coverage(Reach(snapshot, DAY)))
    counts = [row for originator in table.coverage.reach.originators() for row in table.counts(originator)]
    seconds = perf_counter() - began
    organisations, agreements = len(snapshot.graph.organisations), len(snapshot.graph.agreements)
    name = f"coverage of {organisations:,} bodies, {agreements:,} agreements"
    return [
        Row(name, seconds, "s", COVERAGE_BUDGET_SECONDS),
        Row("coverage: originators and categories", len(counts), "cells"),
        Row("coverage: bodies that cannot be told", sum(row.cannot for row in counts), "gaps"),
    ]
