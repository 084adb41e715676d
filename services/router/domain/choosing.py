"""Whom a person may choose, and the decision with that choice in it. Pure, total, and checked gate by gate each time.

A choice adds nothing to what the agreements allow: a body is told only by clauses that pass every gate (which part of
a split body takes over, and whether the matter is in its remit, is what the person decides). Where sensitivity alone
is in the way, a pointer may go: the header without any detail, so that nothing is left that would be too sensitive.
In an emergency the same goes to who should know and has no clause (see `emergency`). A body that it was decided not to
share with is told by duty alone, version after version, until it is chosen or it is decided to share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from services.router.domain.emergency import told_in_emergency
from services.router.domain.evaluating import Evaluator, Ruling
from shared.agreements import Class, Decision, Facts, Outcome, Withheld
from shared.agreements.case import Attempt
from shared.agreements.classes import Standing, because_of, classify, flags_of, reason_of
from shared.agreements.decide import decided_from
from shared.agreements.explain import trials_of
from shared.agreements.fast import Swift
from shared.agreements.gates import name_of, sensitivity
from shared.agreements.holds import whole_holds
from shared.agreements.payload import HEADER, OMIT, payload_of
from shared.agreements.reasons import AVAILABLE, CHOSEN, HOLD_SUCCESSION_AMBIGUOUS, NO_PATH, REQUIRED

Manner = Literal["full", "pointer", "emergency", "nothing"]
MANNERS: tuple[Manner, ...] = get_args(Manner)
NOTHING: Manner = "nothing"
Choices = Mapping[str, Manner]
"""What a person chose each body to be told: what its clauses allow, a pointer, that in an emergency without any, or
nothing."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The decision with the choices that stand, and the class of each body before; `refused`: the others' reasons."""

    decision: Ruling
    before: Mapping[str, Class]
    refused: Mapping[str, str]


def with_choices(evaluator: Evaluator, facts: Facts, choices: Choices) -> Chosen:
    """The decision on a concern with every choice in it that a clause allows.

    A body that the decision tells anyway stays as it is; a choice that no clause allows is refused with the reason
    of the nearest miss, and changes nothing.
    """
    plain = evaluator.decide(facts)
    if not choices:
        return Chosen(plain, {}, {})
    case, found = evaluator.standings(facts, choices)
    standings = {standing.org: standing for standing in found}
    before = {org: plain.of(org).klass for org in standings}
    told = {org: _told(plain.of(org), standing, choices[org]) for org, standing in standings.items()}
    refused = {org: _why_not(plain.of(org), standings[org]) for org, outcome in told.items() if outcome is None}
    refused |= {org: NO_PATH for org, manner in choices.items() if org not in standings and manner != NOTHING}
    outcomes = tuple(told.get(outcome.org) or outcome for outcome in plain.outcomes)
    whole = set(plain.hold) - {HOLD_SUCCESSION_AMBIGUOUS}
    decision = replace(_whole(plain), outcomes=outcomes) if whole else decided_from(case, outcomes, evaluator.hints)
    return Chosen(decision, before, refused)


def _whole(ruling: Ruling) -> Decision:
    return ruling.whole() if isinstance(ruling, Swift) else ruling


def may_be_chosen(evaluator: Evaluator, facts: Facts, orgs: Collection[str]) -> dict[str, Manner]:
    """In which manner a person may tell each of these bodies; those that may not be told at all are left out."""
    case, found_standings = evaluator.standings(facts, orgs)
    standings = [row for row in found_standings if row.org != facts.originator]
    needy = () if whole_holds(case) else standings
    found: dict[str, Manner] = {row.org: "emergency" for row in needy if told_in_emergency(classify(row), row)}
    found |= {row.org: manner for row in standings if (manner := _manner(row))}
    return found


def _manner(standing: Standing) -> Manner | None:
    if standing.org not in standing.case.bodies.able:
        return None
    if _permitting(standing):
        return "full"
    return "pointer" if _too_sensitive(standing) else None


def _told(outcome: Outcome, standing: Standing, manner: Manner) -> Outcome | None:
    """The body as the choice has it; None where no clause allows that it is told, or one demands it."""
    if manner == NOTHING:
        return _untold(outcome)
    if outcome.klass is Class.TOLD:
        return outcome
    if manner == "emergency":
        return told_in_emergency(outcome, standing)
    allowed = None if outcome.klass is Class.ORIGINATOR else _manner(standing)
    if allowed is None or (manner == "full" and allowed == "pointer"):
        return None
    attempts = _permitting(standing) or _too_sensitive(standing)
    told = _citing(Outcome(outcome.org, Class.TOLD, CHOSEN, payload=payload_of(outcome.org, attempts)), attempts)
    return _as_pointer(told) if manner == "pointer" else told


def _untold(outcome: Outcome) -> Outcome | None:
    if outcome.klass is not Class.TOLD:
        return outcome
    if outcome.reason == REQUIRED:
        return None
    return replace(outcome, klass=Class.AVAILABLE, reason=AVAILABLE, payload=None)


def _permitting(standing: Standing) -> tuple[Attempt, ...]:
    """The clauses that pass every gate; else those whose only question is who took over, which a person answers."""
    return standing.passed or standing.awaiting_a_person()


def _too_sensitive(standing: Standing) -> tuple[Attempt, ...]:
    """The clauses that fail by sensitivity and by nothing else."""
    attempts = (verdict.attempt for verdict in standing.verdicts if not verdict.attempt.ambiguous)
    return tuple(attempt for attempt in attempts if trials_of([attempt])[0].failed == (name_of(sensitivity),))


def _why_not(outcome: Outcome, standing: Standing) -> str:
    """The decision's own reason; where the whole concern is held, the reason that the body would have."""
    if outcome.klass is not Class.HELD:
        return outcome.reason
    naming = (verdict for verdict in standing.verdicts if verdict.reason)
    return reason_of(standing, max(naming, key=lambda v: (v.reach, v.reason or ""), default=None))


def _citing(outcome: Outcome, attempts: tuple[Attempt, ...]) -> Outcome:
    because = {because_of(attempt): attempt for attempt in attempts}
    flags = {flag for attempt in because.values() for flag in flags_of(attempt)}
    ordered = tuple(sorted(because, key=lambda row: (row.cite, row.signed_as.recipient, row.signed_as.discloser)))
    return replace(outcome, because=ordered, flags=tuple(sorted(flags)))


def _as_pointer(outcome: Outcome) -> Outcome:
    """The header alone, whatever the clauses would let through."""
    if outcome.payload is None:
        return outcome
    names = [name for name, _ in outcome.payload.fields]
    kept_back = {row.field: row for row in outcome.payload.withheld}
    withheld = tuple(kept_back.get(name) or Withheld(name, "sensitivity") for name in names if name != HEADER)
    fields = tuple((name, policy if name == HEADER else OMIT) for name, policy in outcome.payload.fields)
    return replace(outcome, payload=replace(outcome.payload, fields=fields, withheld=withheld, pointer_only=True))
