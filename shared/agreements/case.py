"""One concern before one graph: the questions that the gates ask, each answered once."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import NamedTuple

from shared.agreements.bodies import Bodies
from shared.agreements.facts import Facts
from shared.agreements.model import Agreement, Bar, Clause, Organisation, Policy
from shared.agreements.remits import categories_in_remit, implied_functions
from shared.agreements.snapshot import Snapshot
from shared.agreements.succession import Reached


class Attempt(NamedTuple):
    """A clause tried by the originator towards one body: what every gate looks at."""

    case: Case
    agreement: Agreement
    clause: Clause
    discloser: Reached
    recipient: Reached

    @property
    def ambiguous(self) -> bool:
        """Rule 11: one side was split, no part of it matches, and a person must choose."""
        return self.discloser.ambiguous or self.recipient.ambiguous

    @property
    def day(self) -> date:
        """Rule 10: the incident's day where the clause says so, for being in force and for accession only."""
        return self.case.facts.incident_day if self.clause.when.by_incident else self.case.day


class Case:
    """Facts and snapshot together, with what follows from both worked out at most once."""

    def __init__(self, snapshot: Snapshot, facts: Facts) -> None:
        self.snapshot = snapshot
        self.facts = facts
        self.graph = snapshot.graph
        self.policy: Policy = snapshot.graph.policy
        self.words = snapshot.graph.vocabularies
        self.originator = facts.originator
        self.day = facts.day
        self.functions = facts.functions or implied_functions(snapshot.graph, facts)
        self.subjects = self._subjects_of(facts)
        self.bars = tuple(bar for bar in self.graph.bars.values() if self._binds(bar))
        self.forbidden: frozenset[str] = frozenset()
        self._parties: dict[tuple[str, date], frozenset[str]] = {}
        self._remits: dict[str, frozenset[str]] = {}

    @cached_property
    def bodies(self) -> Bodies:
        """Who acts for whom on the day of receipt."""
        return self.snapshot.bodies(self.day, self.facts.functions, self.facts.categories)

    @cached_property
    def opened(self) -> frozenset[str]:
        """The gateways that a person's recorded decision opens."""
        return self.facts.opened

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every clause that the originator may try, towards every body that would receive."""
        joined = self.bodies.joined_to(self.originator, self.facts.named_recipients)
        return tuple(Attempt(self, *row) for row in joined)

    def organisation(self, org: str) -> Organisation | None:
        return self.graph.organisations.get(org)

    def remit(self, org: str) -> frozenset[str]:
        """The categories of the concern that lie in the body's remit."""
        if org not in self._remits:
            self._remits[org] = categories_in_remit(self.organisation(org), self)
        return self._remits[org]

    def parties_on(self, agreement: Agreement, day: date) -> frozenset[str]:
        """The parties within their own dates."""
        key = (agreement.id, day)
        if key not in self._parties:
            present = (party.org for party in agreement.parties if party.span.covers(day))
            self._parties[key] = frozenset(present)
        return self._parties[key]

    def _subjects_of(self, facts: Facts) -> frozenset[str]:
        """The organisations that are subjects, and who acts for them."""
        return frozenset(
            org for subject in facts.subjects if subject.org for org in self.bodies.acting_for(subject.org)
        )

    def _binds(self, bar: Bar) -> bool:
        """A bar acts on everything that its holders, or who took over from them, originate."""
        holders = (org for holder in bar.holders for org in self.bodies.acting_for(holder))
        return bar.span.covers(self.day) and self.originator in holders
