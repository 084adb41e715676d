"""Agreements whose review is overdue, and agreements that a body signed which is gone."""

from __future__ import annotations

from collections.abc import Iterator

from services.registry.domain.analyses.finding import Evidence, Finding, Severity
from services.registry.domain.analyses.joins import Join, Joins
from services.registry.domain.analyses.reach import Reach, Way
from shared.agreements.case import Attempt
from shared.agreements.gates import why_not_in_force
from shared.agreements.model import Agreement
from shared.agreements.succession import Reached


def reviews(joins: Joins) -> Iterator[Finding]:
    """Every agreement in force on the day that somebody should look at again."""
    reach = joins.reach
    first = _first_joins(joins)
    for agreement in _in_force(reach):
        if agreement.review_due and agreement.review_due < reach.day and agreement.id in first:
            yield _overdue(agreement, first[agreement.id], joins)
        for party in sorted(agreement.signatories):
            if party not in reach.able and _has_gone(party, reach):
                yield _signed_by_the_gone(agreement, party, joins)


def _in_force(reach: Reach) -> Iterator[Agreement]:
    for name in sorted(reach.graph.agreements):
        agreement = reach.graph.agreements[name]
        promised = agreement.record.get("status") == "promised"
        if not promised and why_not_in_force(agreement, reach.day, reach.snapshot) is None:
            yield agreement


def _has_gone(party: str, reach: Reach) -> bool:
    """Ended or succeeded; a division that another receives for is still there."""
    organisation = reach.graph.organisations.get(party)
    return organisation is not None and (organisation.deliver_to is None or not organisation.exists.covers(reach.day))


def _first_joins(joins: Joins) -> dict[str, tuple[Join, Way]]:
    found: dict[str, tuple[Join, Way]] = {}
    for join in joins.rows:
        for way in join.pair.joined:
            found.setdefault(way.attempt.agreement.id, (join, way))
    return found


def _overdue(agreement: Agreement, shown: tuple[Join, Way], joins: Joins) -> Finding:
    join, way = shown
    due = agreement.review_due.isoformat() if agreement.review_due else ""
    return Finding(
        key=f"review-overdue:{agreement.id}",
        analysis="reviews",
        severity=Severity.WARNING,
        sentence=f"{agreement.id} was due for review on {due} and is still in force.",
        remedy="Review it, and enter the day of the next review; routing goes on meanwhile.",
        about=(agreement.id,),
        evidence=Evidence(joins.concern(way.box, join), join.body, "in-force", (agreement.id,)),
        day=due,
    )


def _signed_by_the_gone(agreement: Agreement, party: str, joins: Joins) -> Finding:
    reach = joins.reach
    acting = [row for row in reach.bodies.resolve(party, personal=agreement.personal) if row.org != party]
    name = reach.graph.organisations[party].name
    titled = ", and is still named after it" if _bears(agreement, party, reach) else ""
    return Finding(
        key=f"signed-by-the-gone:{agreement.id}:{party}",
        analysis="reviews",
        severity=Severity.NOTICE if acting else Severity.WARNING,
        sentence=f"{agreement.id} was signed by {name}, which is gone{titled}. {_who_acts(acting, reach)}",
        remedy=_remedy(agreement, acting),
        about=(agreement.id, party, *sorted({row.org for row in acting})),
        evidence=_evidence(agreement, party, joins),
    )


def _bears(agreement: Agreement, party: str, reach: Reach) -> bool:
    record = reach.graph.organisations[party].record
    title = str(agreement.record.get("title", ""))
    return any(word and str(word) in title for word in (record.get("name"), record.get("short")))


def _who_acts(acting: list[Reached], reach: Reach) -> str:
    if not acting:
        return "Nobody acts for it: its signature did not pass on."
    words = [f"{reach.graph.organisations[row.org].name} ({_novation(row)})" for row in acting]
    return f"Today {' or '.join(words)} acts for it."


def _novation(row: Reached) -> str:
    return " then ".join(sorted(row.novations)).replace("_", " ")


def _remedy(agreement: Agreement, acting: list[Reached]) -> str:
    if not acting:
        return f"Ask who took over whether it will join {agreement.id}, and end the old signature."
    return f"Confirm {agreement.id} with the body that acts today, in its own name."


def _evidence(agreement: Agreement, party: str, joins: Joins) -> Evidence:
    """Between two that the old signature still joins; where it joins nobody, towards the body itself."""
    cites = (agreement.id, party)
    for join in joins.rows:
        through = next((way for way in join.pair.joined if _through(way.attempt, agreement.id, party)), None)
        if through:
            return Evidence(joins.concern(through.box, join), join.body, "via-predecessor", cites)
    others = sorted(agreement.signatories - {party}) or [party]
    concern = joins.reach.space.concern(joins.reach.space.full, others[0], party, joins.reach.day)
    return Evidence(concern, party, "gone", cites)


def _through(attempt: Attempt, agreement: str, party: str) -> bool:
    return attempt.agreement.id == agreement and party in (attempt.discloser.party, attempt.recipient.party)
