"""The one reader of graph objects, for the registry, the router and the command line alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.agreements.load.build import build
from shared.agreements.load.form import Book, GraphInvalid, Problem, many, one_of, record, text
from shared.agreements.load.objects import Shelf
from shared.agreements.load.references import cross_check
from shared.agreements.load.shapes import SHAPES, TERM_ROWS, VALUES
from shared.agreements.model import Graph
from shared.agreements.vocabulary import LISTS

__all__ = ["GraphInvalid", "Problem", "load"]


def load(objects: Iterable[Mapping[str, Any]]) -> Graph:
    """Read graph objects `{"kind": …, "id": …, …}` in any order.

    Raises GraphInvalid with every problem at once: unknown kinds, keys and terms, dangling references, empty
    intervals, circular successions, overlapping versions, a missing or second policy.
    """
    shelf = Shelf(objects)
    book = Book(shelf.known_terms(), list(shelf.problems))
    for row in shelf.rows("vocabulary"):
        _check_vocabulary(row, book)
    for kind, shape in SHAPES.items():
        for row in shelf.rows(kind):
            shape(row, f"{kind} {row['id']}", book)
    if not book.problems:
        cross_check(shelf, book)
    if book.problems:
        raise GraphInvalid(tuple(sorted(set(book.problems), key=str)))
    return build(shelf)


def _check_vocabulary(row: Mapping[str, Any], book: Book) -> None:
    """`terms` for a list of words or rows, `value` for the few vocabularies that are no list."""
    name, where = row["id"], f"vocabulary {row['id']}"
    head = {"kind": text, "id": text}
    if name in VALUES:
        record({**head, "value": VALUES[name]})(row, where, book)
    elif name in LISTS:
        record({**head, "terms": many(TERM_ROWS.get(name, text))})(row, where, book)
    else:
        one_of("vocabulary")(name, where, book)
