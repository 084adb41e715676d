"""What is missing for a body that is not told, and what a person can do about it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from services.router.domain.choosing import Manner, may_be_chosen
from services.router.domain.evaluating import Evaluator
from shared.agreements import Facts, Outcome
from shared.agreements.classes import Standing
from shared.agreements.explain import Explanation, explained, trials_of

BODIES_MAX = 20
"""An item can name every organisation of the graph: advice is given on the first of them by name."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One body: why it is as it is, with the nearest miss and the smallest repair, and how a person may tell it."""

    org: str
    explanation: Explanation
    manner: Manner | None


def missing_of(evaluator: Evaluator, facts: Facts, orgs: Collection[str]) -> tuple[Missing, ...]:
    """Advice on the first of these bodies, by name; those that the graph does not know are left out."""
    known = sorted(org for org in orgs if org in evaluator.snapshot.graph.organisations)[:BODIES_MAX]
    manners, plain = may_be_chosen(evaluator, facts, known), evaluator.decide(facts)
    _, standings = evaluator.standings(facts, known)
    return tuple(Missing(row.org, _why(plain.of(row.org), row), manners.get(row.org)) for row in standings)


def but_kept_back(missing: Collection[Missing], kept: Collection[str]) -> tuple[Missing, ...]:
    """The same advice where it was decided not to share with some: nobody else tells those in any manner."""
    return tuple(replace(row, manner=None) if row.org in kept else row for row in missing)


def _why(outcome: Outcome, standing: Standing) -> Explanation:
    return explained(outcome, trials_of(verdict.attempt for verdict in standing.verdicts))
