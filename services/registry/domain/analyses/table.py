"""Coverage as numbers: how many bodies each originator can, can partly and cannot tell of each category.

At ten thousand bodies there are a hundred million pairs, and hardly any is joined by a clause. Those that nothing joins
are counted as bit sets by category; only joined pairs are worked out one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.registry.domain.analyses.coverage import Coverage, Standing
from services.registry.domain.analyses.space import CATEGORY
from shared.agreements.case import Case


class Count(NamedTuple):
    """How many bodies with the category in their remit the originator can tell, can partly tell, and cannot tell."""

    originator: str
    category: str
    can: int
    partly: int
    cannot: int


class Table:
    """The numbers of one graph on one day, originator by originator."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.categories = coverage.reach.space.categories
        self.bodies = tuple(coverage.remits)
        self._places = {body: place for place, body in enumerate(self.bodies)}
        self._wanting = self._bodies_by_category()

    def counts(self, originator: str) -> Iterator[Count]:
        """One for each category that some body should know of."""
        standings, case = self.coverage.standings(originator)
        loose = 0 if _withholds(case) else self._not_joined(originator, standings)
        silent = self._loose_and_heard(case, originator, standings) if _withholds(case) else 0
        columns = [_column(standings.values(), number) for number in range(3)]
        for number, category in enumerate(self.categories):
            can, partly, cannot = (column.get(number, 0) for column in columns)
            cannot += (self._wanting[number] & (loose | silent)).bit_count()
            if can or partly or cannot:
                yield Count(originator, category, can, partly, cannot)

    def _not_joined(self, originator: str, standings: dict[str, Standing]) -> int:
        """The bodies that nothing joins to the originator, as a bit set."""
        joined = sum(1 << self._places[body] for body in {originator, *standings} if body in self._places)
        return ((1 << len(self.bodies)) - 1) & ~joined

    def _loose_and_heard(self, case: Case, originator: str, standings: dict[str, Standing]) -> int:
        """The same for an originator under a bar that withholds: from whom it withholds is no gap."""
        loose = set(self.bodies) - set(standings) - {originator}
        return sum(1 << self._places[body] for body in loose if not self.coverage.reach.silent(case, body))

    def _bodies_by_category(self) -> list[int]:
        wanting = [0] * len(self.categories)
        for body, boxes in self.coverage.remits.items():
            mask = 0
            for box in boxes:
                mask |= box[CATEGORY]
            for number in _bits(mask):
                wanting[number] |= 1 << self._places[body]
        return wanting


def _withholds(case: Case) -> bool:
    return any(bar.withholds for bar in case.bars)


def _column(standings: Iterable[Standing], number: int) -> dict[int, int]:
    counted: dict[int, int] = {}
    for row in standings:
        for place in _bits(row[number]):
            counted[place] = counted.get(place, 0) + 1
    return counted


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
