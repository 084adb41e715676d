"""All analyses of one graph on one day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from services.registry.domain.analyses.clauses import dead, redundant
from services.registry.domain.analyses.conflicts import conflicts
from services.registry.domain.analyses.coverage import Coverage, gap_finding
from services.registry.domain.analyses.finding import Finding
from services.registry.domain.analyses.joins import Joins
from services.registry.domain.analyses.reach import Reach
from services.registry.domain.analyses.reviews import reviews
from services.registry.domain.analyses.times import at_review, openings
from shared.agreements import Graph, Snapshot


def findings(graph: Graph, day: date) -> tuple[Finding, ...]:
    """Every finding on the day, sorted by key. Pure and total.

    It lists each gap by itself, so it is meant for graphs of hundreds of bodies; for more, ask by originator.
    """
    reach = Reach(Snapshot(graph, version=0, root=""), day)
    joins = Joins(Coverage(reach))
    found = [*gaps(joins.coverage), *conflicts(joins), *dead(joins), *redundant(joins), *reviews(joins)]
    return tuple(sorted(found, key=lambda finding: finding.key))


def gaps(coverage: Coverage) -> Iterator[Finding]:
    """Gaps of the day, gaps that open on a day to come, and gaps that a review could open."""
    reach = coverage.reach
    for originator in reach.originators():
        yield from (gap_finding(gap, reach) for gap in coverage.gaps(originator))
    yield from openings(reach)
    yield from at_review(reach)
