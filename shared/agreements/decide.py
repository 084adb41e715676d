"""The reference evaluator: who is told, who may be, who should be and cannot, and why. Pure, total, and plain.

Reads as `graph/SEMANTICS.md` does: bodies, gates, classes, reasons. It stays the oracle for anything faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.agreements import reasons
from shared.agreements.case import Attempt, Case
from shared.agreements.classes import Standing, classify
from shared.agreements.decision import Class, Decision, Outcome
from shared.agreements.facts import Facts
from shared.agreements.gates import forbids, try_gates
from shared.agreements.hints import suggest_onward
from shared.agreements.holds import not_understood, whole_holds
from shared.agreements.lead import asks_a_person, lead_of
from shared.agreements.snapshot import Snapshot

Hints = Callable[[Case, set[str], set[str]], list[str]]


def decide(snapshot: Snapshot, facts: Facts) -> Decision:
    """The decision on a concern under one snapshot, as the law stood on the day of receipt.

    Pure and total: never raises, reads no clock. What the graph does not know holds the concern (HOLD_UNKNOWN_TERM).
    """
    case = case_of(snapshot, facts)
    standings = standings_of(case)
    if holds := whole_holds(case):
        return _held(case, standings, holds)
    outcomes = tuple(classify(standing) for standing in standings)
    return decided_from(case, outcomes)


def held_for_fault(snapshot: Snapshot, facts: Facts, reason_code: str) -> Decision:
    """A total decision that holds the concern for HOLD_FAULT or HOLD_STALE_GRAPH, without evaluating anything."""
    outcomes = tuple(_waiting(org, facts.originator, reason_code) for org in sorted(snapshot.graph.organisations))
    return Decision(originator=facts.originator, outcomes=outcomes, hold=(reason_code,))


def case_of(snapshot: Snapshot, facts: Facts) -> Case:
    """The concern before the graph, with the bodies that a prohibition keeps it from."""
    case = Case(snapshot, facts)
    case.forbidden = frozenset(attempt.recipient.org for attempt in case.attempts if forbids(attempt))
    return case


def standings_of(case: Case) -> tuple[Standing, ...]:
    """What joins each organisation of the snapshot to the originator, sorted by id."""
    attempts: dict[str, list[Attempt]] = {}
    for attempt in case.attempts:
        attempts.setdefault(attempt.recipient.org, []).append(attempt)
    wrong_way = case.bodies.wrong_way_to(case.originator)
    return tuple(
        Standing(case, org, tuple(map(try_gates, attempts.get(org, ()))), wrong_way=org in wrong_way)
        for org in sorted(case.graph.organisations)
    )


def decided_from(case: Case, outcomes: tuple[Outcome, ...], hints: Hints = suggest_onward) -> Decision:
    """Rule 17: unroutable = nobody told, nothing held, and the originator is not itself a lead."""
    told = {outcome.org for outcome in outcomes if outcome.klass is Class.TOLD}
    held = any(outcome.klass is Class.HELD for outcome in outcomes)
    lead = lead_of(case, told)
    leads_itself = lead is not None and case.originator in lead.any_of
    gaps = {outcome.org for outcome in outcomes if outcome.klass is Class.GAP}
    flags = [*asks_a_person(case), *hints(case, told, gaps)]
    return Decision(
        originator=case.originator,
        outcomes=outcomes,
        hold=(reasons.HOLD_SUCCESSION_AMBIGUOUS,) if held else (),
        unroutable=not told and not held and not leads_itself,
        lead=lead,
        originator_leads=leads_itself,
        flags=tuple(sorted([*flags, *(["originator-leads"] if leads_itself else [])])),
    )


def _held(case: Case, standings: tuple[Standing, ...], holds: tuple[str, ...]) -> Decision:
    """Rule 16: every body but the originator waits; a clause that excludes a body by conflict says so."""
    waiting = (_waiting(standing.org, case.originator, holds[0]) for standing in standings)
    outcomes = tuple(
        replace(outcome, reason=reasons.CONFLICT_OF_INTEREST)
        if outcome.klass is Class.HELD and _in_conflict(standing)
        else outcome
        for outcome, standing in zip(waiting, standings, strict=True)
    )
    return Decision(
        originator=case.originator,
        outcomes=outcomes,
        hold=holds,
        detail=not_understood(case),
    )


def _in_conflict(standing: Standing) -> bool:
    return any(verdict.reason == reasons.CONFLICT_OF_INTEREST for verdict in standing.verdicts)


def _waiting(org: str, originator: str, reason: str) -> Outcome:
    if org == originator:
        return Outcome(org, Class.ORIGINATOR, reasons.ORIGINATOR)
    return Outcome(org, Class.HELD, reason)
