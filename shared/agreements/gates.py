"""The gates of the graph's semantics, in order. Each is a question to one attempt: a reason, or None to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

from shared.agreements import reasons
from shared.agreements.bars import shut_bars
from shared.agreements.case import Attempt, Case
from shared.agreements.model import NAMED, SIGNATORIES, Agreement, Effect, Mode, Policy, Terms
from shared.agreements.scope import SCOPE_TESTS, ScopeTest
from shared.agreements.snapshot import Snapshot

Gate = Callable[[Attempt], "str | None"]


def capacity(attempt: Attempt) -> str | None:
    """Aligned, affiliated or in attendance is no signature. A body that `@named` means signs nothing."""
    signed = attempt.agreement.signatories
    both = attempt.discloser.party in signed and (attempt.recipient.party in signed or _is_named(attempt))
    return None if both else reasons.NOT_SIGNED


def mode(attempt: Attempt) -> str | None:
    return _NOT_PER_CONCERN.get(attempt.clause.mode)


_NOT_PER_CONCERN = {Mode.FEED: reasons.FEED_ONLY, Mode.RECORD: reasons.RECORD_ONLY}


def in_force(attempt: Attempt) -> str | None:
    return why_not_in_force(attempt.agreement, attempt.day, attempt.case.snapshot)


def why_not_in_force(agreement: Agreement, day: date, snapshot: Snapshot) -> str | None:
    """On the clause's own day."""
    return force_on(agreement, day, snapshot.later_version(agreement.id))


def force_on(agreement: Agreement, day: date, later: Agreement | None) -> str | None:
    """Why it is not in force, half-open; None where it is. A termination or a later version tells more than an end."""
    if not agreement.span.has_begun(day):
        return reasons.NOT_YET_IN_FORCE
    if agreement.terminated is not None and agreement.terminated <= day:
        return reasons.TERMINATED
    if later and later.span.start is not None and later.span.start <= day:
        return reasons.SUPERSEDED
    if agreement.span.has_ended(day):
        return reasons.EXPIRED
    if any(span.covers(day) for span in agreement.suspended):
        return reasons.SUSPENDED
    return None


def accession(attempt: Attempt) -> str | None:
    """A signatory binds and is bound from the day it joined until the day it left."""
    present = attempt.case.parties_on(attempt.agreement, attempt.day)
    joined = attempt.discloser.party in present and (attempt.recipient.party in present or _is_named(attempt))
    return None if joined else reasons.NOT_SIGNED


def _is_named(attempt: Attempt) -> bool:
    """A body that the concern names, under a clause that lets this discloser name bodies."""
    clause = attempt.clause
    speaks = SIGNATORIES in clause.disclosers or attempt.discloser.party in clause.disclosers
    return speaks and NAMED in clause.recipients and attempt.recipient.party in attempt.case.facts.named_recipients


def assumed(attempt: Attempt) -> str | None:
    """Rule 9: by the certainty of the clause alone."""
    switched_off = attempt.clause.assumed and not attempt.case.policy.admits_assumed(attempt.agreement.id)
    return reasons.ASSUMED_OFF if switched_off else None


def category(attempt: Attempt) -> str | None:
    return None if names_category(attempt) else reasons.CATEGORY


def names_category(attempt: Attempt) -> bool:
    """A record clause counts as naming every category."""
    if attempt.clause.mode is Mode.RECORD:
        return True
    return bool(attempt.clause.when.categories & attempt.case.facts.categories)


def remit(attempt: Attempt) -> str | None:
    """`recipient_remit: required` shuts the clause to a body that it could tell nothing in its remit."""
    if not attempt.clause.when.needs_remit or meets_remit(attempt):
        return None
    return reasons.NOT_IN_REMIT


def meets_remit(attempt: Attempt) -> bool:
    """Rule 15: clause and remit meet on one and the same category of the concern."""
    return bool(attempt.clause.when.categories & attempt.case.remit(attempt.recipient.org))


def purpose(attempt: Attempt) -> str | None:
    """Rule 1: one purpose that is covered is enough."""
    return None if attempt.clause.purposes & attempt.case.facts.purposes else reasons.PURPOSE_NOT_COVERED


def sensitivity(attempt: Attempt) -> str | None:
    """Rule 12: the first ceiling that exists of clause, agreement and instrument; never the smaller of two."""
    carried = attempt.case.facts.sensitivity
    agreed = _agreed_ceiling(attempt)
    if agreed is not None:
        return None if carried <= agreed else reasons.SENSITIVITY
    return None if carried <= _instrument_cap(attempt) else reasons.INSTRUMENT_INSUFFICIENT


