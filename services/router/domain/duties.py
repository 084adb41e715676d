"""Statutory duties that cover a concern: kept, or not kept and why. An omission must be explained. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from services.router.domain.evaluating import Ruling
from shared.agreements import Facts, Snapshot
from shared.agreements.case import Attempt
from shared.agreements.classes import because_of
from shared.agreements.decide import case_of
from shared.agreements.gates import GATES, answers, name_of, remit
from shared.agreements.model import Effect

_COVERING = frozenset(map(name_of, GATES[: GATES.index(remit)]))
"""The gates that say whether a duty binds at all: its parties, its dates, and the matters that it is about."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of the originator to tell a body of this concern; `reason` says why it is not told, None where it is."""

    cite: str
    title: str
    org: str
    reason: str | None


def duties_on(snapshot: Snapshot, facts: Facts, decision: Ruling, told: Collection[str]) -> tuple[Duty, ...]:
    """Every statutory duty that covers a concern, each once, by citation and body; `told` are those who have a notice.

    A body may have been told for another reason, or by a person's choice: the duty is kept all the same.
    """
    found = {(duty.cite, duty.org): duty for duty in _duties(snapshot, facts, decision, told)}
    return tuple(found[key] for key in sorted(found))


def _duties(snapshot: Snapshot, facts: Facts, decision: Ruling, told: Collection[str]) -> Iterator[Duty]:
    for attempt in case_of(snapshot, facts).attempts:
        org, statute = attempt.recipient.org, snapshot.graph.duties.get(attempt.agreement.id)
        if statute is None or attempt.clause.effect is not Effect.REQUIRE or org == facts.originator:
            continue
        shut = [(name, reason) for name, reason in answers(attempt) if reason is not None]
        if not _COVERING & {name for name, _ in shut}:
            reason = None if org in told else _why(attempt, decision, [reason for _, reason in shut])
            yield Duty(because_of(attempt).cite, str(statute.record.get("title", statute.id)), org, reason)


def _why(attempt: Attempt, decision: Ruling, shut: list[str]) -> str:
    """A hold before the duty's own gate; where neither is in the way, what the decision says of the body."""
    held = decision.hold[:1] if decision.of(attempt.recipient.org).klass.value == "held" else ()
    return next(iter((*held, *shut)), decision.of(attempt.recipient.org).reason)
