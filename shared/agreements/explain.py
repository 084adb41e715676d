"""Why, and why not: every clause between originator and one body, each gate it passes or fails, and what would open it.

The gates' answers are the evidence. Reason, nearest miss and smallest repair are pure functions of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.agreements import reasons
from shared.agreements.case import Attempt
from shared.agreements.classes import because_of
from shared.agreements.decide import case_of, decide
from shared.agreements.decision import Because, Class, Outcome
from shared.agreements.facts import Facts
from shared.agreements.gates import GATES, answers, meets_remit, name_of, remit, subject_is_recipient
from shared.agreements.model import Effect, Mode
from shared.agreements.scope import subject_not
from shared.agreements.snapshot import Snapshot

_NUMBER = {name_of(gate): number for number, gate in enumerate(GATES)}
_UNTOLD = (Class.GAP, Class.WITHHELD)


@dataclass(frozen=True, slots=True)
class Trial:
    """One clause tried: each gate in order, with the reason for which it is shut (None where it is passed).

    `implied` are gates that fail only because another one fails. `would_tell` says what the clause does once every gate
    is passed: tell the body, or let the originator choose it. `ambiguous` waits for a person to choose a successor,
    whatever the gates say.
    """

    because: Because
    effect: str
    mode: str
    gates: tuple[tuple[str, str | None], ...]
    implied: tuple[str, ...]
    would_tell: bool
    ambiguous: bool

    @property
    def reason(self) -> str | None:
        """The first failing gate's; None when every gate is passed."""
        return next((reason for _, reason in self.gates if reason is not None), None)

    @property
    def reach(self) -> int:
        """The number of the first failing gate; that of all gates when none fails."""
        return next((_NUMBER[name] for name, reason in self.gates if reason is not None), len(GATES))

    @property
    def passed(self) -> tuple[str, ...]:
        return tuple(name for name, reason in self.gates if reason is None)

    @property
    def failed(self) -> tuple[str, ...]:
        """*All* failing gates."""
        return tuple(name for name, reason in self.gates if reason is not None)

    @property
    def needed(self) -> tuple[str, ...]:
        """The gates that, satisfied together and no fewer, open the clause."""
        return tuple(name for name in self.failed if name not in self.implied)

    @property
    def names_category(self) -> bool:
        return "category" in self.passed


@dataclass(frozen=True, slots=True)
class Repair:
    """The fewest gates of one clause that, satisfied together, would have let the body be told, or else chosen."""

    because: Because
    gates: tuple[str, ...]
    would_be: Class


@dataclass(frozen=True, slots=True)
class Explanation:
    """A body's outcome with the evidence. `nearest` is the clause whose reason it is; `repair` the smallest change of
    one clause; both None where no clause decides: the body is told or may be, is gone, or everything waits."""

    outcome: Outcome
    trials: tuple[Trial, ...]
    nearest: Trial | None = None
    repair: Repair | None = None


def explain(snapshot: Snapshot, facts: Facts, org: str) -> tuple[Trial, ...]:
    """Every clause by which the originator might tell the body, the one that came furthest first.

    Pure and total; () when nothing joins them in this direction.
    """
    attempts = case_of(snapshot, facts).attempts
    return trials_of(attempt for attempt in attempts if attempt.recipient.org == org)


def why(snapshot: Snapshot, facts: Facts, org: str) -> Explanation:
    """Why one body is in its class. Pure. Raises KeyError when the snapshot has no such body."""
    return explained(decide(snapshot, facts).of(org), explain(snapshot, facts, org))


def explained(outcome: Outcome, trials: tuple[Trial, ...]) -> Explanation:
    """A body's outcome with the evidence of all its trials."""
    if outcome.klass not in _UNTOLD:
        return Explanation(outcome, trials)
    return Explanation(outcome, trials, nearest_of(trials), smallest_repair(trials))


