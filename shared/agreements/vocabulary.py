"""The words that the graph and a concern may use, and how wider words cover narrower ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Lists that the vocabularies of a graph give; a list that is absent has no terms.
LISTS = (
    "nations",
    "ecp_categories",
    "categories",
    "subject_kinds",
    "settings",
    "victims",
    "fault_holders",
    "provider_status",
    "urgency",
    "registers",
    "topics",
    "flags",
    "functions",
    "purposes",
    "field_classes",
    "field_policy_order",
    "sensitivity_components",
    "markings",
    "reason_codes",
    "time_limits",
)


def term_ids(terms: Iterable[Any]) -> tuple[str, ...]:
    """The ids of a list whose items are words or rows with an id."""
    return tuple(term["id"] if isinstance(term, Mapping) else term for term in terms)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Each list in its own order. Raises nothing: an unknown list is empty, an unknown word covers itself."""

    lists: Mapping[str, tuple[Any, ...]]
    values: Mapping[str, Any]
    _ids: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {name: term_ids(terms) for name, terms in self.lists.items()})

    def ids(self, name: str) -> tuple[str, ...]:
        return self._ids.get(name, ())

    def rank(self, name: str, term: str) -> int:
        """The place of the term in its list, -1 when unknown: urgency and field policy are ordered lists."""
        ids = self.ids(name)
        return ids.index(term) if term in ids else -1

    def categories_under(self, named: Iterable[str]) -> frozenset[str]:
        """Rule 1: an Emerging Concerns Protocol parent category covers its children."""
        return self._closure("categories", named)

    def purposes_under(self, named: Iterable[str]) -> frozenset[str]:
        """Rule 1: a purpose covers its descendants."""
        return self._closure("purposes", named)

    def _closure(self, name: str, named: Iterable[str]) -> frozenset[str]:
        covered = set(named)
        rows = [row for row in self.lists.get(name, ()) if isinstance(row, Mapping)]
        while grown := {row["id"] for row in rows if row.get("parent") in covered} - covered:
            covered |= grown
        return frozenset(covered)
