"""What the lanes of one body are like: of few different values the set of lanes of each, of many the value by place."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.agreements.fast.bits import bits_at
from shared.agreements.fast.layout import Moves

Facet = Mapping[Any, int]
Read = Callable[[Any], Hashable]


def facet_after(facet: Facet, moves: Moves, fresh: Sequence[Hashable]) -> Facet:
    """The lanes of each value in the next layout; `fresh` are the values of the new lanes."""
    found = {value: lanes for value, held in facet.items() if (lanes := moves.set(held))}
    places: dict[Hashable, list[int]] = {}
    for value, place in zip(fresh, moves.fresh, strict=True):
        places.setdefault(value, []).append(place)
    for value, listed in places.items():
        found[value] = found.get(value, 0) | bits_at(listed, moves.width)
    return found


_DIGITS = bytes.maketrans(b"\x00\x01", b"01")


class Column:
    """The value of each lane by its place; equal values are held once. Immutable."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: array[int] | None = None, values: Sequence[Any] = (None,)) -> None:
        self.codes = array("I", (0,)) if codes is None else codes
        self.values = values

    def __getitem__(self, place: int) -> Any:
        return self.values[self.codes[place]]

    def places(self, wanted: Callable[[Any], bool]) -> Iterator[int]:
        """The places of such values, ascending."""
        codes = {code for code, value in enumerate(self.values) if code and wanted(value)}
        return (place for place, code in enumerate(self.codes) if code in codes) if codes else iter(())

    def having(self, wanted: Sequence[bool]) -> int:
        """The lanes of the values, by code, that are wanted."""
        if True not in wanted:
            return 0
        row = bytearray(map(wanted.__getitem__, self.codes)).translate(_DIGITS)
        row.reverse()
        return int(row, 2)

    def after(self, moves: Moves, fresh: Iterable[Hashable]) -> Column:
        """The same in the next layout."""
        codes, known = moves.row(self.codes), {value: code for code, value in enumerate(self.values)}
        for value, place in zip(fresh, moves.fresh, strict=True):
            codes[place] = known.setdefault(value, len(known))
        return _trimmed(codes, tuple(known))


def _trimmed(codes: array[int], values: tuple[Any, ...]) -> Column:
    """Values that no lane has any more go when they are half of all."""
    live = {0, *codes}
    if 2 * len(live) >= len(values):
        return Column(codes, values)
    kept = sorted(live)
    renumbered = {code: number for number, code in enumerate(kept)}
    return Column(array("I", map(renumbered.__getitem__, codes)), tuple(values[code] for code in kept))