def nearest_of(trials: Iterable[Trial]) -> Trial | None:
    """The furthest gate, among the clauses between signatories that name one of the concern's categories."""
    naming = (trial for trial in trials if trial.reach > 0 and trial.failed and trial.names_category)
    return max(naming, key=lambda trial: (trial.reach, trial.reason or "", trial.because.cite), default=None)


def smallest_repair(trials: Iterable[Trial]) -> Repair | None:
    """The clause with the fewest failing gates, the one that tells before one that only allows; None without any.

    A prohibition opens nothing, nor does a clause that waits for a successor to be chosen.
    """
    closed = (trial for trial in trials if trial.failed and not trial.ambiguous and trial.effect != Effect.FORBID.value)
    best = min(closed, key=_effort, default=None)
    if best is None:
        return None
    return Repair(best.because, best.needed, Class.TOLD if best.would_tell else Class.AVAILABLE)


def reason_of_untold(trials: Iterable[Trial], *, is_subject: bool, heard_from: bool) -> str:
    """The reason of a body that no clause tells or makes available, from the evidence alone (rule 16).

    `is_subject`: it acts for a subject of the concern. `heard_from`: a clause joins the two the other way.
    """
    tried = tuple(trials)
    if is_subject:
        return reasons.SUBJECT_IS_RECIPIENT
    if any(trial.reason == reasons.CONFLICT_OF_INTEREST for trial in tried):
        return reasons.CONFLICT_OF_INTEREST
    if nearest := nearest_of(tried):
        return str(nearest.reason)
    if any(trial.reach > 0 for trial in tried):
        return reasons.CATEGORY
    if tried:
        return reasons.NOT_SIGNED
    return reasons.WRONG_DIRECTION if heard_from else reasons.NO_PATH


def _effort(trial: Trial) -> tuple[int, bool, int, str, str, str]:
    because, signed = trial.because, trial.because.signed_as
    return len(trial.needed), not trial.would_tell, -trial.reach, because.cite, signed.discloser, signed.recipient


def trials_of(attempts: Iterable[Attempt]) -> tuple[Trial, ...]:
    """What became of each of these clauses towards one body, the one that came furthest first."""
    return tuple(sorted(map(_trial, attempts), key=lambda trial: (-trial.reach, trial.because.cite)))


def _trial(attempt: Attempt) -> Trial:
    gates = dict(answers(attempt))
    follows = {name_of(remit): _meets_remit, subject_not.__name__: _only_itself_in_conflict}
    return Trial(
        because=because_of(attempt),
        effect=attempt.clause.effect.value,
        mode=attempt.clause.mode.value,
        gates=tuple(gates.items()),
        implied=tuple(name for name, test in follows.items() if gates.get(name) is not None and test(attempt, gates)),
        would_tell=_would_tell(attempt, gates),
        ambiguous=attempt.ambiguous,
    )


def _meets_remit(attempt: Attempt, gates: Mapping[str, str | None]) -> bool:
    """A clause that named the concern's categories would meet the remit: what fails is the category, not the remit."""
    unnamed = gates["category"] is not None or attempt.clause.mode is Mode.RECORD
    return meets_remit(attempt) or (unnamed and bool(attempt.case.remit(attempt.recipient.org)))


def _only_itself_in_conflict(attempt: Attempt, gates: Mapping[str, str | None]) -> bool:
    """The clause excludes no subject but those for which the body stands: what fails is that it is the subject."""
    excluded, org = attempt.clause.when.subject_not or frozenset(), attempt.recipient.org
    acting = (attempt.case.bodies.acting_for(row.org) for row in attempt.case.facts.subjects if row.org)
    others = {body for bodies in acting if org not in bodies for body in bodies}
    return gates.get(name_of(subject_is_recipient)) is not None and not excluded & others


def _would_tell(attempt: Attempt, gates: Mapping[str, str | None]) -> bool:
    """As rule 15 has it, once every gate is passed; a feed or a record would have become a push."""
    clause = attempt.clause
    return clause.effect is Effect.REQUIRE or (clause.mode is not Mode.INVITE and _meets_remit(attempt, gates))
