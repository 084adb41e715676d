"""Who can be told of what by one originator, category by category, and since when not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.domain.analyses.coverage import Coverage, Gap, gap_finding
from services.registry.domain.analyses.reach import Reach
from services.registry.domain.analyses.space import CATEGORY
from services.registry.domain.analyses.times import Past, boundaries, days_between, since
from shared.agreements import Graph, Snapshot

BOUNDARIES_FEW = 300
"""Up to so many days on which anything changes, all of them are looked at; above, those of two bodies at a time."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A body that should know and cannot be told, wholly or in part; `since` None: for as long as the graph knows."""

    body: str
    since: date | None
    where: str

    def to_json(self) -> dict[str, Any]:
        """As an API gives it."""
        return {"body": self.body, "since": self.since.isoformat() if self.since else None, "where": self.where}


@dataclass(frozen=True, slots=True)
class Row:
    """One originator and category: the bodies whose remit covers it, by whether they can be told.

    `silent` are those that wait for a person, or from whom it is withheld on purpose.
    """

    originator: str
    category: str
    can: tuple[str, ...]
    partly: tuple[Untold, ...]
    cannot: tuple[Untold, ...]
    silent: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As an API gives it."""
        return {
            "originator": self.originator,
            "category": self.category,
            "can_be_told": list(self.can),
            "can_be_told_in_part": [row.to_json() for row in self.partly],
            "cannot_be_told": [row.to_json() for row in self.cannot],
            "silent_on_purpose_or_held": list(self.silent),
        }


@dataclass(frozen=True, slots=True)
class Cell:
    """One body towards one originator: its remit's categories by whether it can be told of them.

    `assumed` are those that it could be told of if assumed clauses were confirmed, and now cannot.
    """

    originator: str
    body: str
    can: tuple[str, ...]
    partly: tuple[str, ...]
    cannot: tuple[str, ...]
    assumed: tuple[str, ...]

    @property
    def remit(self) -> int:
        """How many categories it should know of."""
        return len(self.can) + len(self.partly) + len(self.cannot)

    def to_json(self) -> dict[str, Any]:
        """As an API gives it."""
        lists = {"can": self.can, "partly": self.partly, "cannot": self.cannot, "assumed": self.assumed}
        return {"originator": self.originator, "body": self.body, **{name: list(row) for name, row in lists.items()}}


class Standings:
    """The answers of one day."""

    def __init__(self, snapshot: Snapshot, day: date) -> None:
        self.reach = Reach(snapshot, day)
        self.coverage = Coverage(self.reach)
        few = len(boundaries(snapshot.graph)) <= BOUNDARIES_FEW
        self._past = Past(snapshot, self.reach.space) if few else None

    @property
    def graph(self) -> Graph:
        """The graph that is asked."""
        return self.reach.graph

    def rows(self, originator: str, *, only: str | None = None) -> Iterator[Row]:
        """One row for each category that some other body should know of; `only` one category."""
        gaps = {(gap.category, gap.body): gap for gap in self.coverage.gaps(originator)}
        can = self._told(originator)
        for number, category in enumerate(self.reach.space.categories):
            wanting = [body for body in self._wanting(number) if body != originator]
            if wanting and only in (None, category):
                missing = [gap for body in wanting if (gap := gaps.get((category, body)))]
                told = tuple(
                    body for body in wanting if (category, body) not in gaps and can.get(body, 0) >> number & 1
                )
                yield self._row((originator, category), told, missing, wanting)

    def _row(self, key: tuple[str, str], told: tuple[str, ...], missing: list[Gap], wanting: list[str]) -> Row:
        spoken = {*told, *(gap.body for gap in missing)}
        return Row(
            originator=key[0],
            category=key[1],
            can=told,
            partly=tuple(self._untold(gap) for gap in missing if not gap.is_whole),
            cannot=tuple(self._untold(gap) for gap in missing if gap.is_whole),
            silent=tuple(body for body in wanting if body not in spoken),
        )

    def _untold(self, gap: Gap) -> Untold:
        where = "" if gap.is_whole else self.reach.space.words_of(gap.box, gap.remit)
        return Untold(gap.body, self._since(gap), where)

    def _since(self, gap: Gap) -> date | None:
        if self._past:
            return self._past.since(gap, self.reach.day)
        evidence = gap_finding(gap, self.reach).evidence
        return since(self.reach.snapshot, evidence, days_between(self.graph, gap.originator, gap.body))

    def _told(self, originator: str) -> dict[str, int]:
        standings, _ = self.coverage.standings(originator)
        return {body: row.can for body, row in standings.items()}

    def _wanting(self, number: int) -> Iterator[str]:
        for body, boxes in self.coverage.remits.items():
            if any(box[CATEGORY] >> number & 1 for box in boxes):
                yield body

    def cells(self, originator: str, bodies: tuple[str, ...]) -> Iterator[Cell]:
        """The standing of each of these bodies; one without a remit has an empty cell."""
        found = {(gap.body, gap.category): gap for gap in self.coverage.gaps(originator)}
        can = self._told(originator)
        for body in bodies:
            mine = {category: gap for (org, category), gap in found.items() if org == body}
            yield Cell(
                originator,
                body,
                can=self._named(can.get(body, 0)),
                partly=tuple(category for category, gap in mine.items() if not gap.is_whole),
                cannot=tuple(category for category, gap in mine.items() if gap.is_whole),
                assumed=tuple(category for category, gap in mine.items() if _if_confirmed(gap)),
            )

    def _named(self, mask: int) -> tuple[str, ...]:
        return tuple(name for number, name in enumerate(self.reach.space.categories) if mask >> number & 1)


def _if_confirmed(gap: Gap) -> bool:
    bit = gap.box[CATEGORY]
    return any(way.alone and way.alone[CATEGORY] & bit for way in gap.pair.assumed)
