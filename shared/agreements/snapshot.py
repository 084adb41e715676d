"""A graph at one version: immutable, sliced by who may speak, with what one day settles worked out once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from shared.agreements.bodies import Bodies
from shared.agreements.kept import keep
from shared.agreements.load.objects import Row, Rows, rows_in
from shared.agreements.model import Agreement, Graph, Succession
from shared.agreements.rights import Right
from shared.agreements.slices import Slices
from shared.agreements.succession import Lineage

# Concerns of one day and function share their bodies; history is asked rarely, so few days are kept.
BODIES_KEPT_MAX = 128


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable graph with its version and root; shared freely between threads."""

    graph: Graph
    version: int
    root: str
    successions: Mapping[str, tuple[Succession, ...]] = field(init=False, repr=False, compare=False)
    _slices: Slices = field(init=False, repr=False, compare=False)
    _parts: frozenset[str] = field(init=False, repr=False, compare=False)
    _bodies: dict[object, Bodies] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._index(Slices(self.graph))

    def after(self, graph: Graph, version: int, root: str, changed: Iterable[Row] | Rows) -> Snapshot:
        """The snapshot of `graph`, which is this one's with these objects put in; untouched slices are kept."""
        after = object.__new__(Snapshot)
        for name, value in (("graph", graph), ("version", version), ("root", root)):
            object.__setattr__(after, name, value)
        after._index(self._slices.after(graph, self._parties_of(rows_in(changed))))
        return after

    def _index(self, slices: Slices) -> None:
        built: dict[str, object] = {
            "successions": _successions(self.graph),
            "_slices": slices,
            "_parts": frozenset(name for row in self.graph.successions for name in row.categories),
            "_bodies": {},
        }
        for name, value in built.items():
            object.__setattr__(self, name, value)

    def _parties_of(self, changed: Rows) -> Iterator[str]:
        """Who is a party to one of these agreements, or was before the change."""
        for row in changed.of_kind("agreement"):
            before = self.graph.agreements.get(row["id"])
            yield from (party.org for party in (before.parties if before else ()))
            yield from (party["org"] for party in row["parties"])

    def bodies(self, day: date, functions: frozenset[str], categories: frozenset[str]) -> Bodies:
        """Who acts for whom on the day, for a concern of these functions and categories."""
        key = (day, functions, categories & self._parts)
        found = self._bodies.get(key)
        if found is None:
            lineage = Lineage(self.successions, self.graph.organisations, day, functions, categories)
            found = keep(self._bodies, key, Bodies(lineage, self._slices), BODIES_KEPT_MAX)
        return found

    def sharing(self, agreement: str) -> Agreement | None:
        return self._slices.sharing(agreement)

    def rights_around(self, org: str, among: Collection[str] | None = None) -> Iterator[Right]:
        """Every right of everything that the body, or who it could act for, is a party to; nothing of it is kept.

        With `among`: of these agreements alone.
        """
        return self._slices.around(org, among)

    def much_signed(self, least: int) -> list[str]:
        """The bodies that are party to so many agreements, those with most first."""
        return self._slices.much_signed(least)

    def acting_for(self, org: str) -> frozenset[str]:
        """The body and every party for which it could ever act."""
        return self._slices.acting_for(org)

    def later_day(self, agreement: str) -> date | None:
        """The day on which a later version takes the agreement's place."""
        return self._slices.later_day(agreement)

    def later_version(self, agreement: str) -> Agreement | None:
        return self._slices.later_version(agreement)


def _successions(graph: Graph) -> dict[str, tuple[Succession, ...]]:
    rows: dict[str, list[Succession]] = {}
    for row in sorted(graph.successions, key=lambda item: item.id):
        rows.setdefault(row.predecessor, []).append(row)
    return {party: tuple(found) for party, found in rows.items()}
