"""The one reader of graph objects, for the registry, the router and the command line alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.agreements.load.build import build
from shared.agreements.load.change import Checked, Rows, Slice
from shared.agreements.load.form import Book, GraphInvalid, Problem
from shared.agreements.load.lean import read, reread, roster_of
from shared.agreements.load.objects import KINDS, Row, Shelf, check_form
from shared.agreements.load.references import cross_check
from shared.agreements.load.roster import Roster
from shared.agreements.model import Graph

__all__ = [
    "Checked",
    "GraphInvalid",
    "Problem",
    "Roster",
    "Rows",
    "check",
    "check_change",
    "load",
    "read",
    "reread",
    "roster_of",
]


def load(objects: Iterable[Row]) -> Graph:
    """Read graph objects `{"kind": …, "id": …, …}` in any order.

    Raises GraphInvalid with every problem at once: unknown kinds, keys and terms, dangling references, empty
    intervals, circular successions, overlapping versions, a missing or second policy.
    """
    shelf = Shelf(objects)
    _check(shelf)
    return build(shelf)


def check(objects: Iterable[Row]) -> None:
    """Raises GraphInvalid with every problem, as `load` does; builds nothing."""
    _check(Shelf(objects))


def check_change(base: Checked, changed: Sequence[Row]) -> None:
    """Raises GraphInvalid with every problem that the whole graph would have with these objects put in.

    Looks at what is changed and what refers to it; at everything only where a vocabulary loses a word.
    """
    shelf = Slice(base, changed)
    _check(Shelf([*changed, *_untouched(base, changed)]) if shelf.loses_words else shelf)


def _untouched(base: Checked, changed: Iterable[Row]) -> Iterator[Row]:
    touched = {(row.get("kind"), row.get("id")) for row in changed}
    for kind in sorted(KINDS):
        yield from (row for row in base.rows.of_kind(kind) if (kind, row["id"]) not in touched)


def _check(shelf: Shelf) -> None:
    book = Book(shelf.known_terms(), list(shelf.problems))
    check_form(shelf, book)
    if not book.problems:
        cross_check(shelf, book)
    if book.problems:
        raise GraphInvalid(tuple(sorted(set(book.problems), key=str)))
