"""Every way of one day with the two bodies that it joins: what the analyses of rules walk over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from services.registry.domain.analyses.coverage import Coverage
from services.registry.domain.analyses.reach import Pair, Reach, Way
from services.registry.domain.analyses.space import Box, meet, minus_all


class Join(NamedTuple):
    """Two bodies on the day, in one direction, and everything that joins them."""

    originator: str
    body: str
    pair: Pair


class Joins:
    """The joins of one day, worked out once."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.reach: Reach = coverage.reach
        self.rows = tuple(self._rows())

    def _rows(self) -> Iterator[Join]:
        for originator in self.reach.originators():
            for body, pair in sorted(self.reach.pairs(originator).items()):
                yield Join(originator, body, pair)

    def boxes(self, way: Way, body: str) -> tuple[Box, ...]:
        """What the way lets through to this body: only what is in its remit, where the clause asks for that."""
        if not way.attempt.clause.when.needs_remit:
            return (way.box,)
        remits = self.coverage.remits.get(body, ())
        return tuple(filter(None, (meet(way.box, remit) for remit in remits)))

    def free(self, way: Way, join: Join) -> Box | None:
        """A part of the way that no prohibition shuts."""
        left = minus_all(self.boxes(way, join.body), (forbid.box for forbid in join.pair.forbids))
        return min(left, key=self.reach.space.unstated, default=None)

    def concern(self, box: Box, join: Join, *ways: Way) -> dict[str, Any]:
        """The plainest concern of the box between the two, with the further categories that the ways demand."""
        said = self.reach.space.concern(box, join.originator, join.body, self.reach.day)
        demanded = {category for way in ways for category in way.attempt.clause.when.needs_all or ()}
        return {**said, "categories": sorted({*said["categories"], *demanded})}

    def meeting(self, first: Way, second: Way, body: str) -> Box | None:
        """What two ways both let through to the body."""
        boxes = (meet(one, other) for one in self.boxes(first, body) for other in self.boxes(second, body))
        return min(filter(None, boxes), key=self.reach.space.unstated, default=None)
