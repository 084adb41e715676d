"""What the lanes of one body are like: of few different values the set of lanes of each, of many the value by place."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from copy import copy
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
    """The value of each lane by its place; equal values are held once, and places without a lane have code 0.
    Immutable."""

    __slots__ = ("codes", "number", "trimmed_at", "values")

    def __init__(self, codes: array[int] | None = None, values: Sequence[Any] = (None,)) -> None:
        self.codes = array("I", (0,)) if codes is None else codes
        self.values = list(values)
        self.number = {value: code for code, value in enumerate(values)}
        self.trimmed_at = len(values)

    def __getitem__(self, place: int) -> Any:
        return self.values[self.codes[place]]

    def places(self, codes: Collection[int]) -> list[int]:
        """The places of these values, by code, ascending."""
        return [place for place, code in enumerate(self.codes) if code in codes] if codes else []

    def having(self, wanted: Sequence[bool]) -> int:
        """The lanes of the values, by code, that are wanted."""
        if True not in wanted:
            return 0
        row = bytearray(map(wanted.__getitem__, self.codes)).translate(_DIGITS)
        row.reverse()
        return int(row, 2)

    def after(self, moves: Moves, fresh: Iterable[Hashable]) -> Column:
        """The same in the next layout, with these values of the new lanes."""
        after = copy(self)
        after.codes = moves.row(self.codes)
        after.values, after.number = self.values.copy(), self.number.copy()
        for value, place in zip(fresh, moves.fresh, strict=True):
            code = after.number.setdefault(value, len(after.values))
            if code == len(after.values):
                after.values.append(value)
            after.codes[place] = code
        return after if 2 * len(after.values) <= 3 * self.trimmed_at else after.trimmed()

    def trimmed(self) -> Column:
        """Without the values that no lane has any more."""
        kept = sorted({0, *self.codes})
        renumbered = {code: number for number, code in enumerate(kept)}
        codes = array("I", map(renumbered.__getitem__, self.codes))
        return Column(codes, [self.values[code] for code in kept])
