"""All analyses of one graph on one day."""

from __future__ import annotations

from datetime import date

from services.registry.domain.analyses.coverage import Coverage, gap_finding
from services.registry.domain.analyses.finding import Finding
from services.registry.domain.analyses.reach import Reach
from shared.agreements import Graph, Snapshot


def findings(graph: Graph, day: date) -> tuple[Finding, ...]:
    """Every finding on the day, sorted by key. Pure and total."""
    reach = Reach(Snapshot(graph, version=0, root=""), day)
    coverage = Coverage(reach)
    gaps = (gap_finding(gap, reach) for originator in reach.originators() for gap in coverage.gaps(originator))
    return tuple(sorted(gaps, key=lambda finding: finding.key))
