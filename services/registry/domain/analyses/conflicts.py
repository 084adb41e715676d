"""Rules that contradict one another: what one allows or asks for, another forbids, cannot carry, or limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from services.registry.domain.analyses.ceilings import ceiling, ceiling_of
from services.registry.domain.analyses.finding import Evidence, Finding, Severity
from services.registry.domain.analyses.joins import Join, Joins
from services.registry.domain.analyses.reach import Way
from services.registry.domain.analyses.space import CATEGORY, Box, minus_all, with_key
from shared.agreements import Problem
from shared.agreements.bars import shut_bars
from shared.agreements.case import Attempt
from shared.agreements.model import Bar, Effect, Terms

CIRCLE = "runs in a circle"


def conflicts(joins: Joins) -> Iterator[Finding]:
    """Every contradiction on the day, each pair of rules once, shown between the first two bodies where it stands."""
    seen: set[str] = set()
    for join in joins.rows:
        for finding in _of(join, joins):
            if finding.key not in seen:
                seen.add(finding.key)
                yield finding


def circles(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Circular successions and supersessions. The reader refuses a graph with one, so there is no concern to show."""
    return tuple(problem for problem in problems if CIRCLE in problem.what)


def _of(join: Join, joins: Joins) -> Iterator[Finding]:
    yield from _forbidden(join, joins)
    yield from _barred(join, joins)
    yield from _onward(join, joins)
    for way in join.pair.ways:
        yield from _wider_than_parent(way, join, joins)
        yield from _required_in_vain(way, join, joins)


def _forbidden(join: Join, joins: Joins) -> Iterator[Finding]:
    for way in join.pair.ways:
        for forbid in join.pair.forbids:
            box = joins.meeting(way, forbid, join.body)
            if box:
                yield _forbids(way, forbid, joins.concern(box, join, way, forbid), join)


def _forbids(way: Way, forbid: Way, concern: dict[str, object], join: Join) -> Finding:
    verb = "requires" if way.attempt.clause.effect is Effect.REQUIRE else "permits"
    return Finding(
        key=f"conflict:forbid:{way.cite}:{forbid.cite}",
        analysis="conflicts",
        severity=Severity.ERROR,
        sentence=f"{forbid.cite} forbids what {way.cite} {verb}; the prohibition wins, and the body is not told.",
        remedy=f"Narrow {forbid.cite} or {way.cite} until no concern falls under both.",
        about=(way.cite, forbid.cite),
        evidence=Evidence(concern, join.body, "forbidden", (way.cite, forbid.cite)),
    )


def _barred(join: Join, joins: Joins) -> Iterator[Finding]:
    for way in join.pair.shut:
        boxes = joins.boxes(way, join.body)
        bars = [bar for bar in shut_bars(way.attempt) if bar.withholds and way.attempt.agreement.id != bar.id]
        for bar in bars if boxes and not way.attempt.ambiguous else ():
            yield _bars(way, bar, joins.concern(boxes[0], join, way), join)


def _bars(way: Way, bar: Bar, concern: dict[str, object], join: Join) -> Finding:
    opening = [gateway.cite for gateway in bar.gateways if gateway.by_person and gateway.permits is None]
    unless = f", unless a person records {' or '.join(opening)}" if opening else ""
    return Finding(
        key=f"conflict:bar:{way.cite}:{bar.id}",
        analysis="conflicts",
        severity=Severity.WARNING if opening else Severity.ERROR,
        sentence=f"{bar.id} forbids what {way.cite} permits{unless}.",
        remedy=f"Say in {way.cite} which gateway of {bar.id} it relies on, or name the agreement in a gateway.",
        about=(way.cite, bar.id),
        evidence=Evidence(concern, join.body, "forbidden", (way.cite, bar.id)),
    )


def _onward(join: Join, joins: Joins) -> Iterator[Finding]:
    for one, other in combinations(sorted(join.pair.ways, key=lambda way: way.cite), 2):
        terms = one.attempt.clause.onward, other.attempt.clause.onward
        box = joins.meeting(one, other, join.body) if terms[0] != terms[1] else None
        free = box and _outside(box, join)
        if free:
            yield _contradictory((one, other), joins.concern(free, join, one, other), join)


