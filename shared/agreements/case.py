"""One concern before one graph: the questions that the gates ask, each answered once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from shared.agreements.facts import Facts
from shared.agreements.model import NAMED, Agreement, Bar, Clause, Organisation, Policy
from shared.agreements.remits import categories_in_remit, implied_functions
from shared.agreements.snapshot import Right, Snapshot
from shared.agreements.succession import Lineage, Reached


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
        self.day = facts.day
        self.functions = facts.functions or implied_functions(snapshot.graph, facts)
        self.opened = facts.opened
        self.originator = facts.originator
        self._lineage = Lineage(
            snapshot.successions, self.graph.organisations, self.day, facts.functions, facts.categories
        )
        self._resolved: dict[tuple[str, bool], tuple[Reached, ...]] = {}
        self._receiving: dict[tuple[str, bool], tuple[Reached, ...]] = {}
        self._can_receive: dict[str, bool] = {}
        self._parties: dict[tuple[str, date], frozenset[str]] = {}
        self._remits: dict[str, frozenset[str]] = {}
        self.subjects = frozenset(
            org for subject in facts.subjects if subject.org for org in self.acting_for(subject.org)
        )
        self.bars = tuple(bar for bar in self.graph.bars.values() if self._binds(bar))
        self.attempts = tuple(self._attempts())
        self.forbidden: frozenset[str] = frozenset()

    def organisation(self, org: str) -> Organisation | None:
        return self.graph.organisations.get(org)

    def resolve(self, party: str, *, personal: bool) -> tuple[Reached, ...]:
        """Rule 5: who acts for the party on the day of receipt."""
        key = (party, personal)
        if key not in self._resolved:
            self._resolved[key] = self._lineage.resolve(party, personal=personal)
        return self._resolved[key]

    def receivers(self, party: str, *, personal: bool) -> tuple[Reached, ...]:
        """Rules 5 and 7: a division's parent receives; a body that does not exist today receives nothing."""
        key = (party, personal)
        if key not in self._receiving:
            delivered = map(self._delivered, self.resolve(party, personal=personal))
            self._receiving[key] = tuple(reached for reached in delivered if self.can_receive(reached.org))
        return self._receiving[key]

    def acting_for(self, party: str) -> frozenset[str]:
        """The party, its successors, and the parents of those that are divisions."""
        reached = {reached.org for reached in self.resolve(party, personal=False)} | {party}
        return frozenset(reached | {parent for org in reached if (parent := self._parent(org))})

    def remit(self, org: str) -> frozenset[str]:
        """The categories of the concern that lie in the body's remit."""
        if org not in self._remits:
            self._remits[org] = categories_in_remit(self.organisation(org), self)
        return self._remits[org]

    def replaced(self, org: str) -> bool:
        """Rule 7: gone, wholly succeeded, or a division whose parent receives."""
        organisation = self.graph.organisations[org]
        rows = self.snapshot.successions.get(org, ())
        return (
            organisation.exists.has_ended(self.day)
            or any(row.has_happened(self.day) and not row.partial for row in rows)
            or organisation.deliver_to is not None
        )

    def can_receive(self, org: str) -> bool:
        if org not in self._can_receive:
            self._can_receive[org] = self._exists_to_receive(org)
        return self._can_receive[org]

    def _exists_to_receive(self, org: str) -> bool:
        """Rule 7: a body outside its `exists` interval can be no recipient."""
        organisation = self.organisation(org)
        return organisation is not None and organisation.exists.covers(self.day) and not self.replaced(org)

    def parties_on(self, agreement: Agreement, day: date) -> frozenset[str]:
        """The parties within their own dates."""
        key = (agreement.id, day)
        if key not in self._parties:
            present = (party.org for party in agreement.parties if party.span.covers(day))
            self._parties[key] = frozenset(present)
        return self._parties[key]

    def _attempts(self) -> Iterator[Attempt]:
        """Every clause that the originator may try today, towards every body that would receive."""
        for right in self.snapshot.speaking(self.originator):
            discloser = self._speaking_as(self.originator, right)
            if discloser:
                yield from (
                    Attempt(self, right.agreement, right.clause, discloser, recipient)
                    for recipient in self._receivers_of(right)
                    if recipient.org != self.originator
                )

    def bodies_that_may_tell(self, originator: str) -> frozenset[str]:
        """Bodies joined to the originator by a clause in the other direction."""
        ties = self.snapshot.hearing(originator)
        heard = [tie for tie in ties if _among(originator, self.receivers(tie.recipient, personal=tie.personal))]
        return frozenset(
            reached.org for tie in heard for reached in self.receivers(tie.discloser, personal=tie.personal)
        )

    def _speaking_as(self, originator: str, right: Right) -> Reached | None:
        """Rule 5: a parent also originates under its division's signature."""
        for reached in self.resolve(right.discloser, personal=right.agreement.personal):
            if originator in (reached.org, self._parent(reached.org)):
                return reached
        return None

    def _receivers_of(self, right: Right) -> Iterator[Reached]:
        for party in right.recipients:
            for named in self.facts.named_recipients if party == NAMED else (party,):
                yield from self.receivers(named, personal=right.agreement.personal)

    def _delivered(self, reached: Reached) -> Reached:
        parent = self._parent(reached.org)
        if parent is None:
            return reached
        return Reached(reached.party, parent, (*reached.path, parent), reached.novations, reached.ambiguous)

    def _parent(self, org: str) -> str | None:
        organisation = self.organisation(org)
        return organisation.deliver_to if organisation else None

    def _binds(self, bar: Bar) -> bool:
        """A bar acts on everything that its holders, or who took over from them, originate."""
        return bar.span.covers(self.day) and any(self.originator in self.acting_for(org) for org in bar.holders)


def _among(org: str, bodies: tuple[Reached, ...]) -> bool:
    return any(reached.org == org for reached in bodies)
