"""Who is told in an emergency where no clause lets it be told, and how little. Pure.

Danger now is told by telephone; this is the record made alongside (domain, routing step 3). It lets know that there is
something, and no more: a pointer to a body that should know, on two people's word, reviewed by a third.
"""

from __future__ import annotations

from shared.agreements import Class, Duties, Outcome, Payload, Withheld
from shared.agreements.bars import withholds_from
from shared.agreements.case import Case
from shared.agreements.classes import Standing
from shared.agreements.gates import is_locked
from shared.agreements.payload import HEADER, OMIT, hours_of
from shared.agreements.reasons import CONFLICT_OF_INTEREST, EMERGENCY

WITHHELD_BY = "emergency"
_MISSED = frozenset({Class.GAP, Class.AVAILABLE})


def told_in_emergency(outcome: Outcome, standing: Standing) -> Outcome | None:
    """The body as told; None where the deployment has no such mode, or where it is kept from the body on purpose.

    A body that a clause has come to make available meanwhile stays told; no other choice is left to undo it.
    """
    case = standing.case
    if case.policy.emergency_review is None or outcome.klass not in _MISSED or _is_kept_from(standing):
        return None
    return Outcome(standing.org, Class.TOLD, EMERGENCY, payload=_pointer(case))


def _is_kept_from(standing: Standing) -> bool:
    """Law before agreement: no emergency opens a prohibition, a bar, a giver's lock, or tells subject or friend."""
    case, org = standing.case, standing.org
    conflict = any(verdict.reason == CONFLICT_OF_INTEREST for verdict in standing.verdicts)
    meant = org in case.forbidden or org in case.subjects or standing.excluded_on_purpose()
    return conflict or meant or is_locked(case, org) or withholds_from(case, org)


def _pointer(case: Case) -> Payload:
    """The header alone, to go no further, to be acknowledged within the shortest limit that the policy knows."""
    names = sorted(case.words.ids("field_classes"))
    limits = sorted(case.policy.acknowledge.values(), key=lambda limit: (hours_of(limit), limit.unit))
    return Payload(
        fields=tuple((name, "full" if name == HEADER else OMIT) for name in names),
        withheld=tuple(Withheld(name, WITHHELD_BY) for name in names if name != HEADER),
        pointer_only=True,
        duties=Duties(limits=tuple(limits[:1]), marking=case.facts.marking),
        onward="none",
        valid_until=None,
    )
