"""Which agreements a body is party to and which agreements name which: all that finds the rest when it is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Names = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Roster:
    """Ids of agreements, sorted, by what the agreements say of each other and of bodies.

    `by_party`: of every capacity; `later`: which supersede it; `children`: which support it; `versions`: which are of
    the lineage, those apart that bear its name.
    """

    by_party: Names
    later: Names
    children: Names
    versions: Names

    @classmethod
    def over(cls, rows: Iterable[Row]) -> Roster:
        """The roster of agreements that have their form."""
        found: tuple[dict[str, set[str]], ...] = tuple(defaultdict(set) for _ in range(4))
        for row in rows:
            for number, name in _entries(row):
                found[number][name].add(row["id"])
        return cls(*({name: tuple(sorted(ids)) for name, ids in part.items()} for part in found))

    def changed(self, before: Iterable[Row], after: Iterable[Row]) -> Roster:
        """The roster when the agreements of `before` have become those of `after`."""
        moved: tuple[dict[str, set[str]], ...] = ({}, {}, {}, {})
        parts = (self.by_party, self.later, self.children, self.versions)
        for row in before:
            for number, name in _entries(row):
                _held(moved[number], parts[number], name).discard(row["id"])
        for row in after:
            for number, name in _entries(row):
                _held(moved[number], parts[number], name).add(row["id"])
        return Roster(*(_with(part, changes) for part, changes in zip(parts, moved, strict=True)))


def _entries(row: Row) -> Iterator[tuple[int, str]]:
    for party in row["parties"]:
        yield 0, party["org"]
    if "supersedes" in row:
        yield 1, row["supersedes"]
    if "supports" in row:
        yield 2, row["supports"]
    if row["lineage"] != row["id"]:
        yield 3, row["lineage"]


def _held(moved: dict[str, set[str]], part: Names, name: str) -> set[str]:
    if name not in moved:
        moved[name] = set(part.get(name, ()))
    return moved[name]


def _with(part: Names, changes: Mapping[str, set[str]]) -> Names:
    if not changes:
        return part
    after = {**part, **{name: tuple(sorted(ids)) for name, ids in changes.items()}}
    return {name: ids for name, ids in after.items() if ids} if not all(changes.values()) else after
