"""The gates that look at a concern, each over all lanes of a body at once: what it shuts, kept by what it reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from shared.agreements import reasons
from shared.agreements.case import Case
from shared.agreements.fast.facets import Facet
from shared.agreements.gates import GATES, name_of
from shared.agreements.kept import keep
from shared.agreements.model import Scope, Terms
from shared.agreements.scope import SCOPE_TESTS, ScopeTest

KEPT_MAX = 64
NUMBER = {name_of(gate): number for number, gate in enumerate(GATES)}
Ask = Callable[[Case], Hashable]
READ_BY: Mapping[str, tuple[tuple[str, ...], Ask]] = {
    "needs_all": (("needs_all",), lambda case: case.facts.categories),
    "nations": (("nations",), lambda case: case.facts.nation),
    "subject": (("subject_kinds", "registers"), lambda case: case.facts.subjects),
    "settings": (("settings",), lambda case: case.facts.setting),
    "victims": (("victims",), lambda case: case.facts.victim),
    "provider_status": (("provider_status",), lambda case: case.facts.provider_status),
    "fault_holders": (("fault_holders",), lambda case: case.facts.fault_holder),
    "topics": (("topics",), lambda case: case.facts.topics),
    "topics_none": (("topics_none",), lambda case: case.facts.topics),
    "urgency": (("urgency_at_least",), lambda case: case.facts.urgency),
    "flags_all": (("flags_all",), lambda case: case.facts.flags),
    "functions": (("functions",), lambda case: case.facts.functions),
    "subject_not": (("subject_not",), lambda case: case.subjects),
}
"""Of each key of `when`: the fields of a scope that its test reads, and all of a concern that it reads."""
Shut = tuple[str, int]
"""A reason, and the lanes that are shut by it."""


class Gate:
    """What one gate shuts, by all of a concern that it reads: exact because of that, and bounded."""

    __slots__ = ("_kept", "_read", "_try", "number")

    def __init__(self, name: str, read: Ask, try_: Callable[[Case], Iterable[Shut]]) -> None:
        self.number = NUMBER[name]
        self._read = read
        self._try = try_
        self._kept: dict[Hashable, tuple[Shut, ...]] = {}

    def shut(self, case: Case) -> tuple[Shut, ...]:
        """The lanes that it shuts to the concern, by reason."""
        key = self._read(case)
        found = self._kept.get(key)
        if found is None:
            found = keep(self._kept, key, tuple(shut for shut in self._try(case) if shut[1]), KEPT_MAX)
        return found


def category_gate(lanes: int, by_category: Mapping[str, int], records: int) -> Gate:
    """A record clause counts as naming every category."""

    def nameless(case: Case) -> Iterator[Shut]:
        named = records
        for category in case.facts.categories:
            named |= by_category.get(category, 0)
        yield reasons.CATEGORY, lanes ^ named

    return Gate("category", lambda case: case.facts.categories, nameless)


def scope_gates(scopes: Facet) -> Iterator[Gate]:
    """The keys of `when` that any clause has: each different value is tested once, by the reference's own test."""
    for test in SCOPE_TESTS:
        fields, read = READ_BY[test.__name__]
        values: dict[tuple[Any, ...], tuple[Scope, int]] = {}
        for scope, lanes in scopes.items():
            value = tuple(getattr(scope, name) for name in fields)
            if any(part is not None for part in value):
                values[value] = scope, values.get(value, (scope, 0))[1] | lanes
        if values:
            yield Gate(test.__name__, read, partial(_test, test, tuple(values.values())))


def purpose_gate(permits: int, purposes: Facet) -> Gate:
    """Rule 1: one purpose that is covered is enough."""
    by_purpose = by_term(purposes.items())

    def purposeless(case: Case) -> Iterator[Shut]:
        served = 0
        for purpose in case.facts.purposes:
            served |= by_purpose.get(purpose, 0)
        yield reasons.PURPOSE_NOT_COVERED, permits & ~served

    return Gate("purpose", lambda case: case.facts.purposes, purposeless)


def sensitivity_gate(permits: int, ceilings: Facet) -> Gate:
    """Rule 12."""

    def too_sensitive(case: Case) -> Iterator[Shut]:
        shut = {True: 0, False: 0}
        for ceiling, lanes in ceilings.items():
            shut[ceiling.agreed] |= 0 if case.facts.sensitivity <= ceiling.carries else lanes & permits
        yield reasons.SENSITIVITY, shut[True]
        yield reasons.INSTRUMENT_INSUFFICIENT, shut[False]

    return Gate("sensitivity", lambda case: case.facts.sensitivity, too_sensitive)


def by_term(rows: Iterable[tuple[Terms, int]]) -> dict[str, int]:
    """Of each term all lanes of the sets of terms that hold it."""
    found: dict[str, int] = {}
    for terms, lanes in rows:
        for term in terms:
            found[term] = found.get(term, 0) | lanes
    return found


def _test(test: ScopeTest, values: Iterable[tuple[Scope, int]], case: Case) -> Iterable[Shut]:
    found: dict[str, int] = {}
    for scope, lanes in values:
        reason = test(scope, case)
        if reason is not None:
            found[reason] = found.get(reason, 0) | lanes
    return found.items()
