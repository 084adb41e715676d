"""What is missing for a body that is not told, and what a person can do about it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from services.router.domain.choosing import Manner, may_be_chosen
from shared.agreements import Facts, Snapshot, Trial, explain

BODIES_MAX = 20
"""An item can name every organisation of the graph: advice is given on the first of them by name."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One body: the clause that came furthest, the clause with the fewest failing gates, and how it may be told.

    `repair.failed` are the gates that would have to open together; no fewer would do.
    """

    org: str
    nearest: Trial | None
    repair: Trial | None
    manner: Manner | None


def missing_of(snapshot: Snapshot, facts: Facts, orgs: Collection[str]) -> tuple[Missing, ...]:
    """Advice on the first of these bodies, by name; those that the graph does not know are left out."""
    known = sorted(org for org in orgs if org in snapshot.graph.organisations)[:BODIES_MAX]
    manners = may_be_chosen(snapshot, facts, known)
    return tuple(_missing(snapshot, facts, org, manners.get(org)) for org in known)


def _missing(snapshot: Snapshot, facts: Facts, org: str, manner: Manner | None) -> Missing:
    trials = explain(snapshot, facts, org)
    permits = [trial for trial in trials if trial.effect != "FORBID"]
    repair = min(permits, key=lambda trial: (len(trial.failed), trial.because.cite), default=None)
    return Missing(org, trials[0] if trials else None, repair, manner)
