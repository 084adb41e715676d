"""Parties that were split: who acts for them depends on the concern's function or category.

Every other party is followed in one way on a day. So agreements of split parties are joined here, once for each way in
which a part is followed, with the part of the space where it is; all others are joined as the evaluator does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.registry.domain.analyses.space import CATEGORY, FUNCTION, Box, Space, meet, with_key
from shared.agreements import Graph, Snapshot
from shared.agreements.bodies import Bodies, Joined
from shared.agreements.model import NAMED, Agreement
from shared.agreements.rights import Right, rights_of
from shared.agreements.succession import Reached

Placed = tuple[Reached, Box]


class Followed(NamedTuple):
    """A clause between two bodies, in the part of the space where these two act for its parties."""

    joined: Joined
    part: Box


class Splits:
    """The agreements of split parties on one day, by the body that may speak under them."""

    def __init__(self, snapshot: Snapshot, space: Space, base: Bodies) -> None:
        self._graph = snapshot.graph
        self._space = space
        self._base = base
        self.agreements = _unsure(snapshot.graph)
        self._slices = list(_slices(snapshot, space, base)) if self.agreements else []
        self._speaking: dict[tuple[str, bool], dict[str, list[Placed]]] = {}
        self._hearing: dict[tuple[str, bool], list[Placed]] = {}
        self._by_originator: dict[str, list[Followed]] = {}
        sharing = snapshot.graph.sharing()
        for name in sorted(self.agreements):
            for right in rights_of(sharing[name]):
                self._join(right)

    def of(self, originator: str) -> list[Followed]:
        """What the originator may try under them."""
        return self._by_originator.get(originator, [])

    def _join(self, right: Right) -> None:
        personal = right.agreement.personal
        heard = [placed for party in self._recipients(right) for placed in self._heard(party, personal=personal)]
        for originator, speaking in self._spoken(right.discloser, personal=personal).items():
            found = self._by_originator.setdefault(originator, [])
            for discloser, mine in speaking:
                found.extend(
                    Followed(Joined(right.agreement, right.clause, discloser, recipient), part)
                    for recipient, theirs in heard
                    if recipient.org != originator and (part := meet(mine, theirs))
                )

    def _recipients(self, right: Right) -> Iterator[str]:
        """`@named` may be any body that the concern names."""
        for party in right.recipients:
            yield from sorted(self._graph.organisations) if party == NAMED else (party,)

    def _heard(self, party: str, *, personal: bool) -> list[Placed]:
        key = (party, personal)
        if key not in self._hearing:
            rows = ((bodies.receivers(party, personal=personal), part) for bodies, part in self._slices)
            self._hearing[key] = self._merged((reached, part) for found, part in rows for reached in found)
        return self._hearing[key]

    def _spoken(self, party: str, *, personal: bool) -> dict[str, list[Placed]]:
        """By originator: rule 5 lets the body speak that acts for the party, and the parent of that."""
        key = (party, personal)
        if key not in self._speaking:
            rows = [row for bodies, part in self._slices for row in self._voices(bodies, part, key)]
            by_body = {org: [(reached, part) for other, reached, part in rows if other == org] for org, _, _ in rows}
            self._speaking[key] = {org: self._merged(placed) for org, placed in by_body.items()}
        return self._speaking[key]

    def _voices(self, bodies: Bodies, part: Box, key: tuple[str, bool]) -> Iterator[tuple[str, Reached, Box]]:
        heard: set[str] = set()
        for reached in bodies.resolve(key[0], personal=key[1]):
            organisation = self._graph.organisations.get(reached.org)
            for org in (reached.org, organisation.deliver_to if organisation else None):
                if org and org not in heard:
                    heard.add(org)
                    yield org, reached, part

    def _merged(self, placed: Iterable[Placed]) -> list[Placed]:
        """Slices of one body side by side become one: those by function, those by category, or all of it."""
        parts: dict[Reached, list[Box]] = {}
        for reached, part in placed:
            parts.setdefault(reached, []).append(part)
        return [(reached, box) for reached, boxes in parts.items() for box in self._joined_up(boxes)]

    def _joined_up(self, boxes: list[Box]) -> Iterator[Box]:
        if len(boxes) == len(self._slices):
            yield self._space.full
            return
        for key in (CATEGORY, FUNCTION):
            side = [box for box in boxes if (box[CATEGORY] == self._space.full[CATEGORY]) == (key == FUNCTION)]
            if side:
                yield with_key(side[0], key, sum({box[key] for box in side}))


def _slices(snapshot: Snapshot, space: Space, base: Bodies) -> Iterator[tuple[Bodies, Box]]:
    """By each function that a concern may name, and without one by each category that a part lists."""
    none: frozenset[str] = frozenset()
    for function in filter(None, space.values[FUNCTION]):
        part = with_key(space.full, FUNCTION, space.mask(FUNCTION, [function]))
        yield snapshot.bodies(base.day, frozenset({function}), none), part
    unstated = with_key(space.full, FUNCTION, space.mask(FUNCTION, [None]))
    followed = sorted({category for row in snapshot.graph.successions for category in row.categories})
    for category in followed:
        part = with_key(unstated, CATEGORY, space.category_bit(category))
        yield snapshot.bodies(base.day, none, frozenset({category})), part
    if others := space.full[CATEGORY] & ~space.mask(CATEGORY, followed):
        yield base, with_key(unstated, CATEGORY, others)


def _unsure(graph: Graph) -> frozenset[str]:
    split = split_parties(graph)
    return frozenset(name for name, row in graph.sharing().items() if split & _named_in(row))


def split_parties(graph: Graph) -> set[str]:
    """Predecessors of a part, and whoever they took over from."""
    split = {row.predecessor for row in graph.successions if row.partial and row.effective}
    while before := {row.predecessor for row in graph.successions if row.successor in split} - split:
        split |= before
    return split


def _named_in(agreement: Agreement) -> set[str]:
    sides = {org for clause in agreement.clauses for org in (*clause.disclosers, *clause.recipients)}
    return sides | {party.org for party in agreement.parties}
