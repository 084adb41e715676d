"""Coverage: for each originator and category, the bodies whose remit covers it that no clause lets it tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.registry.domain.analyses.finding import Evidence, Finding, Severity
from services.registry.domain.analyses.reach import Pair, Reach, Way
from services.registry.domain.analyses.space import CATEGORY, Box, meet, minus_all, split_by_category, with_key
from shared.agreements.case import Case

NOTHING = Pair()


class Standing(NamedTuple):
    """One body towards one originator, for all categories at once: masks of categories in its remit.

    `can`: every concern of its remit can reach it; `partly`: some can; `cannot`: none can; the rest of the remit is
    held for a person or silent on purpose.
    """

    can: int
    partly: int
    cannot: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A category that lies in the body's remit and of which the originator cannot tell it, wholly or in part."""

    originator: str
    category: str
    body: str
    is_whole: bool
    box: Box
    remit: Box
    pair: Pair


class Coverage:
    """Who can be told of what on one day."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        organisations = reach.graph.organisations
        found = ((org, reach.space.remit_boxes(organisations[org].remits, reach.day)) for org in sorted(reach.able))
        self.remits: dict[str, tuple[Box, ...]] = {org: boxes for org, boxes in found if boxes}
        self._known: dict[object, Standing] = {}

    def gaps(self, originator: str) -> Iterator[Gap]:
        """Every gap of the originator, by body and category."""
        case = self.reach.case(originator)
        pairs = self.reach.pairs(originator, case)
        for body, left in self._left(case, pairs):
            pair = pairs.get(body, NOTHING)
            for category, box in split_by_category(left, self.reach.space):
                yield self._gap(Between(originator, body, pair), category, box)

    def left(self, originator: str) -> dict[str, tuple[Box, ...]]:
        """By body: everything of its remit that is a gap."""
        case = self.reach.case(originator)
        return dict(self._left(case, self.reach.pairs(originator, case)))

    def _left(self, case: Case, pairs: Mapping[str, Pair]) -> Iterator[tuple[str, tuple[Box, ...]]]:
        for body, remits in self.remits.items():
            if body != case.originator and not self.reach.silent(case, body):
                yield body, minus_all(remits, pairs.get(body, NOTHING).no_gap())

    def _gap(self, between: Between, category: str, box: Box) -> Gap:
        here = [r for r in (meet_category(remit, box) for remit in self.remits[between.body]) if r]
        is_whole = not any(way.alone and meet(remit, way.alone) for remit in here for way in between.pair.ways)
        around = next(remit for remit in here if meet(box, remit))
        return Gap(between.originator, category, between.body, is_whole, box, around, between.pair)

    def standings(self, originator: str) -> tuple[dict[str, Standing], Case]:
        """The standing of each body that a clause joins to the originator; for all others nothing can be told."""
        case = self.reach.case(originator)
        pairs = self.reach.pairs(originator, case)
        joined = {body: pair for body, pair in pairs.items() if body in self.remits and body != originator}
        silent = any(bar.withholds for bar in case.bars)
        return {
            body: Standing(0, 0, 0) if silent and self.reach.silent(case, body) else self._standing(body, pair)
            for body, pair in joined.items()
        }, case

    def _standing(self, body: str, pair: Pair) -> Standing:
        remits = self.remits[body]
        ways = frozenset(way.alone for way in pair.ways if way.alone)
        key = (remits, ways, frozenset(pair.no_gap()))
        if key not in self._known:
            self._known[key] = standing(remits, ways, pair.no_gap())
        return self._known[key]


class Between(NamedTuple):
    """Who would tell whom, and what joins them."""

    originator: str
    body: str
    pair: Pair


def meet_category(remit: Box, box: Box) -> Box | None:
    """The remit for the category of the box alone; None where it has not that category."""
    mask = remit[CATEGORY] & box[CATEGORY]
    return with_key(remit, CATEGORY, mask) if mask else None


def standing(remits: Iterable[Box], ways: Iterable[Box], no_gap: Iterable[Box]) -> Standing:
    """Masks of categories from boxes."""
    remits, ways = tuple(remits), tuple(ways)
    gap = _categories(minus_all(remits, no_gap))
    told = _categories(filter(None, (meet(remit, way) for remit in remits for way in ways)))
    return Standing(can=told & ~gap, partly=told & gap, cannot=gap & ~told)


def _categories(boxes: Iterable[Box]) -> int:
    mask = 0
    for box in boxes:
        mask |= box[CATEGORY]
    return mask


def gap_finding(gap: Gap, reach: Reach) -> Finding:
    """The finding of a gap, with the plainest concern that falls into it."""
    organisations = reach.graph.organisations
    names = organisations[gap.originator].name, organisations[gap.body].name
    where = "" if gap.is_whole else f", where {reach.space.words_of(gap.box, gap.remit)}"
    concern = reach.space.concern(gap.box, gap.originator, gap.body, reach.day)
    return Finding(
        key=f"gap:{gap.originator}:{gap.category}:{gap.body}",
        analysis="coverage",
        severity=Severity.WARNING if gap.is_whole else Severity.NOTICE,
        sentence=f"{names[1]} should know of '{gap.category}', and no clause lets {names[0]} tell it{where}.",
        remedy=remedy_of(gap),
        about=(gap.originator, gap.body, *agreements_of(gap.pair)),
        evidence=Evidence(concern, gap.body, "gap"),
    )


def remedy_of(gap: Gap) -> str:
    """What would close the gap, the nearest thing first."""
    if waiting := sorted({way.cite for way in gap.pair.assumed if meet(way.box, gap.box)}):
        return f"Confirm the assumed clause {waiting[0]} with the two bodies, then switch it on."
    joined = agreements_of(gap.pair)
    if joined:
        return f"Widen {joined[0]} to '{gap.category}' for these concerns, or agree another instrument."
    return f"Agree an instrument from {gap.originator} to {gap.body} with a clause that names '{gap.category}'."


def agreements_of(pair: Pair) -> tuple[str, ...]:
    """The agreements that join the two, those whose clauses tell first."""
    telling = [way.attempt.agreement.id for way in _sorted(pair.ways)]
    return tuple(dict.fromkeys([*telling, *sorted({way.attempt.agreement.id for way in pair.joined})]))


def _sorted(ways: Iterable[Way]) -> list[Way]:
    return sorted(ways, key=lambda way: way.cite)
