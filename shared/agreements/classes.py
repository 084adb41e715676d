"""The class and the reason of each body: rules 13 to 16 and the reading of the nearest miss."""

from __future__ import annotations

from collections.abc import Iterable

from shared.agreements import reasons
from shared.agreements.bars import withholds_from
from shared.agreements.case import Attempt, Case
from shared.agreements.decision import Because, Class, Outcome, SignedAs
from shared.agreements.gates import Verdict, meets_remit, names_category, passes_but_for_remit, why_not_in_force
from shared.agreements.model import Effect, Mode
from shared.agreements.payload import payload_of


class Standing:
    """Everything that joins one body to the originator: the verdict on each clause."""

    __slots__ = ("ambiguous", "case", "org", "passed", "verdicts", "wrong_way")

    def __init__(self, case: Case, org: str, verdicts: tuple[Verdict, ...], *, wrong_way: bool) -> None:
        self.case = case
        self.org = org
        self.verdicts = verdicts
        self.wrong_way = wrong_way
        self.passed = tuple(v.attempt for v in verdicts if v.passed and not v.attempt.ambiguous)
        self.ambiguous = tuple(v.attempt for v in verdicts if v.attempt.ambiguous)

    def telling(self) -> tuple[Attempt, ...]:
        """Rule 15, told: a duty tells, a push permit only what is in the body's remit."""
        return tuple(attempt for attempt in self.passed if tells(attempt))

    def awaiting_a_person(self) -> tuple[Attempt, ...]:
        """Rule 11: held only where every other gate is passed."""
        return tuple(attempt for attempt in self.ambiguous if passes_but_for_remit(attempt))

    def excluded_on_purpose(self) -> bool:
        """A clause leaves the topic out by name, or forbids: a deliberate exclusion is no gap."""
        return any(verdict.reason in _ON_PURPOSE for verdict in self.verdicts)


_ON_PURPOSE = (reasons.TOPIC_EXCLUDED, reasons.FORBIDDEN)


def tells(attempt: Attempt) -> bool:
    clause = attempt.clause
    return clause.effect is Effect.REQUIRE or (clause.mode is Mode.PUSH and meets_remit(attempt))


def classify(standing: Standing) -> Outcome:
    """Rule 15, the first that applies."""
    case, org = standing.case, standing.org
    if org == case.originator:
        return Outcome(org, Class.ORIGINATOR, reasons.ORIGINATOR)
    if org not in case.bodies.able:
        return Outcome(org, Class.NO_PATH, _why_gone(case, org))
    if telling := standing.telling():
        return told_by(org, telling)
    if standing.passed:
        return citing(Outcome(org, Class.AVAILABLE, reasons.AVAILABLE), standing.passed)
    if waiting := standing.awaiting_a_person():
        return citing(Outcome(org, Class.HELD, reasons.HOLD_SUCCESSION_AMBIGUOUS), waiting)
    furthest = _furthest(standing)
    nearest = furthest.attempt.clause.cite if furthest else None
    return Outcome(org, _class_of_untold(standing), reason_of(standing, furthest), nearest=nearest)


def _why_gone(case: Case, org: str) -> str:
    """Rule 7."""
    return reasons.REPLACED_BY_SUCCESSOR if case.bodies.replaced(case.graph.organisations[org]) else reasons.NO_PATH


def told_by(org: str, telling: tuple[Attempt, ...]) -> Outcome:
    required = any(attempt.clause.effect is Effect.REQUIRE for attempt in telling)
    outcome = Outcome(
        org,
        Class.TOLD,
        reasons.REQUIRED if required else reasons.PERMITTED,
        payload=payload_of(org, telling),
    )
    return citing(outcome, telling)


def citing(outcome: Outcome, attempts: Iterable[Attempt]) -> Outcome:
    """The outcome with every clause that led to it, each once, and what must be known about them."""
    found = {because_of(attempt): attempt for attempt in attempts}
    flags = {flag for attempt in found.values() for flag in flags_of(attempt)}
    because = tuple(sorted(found, key=lambda row: (row.cite, row.signed_as.recipient, row.signed_as.discloser)))
    return Outcome(outcome.org, outcome.klass, outcome.reason, because, tuple(sorted(flags)), payload=outcome.payload)


def because_of(attempt: Attempt) -> Because:
    agreement, _, clause = attempt.clause.cite.partition("/")
    signed_as = SignedAs(attempt.discloser.party, attempt.recipient.party)
    return Because(agreement, clause, signed_as, attempt.recipient.path)


def flags_of(attempt: Attempt) -> set[str]:
    """Rules 8 and 9: nothing here stops a clause, and a reader must know it."""
    flags = {f for f in attempt.discloser.novations | attempt.recipient.novations if f != "inherited"}
    parent = attempt.case.snapshot.sharing(attempt.agreement.supports or "")
    if parent and why_not_in_force(parent, attempt.day, attempt.case.snapshot):
        flags.add("parent_not_in_force")
    if attempt.clause.assumed:
        flags.add("assumed")
    if attempt.agreement.is_review_overdue(attempt.case.day):
        flags.add("review_overdue")
    return flags


def _class_of_untold(standing: Standing) -> Class:
    """Rule 15: a body that should know is a gap, unless its silence is meant."""
    case, org = standing.case, standing.org
    if case.remit(org) and not _silence_is_meant(standing):
        return Class.GAP
    return Class.WITHHELD if standing.verdicts or standing.wrong_way else Class.NO_PATH


def _silence_is_meant(standing: Standing) -> bool:
    case, org = standing.case, standing.org
    return org in case.subjects or standing.excluded_on_purpose() or withholds_from(case, org)


def reason_of(standing: Standing, furthest: Verdict | None) -> str:
    """The furthest gate that any clause reached; rule 16: subject and conflict come before the nearest miss."""
    if standing.org in standing.case.subjects:
        return reasons.SUBJECT_IS_RECIPIENT
    if any(verdict.reason == reasons.CONFLICT_OF_INTEREST for verdict in standing.verdicts):
        return reasons.CONFLICT_OF_INTEREST
    if furthest and furthest.reason:
        return furthest.reason
    if any(verdict.reach > 0 for verdict in standing.verdicts):
        return reasons.CATEGORY
    if standing.verdicts:
        return reasons.NOT_SIGNED
    return reasons.WRONG_DIRECTION if standing.wrong_way else reasons.NO_PATH


def _furthest(standing: Standing) -> Verdict | None:
    """Among the clauses between signatories that name one of the concern's categories."""
    naming = (v for v in standing.verdicts if v.reach > 0 and not v.passed and names_category(v.attempt))
    return max(naming, key=lambda v: (v.reach, v.reason or "", v.attempt.clause.cite), default=None)
