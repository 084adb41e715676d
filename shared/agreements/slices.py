"""Of a whole graph, what each body may say and hear: worked out when it is first asked for, and kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from shared.agreements.load.lean import Shelved
from shared.agreements.load.roster import Names, Roster
from shared.agreements.model import Agreement, Graph
from shared.agreements.rights import Right, Tie, rights_of, ties_of

KEPT_MAX = 50_000
"""Rights and ties of all bodies together, with their agreements: some 150 MB."""


class _Said(NamedTuple):
    """What one body may say, and what it hears."""

    speaking: tuple[Right, ...]
    hearing: tuple[Tie, ...]


class Slices:
    """Rights and ties by body, over one graph. Shared freely between threads."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._roster = _roster_of(graph.agreements)
        self._others = _by_party((*graph.duties.values(), *(bar.permitted for bar in graph.bars.values())))
        self._before = _steps_back(graph)
        self._kept: dict[str, _Said] = {}

    def after(self, graph: Graph, touched: Iterable[str]) -> Slices:
        """The slices of the graph after a change, which touched agreements of these parties: the others are kept."""
        after = Slices(graph)
        if after._before == self._before and _only_agreements_differ(self._graph, graph):
            moved = self._acting_for_any(touched)
            after._kept = {org: kept for org, kept in self._kept.copy().items() if org not in moved}
        return after

    def speaking(self, org: str) -> tuple[Right, ...]:
        """Every right that the body, or a party for which it could ever act, has as a discloser; by agreement."""
        return (self._kept.get(org) or self._look_at(org)).speaking

    def hearing(self, org: str) -> tuple[Tie, ...]:
        """Every tie in which the body, or a party for which it could ever act, is told; sorted."""
        return (self._kept.get(org) or self._look_at(org)).hearing

    def _look_at(self, org: str) -> _Said:
        """Both at once: an agreement is long to read."""
        acting, rights, ties = self.acting_for(org), list[Right](), set[Tie]()
        for right in self.around(org):
            ties.update(tie for tie in ties_of(right) if tie.recipient in acting)
            if right.discloser in acting:
                rights.append(right)
        if sum(map(_weight, self._kept.copy().values())) + len(rights) + len(ties) > KEPT_MAX:
            self._kept.clear()
        made = self._kept[org] = _Said(tuple(rights), tuple(sorted(ties)))
        return made

    def around(self, org: str, among: Collection[str] | None = None) -> Iterator[Right]:
        """Every right of everything that the body, or a party for which it could ever act, is a party to; by agreement.

        Nothing is kept: what was not read before is read in passing. `among`: of these agreements alone.
        """
        acting = self.acting_for(org)
        found = self._signed_by(acting) if among is None else self._those_of(acting, among)
        for agreement in found:
            yield from rights_of(agreement)

    def _those_of(self, parties: frozenset[str], names: Iterable[str]) -> Iterator[Agreement]:
        """Those of these agreements to which one of the parties is a party."""
        found = filter(None, map(self.sharing, sorted(names)))
        return (agreement for agreement in found if any(party.org in parties for party in agreement.parties))

    def _in_passing(self, name: str) -> Agreement | None:
        held = self._graph.agreements
        if isinstance(held, Shelved) and name in held:
            return held.glance(name)
        return self.sharing(name)

    def much_signed(self, least: int) -> list[str]:
        """The bodies that are party to so many agreements, those with most first."""
        many = {org: len(names) for org, names in self._roster.by_party.items() if len(names) >= least}
        return sorted(many, key=lambda org: (-many[org], org))

    def acting_for(self, org: str) -> frozenset[str]:
        """The body and every party for which it could ever act: predecessors of predecessors, and divisions."""
        return frozenset(_closure(org, self._before))

    def later_day(self, name: str) -> date | None:
        """The day on which a later version takes its place; None without one, or where that has no first day."""
        later = self._roster.later.get(name)
        found = self._in_passing(later[-1]) if later else None
        return found.span.start if found else None

    def sharing(self, name: str) -> Agreement | None:
        """The agreement, duty or gateway clauses of that id."""
        bar = self._graph.bars.get(name)
        permitted = bar.permitted if bar else None
        return permitted or self._graph.duties.get(name) or self._graph.agreements.get(name)

    def later_version(self, name: str) -> Agreement | None:
        """The agreement that supersedes the one of that id."""
        later = self._roster.later.get(name)
        return self._graph.agreements[later[-1]] if later else None

    def _signed_by(self, parties: frozenset[str]) -> Iterator[Agreement]:
        """Everything with clauses to which one of these is a party, in whatever capacity, sorted by id."""
        names = {
            name for org in parties for part in (self._roster.by_party, self._others) for name in part.get(org, ())
        }
        found = map(self._in_passing, sorted(names))
        return (agreement for agreement in found if agreement)

    def _acting_for_any(self, parties: Iterable[str]) -> frozenset[str]:
        """Those whose slices are kept here and who could ever act for one of the parties."""
        touched = frozenset(parties)
        asked = set(self._kept.copy())
        return frozenset(org for org in asked if touched & self.acting_for(org))


def _weight(said: _Said) -> int:
    return len(said.speaking) + len(said.hearing)


def _only_agreements_differ(before: Graph, after: Graph) -> bool:
    """Of all that has clauses: duties and bars are the same, and agreements are read with the same words."""
    held, read = before.agreements, after.agreements
    same_words = isinstance(held, Shelved) and isinstance(read, Shelved) and held.reader is read.reader
    return same_words and before.duties is after.duties and before.bars is after.bars


def _roster_of(agreements: Mapping[str, Agreement]) -> Roster:
    if isinstance(agreements, Shelved):
        return agreements.base.roster
    later: dict[str, tuple[str, ...]] = {}
    for agreement in agreements.values():
        if agreement.supersedes:
            later[agreement.supersedes] = tuple(sorted((*later.get(agreement.supersedes, ()), agreement.id)))
    return Roster(_by_party(agreements.values()), later, {}, {})


def _by_party(agreements: Iterable[Agreement]) -> Names:
    found: dict[str, list[str]] = {}
    for agreement in agreements:
        for org in {party.org for party in agreement.parties}:
            found.setdefault(org, []).append(agreement.id)
    return {org: tuple(sorted(ids)) for org, ids in found.items()}


def _steps_back(graph: Graph) -> dict[str, set[str]]:
    """Each body with those for which it could act at one remove."""
    steps: dict[str, set[str]] = {}
    for row in graph.successions:
        steps.setdefault(row.successor, set()).add(row.predecessor)
    for organisation in graph.organisations.values():
        if organisation.deliver_to:
            steps.setdefault(organisation.deliver_to, set()).add(organisation.id)
    return steps


def _closure(start: str, steps: Mapping[str, set[str]]) -> set[str]:
    found, ahead = {start}, {start}
    while ahead := {after for org in ahead for after in steps.get(org, ())} - found:
        found |= ahead
    return found
