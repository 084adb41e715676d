"""Who is joined to whom on a day: the bodies that act, and the agreements in force between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

from services.registry.domain.standing import REVIEW_OVERDUE, standing
from shared.agreements import Graph
from shared.agreements.model import NAMED, Agreement, Effect, Mode
from shared.agreements.rights import rights_of
from shared.agreements.succession import Lineage, Reached

PENDING = "INHERITED_PENDING_REVIEW"
ASSUMED = "INHERITED_ASSUMED"
MARKS = {
    REVIEW_OVERDUE: "review overdue",
    PENDING: "inherited, pending review",
    ASSUMED: "inherited, assumed",
}
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """A body that acts on the day; `formerly` are those for whose signatures it acts, by name."""

    id: str
    name: str
    short: str
    type: str
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tie:
    """One agreement in force between two bodies. `there`: the first may tell the second; `back`: the other way.

    Neither: it is on record only. `marks` are words, such as `review overdue`.
    """

    agreement: str
    instrument: str
    title: str
    ends: Pair
    there: bool
    back: bool
    marks: tuple[str, ...] = ()

    def seen_from(self, body: str) -> Tie:
        """The same with that body first."""
        if body == self.ends[0]:
            return self
        return Tie(
            self.agreement, self.instrument, self.title, self.ends[::-1], self.back, self.there, self.marks
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Network:
    """The bodies by id and the ties between them on one day; `idle` counts agreements that join nobody that day."""

    day: date
    bodies: Mapping[str, Body]
    ties: tuple[Tie, ...]
    idle: Mapping[str, int] = field(default_factory=dict)

    def members(self) -> dict[str, tuple[str, ...]]:
        """The bodies of each agreement that joins more than two."""
        found: dict[str, set[str]] = defaultdict(set)
        for tie in self.ties:
            found[tie.agreement].update(tie.ends)
        return {name: tuple(sorted(bodies)) for name, bodies in sorted(found.items()) if len(bodies) > 2}

    def around(self, body: str) -> Network:
        """The body and those that an agreement joins to it."""
        ties = tuple(tie.seen_from(body) for tie in self.ties if body in tie.ends)
        near = {body, *(end for tie in ties for end in tie.ends)}
        return Network(self.day, {name: b for name, b in self.bodies.items() if name in near}, ties)

    def to_json(self) -> dict[str, Any]:
        """The same for programs: what the picture shows, no more."""
        bodies = [
            {"id": b.id, "name": b.name, "formerly": list(b.formerly), "type": b.type} for b in self.bodies.values()
        ]
        ties = [
            {
                "agreement": tie.agreement,
                "instrument": tie.instrument,
                "title": tie.title,
                "between": list(tie.ends),
                "tells": [list(ends) for ends, told in ((tie.ends, tie.there), (tie.ends[::-1], tie.back)) if told],
                "marks": list(tie.marks),
            }
            for tie in self.ties
        ]
        return {"as_of": self.day.isoformat(), "bodies": bodies, "ties": ties}


def network_of(graph: Graph, day: date) -> Network:
    """Every body and tie of the day; a split that the day alone does not settle joins each successor."""
    lineage = _lineage(graph, day)
    later = {row.supersedes: row for row in graph.agreements.values() if row.supersedes}
    ties: list[Tie] = []
    formerly: dict[str, set[str]] = defaultdict(set)
    idle: dict[str, int] = defaultdict(int)
    for agreement in (*_by_id(graph.agreements), *_by_id(graph.duties)):
        status = standing(agreement, day, later.get(agreement.id)).status
        found = list(_ties(agreement, day, lineage)) if status == "active" else []
        if not found:
            idle["on record" if status == "active" else status] += 1
        for tie, ways in found:
            ties.append(tie)
            for way in ways:
                formerly[way.org] |= set(way.path[:-1])
    acting = {end for tie in ties for end in tie.ends}
    bodies = {name: _body(graph, name, formerly[name]) for name in sorted(acting)}
    return Network(day, bodies, tuple(sorted(ties, key=lambda tie: (tie.ends, tie.agreement))), dict(idle))


def _lineage(graph: Graph, day: date) -> Lineage:
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in sorted(graph.successions, key=lambda item: item.id):
        rows[row.predecessor].append(row)
    settled = {party: tuple(found) for party, found in rows.items()}
    return Lineage(settled, graph.organisations, day, frozenset(), frozenset())


def _by_id(rows: Mapping[str, Agreement]) -> Iterable[Agreement]:
    return (rows[name] for name in sorted(rows))


def _body(graph: Graph, name: str, formerly: set[str]) -> Body:
    organisation = graph.organisations[name]
    before = sorted(graph.organisations[org].name for org in formerly)
    record = organisation.record
    short = str(record.get("short", organisation.name))
    return Body(name, organisation.name, short, str(record.get("type", "other")), tuple(before))


def _ties(agreement: Agreement, day: date, lineage: Lineage) -> Iterable[tuple[Tie, tuple[Reached, Reached]]]:
    signed = sorted({party.org for party in agreement.parties if party.signed and party.span.covers(day)})
    acting = {party: lineage.resolve(party, personal=agreement.personal) for party in signed}
    told = _told(agreement)
    found: dict[Pair, tuple[Tie, tuple[Reached, Reached]]] = {}
    for one, other in combinations(signed, 2):
        for here in acting[one]:
            for there in acting[other]:
                if here.org != there.org and ((one, other) in told or (other, one) in told):
                    _join(found, agreement, (here, there), (((one, other) in told), ((other, one) in told)), day)
    return found.values()


def _join(
    found: dict[Pair, tuple[Tie, tuple[Reached, Reached]]],
    agreement: Agreement,
    ways: tuple[Reached, Reached],
    told: tuple[bool, bool],
    day: date,
) -> None:
    """One tie for each pair of bodies, whichever parties they act for."""
    if ways[0].org > ways[1].org:
        ways, told = ways[::-1], told[::-1]
    ends = (ways[0].org, ways[1].org)
    before = found.get(ends)
    there, back = told
    marks = set(before[0].marks) if before else set()
    marks |= {MARKS[flag] for flag in standing(agreement, day, None, _novations(ways)).flags if flag in MARKS}
    if before:
        there, back = there or before[0].there, back or before[0].back
    title = str(agreement.record.get("title", agreement.id))
    tie = Tie(agreement.id, agreement.instrument, title, ends, there, back, tuple(sorted(marks)))
    found[ends] = (tie, ways)


def _novations(ways: tuple[Reached, Reached]) -> frozenset[str]:
    return ways[0].novations | ways[1].novations


def _told(agreement: Agreement) -> set[Pair]:
    """Which party may tell which, by any clause that is more than a record."""
    told: set[Pair] = set()
    for right in rights_of(agreement):
        if right.clause.effect is Effect.FORBID or right.clause.mode is Mode.RECORD:
            continue
        recipients = {*right.recipients} | (set(agreement.signatories) if NAMED in right.recipients else set())
        told |= {(right.discloser, recipient) for recipient in recipients - {right.discloser, NAMED}}
    return told
