"""By what a concern is decided and each clause tried: the reference evaluator, or the fast path that must equal it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from shared.agreements import Decision, Facts, Snapshot, decide
from shared.agreements.case import Case
from shared.agreements.classes import Standing
from shared.agreements.decide import case_of, standings_of
from shared.agreements.fast import Decider, Swift
from shared.agreements.gates import forbids, try_gates
from shared.agreements.hints import suggest_onward

Ruling = Decision | Swift


class Evaluator(Protocol):
    """Decides whole concerns, and tries every clause between an originator and single bodies."""

    @property
    def snapshot(self) -> Snapshot:
        """The graph that is decided on."""
        ...

    def decide(self, facts: Facts) -> Ruling:
        """The decision on a concern."""
        ...

    def standings(self, facts: Facts, orgs: Collection[str]) -> tuple[Case, list[Standing]]:
        """The concern before the graph, and what joins each of these bodies to its originator, sorted by id."""
        ...

    def hints(self, case: Case, told: set[str], gaps: set[str]) -> list[str]:
        """Whom those that are told would themselves tell."""
        ...


@dataclass(frozen=True, slots=True)
class Reference:
    """The oracle: every clause towards every body."""

    snapshot: Snapshot

    def decide(self, facts: Facts) -> Ruling:
        """As `Evaluator` has it."""
        return decide(self.snapshot, facts)

    def standings(self, facts: Facts, orgs: Collection[str]) -> tuple[Case, list[Standing]]:
        """As `Evaluator` has it."""
        case = case_of(self.snapshot, facts)
        return case, [standing for standing in standings_of(case) if standing.org in orgs]

    def hints(self, case: Case, told: set[str], gaps: set[str]) -> list[str]:
        """As `Evaluator` has it."""
        return suggest_onward(case, told, gaps)


@dataclass(frozen=True, slots=True)
class Fast:
    """The fast path: no clause is tried but those towards the bodies that are asked for."""

    decider: Decider

    @property
    def snapshot(self) -> Snapshot:
        """As `Evaluator` has it."""
        return self.decider.snapshot

    def decide(self, facts: Facts) -> Ruling:
        """As `Evaluator` has it."""
        return self.decider.decide(facts)

    def standings(self, facts: Facts, orgs: Collection[str]) -> tuple[Case, list[Standing]]:
        """As `Evaluator` has it."""
        case = Case(self.snapshot, facts)
        known = sorted(org for org in orgs if org in self.snapshot.graph.organisations)
        attempts = {org: self.decider.attempts(case, org) for org in known}
        case.forbidden = frozenset(org for org, tried in attempts.items() if any(map(forbids, tried)))
        wrong_way = self.decider.wrong_way(case, known)
        return case, [
            Standing(case, org, tuple(map(try_gates, tried)), wrong_way=org in wrong_way)
            for org, tried in attempts.items()
        ]

    def hints(self, case: Case, told: Iterable[str], gaps: Iterable[str]) -> list[str]:
        """As `Evaluator` has it."""
        return self.decider.suggest_onward(case, told, gaps)
