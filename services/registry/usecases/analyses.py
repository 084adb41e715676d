"""What the graph of a version shows on a day: worked out once, beside the event loop, and kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from typing import TypeVar

from services.registry.domain.analyses.clauses import dead, redundant
from services.registry.domain.analyses.conflicts import conflicts
from services.registry.domain.analyses.coverage import gap_finding
from services.registry.domain.analyses.everything import BODIES_LISTED_MAX, listable
from services.registry.domain.analyses.finding import Finding
from services.registry.domain.analyses.joins import Joins
from services.registry.domain.analyses.recommendation import Answer, answer
from services.registry.domain.analyses.reviews import reviews
from services.registry.domain.analyses.standing import Row, Standings
from services.registry.domain.analyses.table import Count, Table
from services.registry.domain.analyses.times import at_review, openings
from services.registry.domain.model import Commit
from services.registry.ports import Begin
from services.registry.usecases.graph import NEWEST, At, commit_of, graph_of
from shared.agreements import Snapshot, load

__all__ = ["BODIES_LISTED_MAX", "STUDIES_KEPT_MAX", "Analyst", "Page", "Study"]
STUDIES_KEPT_MAX = 4
"""Graphs and days whose analyses are kept; each holds its graph in memory."""
Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `more` is true where there is more after it."""

    items: Sequence[Finding | Row | Count]
    more: bool


class Study:
    """One graph on one day; each analysis is worked out when it is first asked for. Its methods take their time."""

    def __init__(self, commit: Commit, snapshot: Snapshot, day: date) -> None:
        self.commit = commit
        self.day = day
        self._standings = Standings(snapshot, day)

    def knows(self, originator: str | None, category: str | None) -> tuple[bool, bool]:
        """Whether the graph has the body, and its vocabulary the category; what is not asked for is known."""
        graph = self._standings.graph
        words = graph.vocabularies.ids("categories")
        return originator is None or originator in graph.organisations, category is None or category in words

    @property
    def is_listable(self) -> bool:
        """Whether its findings can be listed: those of a much larger graph would fill the memory."""
        return listable(self._standings.graph)

    def counts(self, category: str | None, start: int, count: int) -> Page:
        """How many bodies each originator can and cannot tell, by category."""
        return _page((row for row in self._counts if category in (None, row.category)), start, count)

    def rows(self, originator: str, category: str | None, start: int, count: int) -> Page:
        """Which bodies one originator can and cannot tell, by category, and since when not."""
        return _page(self._standings.rows(originator, only=category), start, count)

    def gaps(self, originator: str, category: str) -> Sequence[Finding]:
        """The gaps of one originator and category, each with its concern."""
        found = self._standings.coverage.gaps(originator)
        return [gap_finding(gap, self._standings.reach) for gap in found if gap.category == category]

    def findings(self, analysis: str, start: int, count: int) -> Page:
        """The findings of one analysis, by key. Raises KeyError for one that does not exist."""
        found = FOUND[analysis](self)
        return Page(found[start : start + count], len(found) > start + count)

    def recommendation(self) -> Answer:
        """What the page on recommendation 153 says."""
        return self._answer

    def recommendation_rows(self, start: int, count: int) -> Page:
        """By originator and category, of the bodies that the recommendation is about."""
        rows = (row for originator in self._answer.bodies for row in self._standings.rows(originator))
        return _page(rows, start, count)

    @cached_property
    def _answer(self) -> Answer:
        return answer(self._standings)

    @cached_property
    def _counts(self) -> Sequence[Count]:
        table = Table(self._standings.coverage)
        return [row for originator in self._standings.reach.originators() for row in table.counts(originator)]

    @cached_property
    def _joins(self) -> Joins:
        return Joins(self._standings.coverage)

    @cached_property
    def conflicts(self) -> Sequence[Finding]:
        """Rules that contradict one another."""
        return _sorted(conflicts(self._joins))

    @cached_property
    def clauses(self) -> Sequence[Finding]:
        """Clauses that do nothing."""
        return _sorted([*dead(self._joins), *redundant(self._joins)])

    @cached_property
    def reviews(self) -> Sequence[Finding]:
        """Agreements that somebody should look at, and the gaps that would open without them."""
        return _sorted([*reviews(self._joins), *at_review(self._standings.reach)])

    @cached_property
    def openings(self) -> Sequence[Finding]:
        """Gaps that open on a day to come."""
        return _sorted(openings(self._standings.reach))


FOUND: dict[str, Callable[[Study], Sequence[Finding]]] = {
    "conflicts": lambda study: study.conflicts,
    "clauses": lambda study: study.clauses,
    "reviews": lambda study: study.reviews,
    "openings": lambda study: study.openings,
}


class Analyst:
    """Keeps the studies that are asked for, and works on one question at a time, in a thread."""

    def __init__(self, *, begin: Begin) -> None:
        self._begin = begin
        self._kept: OrderedDict[tuple[int, date], Study] = OrderedDict()
        self._at_work = asyncio.Lock()

    async def commit(self, at: At = NEWEST) -> Commit | None:
        """The commit of the graph that is asked for; None where there is none."""
        async with self._begin() as history:
            return await commit_of(history, at)

    async def ask(self, commit: Commit, day: date, question: Callable[[Study], Answered]) -> Answered:
        """The answer to a question about the graph of a commit on a day. Raises GraphDamaged."""
        async with self._at_work:
            study = self._kept.get((commit.version, day)) or await self._study(commit, day)
            self._kept[commit.version, day] = study
            self._kept.move_to_end((commit.version, day))
            while len(self._kept) > STUDIES_KEPT_MAX:
                self._kept.popitem(last=False)
            return await asyncio.to_thread(question, study)

    async def _study(self, commit: Commit, day: date) -> Study:
        async with self._begin() as history:
            graph = await graph_of(history, commit)
        rows = [item.row() for item in graph.objects]
        return await asyncio.to_thread(lambda: Study(commit, Snapshot(load(rows), commit.version, commit.root), day))


def _page(items: Iterator[Row | Count], start: int, count: int) -> Page:
    found = list(islice(items, start, start + count + 1))
    return Page(found[:count], len(found) > count)


def _sorted(found: Iterator[Finding] | Sequence[Finding]) -> Sequence[Finding]:
    return sorted(found, key=lambda row: row.key)
