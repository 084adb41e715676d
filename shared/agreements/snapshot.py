"""A graph at one version: immutable, indexed by who may speak, with what one day settles worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from shared.agreements.bodies import Bodies
from shared.agreements.model import Agreement, Graph, Succession
from shared.agreements.rights import Right, Tie, index_by_body, rights_of, ties_of
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
    _sharing: dict[str, Agreement] = field(init=False, repr=False, compare=False)
    _superseded: dict[str, Agreement] = field(init=False, repr=False, compare=False)
    _speaking: dict[str, tuple[Right, ...]] = field(init=False, repr=False, compare=False)
    _hearing: dict[str, tuple[Tie, ...]] = field(init=False, repr=False, compare=False)
    _parts: frozenset[str] = field(init=False, repr=False, compare=False)
    _bodies: dict[object, Bodies] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sharing = self.graph.sharing()
        rights = [right for agreement in _by_id(sharing) for right in rights_of(agreement)]
        ties = sorted({tie for right in rights for tie in ties_of(right)})
        built: dict[str, object] = {
            "successions": _successions(self.graph),
            "_sharing": sharing,
            "_superseded": {row.supersedes: row for row in sharing.values() if row.supersedes},
            "_speaking": index_by_body(self.graph, ((right, right.discloser) for right in rights)),
            "_hearing": index_by_body(self.graph, ((tie, tie.recipient) for tie in ties)),
            "_parts": frozenset(name for row in self.graph.successions for name in row.categories),
            "_bodies": {},
        }
        for name, value in built.items():
            object.__setattr__(self, name, value)

    def bodies(self, day: date, functions: frozenset[str], categories: frozenset[str]) -> Bodies:
        """Who acts for whom on the day, for a concern of these functions and categories."""
        key = (day, functions, categories & self._parts)
        found = self._bodies.get(key)
        if found is None:
            lineage = Lineage(self.successions, self.graph.organisations, day, functions, categories)
            if len(self._bodies) >= BODIES_KEPT_MAX:
                self._bodies.clear()
            found = self._bodies[key] = Bodies(lineage, self._speaking, self._hearing)
        return found

    def sharing(self, agreement: str) -> Agreement | None:
        return self._sharing.get(agreement)

    def later_version(self, agreement: str) -> Agreement | None:
        return self._superseded.get(agreement)


def _by_id(sharing: Mapping[str, Agreement]) -> list[Agreement]:
    return [sharing[name] for name in sorted(sharing)]


def _successions(graph: Graph) -> dict[str, tuple[Succession, ...]]:
    rows: dict[str, list[Succession]] = {}
    for row in sorted(graph.successions, key=lambda item: item.id):
        rows.setdefault(row.predecessor, []).append(row)
    return {party: tuple(found) for party, found in rows.items()}
