"""Graph objects sorted by kind, and the terms that they make known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from shared.agreements.load.form import Book, Problem, many, one_of, record, text
from shared.agreements.load.shapes import SHAPES, TERM_ROWS, VALUES
from shared.agreements.load.words import WORDS
from shared.agreements.model import NAMED, SIGNATORIES
from shared.agreements.vocabulary import LISTS

Row = Mapping[str, Any]
KINDS = frozenset({*SHAPES, "vocabulary"})
SHARING = ("agreement", "duty", "bar")
"""A clause is cited as `<id>/<clause>`: these kinds share one space of ids."""


class Ids(Protocol):
    """Ids or terms that are known."""

    def __contains__(self, name: object, /) -> bool: ...
    def __or__(self, other: Any, /) -> Ids: ...


class Shelf:
    """The objects by kind, each kind sorted by id: the order in which they came decides nothing."""

    def __init__(self, objects: Iterable[Row]) -> None:
        self.problems: list[Problem] = []
        self._by_kind: dict[str, dict[str, Row]] = {kind: {} for kind in KINDS}
        for number, row in enumerate(objects, 1):
            self._put(row, f"object {number}")
        if (count := len(list(self.everything("policy")))) != 1:
            self.problems.append(Problem("policy", f"needs exactly one, found {count}"))

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
        """The objects whose form is to be looked at."""
        return [row for _, row in sorted(self._by_kind[kind].items())]

    def concerned(self, kind: str) -> list[Row]:
        """The objects that are to be looked at beside others."""
        return self.rows(kind)

    def everything(self, kind: str) -> Iterable[Row]:
        """Every object of the kind that the graph has."""
        return self.rows(kind)

    def ids(self, kind: str) -> Ids:
        """The ids of every object of the kind."""
        return frozenset(self._by_kind[kind])

    def sharing_ids(self) -> list[str]:
        """The ids of what has clauses, one as often as it is there."""
        return [row["id"] for kind in SHARING for row in self.rows(kind)]

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

    def known_terms(self) -> dict[str, Ids]:
        """Every list of words by name: the reader's own, the vocabularies, and the ids of the objects."""
        listed = {name: self.term_ids(name) for name in LISTS}
        known: dict[str, Ids] = {**WORDS, **listed}
        known["any category"] = listed["categories"] | listed["ecp_categories"]
        known["vocabulary"] = frozenset({*LISTS, *VALUES})
        for kind in KINDS:
            known[f"{kind} ids"] = self.ids(kind)
        known["party"] = self.ids("organisation") | {SIGNATORIES, NAMED}
        known["sharing ids"] = self.ids("agreement") | self.ids("duty")
        return known

    def term_ids(self, name: str) -> frozenset[str]:
        found = (term.get("id") if isinstance(term, Mapping) else term for term in self.terms(name))
        return frozenset(term for term in found if isinstance(term, str))


def check_form(shelf: Shelf, book: Book) -> None:
    """Every check of one object by itself; problems go to the book."""
    for row in shelf.rows("vocabulary"):
        _check_vocabulary(row, book)
    for kind, shape in SHAPES.items():
        for row in shelf.rows(kind):
            shape(row, f"{kind} {row['id']}", book)


def _check_vocabulary(row: Row, book: Book) -> None:
    """`terms` for a list of words or rows, `value` for the few vocabularies that are no list."""
    name, where = row["id"], f"vocabulary {row['id']}"
    head = {"kind": text, "id": text}
    if name in VALUES:
        record({**head, "value": VALUES[name]})(row, where, book)
    elif name in LISTS:
        record({**head, "terms": many(TERM_ROWS.get(name, text))})(row, where, book)
    else:
        one_of("vocabulary")(name, where, book)