def _outside(box: Box, join: Join) -> Box | None:
    return next(iter(minus_all((box,), (forbid.box for forbid in join.pair.forbids))), None)


def _contradictory(ways: tuple[Way, Way], concern: dict[str, object], join: Join) -> Finding:
    one, other = ways
    terms = [f"{way.cite} says '{way.attempt.clause.onward}'" for way in ways]
    return Finding(
        key=f"conflict:onward:{one.cite}:{other.cite}",
        analysis="conflicts",
        severity=Severity.NOTICE,
        sentence=f"Two clauses tell one body of one category and differ on passing it on: {', '.join(terms)}.",
        remedy="Agree one onward term; until then the strictest stands.",
        about=(one.cite, other.cite),
        evidence=Evidence(concern, join.body, "passes", (one.cite, other.cite)),
    )


def _wider_than_parent(way: Way, join: Join, joins: Joins) -> Iterator[Finding]:
    """A working protocol may carry no more than the memorandum that it supports. An information sharing agreement is
    made to carry more than the kind of instrument could, so only a ceiling that its parent states binds it."""
    agreement = way.attempt.agreement
    parent = joins.reach.snapshot.sharing(agreement.supports or "")
    if parent is None or (agreement.instrument == "isa" and parent.sensitivity_cap is None):
        return
    extra = sorted(ceiling(way.attempt) - ceiling_of(parent, way.attempt))
    box = joins.free(way, join) if extra else None
    if box:
        concern = {**joins.concern(box, join, way), "sensitivity": extra[:1]}
        yield _wider(way.attempt, parent.id, extra, Evidence(concern, join.body, "passes", (way.cite,)))


def _wider(attempt: Attempt, parent: str, extra: list[str], evidence: Evidence) -> Finding:
    cite, stated = attempt.clause.cite, attempt.case.snapshot.sharing(parent)
    is_stated = stated is not None and stated.sensitivity_cap is not None
    what = " and ".join(extra)
    return Finding(
        key=f"conflict:parent:{cite}:{parent}",
        analysis="conflicts",
        severity=Severity.WARNING if is_stated else Severity.NOTICE,
        sentence=f"{cite} can carry {what}, and {parent}, which it supports, cannot.",
        remedy=f"State a ceiling in {cite} within that of {parent}, or widen {parent}.",
        about=(cite, parent),
        evidence=evidence,
    )


def _required_in_vain(way: Way, join: Join, joins: Joins) -> Iterator[Finding]:
    """What a duty asks for is of a kind that usually is too sensitive for it (`sensitivity` of the category)."""
    if way.attempt.clause.effect is not Effect.REQUIRE:
        return
    allowed, space = ceiling(way.attempt), joins.reach.space
    for category, usual in _usually(joins):
        named = way.box[CATEGORY] & space.category_bit(category)
        box = joins.free(way._replace(box=with_key(way.box, CATEGORY, named)), join) if named else None
        if box and not usual <= allowed:
            yield _in_vain(way, category, {**joins.concern(box, join, way), "sensitivity": sorted(usual)}, join.body)


def _usually(joins: Joins) -> list[tuple[str, Terms]]:
    rows = joins.reach.graph.vocabularies.lists.get("categories", ())
    stated = (row for row in rows if isinstance(row, Mapping) and "sensitivity" in row)
    return [(row["id"], frozenset({row["sensitivity"]})) for row in stated]


def _in_vain(way: Way, category: str, concern: dict[str, object], body: str) -> Finding:
    return Finding(
        key=f"conflict:required:{way.cite}:{category}",
        analysis="conflicts",
        severity=Severity.ERROR,
        sentence=f"{way.cite} requires concerns of '{category}' to be told, and cannot carry what they usually hold.",
        remedy=f"Give {way.cite} a ceiling that includes it, or leave '{category}' out.",
        about=(way.cite,),
        evidence=Evidence(concern, body, "too-sensitive", (way.cite,)),
    )
