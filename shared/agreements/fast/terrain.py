"""What all bodies of a graph have in common: their numbers, the eras between two changes of any body, and the roads
by which a party is reached."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from shared.agreements.case import Case
from shared.agreements.facts import Facts
from shared.agreements.fast.bits import bits_at
from shared.agreements.kept import keep
from shared.agreements.model import Graph, Organisation, Succession
from shared.agreements.snapshot import Snapshot
from shared.agreements.succession import Reached

Terms = frozenset[str]
Asked = tuple[bool, Terms]
_NOTHING: Asked = (False, frozenset())
ERAS_KEPT_MAX = 16
ROADS_KEPT_MAX = 50_000


class Terrain:
    """The bodies of one graph, numbered by id. Commits that touch no body, succession or remit leave it as it is."""

    def __init__(self, graph: Graph, successions: Mapping[str, tuple[Succession, ...]]) -> None:
        self.graph = graph
        self.rows = successions
        self.names = tuple(sorted(graph.organisations))
        self.number = {org: number for number, org in enumerate(self.names)}
        self.everybody = (1 << len(self.names)) - 1
        self._turns = sorted({day for day in self._days() if day is not None})
        self._eras: dict[int, Era] = {}
        self._parts: dict[str, tuple[Terms, Terms]] = {}
        self._parted = {party for party in successions if self._falls_apart(party)}

    def fits(self, graph: Graph) -> bool:
        """Whether the bodies of that graph are these."""
        mine = self.graph
        return graph.organisations is mine.organisations and graph.successions == mine.successions

    def era(self, day: date) -> Era:
        """What holds of the bodies on that day, and from the last change of any until the next."""
        key = bisect_right(self._turns, day)
        found = self._eras.get(key)
        if found is None:
            found = keep(self._eras, key, Era(self, day, key), ERAS_KEPT_MAX)
        return found

    def set_of(self, orgs: Iterable[str]) -> int:
        """These bodies as a set; what is no body of the graph is left out."""
        return bits_at((self.number[org] for org in orgs if org in self.number), len(self.names))

    def asked(self, party: str, facts: Facts) -> Asked:
        """All that the roads from the party ask of a concern: how it meets the parts of split bodies."""
        functions, categories = self._parts.get(party) or self._find_parts(party)
        if facts.functions:
            return True, facts.functions & functions
        return False, facts.categories & categories

    def is_parted(self, party: str) -> bool:
        """Whether the party, or who takes over from it, may ever fall into parts."""
        return party in self._parted

    def parts(self, parties: Iterable[str]) -> tuple[Terms, Terms]:
        """The functions and categories of all parts into which one of these parties may fall."""
        found = [self._parts.get(party) or self._find_parts(party) for party in parties if party in self.rows]
        if not found:
            return frozenset(), frozenset()
        return frozenset().union(*(pair[0] for pair in found)), frozenset().union(*(pair[1] for pair in found))

    def bodies_of(self, party: str) -> frozenset[str]:
        """Every body that could ever receive for the party."""
        found = self._ahead(party)
        parents = {parent for org in found if (parent := self.parent(org))}
        return frozenset(org for org in found | parents if org in self.number)

    def parent(self, org: str) -> str | None:
        """The body that receives for a division."""
        organisation = self.graph.organisations.get(org)
        return organisation.deliver_to if organisation else None

    def delivered(self, reached: Reached) -> Reached:
        """A division's parent receives."""
        parent = self.parent(reached.org)
        if parent is None:
            return reached
        return Reached(reached.party, parent, (*reached.path, parent), reached.novations, reached.ambiguous)

    @cached_property
    def still(self) -> frozenset[str]:
        """The parties that are, on every day, the one body that receives for them."""
        return frozenset(self.graph.organisations).difference(row.id for row in self.moving)

    @cached_property
    def sectors(self) -> tuple[tuple[str, int], ...]:
        """Of each sector one body, and all."""
        found: dict[str, list[str]] = {}
        for row in self.graph.organisations.values():
            found.setdefault(row.sector, []).append(row.id)
        return tuple((orgs[0], self.set_of(orgs)) for orgs in found.values())

    @cached_property
    def moving(self) -> tuple[Organisation, ...]:
        """Bodies that do not exist for ever, are succeeded, or are divisions."""
        return tuple(row for row in self.graph.organisations.values() if self._moves(row))

    def _moves(self, row: Organisation) -> bool:
        bounded = row.exists.start is not None or row.exists.end is not None
        return bounded or row.deliver_to is not None or row.id in self.rows

    def _days(self) -> Iterable[date | None]:
        for row in self.graph.organisations.values():
            yield from (row.exists.start, row.exists.end)
        yield from (row.effective for row in self.graph.successions)

    def _falls_apart(self, party: str) -> bool:
        return any(row.partial for org in self._ahead(party) for row in self.rows.get(org, ()))

    def _ahead(self, party: str) -> set[str]:
        """The party and all that could ever take over from it."""
        met, ahead = {party}, {party}
        while ahead := {row.successor for org in ahead for row in self.rows.get(org, ())} - met:
            met |= ahead
        return met

    def _find_parts(self, party: str) -> tuple[Terms, Terms]:
        rows = [row for org in self._ahead(party) for row in self.rows.get(org, ()) if row.partial]
        functions = frozenset(name for row in rows for name in row.functions)
        found = self._parts[party] = functions, frozenset(name for row in rows for name in row.categories)
        return found


class Era:
    """Days between which no body begins, ends or is succeeded: who can receive, and by which roads."""

    def __init__(self, terrain: Terrain, day: date, number: int) -> None:
        self._terrain = terrain
        self.number = number
        self._roads: dict[tuple[str, bool, Asked], tuple[Reached, ...]] = {}
        unable = [row for row in terrain.moving if not row.exists.covers(day) or self._replaced(row, day)]
        self.replaced = terrain.set_of(row.id for row in unable if self._replaced(row, day))
        self.unable = frozenset(row.id for row in unable)
        self.gone = terrain.set_of(self.unable)
        self.able = terrain.everybody ^ self.gone

    def receivers(self, party: str, case: Case, *, personal: bool) -> tuple[Reached, ...]:
        """Rules 5 and 7, as `Bodies.receivers` has it."""
        terrain, bodies = self._terrain, case.bodies
        key = (party, personal, terrain.asked(party, case.facts) if terrain.is_parted(party) else _NOTHING)
        found = self._roads.get(key)
        if found is None:
            delivered = map(terrain.delivered, bodies.resolve(party, personal=personal))
            known = terrain.number
            made = tuple(row for row in delivered if row.org in known and row.org not in self.unable)
            found = keep(self._roads, key, made, ROADS_KEPT_MAX)
        return found

    def _replaced(self, organisation: Organisation, day: date) -> bool:
        """Rule 7, as `Bodies.replaced` has it."""
        rows = self._terrain.rows.get(organisation.id, ())
        return (
            organisation.exists.has_ended(day)
            or any(row.has_happened(day) and not row.partial for row in rows)
            or organisation.deliver_to is not None
        )


def terrain_of(snapshot: Snapshot) -> Terrain:
    return Terrain(snapshot.graph, snapshot.successions)
