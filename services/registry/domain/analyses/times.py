"""When: since when a gap is open, and which gaps open on which day to come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from services.registry.domain.analyses.confirm import on_day, outcome_of
from services.registry.domain.analyses.coverage import NOTHING, Coverage, Gap
from services.registry.domain.analyses.finding import Evidence, Finding, Severity
from services.registry.domain.analyses.reach import Pair, Reach
from services.registry.domain.analyses.space import Box, Space, inside, meet, minus_all, split_by_category
from shared.agreements import Class, Graph, Snapshot
from shared.agreements.days import Span
from shared.agreements.model import NAMED, SIGNATORIES, Agreement

ONE_DAY = timedelta(days=1)


def boundaries(graph: Graph) -> tuple[date, ...]:
    """Every day on which a decision may change, in order: between two of them nothing does."""
    days = {row.effective for row in graph.successions if row.effective}
    for agreement in graph.sharing().values():
        days.update(days_of(agreement))
    for organisation in graph.organisations.values():
        days.update(_ends(organisation.exists, *(remit.span for remit in organisation.remits)))
    for bar in graph.bars.values():
        days.update(_ends(bar.span))
    return tuple(sorted(days))


def days_of(agreement: Agreement) -> set[date]:
    """The days on which the agreement, or who is party to it, changes."""
    parties = (party.span for party in agreement.parties)
    days = set(_ends(agreement.span, *agreement.suspended, *parties))
    return days | ({agreement.terminated} if agreement.terminated else set())


def days_between(graph: Graph, originator: str, body: str) -> tuple[date, ...]:
    """The boundaries that can matter to what one body is told by another: theirs, and those of whom they act for."""
    mine, theirs = _acting_as(graph, originator), _acting_as(graph, body)
    sharing = [row for row in graph.sharing().values() if _joins(row, mine, theirs)]
    ids = {row.id for row in sharing}
    later = [row for row in graph.sharing().values() if row.supersedes in ids]
    days = {day for row in (*sharing, *later) for day in days_of(row)}
    days |= {row.effective for row in graph.successions if row.effective and row.predecessor in mine | theirs}
    for org in mine | theirs:
        organisation = graph.organisations[org]
        days.update(_ends(organisation.exists, *(remit.span for remit in organisation.remits)))
    days.update(day for bar in graph.bars.values() if mine & set(bar.holders) for day in _ends(bar.span))
    return tuple(sorted(days))


def _acting_as(graph: Graph, org: str) -> set[str]:
    """The body, and every body for which it could ever act."""
    found, ahead = {org}, {org}
    while ahead:
        before = {row.predecessor for row in graph.successions if row.successor in ahead}
        divisions = {row.id for row in graph.organisations.values() if row.deliver_to in ahead}
        ahead = (before | divisions) - found
        found |= ahead
    return found


def _joins(agreement: Agreement, mine: set[str], theirs: set[str]) -> bool:
    """Between parties of both, or to whom a concern names."""
    named = {party.org for party in agreement.parties}
    for clause in agreement.clauses:
        named.update(clause.disclosers, clause.recipients)
    return bool(named & mine and (named & theirs or NAMED in named))


def _ends(*spans: Span) -> Iterator[date]:
    for span in spans:
        yield from filter(None, (span.start, span.end))


def since(snapshot: Snapshot, evidence: Evidence, days: Iterable[date]) -> date | None:
    """Since when the concern of a gap has been one, without a break; None for as long as the graph knows.

    `days` are the boundaries of the graph; those after the concern's own day are left aside.
    """
    day = date.fromisoformat(str(evidence.concern["received_at"])[:10])
    earlier = [row for row in sorted(days) if row <= day]
    for begins in reversed(earlier):
        before = on_day(evidence.concern, begins - ONE_DAY)
        found = outcome_of(snapshot, before, evidence.body)
        if found is None or found.klass is not Class.GAP:
            return begins
    return None


class Past:
    """The gaps of every stretch between two boundaries: for graphs with few boundaries, faster than asking each day."""

    def __init__(self, snapshot: Snapshot, space: Space) -> None:
        self._snapshot = snapshot
        self._space = space
        self._days = boundaries(snapshot.graph)
        self._coverage: dict[date, Coverage] = {}
        self._left: dict[tuple[date, str], dict[str, tuple[Box, ...]]] = {}

    def since(self, gap: Gap, day: date) -> date | None:
        """As `since`: of the plainest concern of the gap."""
        point = tuple(mask & -mask for mask in gap.box)
        for begins in reversed([row for row in self._days if row <= day]):
            boxes = self._at(begins - ONE_DAY, gap.originator).get(gap.body, ())
            if not any(inside(point, box) for box in boxes):
                return begins
        return None

    def _at(self, day: date, originator: str) -> dict[str, tuple[Box, ...]]:
        """Worked out on the first day of the stretch, so that each stretch is worked out once."""
        first = max((row for row in self._days if row <= day), default=date.min)
        key = (first, originator)
        if key not in self._left:
            if first not in self._coverage:
                self._coverage[first] = Coverage(Reach(self._snapshot, first, self._space))
            self._left[key] = self._coverage[first].left(originator)
        return self._left[key]


def openings(reach: Reach) -> Iterator[Finding]:
    """Gaps that open on a day to come, as the graph stands: an agreement ends, a party leaves, a body goes."""
    before = Coverage(reach)
    for day in (row for row in boundaries(reach.graph) if row > reach.day):
        after = Coverage(Reach(reach.snapshot, day, reach.space))
        for originator in _touched(before.reach, after.reach):
            yield from _opened(before, after, originator)
        before = after


def _touched(before: Reach, after: Reach) -> list[str]:
    """Who may tell otherwise than on the day before: everybody, unless only agreements change on the day."""
    graph, day = after.graph, after.day
    if _bodies_change(graph, day):
        return after.originators()
    changing = [row for row in graph.sharing().values() if day in days_of(row) or _is_followed(row, after)]
    return sorted({*_speaking(before, changing), *_speaking(after, changing)} & set(after.originators()))


def _bodies_change(graph: Graph, day: date) -> bool:
    if any(row.effective == day for row in graph.successions):
        return True
    spans = [span for row in graph.organisations.values() for span in (row.exists, *(r.span for r in row.remits))]
    return any(day in (span.start, span.end) for span in (*spans, *(bar.span for bar in graph.bars.values())))


def _is_followed(agreement: Agreement, reach: Reach) -> bool:
    """A later version takes its place on the day."""
    later = reach.snapshot.later_version(agreement.id)
    return later is not None and later.span.start == reach.day


def _opened(before: Coverage, after: Coverage, originator: str) -> Iterator[Finding]:
    earlier, pairs = before.left(originator), before.reach.pairs(originator)
    for body, boxes in after.left(originator).items():
        new = minus_all(boxes, earlier.get(body, ()))
        for category, box in split_by_category(new, after.reach.space):
            yield _opening(category, box, (originator, body), pairs.get(body, NOTHING), after.reach)


def _opening(category: str, box: Box, between: tuple[str, str], pair: Pair, reach: Reach) -> Finding:
    originator, body = between
    names = [reach.graph.organisations[org].name for org in between]
    lost = _agreements(pair, box)
    why = f": {', '.join(lost)} no longer covers it" if lost else ""
    day = reach.day.isoformat()
    before = (reach.day - ONE_DAY).isoformat()
    return Finding(
        key=f"gap-opens:{day}:{originator}:{category}:{body}",
        analysis="coverage",
        severity=Severity.WARNING,
        sentence=f"From {day} no clause lets {names[0]} tell {names[1]} of '{category}'{why}.",
        remedy=f"Agree before {day} what takes the place of {' and '.join(lost) or 'what ends that day'}.",
        about=(originator, body, *lost),
        evidence=Evidence(reach.space.concern(box, originator, body, reach.day), body, "gap-opens", before=before),
        day=day,
    )


def at_review(reach: Reach) -> Iterator[Finding]:
    """Gaps that would open if an agreement were not renewed at the review that is due."""
    due = {row.id: row for row in reach.graph.agreements.values() if row.review_due}
    coverage = Coverage(reach)
    for originator in _speaking(reach, due.values()):
        case = reach.case(originator)
        for body, pair in reach.pairs(originator, case).items():
            for name in sorted({way.attempt.agreement.id for way in pair.ways} & due.keys()):
                yield from _without(coverage, due[name], (originator, body), pair)


def _speaking(reach: Reach, agreements: Iterable[Agreement]) -> list[str]:
    """Who may originate under one of them, however its parties are followed."""
    parties = {party.org for agreement in agreements for party in agreement.parties}
    parties |= {org for agreement in agreements for org in _sides(agreement)}
    acting = _heirs(reach.graph, parties)
    return [org for org in reach.originators() if org in acting]


def _heirs(graph: Graph, parties: set[str]) -> set[str]:
    """The bodies, and all that could ever act for them."""
    found, ahead = set(parties), set(parties)
    while ahead:
        after = {row.successor for row in graph.successions if row.predecessor in ahead}
        parents = {row.deliver_to for row in graph.organisations.values() if row.id in ahead and row.deliver_to}
        ahead = (after | parents) - found
        found |= ahead
    return found


def _sides(agreement: Agreement) -> set[str]:
    named = {org for clause in agreement.clauses for org in (*clause.disclosers, *clause.recipients)}
    return named - {NAMED, SIGNATORIES}


def _without(coverage: Coverage, agreement: Agreement, between: tuple[str, str], pair: Pair) -> Iterator[Finding]:
    body, reach = between[1], coverage.reach
    other = _apart_from(pair, agreement.id)
    remits = coverage.remits.get(body, ())
    now = minus_all(remits, pair.no_gap())
    alone = minus_all(minus_all(remits, other.no_gap()), now)
    for category, box in split_by_category(alone, reach.space):
        yield _at_review(category, box, between, agreement, reach)


def _apart_from(pair: Pair, agreement: str) -> Pair:
    """The pair without what the agreement lets through; what it forbids or holds would be another question."""
    return replace(pair, ways=[way for way in pair.ways if way.attempt.agreement.id != agreement])


def _at_review(category: str, box: Box, between: tuple[str, str], agreement: Agreement, reach: Reach) -> Finding:
    originator, body = between
    names = [reach.graph.organisations[org].name for org in between]
    due = str(agreement.review_due or "")
    only = f"Only {agreement.id} lets {names[0]} tell {names[1]} of '{category}'"
    return Finding(
        key=f"gap-at-review:{agreement.id}:{originator}:{category}:{body}",
        analysis="coverage",
        severity=Severity.NOTICE,
        sentence=f"{only}, and its review is due on {due}: without it there would be a gap.",
        remedy=f"Renew {agreement.id}, or agree what takes its place.",
        about=(agreement.id, originator, body),
        evidence=Evidence(reach.space.concern(box, originator, body, reach.day), body, "only-way", (agreement.id,)),
        day=due,
    )


def _agreements(pair: Pair, box: Box) -> list[str]:
    return sorted({way.attempt.agreement.id for way in pair.ways if way.alone and meet(way.alone, box)})
