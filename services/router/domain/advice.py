"""What is missing for a body that is not told, and what a person can do about it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from services.router.domain.choosing import Manner, may_be_chosen
from shared.agreements import Facts, Snapshot
from shared.agreements.explain import Explanation, why

BODIES_MAX = 20
"""An item can name every organisation of the graph: advice is given on the first of them by name."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One body: why it is as it is, with the nearest miss and the smallest repair, and how a person may tell it."""

    org: str
    explanation: Explanation
    manner: Manner | None


def missing_of(snapshot: Snapshot, facts: Facts, orgs: Collection[str]) -> tuple[Missing, ...]:
    """Advice on the first of these bodies, by name; those that the graph does not know are left out."""
    known = sorted(org for org in orgs if org in snapshot.graph.organisations)[:BODIES_MAX]
    manners = may_be_chosen(snapshot, facts, known)
    return tuple(Missing(org, why(snapshot, facts, org), manners.get(org)) for org in known)
