"""Whether one clause makes another superfluous: everything that decides or shapes what is told is contained in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from services.registry.domain.analyses.ceilings import ceiling
from services.registry.domain.analyses.reach import Way
from shared.agreements.case import Attempt
from shared.agreements.model import Agreement, Effect, Mode, Scope, Terms
from shared.agreements.payload import OMIT, ONWARD_ORDER

Contained = Callable[[Attempt, Attempt], bool]


def implies(more: Way, less: Way) -> bool:
    """Wherever `less` passes, `more` passes; and with both, nothing is told that `more` alone would not tell."""
    return all(test(more.attempt, less.attempt) for test in _TESTS)


def _strength(more: Attempt, less: Attempt) -> bool:
    return _rank(more) >= _rank(less)


def _rank(attempt: Attempt) -> int:
    """REQUIRE tells, a push tells within the remit, an invitation makes available."""
    if attempt.clause.effect is Effect.REQUIRE:
        return 2
    return 1 if attempt.clause.mode is Mode.PUSH else 0


def _scope(more: Attempt, less: Attempt) -> bool:
    wide, narrow = more.clause.when, less.clause.when
    alike = wide.topics_none == narrow.topics_none and wide.by_incident == narrow.by_incident
    return alike and wide.categories >= narrow.categories and all(_wider(wide, narrow, key) for key in _ANY_OF)


_ANY_OF = (
    "nations",
    "subject_kinds",
    "registers",
    "settings",
    "victims",
    "provider_status",
    "fault_holders",
    "topics",
    "functions",
)


def _wider(wide: Scope, narrow: Scope, key: str) -> bool:
    allowed: Terms | None = getattr(wide, key)
    asked: Terms | None = getattr(narrow, key)
    return allowed is None or (asked is not None and asked <= allowed)


def _demands(more: Attempt, less: Attempt) -> bool:
    """Everything that `more` asks for in full is asked for by `less` too."""
    wide, narrow = more.clause.when, less.clause.when
    whole = all(
        (getattr(wide, key) or frozenset()) <= (getattr(narrow, key) or frozenset())
        for key in ("needs_all", "flags_all", "subject_not")
    )
    return whole and narrow.needs_remit >= wide.needs_remit and _urgency(more, wide) <= _urgency(less, narrow)


def _urgency(attempt: Attempt, scope: Scope) -> int:
    words = attempt.case.words
    return words.rank("urgency", scope.urgency_at_least) if scope.urgency_at_least else 0


def _purposes(more: Attempt, less: Attempt) -> bool:
    return more.clause.purposes >= less.clause.purposes


def _ceilings(more: Attempt, less: Attempt) -> bool:
    return ceiling(more) >= ceiling(less)


def _fields(more: Attempt, less: Attempt) -> bool:
    words = more.case.words
    names = words.ids("field_classes")
    return all(_level(more, name) <= _level(less, name) for name in names)


def _level(attempt: Attempt, name: str) -> int:
    policy = attempt.clause.fields.get(name, attempt.case.policy.fields.get(name, OMIT))
    return attempt.case.words.rank("field_policy_order", policy)


def _onward(more: Attempt, less: Attempt) -> bool:
    return ONWARD_ORDER.index(more.clause.onward) <= ONWARD_ORDER.index(less.clause.onward)


def _duties(more: Attempt, less: Attempt) -> bool:
    limits = {(row.name, row.amount, row.unit) for row in more.clause.limits}
    asked = {(row.name, row.amount, row.unit) for row in less.clause.limits}
    same = less.clause.channel in (None, more.clause.channel) and less.clause.marking in (None, more.clause.marking)
    return same and asked <= limits and set(less.clause.tasks) <= set(more.clause.tasks)


def _gateways(more: Attempt, less: Attempt) -> bool:
    """A bar opens for `more` wherever it opens for `less`."""
    named = {
        name
        for bar in more.case.graph.bars.values()
        for row in bar.gateways
        for name in (row.agreements or frozenset())
    }
    names = more.agreement.id == less.agreement.id or less.agreement.id not in named
    return names and more.clause.standing_necessity >= less.clause.standing_necessity


def _dates(more: Attempt, less: Attempt) -> bool:
    """From today on, `more` lasts at least as long."""
    return _end(more) >= _end(less)


def _end(attempt: Attempt) -> date:
    signed = {attempt.discloser.party, attempt.recipient.party}
    spans = [party.span.end for party in attempt.agreement.parties if party.org in signed]
    return min(filter(None, [*spans, *_ends(attempt.agreement)]), default=date.max)


def _ends(agreement: Agreement) -> list[date | None]:
    return [agreement.span.end, agreement.terminated, *(span.start for span in agreement.suspended)]


_TESTS: tuple[Contained, ...] = (
    _strength,
    _scope,
    _demands,
    _purposes,
    _ceilings,
    _fields,
    _onward,
    _duties,
    _gateways,
    _dates,
)
