"""Who acts today for a party that signed. Rules 5, 8 and 11 of the graph's semantics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from shared.agreements.model import Organisation, Succession


@dataclass(frozen=True, slots=True)
class Reached:
    """A body that acts for a party: the way there, what passed on along it, and whether a person must choose."""

    party: str
    org: str
    path: tuple[str, ...]
    novations: frozenset[str] = frozenset()
    ambiguous: bool = False

    def beyond(self, row: Succession, *, ambiguous: bool) -> Reached:
        """The same body, seen from the predecessor one step further back."""
        return Reached(
            party=row.predecessor,
            org=self.org,
            path=(row.predecessor, *self.path),
            novations=self.novations | {row.novation},
            ambiguous=self.ambiguous or ambiguous,
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """The successions of a graph, asked on one day for one concern's functions and categories."""

    rows: Mapping[str, tuple[Succession, ...]]
    organisations: Mapping[str, Organisation]
    day: date
    functions: frozenset[str]
    categories: frozenset[str]

    def resolve(self, party: str, *, personal: bool) -> tuple[Reached, ...]:
        """Every body that acts for the party, each once, by the shortest sure way.

        Total and free of circles (the reader refuses a circle). A split without a match gives all successors,
        marked ambiguous; so does nothing else.
        """
        if party not in self.rows:
            return (Reached(party, party, (party,)),)
        return _each_once(self._walk(party, personal=personal))

    def _walk(self, party: str, *, personal: bool) -> tuple[Reached, ...]:
        effective = self._effective(party, personal=personal)
        followed = [row for row in effective if not row.partial or self._matches(row)]
        if followed:
            return self._beyond(followed, personal=personal, ambiguous=False)
        if effective and not self._lives_on(party):
            return self._beyond(effective, personal=personal, ambiguous=True)
        return (Reached(party, party, (party,)),)

    def _beyond(self, rows: Iterable[Succession], *, personal: bool, ambiguous: bool) -> tuple[Reached, ...]:
        return tuple(
            reached.beyond(row, ambiguous=ambiguous)
            for row in rows
            for reached in self._walk(row.successor, personal=personal)
        )

    def _effective(self, party: str, *, personal: bool) -> list[Succession]:
        """Rows that have happened and pass agreements on; `planned` and `not_carried` are never followed.

        Rule 8: a personal signature moves only with a row that carries it.
        """
        rows = (row for row in self.rows.get(party, ()) if row.has_happened(self.day))
        carried = [row for row in rows if row.novation != "not_carried"]
        if personal:
            return [row for row in carried if row.carries_ecp_signature]
        return carried

    def _matches(self, row: Succession) -> bool:
        """A part is followed by the concern's functions; if it names none, by its categories."""
        if self.functions:
            return bool(row.functions & self.functions)
        return bool(row.categories & self.categories)

    def _lives_on(self, party: str) -> bool:
        """After a partial transfer, what was not handed over stays with a predecessor that still exists."""
        organisation = self.organisations.get(party)
        return organisation is not None and organisation.exists.covers(self.day)


def _each_once(found: Iterable[Reached]) -> tuple[Reached, ...]:
    best: dict[str, Reached] = {}
    for reached in sorted(found, key=lambda item: (item.ambiguous, len(item.path), item.path)):
        best.setdefault(reached.org, reached)
    return tuple(best[org] for org in sorted(best))
