"""Graph objects sorted by kind, and the terms that they make known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.agreements.load.form import Problem
from shared.agreements.load.shapes import SHAPES, VALUES
from shared.agreements.load.words import WORDS
from shared.agreements.model import NAMED, SIGNATORIES
from shared.agreements.vocabulary import LISTS

Row = Mapping[str, Any]
KINDS = frozenset({*SHAPES, "vocabulary"})


class Shelf:
    """The objects by kind, each kind sorted by id: the order in which they came decides nothing."""

    def __init__(self, objects: Iterable[Row]) -> None:
        self.problems: list[Problem] = []
        self._by_kind: dict[str, dict[str, Row]] = {kind: {} for kind in KINDS}
        for number, row in enumerate(objects, 1):
            self._put(row, f"object {number}")
        if len(self._by_kind["policy"]) != 1:
            self.problems.append(Problem("policy", f"needs exactly one, found {len(self._by_kind['policy'])}"))

    def _put(self, row: Any, where: str) -> None:
        kind, name = (row.get("kind"), row.get("id")) if isinstance(row, Mapping) else (None, None)
        if not isinstance(kind, str) or kind not in KINDS:
            self.problems.append(Problem(where, f"kind {kind!r} is not known"))
        elif not isinstance(name, str) or not name:
            self.problems.append(Problem(where, f"a {kind} without an id"))
        elif name in self._by_kind[kind]:
            self.problems.append(Problem(f"{kind} {name}", "is there twice"))
        else:
            self._by_kind[kind][name] = row

    def rows(self, kind: str) -> list[Row]:
        return [row for _, row in sorted(self._by_kind[kind].items())]

    def ids(self, kind: str) -> frozenset[str]:
        return frozenset(self._by_kind[kind])

    def get(self, kind: str, name: str | None) -> Row | None:
        return self._by_kind[kind].get(name) if name else None

    def policy(self) -> Row:
        return self.rows("policy")[0]

    def terms(self, name: str) -> tuple[Any, ...]:
        """The items of a vocabulary list, () when the list is absent or no list."""
        found = (self.get("vocabulary", name) or {}).get("terms", ())
        return tuple(found) if isinstance(found, list | tuple) else ()

    def value(self, name: str) -> Any:
        return (self.get("vocabulary", name) or {}).get("value")

    def known_terms(self) -> dict[str, frozenset[str]]:
        """Every list of words by name: the reader's own, the vocabularies, and the ids of the objects."""
        known = {**WORDS, **{name: self._term_ids(name) for name in LISTS}}
        known["any category"] = known["categories"] | known["ecp_categories"]
        known["vocabulary"] = frozenset({*LISTS, *VALUES})
        for kind in KINDS:
            known[f"{kind} ids"] = self.ids(kind)
        known["party"] = self.ids("organisation") | {SIGNATORIES, NAMED}
        known["sharing ids"] = self.ids("agreement") | self.ids("duty")
        return known

    def _term_ids(self, name: str) -> frozenset[str]:
        found = (term.get("id") if isinstance(term, Mapping) else term for term in self.terms(name))
        return frozenset(term for term in found if isinstance(term, str))
