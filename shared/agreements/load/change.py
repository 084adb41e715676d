"""A change of a graph that has passed every check: only what it touches, and what refers to that, is looked at.

The change finds exactly what the whole graph after it would show, because nothing else can have become wrong: objects
are never taken away, and words neither (where a vocabulary loses one, everything is looked at).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.agreements.load.objects import SHARING, Ids, Row, Rows, Shelf, rows_in
from shared.agreements.load.roster import Roster
from shared.agreements.vocabulary import LISTS


@dataclass(frozen=True, slots=True)
class Checked:
    """A graph that has passed every check: its objects, and what its agreements say of each other."""

    rows: Rows
    roster: Roster

    def after(self, rows: Rows, changed: Iterable[Row] | Rows) -> Checked:
        """The graph of `rows`, which are these with those of `changed` put in."""
        new = rows_in(changed)
        before = (row for name in new.ids("agreement") if (row := self.rows.get("agreement", name)))
        return Checked(rows, self.roster.changed(before, new.of_kind("agreement")))


class Names:
    """Ids in several places at once."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __contains__(self, name: object) -> bool:
        for part in self._parts:  # noqa: SIM110 - asked for each name in a graph: a generator would cost twice the time
            if name in part:
                return True
        return False

    def __or__(self, other: Any) -> Names:
        return Names(self, other)


class Stored:
    """The ids of the stored objects of a kind."""

    __slots__ = ("_kind", "_rows")

    def __init__(self, rows: Rows, kind: str) -> None:
        self._rows = rows
        self._kind = kind

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._rows.has(self._kind, name)


class Slice(Shelf):
    """A change over a checked graph: `rows` are the changed objects, `concerned` those too that refer to them."""

    def __init__(self, base: Checked, changed: Iterable[Row] | Rows) -> None:
        self._base = base
        self._ids: dict[str, frozenset[str]] = {}
        super().__init__(changed)

    @property
    def loses_words(self) -> bool:
        """Whether a term that the graph knows is known no more: an object that was not touched may name it."""
        if not self._changed("vocabulary"):
            return False
        before = Shelf(self._base.rows.of_kind("vocabulary"))
        return any(before.term_ids(name) - self.term_ids(name) for name in LISTS)

    def everything(self, kind: str) -> Iterator[Row]:
        """Every object of the kind after the change."""
        yield from self.rows(kind)
        touched = self._changed(kind)
        yield from (row for row in self._base.rows.of_kind(kind) if row["id"] not in touched)

    def concerned(self, kind: str) -> Iterator[Row]:
        """The changed objects, then those whose references lead to one."""
        beyond = self._holders() | self._divisions() if kind == "organisation" else set[str]()
        for row in self.rows(kind):
            beyond.update(self._beside(kind, row))
            yield row
        if kind == "bar":
            beyond.update(bar for row in self.rows("organisation") for bar in self._bars_of(row))
        stored = (self._base.rows.get(kind, name) for name in sorted(beyond - self._changed(kind)))
        yield from (row for row in stored if row)

    def ids(self, kind: str) -> Ids:
        return Names(self._changed(kind), Stored(self._base.rows, kind))

    def get(self, kind: str, name: str | None) -> Row | None:
        return super().get(kind, name) or (self._base.rows.get(kind, name) if name else None)

    def sharing_ids(self) -> list[str]:
        """Only those that the change could have made one of two."""
        names = sorted({name for kind in SHARING for name in self._changed(kind)})
        return [name for ids in map(self.ids, SHARING) for name in names if name in ids]

    def _changed(self, kind: str) -> frozenset[str]:
        if kind not in self._ids:
            self._ids[kind] = frozenset(self._rows.ids(kind))
        return self._ids[kind]

    def _beside(self, kind: str, row: Row) -> Iterator[str]:
        """Agreements that supersede or support a changed one, and the versions of its lineage."""
        if kind == "agreement":
            roster = self._base.roster
            yield from roster.later.get(row["id"], ())
            yield from roster.children.get(row["id"], ())
            yield from roster.versions.get(row["lineage"], ())
            yield row["lineage"]

    def _holders(self) -> set[str]:
        """Bodies that a changed bar binds, or bound: a body names its bars, and a bar its holders."""
        old = (self._base.rows.get("bar", name) for name in self._changed("bar"))
        return {org for row in (*self.rows("bar"), *old) if row for org in row["holders"]}

    def _divisions(self) -> set[str]:
        """Bodies that deliver to a changed one."""
        touched = self._changed("organisation")
        if not touched:
            return set()
        return {row["id"] for row in self._base.rows.of_kind("organisation") if row.get("deliver_to") in touched}

    def _bars_of(self, row: Row) -> Iterator[str]:
        old = self._base.rows.get("organisation", row["id"]) or {}
        yield from row.get("bars", ())
        yield from old.get("bars", ())
