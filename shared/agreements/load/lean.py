"""A graph whose root is verified: what one decision may touch is read, agreements only when they are first asked for.

The registry has checked such a graph, and its root proves that it is the one that was checked. Still nothing is taken
unread: every other kind is checked at once, and an agreement before its first use; one that cannot be read raises then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from shared.agreements.kept import keep
from shared.agreements.load.build import Reader, build_with, words_of
from shared.agreements.load.change import Checked, Names, Slice, Stored
from shared.agreements.load.form import Book, Check, GraphInvalid
from shared.agreements.load.objects import KINDS, Ids, Row, Rows, Shelf, check_form, rows_in
from shared.agreements.load.roster import Roster
from shared.agreements.load.shapes import SHAPES
from shared.agreements.load.signed import AGREEMENT_KEYS, CLAUSE_KEYS, WHEN_KEYS
from shared.agreements.model import Agreement, Graph

AGREEMENT = "agreement"
MADE_KEPT_MAX = 4_096
"""Agreements that are kept read: some 12 MB."""
Item = TypeVar("Item")


class Written(Mapping[str, Any]):
    """An object as it is written, read again whenever it is asked for."""

    __slots__ = ("_name", "_rows")

    def __init__(self, rows: Rows, name: str) -> None:
        self._rows = rows
        self._name = name

    def _row(self) -> Row:
        return self._rows.get(AGREEMENT, self._name) or {}

    def __getitem__(self, key: str) -> Any:
        return self._row()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row())

    def __len__(self) -> int:
        return len(self._row())


class Shelved(Mapping[str, Agreement]):
    """The agreements of a graph by id, each read when it is asked for, and some kept. Shared freely between threads."""

    __slots__ = ("_known", "_made", "_passed", "base", "reader")

    def __init__(self, base: Checked, reader: Reader, made: dict[str, Agreement]) -> None:
        self.base = base
        self.reader = reader
        self._known = Slice(base, ()).known_terms()
        self._passed: set[tuple[Check, bytes]] = set()
        self._made = made

    def after(self, base: Checked, changed: Rows) -> Shelved:
        """The agreements of the graph after a change of these objects and of no vocabulary."""
        touched = frozenset(changed.ids(AGREEMENT))
        kept = {name: made for name, made in self._made.copy().items() if name not in touched}
        return Shelved(base, self.reader, kept)

    def __getitem__(self, name: str) -> Agreement:
        made = self._made.get(name)
        return made if made is not None else self._make(name)

    def glance(self, name: str) -> Agreement:
        """The same as asking for it, but what was not read before is not kept: for a look at very many."""
        made = self._made.get(name)
        return made if made is not None else self._read(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.base.rows.has(AGREEMENT, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.base.rows.ids(AGREEMENT))

    def __len__(self) -> int:
        return len(self.base.rows.ids(AGREEMENT))

    def _make(self, name: str) -> Agreement:
        return keep(self._made, name, self._read(name), MADE_KEPT_MAX)

    def _read(self, name: str) -> Agreement:
        """Raises KeyError, and GraphInvalid for an agreement that has not its form."""
        row = self.base.rows.get(AGREEMENT, name)
        if row is None:
            raise KeyError(name)
        book = Book(self._known, passed=self._passed)
        SHAPES[AGREEMENT](row, f"{AGREEMENT} {name}", book)
        if book.problems:
            raise GraphInvalid(tuple(book.problems))
        return replace(self.reader.agreement(row), record=Written(self.base.rows, name))


class _Others(Shelf):
    """Everything but the agreements, whose ids alone are known."""

    def __init__(self, rows: Rows) -> None:
        self._stored = rows
        super().__init__(row for kind in sorted(KINDS - {AGREEMENT}) for row in rows.of_kind(kind))

    def ids(self, kind: str) -> Ids:
        return Names(Stored(self._stored, kind)) if kind == AGREEMENT else super().ids(kind)


def roster_of(rows: Rows) -> Roster:
    """What the agreements say of each other. Raises GraphInvalid for those with a key that is not known."""
    unusual: list[Row] = []
    roster = Roster.over(_usual(rows.of_kind(AGREEMENT), unusual))
    if unusual:
        book = Book(_Others(rows).known_terms())
        for row in unusual:
            SHAPES[AGREEMENT](row, f"{AGREEMENT} {row['id']}", book)
        raise GraphInvalid(tuple(sorted(set(book.problems), key=str)))
    return roster


def read(base: Checked) -> Graph:
    """The graph of objects whose root is verified. Raises GraphInvalid."""
    shelf = _Others(base.rows)
    book = Book(shelf.known_terms(), list(shelf.problems))
    check_form(shelf, book)
    if book.problems:
        raise GraphInvalid(tuple(sorted(set(book.problems), key=str)))
    reader = Reader(words_of(shelf))
    return build_with(shelf, reader, Shelved(base, reader, {}))


def reread(graph: Graph, base: Checked, changed: Iterable[Row] | Rows) -> Graph:
    """The graph of `base`, which is `graph` with these checked objects put in; what they do not touch is kept."""
    shelved, new = graph.agreements, rows_in(changed)
    if not isinstance(shelved, Shelved) or new.ids("vocabulary"):
        return read(base)
    reader = shelved.reader
    policies = list(new.of_kind("policy"))
    return replace(
        graph,
        agreements=shelved.after(base, new),
        organisations=_with(graph.organisations, map(reader.organisation, new.of_kind("organisation"))),
        duties=_with(graph.duties, map(reader.agreement, new.of_kind("duty"))),
        bars=_with(graph.bars, map(reader.bar, new.of_kind("bar"))),
        successions=_with_ids(graph.successions, map(reader.succession, new.of_kind("succession"))),
        policy=reader.policy(policies[0]) if policies else graph.policy,
        lead_rules=_with_ids(graph.lead_rules, map(reader.lead_rule, new.of_kind("lead_rule"))),
        forums=_with_rows(graph.forums, new.of_kind("forum")),
        sources=_with_rows(graph.sources, new.of_kind("source")),
    )


class _Named(Protocol):
    @property
    def id(self) -> str: ...


NamedT = TypeVar("NamedT", bound=_Named)


def _with(held: Mapping[str, NamedT], made: Iterable[NamedT]) -> Mapping[str, NamedT]:
    return _sorted_with(held, {item.id: item for item in made})


def _with_ids(held: Iterable[NamedT], made: Iterable[NamedT]) -> tuple[NamedT, ...]:
    return tuple(_with({item.id: item for item in held}, made).values())


def _with_rows(held: Mapping[str, Row], rows: Iterable[Row]) -> Mapping[str, Row]:
    return _sorted_with(held, {row["id"]: row for row in rows})


def _sorted_with(held: Mapping[str, Item], made: Mapping[str, Item]) -> Mapping[str, Item]:
    """Sorted by id like the graph that is read whole: in some places the order shows."""
    if not made:
        return held
    after = {**held, **made}
    return after if len(after) == len(held) else dict(sorted(after.items()))


def _usual(rows: Iterable[Row], unusual: list[Row]) -> Iterator[Row]:
    """Those of known keys; the others are put aside."""
    for row in rows:
        if _has_known_keys(row):
            yield row
        else:
            unusual.append(row)


def _has_known_keys(row: Row) -> bool:
    """A quick look at the keys alone; whatever is unusual gets the full one."""
    try:
        for clause in row["clauses"]:
            if not (clause.keys() <= CLAUSE_KEYS and clause["when"].keys() <= WHEN_KEYS):
                return False
        return row.keys() <= AGREEMENT_KEYS
    except (KeyError, TypeError, AttributeError):
        return False
