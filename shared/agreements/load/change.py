"""A change of a graph that has passed every check: only what it touches, and what refers to that, is looked at.

The change finds exactly what the whole graph after it would show, because nothing else can have become wrong: objects
are never taken away, and words neither (where a vocabulary loses one, everything is looked at).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from shared.agreements.load.objects import SHARING, Ids, Row, Shelf
from shared.agreements.load.roster import Roster
from shared.agreements.vocabulary import LISTS


class Rows(Protocol):
    """The objects of one graph, read as they are asked for."""

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


@dataclass(frozen=True, slots=True)
class Checked:
    """A graph that has passed every check: its objects, and what its agreements say of each other."""

    rows: Rows
    roster: Roster

    def after(self, rows: Rows, changed: Iterable[Row]) -> Checked:
        """The graph of `rows`, which are these with those of `changed` put in."""
        signed = [row for row in changed if row["kind"] == "agreement"]
        before = [row for new in signed if (row := self.rows.get("agreement", new["id"]))]
        return Checked(rows, self.roster.changed(before, signed))


class Names:
    """Ids in several places at once."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __contains__(self, name: object) -> bool:
        return any(name in part for part in self._parts)

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

    def __init__(self, base: Checked, changed: Iterable[Row]) -> None:
        self._base = base
        super().__init__(changed)

    @property
    def loses_words(self) -> bool:
        """Whether a term that the graph knows is known no more: an object that was not touched may name it."""
        if not self.rows("vocabulary"):
            return False
        before = Shelf(self._base.rows.of_kind("vocabulary"))
        return any(before.term_ids(name) - self.term_ids(name) for name in LISTS)

    def everything(self, kind: str) -> Iterator[Row]:
        """Every object of the kind after the change."""
        touched = self._by_kind[kind]
        yield from touched.values()
        yield from (row for row in self._base.rows.of_kind(kind) if row["id"] not in touched)

    def concerned(self, kind: str) -> list[Row]:
        """The changed objects, and those whose references lead to one."""
        names = set(self._by_kind[kind])
        if kind == "agreement":
            names |= set(self._referring())
        elif kind == "organisation":
            names |= self._holders() | self._divisions()
        elif kind == "bar":
            names |= {bar for row in self.rows("organisation") for bar in self._bars_of(row)}
        return [row for name in sorted(names) if (row := self.get(kind, name))]

    def ids(self, kind: str) -> Ids:
        return Names(self._by_kind[kind], Stored(self._base.rows, kind))

    def get(self, kind: str, name: str | None) -> Row | None:
        if not name:
            return None
        return self._by_kind[kind].get(name) or self._base.rows.get(kind, name)

    def sharing_ids(self) -> list[str]:
        names = {name for kind in SHARING for name in self._by_kind[kind]}
        return [name for name in sorted(names) for kind in SHARING if name in self.ids(kind)]

    def _referring(self) -> Iterator[str]:
        """Agreements that supersede or support a changed one, and the versions of its lineage."""
        roster = self._base.roster
        for name, row in self._by_kind["agreement"].items():
            yield from roster.later.get(name, ())
            yield from roster.children.get(name, ())
            yield from roster.versions.get(row["lineage"], ())
            yield row["lineage"]

    def _holders(self) -> set[str]:
        """Bodies that a changed bar binds, or bound: a body names its bars, and a bar its holders."""
        old = (self._base.rows.get("bar", name) for name in self._by_kind["bar"])
        return {org for row in (*self.rows("bar"), *old) if row for org in row["holders"]}

    def _divisions(self) -> set[str]:
        """Bodies that deliver to a changed one."""
        touched = self._by_kind["organisation"]
        if not touched:
            return set()
        return {row["id"] for row in self._base.rows.of_kind("organisation") if row.get("deliver_to") in touched}

    def _bars_of(self, row: Row) -> Iterator[str]:
        old = self._base.rows.get("organisation", row["id"]) or {}
        yield from row.get("bars", ())
        yield from old.get("bars", ())
