"""Graph objects sorted by kind, and the terms that they make known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Rows(Protocol):
    """The objects of one graph, or of a change, read as they are asked for."""

    def get(self, kind: str, name: str) -> Row | None:
        """One object; None where there is none."""
        ...

    def has(self, kind: str, name: str) -> bool:
        """Whether there is such an object."""
        ...

    def ids(self, kind: str) -> list[str]:
        """The ids of the objects of a kind, sorted."""
        ...

    def of_kind(self, kind: str) -> Iterator[Row]:
        """The objects of a kind, sorted by id."""
        ...


class Listed:
    """Objects that have been read; see Rows."""

    __slots__ = ("_by_kind",)

    def __init__(self, objects: Iterable[Row] = ()) -> None:
        self._by_kind: dict[str, dict[str, Row]] = {}
        for row in objects:
            self.put(row)

    def put(self, row: Row) -> None:
        """Add an object, while the list is made."""
        self._by_kind.setdefault(row["kind"], {})[row["id"]] = row

    def get(self, kind: str, name: str) -> Row | None:
        """One object; None where there is none."""
        return self._by_kind.get(kind, {}).get(name)

    def has(self, kind: str, name: str) -> bool:
        """Whether there is such an object."""
        return name in self._by_kind.get(kind, {})

    def ids(self, kind: str) -> list[str]:
        """The ids of the objects of a kind, sorted."""
        return sorted(self._by_kind.get(kind, {}))

    def of_kind(self, kind: str) -> Iterator[Row]:
        """The objects of a kind, sorted by id."""
        return (row for _, row in sorted(self._by_kind.get(kind, {}).items()))


def rows_in(objects: Iterable[Row] | Rows) -> Rows:
    """The objects as Rows, whichever they are."""
    return objects if isinstance(objects, Rows) else Listed(objects)


def unknown_kind(number: int, kind: object) -> Problem:
    """The object of that number is none that a graph can have."""
    return Problem(f"object {number}", f"kind {kind!r} is not known")


class Shelf:
    """The objects by kind, each kind sorted by id: the order in which they came decides nothing."""

    def __init__(self, objects: Iterable[Row] | Rows) -> None:
        self.problems: list[Problem] = []
        self._rows = objects if isinstance(objects, Rows) else self._listed(objects)
        if (count := sum(1 for _ in self.everything("policy"))) != 1:
            self.problems.append(Problem("policy", f"needs exactly one, found {count}"))

    def _listed(self, objects: Iterable[Row]) -> Listed:
        listed = Listed()
        for number, row in enumerate(objects, 1):
            problem = _unlistable(row, number, listed)
            if problem:
                self.problems.append(problem)
            else:
                listed.put(row)
        return listed

    def rows(self, kind: str) -> Iterator[Row]:
        """The objects whose form is to be looked at."""
        return self._rows.of_kind(kind)

    def concerned(self, kind: str) -> Iterator[Row]:
        """The objects that are to be looked at beside others, each once."""
        return self.rows(kind)

    def everything(self, kind: str) -> Iterator[Row]:
        """Every object of the kind that the graph has."""
        return self.rows(kind)

    def ids(self, kind: str) -> Ids:
        """The ids of every object of the kind."""
        return frozenset(self._rows.ids(kind))

    def sharing_ids(self) -> list[str]:
        """The ids of what has clauses, one as often as it is there."""
        return [name for kind in SHARING for name in self._rows.ids(kind)]

    def get(self, kind: str, name: str | None) -> Row | None:
        """One object of the graph; None where there is none."""
        return self._rows.get(kind, name) if name else None

    def policy(self) -> Row:
        return next(self.rows("policy"))

    def terms(self, name: str) -> tuple[Any, ...]:
        """The items of a vocabulary list, () when the list is absent or no list."""
        found = (self.get("vocabulary", name) or {}).get("terms", ())
        return tuple(found) if isinstance(found, list | tuple) else ()

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


def _unlistable(row: Any, number: int, listed: Listed) -> Problem | None:
    kind, name = (row.get("kind"), row.get("id")) if isinstance(row, Mapping) else (None, None)
    if not isinstance(kind, str) or kind not in KINDS:
        return unknown_kind(number, kind)
    if not isinstance(name, str) or not name:
        return Problem(f"object {number}", f"an object of kind {kind} without an id")
    return Problem(f"{kind} {name}", "is there twice") if listed.has(kind, name) else None


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