def _agreed_ceiling(attempt: Attempt) -> Terms | None:
    own = attempt.clause.sensitivity_max
    return own if own is not None else attempt.agreement.sensitivity_cap


def _instrument_cap(attempt: Attempt) -> Terms:
    """Between public bodies alone an instrument may itself serve as the data sharing agreement (signatories only)."""
    organisations = attempt.case.graph.organisations
    public = all(organisations[org].sector == "public" for org in attempt.agreement.signatories)
    return _caps(attempt.case.policy, public=public).get(attempt.agreement.instrument, frozenset())


def _caps(policy: Policy, *, public: bool) -> dict[str, Terms]:
    return dict(policy.caps_public if public else policy.caps_other)


def onward(attempt: Attempt) -> str | None:
    """Every hop that the information has made must let it go on: freely, or to this body by the giver's leave."""
    return reasons.ONWARD_NOT_PERMITTED if is_locked(attempt.case, attempt.recipient.org) else None


def is_locked(case: Case, org: str) -> bool:
    return any(not _lets_on(hop.onward, org in hop.granted) for hop in case.facts.provenance)


def _lets_on(term: str, granted: bool) -> bool:  # noqa: FBT001 - read at one place, just above
    return term == "free" or (term == "ask_originator" and granted)


def bar(attempt: Attempt) -> str | None:
    """Rule 13: a shut bar, or a FORBID clause that binds, wins over every permit."""
    barred = any(bar.withholds for bar in shut_bars(attempt))
    return reasons.FORBIDDEN if barred or attempt.recipient.org in attempt.case.forbidden else None


def subject_is_recipient(attempt: Attempt) -> str | None:
    return reasons.SUBJECT_IS_RECIPIENT if attempt.recipient.org in attempt.case.subjects else None


def _scope_gate(test: ScopeTest, attempt: Attempt) -> str | None:
    return test(attempt.clause.when, attempt.case)


SCOPE_GATES: tuple[Gate, ...] = tuple(partial(_scope_gate, test) for test in SCOPE_TESTS)
GATES: tuple[Gate, ...] = (
    capacity,
    mode,
    in_force,
    accession,
    assumed,
    category,
    *SCOPE_GATES,
    remit,
    purpose,
    sensitivity,
    onward,
    bar,
    subject_is_recipient,
)
# A prohibition binds whatever its mode, the purpose, the sensitivity, the way the item came, and other bars.
FORBID_GATES: tuple[Gate, ...] = (capacity, in_force, accession, assumed, category, *SCOPE_GATES)
_NUMBERED = tuple(enumerate(GATES))
_GATES_OF = {
    Effect.PERMIT: _NUMBERED,
    Effect.REQUIRE: _NUMBERED,
    Effect.FORBID: tuple((number, gate) for number, gate in _NUMBERED if gate in (*FORBID_GATES, bar)),
}


def name_of(gate: Gate) -> str:
    return gate.args[0].__name__ if isinstance(gate, partial) else gate.__name__


class Verdict:
    """How far an attempt came: the first failing gate by number, and its reason; `passed` when none fails."""

    __slots__ = ("attempt", "passed", "reach", "reason")

    def __init__(self, attempt: Attempt, reach: int, reason: str | None) -> None:
        self.attempt = attempt
        self.reach = reach
        self.reason = reason
        self.passed = reason is None


def try_gates(attempt: Attempt) -> Verdict:
    """The first failing gate is the clause's reason."""
    for number, gate in _GATES_OF[attempt.clause.effect]:
        reason = gate(attempt)
        if reason is not None:
            return Verdict(attempt, number, reason)
    return Verdict(attempt, len(GATES), None)


def forbids(attempt: Attempt) -> bool:
    """A FORBID clause that binds between the two bodies."""
    return attempt.clause.effect is Effect.FORBID and all(gate(attempt) is None for gate in FORBID_GATES)


def answers(attempt: Attempt) -> Iterator[tuple[str, str | None]]:
    """What *every* gate that a clause of this effect must pass says to the attempt, in order: the evidence."""
    return ((name_of(gate), gate(attempt)) for _, gate in _GATES_OF[attempt.clause.effect])


def passes_but_for_remit(attempt: Attempt) -> bool:
    """Rule 11: every other gate passed, remit aside."""
    return all(gate(attempt) is None for gate in GATES if gate is not remit)
