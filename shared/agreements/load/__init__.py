"""The one reader of graph objects, for the registry, the router and the command line alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.agreements.load.build import build
from shared.agreements.load.change import Checked, Slice
from shared.agreements.load.form import Book, GraphInvalid, Problem
from shared.agreements.load.lean import read, reread, roster_of
from shared.agreements.load.objects import KINDS, Row, Rows, Shelf, check_form, unknown_kind
from shared.agreements.load.references import cross_check
from shared.agreements.load.roster import Roster
from shared.agreements.model import Graph

__all__ = [
    "KINDS",
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
    "unknown_kind",
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


def check_change(base: Checked, changed: Iterable[Row] | Rows) -> None:
    """Raises GraphInvalid with every problem that the whole graph would have with these objects put in.

    Looks at what is changed and what refers to it; at everything only where a vocabulary loses a word.
    """
    touched = Slice(base, changed)
    if not touched.loses_words:
        _check(touched)
        return
    whole = Shelf(_everything(touched))
    whole.problems += touched.problems
    _check(whole)


def _everything(shelf: Slice) -> Iterator[Row]:
    for kind in sorted(KINDS):
        yield from shelf.everything(kind)


def _check(shelf: Shelf) -> None:
    book = Book(shelf.known_terms(), list(shelf.problems))
    check_form(shelf, book)
    if not book.problems:
        cross_check(shelf, book)
    if book.problems:
        raise GraphInvalid(tuple(sorted(set(book.problems), key=str)))
