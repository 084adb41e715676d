"""Clauses that do nothing: those that no concern can ever satisfy, and those that another clause makes superfluous."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from services.registry.domain.analyses.finding import Evidence, Finding, Severity
from services.registry.domain.analyses.implied import implies
from services.registry.domain.analyses.joins import Join, Joins
from services.registry.domain.analyses.reach import Reach, Way
from services.registry.domain.analyses.space import NAMES, Box, meet
from services.registry.domain.analyses.times import days_of
from shared.agreements.bodies import Bodies
from shared.agreements.gates import force_on
from shared.agreements.model import NAMED, Agreement, Clause, Effect, Mode
from shared.agreements.rights import Right, rights_of


def dead(joins: Joins) -> Iterator[Finding]:
    """Clauses that tell nobody of anything on any day. Those that only feed or record are not meant to."""
    reach = joins.reach
    alive = {way.cite for join in joins.rows for way in _ways(join) if joins.boxes(way, join.body)}
    for name, agreement in sorted(reach.graph.sharing().items()):
        for clause in agreement.clauses:
            acts = clause.effect is Effect.FORBID or clause.mode in (Mode.PUSH, Mode.INVITE)
            why = why_dead(agreement, clause, reach) if acts and clause.cite not in alive else None
            if why:
                yield _dead(clause, why, (name, _shown(agreement, clause)), reach)


def _ways(join: Join) -> Iterator[Way]:
    pair = join.pair
    for ways in (pair.ways, pair.held, pair.forbids, pair.shut, pair.assumed, pair.assumed_forbids):
        yield from ways


def why_dead(agreement: Agreement, clause: Clause, reach: Reach) -> str | None:
    """The first reason for which the clause can never be satisfied; None where it can be, on some day."""
    box = reach.space.clause_box(clause.when)
    if not clause.when.categories:
        return "it names no category"
    if not all(box):
        return f"no {NAMES[next(key for key, mask in enumerate(box) if not mask)]} fits what it asks for"
    rights = [right for right in rights_of(agreement) if right.clause is clause and _signed(right)]
    if not rights:
        return "nobody who signed the agreement may tell anybody else under it"
    days = sorted(_days(agreement, reach))
    joined = [day for day in days if any(_joined(right, day, reach) for right in rights)]
    if not joined:
        return "the agreement is never in force while two different bodies are bound by it"
    if clause.when.needs_remit and not any(_in_remit(right, day, box, reach) for right in rights for day in joined):
        return "it asks for a remit that no body it may tell has"
    return None


def _signed(right: Right) -> bool:
    signed = right.agreement.signatories
    return right.discloser in signed and any(org in signed or org == NAMED for org in right.recipients)


def _days(agreement: Agreement, reach: Reach) -> set[date]:
    """A first day of every stretch in which nothing changes for the agreement, and it is in force."""
    later = reach.snapshot.later_version(agreement.id)
    ends = {later.span.start} if later and later.span.start else set()
    bodies = {row.effective for row in reach.graph.successions if row.effective}
    spans = [o.exists for o in reach.graph.organisations.values()]
    spans += [remit.span for o in reach.graph.organisations.values() for remit in o.remits]
    lives = {day for span in spans for day in (span.start, span.end) if day}
    days = {date.min, reach.day, *days_of(agreement), *ends, *bodies, *lives}
    return {day for day in days if force_on(agreement, day, later) is None}


def _joined(right: Right, day: date, reach: Reach) -> bool:
    return any(True for _ in _receivers(right, day, reach))


def _receivers(right: Right, day: date, reach: Reach) -> Iterator[str]:
    """The bodies that the right could tell on the day, however a split is followed."""
    present = {party.org for party in right.agreement.parties if party.signed and party.span.covers(day)}
    if right.discloser not in present:
        return
    personal = right.agreement.personal
    bodies = reach.snapshot.bodies(day, frozenset(), frozenset())
    speaking = _speaking(right.discloser, bodies, personal=personal)
    for party in right.recipients:
        if party in present or party == NAMED:
            named = bodies.able if party == NAMED else {r.org for r in bodies.receivers(party, personal=personal)}
            yield from (org for org in named if speaking - {org})


def _speaking(party: str, bodies: Bodies, *, personal: bool) -> set[str]:
    return {reached.org for reached in bodies.resolve(party, personal=personal)}


def _in_remit(right: Right, day: date, box: Box, reach: Reach) -> bool:
    organisations = reach.graph.organisations
    found = (reach.space.remit_boxes(organisations[org].remits, day) for org in _receivers(right, day, reach))
    return any(meet(box, remit) for remits in found for remit in remits)


def _shown(agreement: Agreement, clause: Clause) -> tuple[str, str]:
    """The two for whom the clause is written."""
    rights = [right for right in rights_of(agreement) if right.clause is clause and right.recipients]
    right = next(iter(rights), None)
    if right is None:
        return clause.disclosers[0], clause.recipients[0]
    return right.discloser, right.recipients[0]


def _dead(clause: Clause, why: str, between: tuple[str, tuple[str, str]], reach: Reach) -> Finding:
    name, (originator, body) = between
    wanted = reach.space.clause_box(clause.when)
    box = tuple(mask or reach.space.full[key] for key, mask in enumerate(wanted))
    concern = reach.space.concern(box, originator, body, reach.day)
    return Finding(
        key=f"dead:{clause.cite}",
        analysis="clauses",
        severity=Severity.WARNING,
        sentence=f"{clause.cite} can never apply: {why}.",
        remedy=f"Correct {clause.cite}, or take it out of {name}.",
        about=(clause.cite,),
        evidence=Evidence(concern, body, "fails", (clause.cite,)),
    )


def redundant(joins: Joins) -> Iterator[Finding]:
    """Clauses that change nothing on the day: wherever they let a concern through, another does, with no more."""
    pairs: dict[str, set[tuple[str, str]]] = {}
    shown: dict[tuple[str, str], tuple[Join, Way, Way]] = {}
    for join in joins.rows:
        for way in _acting(join):
            pairs.setdefault(way.cite, set()).add((join.originator, join.body))
            for other in _acting(join):
                if way.cite != other.cite:
                    shown.setdefault((way.cite, other.cite), (join, way, other))
    for (less, more), (join, way, other) in sorted(shown.items(), key=lambda item: item[0]):
        if pairs[less] <= pairs[more] and implies(other, way) and (less > more or not implies(way, other)):
            box = joins.free(way, join)
            if box:
                yield _redundant(less, more, joins.concern(box, join, way, other), join.body)


def _acting(join: Join) -> list[Way]:
    return join.pair.ways


def _redundant(less: str, more: str, concern: dict[str, object], body: str) -> Finding:
    return Finding(
        key=f"redundant:{less}:{more}",
        analysis="clauses",
        severity=Severity.NOTICE,
        sentence=f"{less} changes nothing: {more} tells the same bodies all that it does.",
        remedy=f"Leave {less} as a record, or take it out when its agreement is next changed.",
        about=(less, more),
        evidence=Evidence(concern, body, "passes", (less, more)),
    )
