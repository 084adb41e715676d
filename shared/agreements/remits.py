"""Who should know. A remit never permits a disclosure; it makes one useful, or its lack a gap."""

from __future__ import annotations

from shared.agreements.facts import Facts
from shared.agreements.model import Graph, Organisation, Remit
from shared.agreements.scope import REMIT_TESTS, Asked


def categories_in_remit(organisation: Organisation | None, case: Asked) -> frozenset[str]:
    """The concern's categories that some remit of the body covers on the day of receipt (rule 6)."""
    remits = organisation.remits if organisation else ()
    covered = (remit.scope.categories for remit in remits if _covers(remit, case))
    return case.facts.categories & frozenset().union(*covered)


def _covers(remit: Remit, case: Asked) -> bool:
    """Every key that is present must match (rule 1)."""
    return (
        bool(remit.scope.categories & case.facts.categories)
        and remit.span.covers(case.day)
        and (case.policy.assumed_remits or not remit.assumed)
        and all(test(remit.scope, case) is None for test in REMIT_TESTS)
    )


def implied_functions(graph: Graph, facts: Facts) -> frozenset[str]:
    """Clauses: a concern that names no function has those of a succession that lists one of its categories."""
    rows = (row for row in graph.successions if row.kind != "planned" and row.categories & facts.categories)
    return frozenset(function for row in rows for function in row.functions)
