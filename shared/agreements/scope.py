"""The keys of `when` and of remits, in the order of rule 2: the first that fails is the reason.

Rule 1: a concern that lacks a value for a key does not match that key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

from shared.agreements import reasons
from shared.agreements.facts import Facts, SubjectFacts
from shared.agreements.model import Policy, Scope, Terms
from shared.agreements.vocabulary import Vocabulary


class Asked(Protocol):
    """What clauses and remits may ask about a concern: its facts, and what follows from them under the graph."""

    @property
    def facts(self) -> Facts: ...

    @property
    def day(self) -> date: ...

    @property
    def functions(self) -> Terms:
        """The functions that the concern names, or else those that its categories imply."""

    @property
    def subjects(self) -> Terms:
        """The organisations that are subjects, and who acts for them."""

    @property
    def words(self) -> Vocabulary: ...

    @property
    def policy(self) -> Policy: ...


ScopeTest = Callable[[Scope, Asked], "str | None"]


def needs_all(scope: Scope, case: Asked) -> str | None:
    wanted = scope.needs_all
    return None if wanted is None or wanted <= case.facts.categories else reasons.CATEGORY


def nations(scope: Scope, case: Asked) -> str | None:
    return _one_of(scope.nations, case.facts.nation)


def subject(scope: Scope, case: Asked) -> str | None:
    """Kind and register must be those of one and the same subject."""
    if scope.subject_kinds is None and scope.registers is None:
        return None
    fits = any(_fits(scope, subject) for subject in case.facts.subjects)
    return None if fits else reasons.SCOPE


def _fits(scope: Scope, subject: SubjectFacts) -> bool:
    of_kind = scope.subject_kinds is None or subject.kind in scope.subject_kinds
    return of_kind and (scope.registers is None or bool(scope.registers & subject.registers))


def settings(scope: Scope, case: Asked) -> str | None:
    return _one_of(scope.settings, case.facts.setting)


def victims(scope: Scope, case: Asked) -> str | None:
    return _one_of(scope.victims, case.facts.victim)


def provider_status(scope: Scope, case: Asked) -> str | None:
    return _one_of(scope.provider_status, case.facts.provider_status)


def fault_holders(scope: Scope, case: Asked) -> str | None:
    return _one_of(scope.fault_holders, case.facts.fault_holder)


def topics(scope: Scope, case: Asked) -> str | None:
    return _any_of(scope.topics, case.facts.topics)


def topics_none(scope: Scope, case: Asked) -> str | None:
    """A topic that the clause leaves out by name: a deliberate exclusion, and so no gap."""
    excluded = scope.topics_none
    return reasons.TOPIC_EXCLUDED if excluded and excluded & case.facts.topics else None


def urgency(scope: Scope, case: Asked) -> str | None:
    least = scope.urgency_at_least
    if least is None:
        return None
    urgent_enough = case.words.rank("urgency", case.facts.urgency) >= case.words.rank("urgency", least)
    return None if urgent_enough else reasons.SCOPE


def flags_all(scope: Scope, case: Asked) -> str | None:
    wanted = scope.flags_all
    return None if wanted is None or wanted <= case.facts.flags else reasons.FORBIDDEN


def functions(scope: Scope, case: Asked) -> str | None:
    """A clause asks the functions that the concern itself names."""
    return _any_of(scope.functions, case.facts.functions)


def remit_functions(scope: Scope, case: Asked) -> str | None:
    """A remit is also met by the functions that a succession gives to the concern's categories."""
    return _any_of(scope.functions, case.functions)


def subject_not(scope: Scope, case: Asked) -> str | None:
    excluded = scope.subject_not
    return reasons.CONFLICT_OF_INTEREST if excluded and excluded & case.subjects else None


def purposes(scope: Scope, case: Asked) -> str | None:
    """A remit may ask for a purpose; one of several that is covered is enough."""
    return _any_of(scope.purposes, case.facts.purposes)


def _one_of(allowed: Terms | None, value: str | None) -> str | None:
    return None if allowed is None or value in allowed else reasons.SCOPE


def _any_of(allowed: Terms | None, values: Terms) -> str | None:
    return None if allowed is None or allowed & values else reasons.SCOPE


# Rule 2, in its order.
SCOPE_TESTS: tuple[ScopeTest, ...] = (
    needs_all,
    nations,
    subject,
    settings,
    victims,
    provider_status,
    fault_holders,
    topics,
    topics_none,
    urgency,
    flags_all,
    functions,
    subject_not,
)
REMIT_TESTS: tuple[ScopeTest, ...] = (
    nations,
    subject,
    settings,
    victims,
    provider_status,
    fault_holders,
    topics,
    remit_functions,
    purposes,
)
