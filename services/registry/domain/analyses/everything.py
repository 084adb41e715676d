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

BODIES_LISTED_MAX = 1_000
"""Up to so many bodies every gap is a finding of its own; ten times as many have a hundred times as many gaps."""
AGREEMENTS_LISTED_MAX = 2_000
"""Few bodies can have many agreements: what contradicts and repeats what grows with the pairs of them."""


def listable(graph: Graph) -> bool:
    """Whether `findings` gives an answer that can be read: for a larger graph ask by originator, or count."""
    return len(graph.organisations) <= BODIES_LISTED_MAX and len(graph.agreements) <= AGREEMENTS_LISTED_MAX


def findings(graph: Graph, day: date) -> tuple[Finding, ...]:
    """Every finding on the day, sorted by key. Pure and total.

    It lists each gap by itself: look at `listable` first.
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
