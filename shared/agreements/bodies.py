"""Who acts for whom on one day, and who can receive: rules 5, 7 and 8, worked out as asked and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from shared.agreements.model import NAMED, Agreement, Clause, Organisation
from shared.agreements.rights import Right
from shared.agreements.slices import Slices
from shared.agreements.succession import Lineage, Reached

JOINED_KEPT_MAX = 10_000


class Joined(NamedTuple):
    """A clause between two bodies as they stand today, with the parties as they signed."""

    agreement: Agreement
    clause: Clause
    discloser: Reached
    recipient: Reached


class Bodies:
    """The organisations on one day. The same answers for every concern of the same functions and categories."""

    def __init__(self, lineage: Lineage, slices: Slices) -> None:
        self.day = lineage.day
        self._lineage = lineage
        self._slices = slices
        self._resolved: dict[tuple[str, bool], tuple[Reached, ...]] = {}
        self._receiving: dict[tuple[str, bool], tuple[Reached, ...]] = {}
        self._joined: dict[str, tuple[Joined, ...]] = {}
        self._wrong_way: dict[str, frozenset[str]] = {}

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
            self._receiving[key] = tuple(reached for reached in delivered if reached.org in self.able)
        return self._receiving[key]

    def acting_for(self, party: str) -> frozenset[str]:
        """The party, its successors, and the parents of those that are divisions."""
        reached = {reached.org for reached in self.resolve(party, personal=False)} | {party}
        return frozenset(reached | {parent for org in reached if (parent := self._parent(org))})

    @cached_property
    def able(self) -> frozenset[str]:
        """Rule 7: a body outside its `exists` interval can be no recipient, nor one that was replaced."""
        return frozenset(
            org
            for org, organisation in self._lineage.organisations.items()
            if organisation.exists.covers(self.day) and not self.replaced(organisation)
        )

    def replaced(self, organisation: Organisation) -> bool:
        """Rule 7: gone, wholly succeeded, or a division whose parent receives."""
        rows = self._lineage.rows.get(organisation.id, ())
        return (
            organisation.exists.has_ended(self.day)
            or any(row.has_happened(self.day) and not row.partial for row in rows)
            or organisation.deliver_to is not None
        )

    def joined_to(self, originator: str, named: Iterable[str]) -> Iterator[Joined]:
        """Every clause that the originator may try today, towards every body that would receive."""
        yield from self._joined.get(originator) or self._join_all(originator)
        for right in self._rights(originator) if named else ():
            for party in sorted(named) if NAMED in right.recipients else ():
                yield from self._join(originator, right, party)

    def wrong_way_to(self, originator: str) -> frozenset[str]:
        """Bodies joined to the originator by a clause in the other direction."""
        if originator not in self._wrong_way:
            ties = self._slices.hearing(originator)
            heard = [tie for tie in ties if _among(originator, self.receivers(tie.recipient, personal=tie.personal))]
            self._wrong_way[originator] = frozenset(
                reached.org for tie in heard for reached in self.receivers(tie.discloser, personal=tie.personal)
            )
        return self._wrong_way[originator]

    def _join_all(self, originator: str) -> tuple[Joined, ...]:
        """Those that no concern names: `@named` is nobody's id. Very many are worked out anew rather than kept for each
        day."""
        plain = ((right, party) for right in self._rights(originator) for party in right.recipients)
        rows = tuple(row for right, party in plain for row in self._join(originator, right, party))
        if len(rows) <= JOINED_KEPT_MAX:
            self._joined[originator] = rows
        return rows

    def _rights(self, originator: str) -> tuple[Right, ...]:
        return self._slices.speaking(originator)

    def _join(self, originator: str, right: Right, party: str) -> Iterator[Joined]:
        discloser = self._speaking_as(originator, right)
        for recipient in self.receivers(party, personal=right.agreement.personal) if discloser else ():
            if discloser and recipient.org != originator:
                yield Joined(right.agreement, right.clause, discloser, recipient)

    def _speaking_as(self, originator: str, right: Right) -> Reached | None:
        """Rule 5: a parent also originates under its division's signature."""
        for reached in self.resolve(right.discloser, personal=right.agreement.personal):
            if originator in (reached.org, self._parent(reached.org)):
                return reached
        return None

    def _delivered(self, reached: Reached) -> Reached:
        parent = self._parent(reached.org)
        if parent is None:
            return reached
        return Reached(reached.party, parent, (*reached.path, parent), reached.novations, reached.ambiguous)

    def _parent(self, org: str) -> str | None:
        organisation = self._lineage.organisations.get(org)
        return organisation.deliver_to if organisation else None


def _among(org: str, bodies: tuple[Reached, ...]) -> bool:
    return any(reached.org == org for reached in bodies)
