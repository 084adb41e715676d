"""Intervals that may not overlap: of a party, of the versions of a lineage, of one remit, of suspensions.

The registry's database refuses the same overlaps; here each is found first, with its place and its remedy.
Runs only when every object has its form, so keys may be read without asking.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from shared.agreements.load.form import Book
from shared.agreements.load.objects import Row

NOT_SCOPE = frozenset({"from", "to", "from_precision", "to_precision", "certainty", "source", "note"})
"""Keys of a remit that do not say what it covers."""
_EVER, _NEVER = "", "~"
Bounds = tuple[str, str]


class Lineages:
    """When each version of each lineage holds; of a graph with 100,000 agreements nothing more is kept."""

    def __init__(self) -> None:
        self._held: dict[str, list[tuple[Bounds, str]]] = {}

    def add(self, row: Row) -> None:
        """An agreement of the graph."""
        bounds = effective(row)
        if bounds[0] < bounds[1]:
            self._held.setdefault(row["lineage"], []).append((bounds, row["id"]))

    def check(self, book: Book) -> None:
        """Every overlap of two versions; problems go to the book."""
        for lineage, held in sorted(self._held.items()):
            if len(held) > 1:
                _versions(lineage, held, book)


def effective(row: Row) -> Bounds:
    """The bounds of an agreement, cut by its termination; a later version starts where the earlier one ends."""
    start, end = _bounds(row["in_force"])
    return start, min(end, row.get("terminated") or _NEVER)


def scope_of(remit: Mapping[str, Any]) -> str:
    """What a remit covers, as one text: two with the same text are one remit at different times."""
    return " ".join(f"{key}={_words_of(remit[key])}" for key in sorted(remit.keys() - NOT_SCOPE))


def _words_of(value: Any) -> str:
    return ",".join(sorted(map(str, value))) if isinstance(value, list | tuple) else str(value)


def check_spans(row: Row, where: str, book: Book) -> None:
    """What overlaps within one agreement or duty: a party twice at once, or two suspensions."""
    if len({party["org"] for party in row["parties"]}) < len(row["parties"]):
        for first, second, org in _pairs((party["org"], _bounds(party)) for party in row["parties"]):
            remedy = "end the first before the second begins, or make them one"
            book.note(f"{where} party {org}", f"is a party twice at once, {first} and {second}: {remedy}")
    for first, second, _ in _pairs((None, _bounds(span)) for span in row.get("suspended", ())):
        book.note(f"{where}.suspended", f"{first} and {second} overlap: make them one")


def check_remits(row: Row, book: Book) -> None:
    """A remit that a body has twice at once."""
    if len(row["remits"]) < 2:
        return
    for first, second, _ in _pairs((scope_of(remit), _bounds(remit)) for remit in row["remits"]):
        remedy = "end the first before the second begins, or leave one out"
        book.note(f"organisation {row['id']} remits", f"the same remit holds twice, {first} and {second}: {remedy}")


def _versions(lineage: str, held: Iterable[tuple[Bounds, str]], book: Book) -> None:
    for (before, name), (after, later) in _overlaps(held):
        what = f"{_words(after)} overlaps {name} {_words(before)} of lineage {lineage}"
        remedy = f"one version holds at a time, so end {name} on the day this one begins and name it in `supersedes`"
        book.note(f"agreement {later}", f"{what}: {remedy}")


def _pairs(spans: Iterable[tuple[Hashable, Bounds]]) -> Iterator[tuple[str, str, Hashable]]:
    """Two of one key that overlap, in words."""
    by_key: dict[Hashable, list[Bounds]] = {}
    for key, bounds in spans:
        by_key.setdefault(key, []).append(bounds)
    for key, held in by_key.items():
        for (before, _), (after, _) in _overlaps((bounds, "") for bounds in held):
            yield _words(before), _words(after), key


def _overlaps(held: Iterable[tuple[Bounds, str]]) -> Iterator[tuple[tuple[Bounds, str], tuple[Bounds, str]]]:
    """Each that begins before the one that reaches furthest has ended, with that one."""
    furthest: tuple[Bounds, str] | None = None
    for item in sorted(held):
        if furthest and item[0][0] < furthest[0][1]:
            yield furthest, item
        if furthest is None or item[0][1] > furthest[0][1]:
            furthest = item


def _bounds(row: Row) -> Bounds:
    return row["from"] or _EVER, row["to"] or _NEVER


def _words(bounds: Bounds) -> str:
    start, end = bounds
    return f"[{'…' if start == _EVER else start}, {'…' if end == _NEVER else end})"
