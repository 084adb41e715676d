"""A decision whose rows are written when they are asked for: classes and totals are sets from the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

from shared.agreements import reasons
from shared.agreements.case import Case
from shared.agreements.decision import Class, Decision, Lead, Outcome
from shared.agreements.fast.sorted import (
    GAP,
    HELD,
    TOLD,
    Sets,
)
from shared.agreements.lead import asks_a_person, lead_of

Hints = Callable[[Case, Iterable[str], Iterable[str]], list[str]]
ORIGINATOR = Class.ORIGINATOR.value
CLASSES = tuple(klass.value for klass in Class)


class Written(Protocol):
    """What a decision is written from: the bodies of each class, and the row of any of them."""

    def totals(self) -> Sets:
        """How many bodies are in each class, by name; the originator aside."""
        ...

    def of_class(self, klass: Class) -> list[str]:
        """The bodies of a class, sorted."""
        ...

    def by_reason(self, klass: Class) -> dict[str, list[str]]:
        """The bodies of a class that is not told nor available, by reason."""
        ...

    def reasons(self) -> dict[str, dict[str, int]]:
        """How many bodies of each class have which reason, the originator aside."""
        ...

    def row(self, org: str, klass: Class, reason: str) -> Outcome:
        """The outcome of a body of that class; `reason` where it is neither told nor available."""
        ...


class Swift:
    """A decision, equal in every row to that of the reference, written as far as it is asked for."""

    def __init__(self, case: Case, rows: Written, hints: Hints) -> None:
        self._case = case
        self._rows = rows
        self._hints = hints
        self._count = rows.totals()
        self.originator = case.originator
        self.detail: tuple[str, ...] = ()

    @property
    def hold(self) -> tuple[str, ...]:
        """Why something waits for a person."""
        return (reasons.HOLD_SUCCESSION_AMBIGUOUS,) if self._count[HELD] else ()

    @cached_property
    def told(self) -> tuple[Outcome, ...]:
        return self.of_class(Class.TOLD)

    def of_class(self, klass: Class) -> tuple[Outcome, ...]:
        if klass is Class.ORIGINATOR:
            return self._itself
        if klass in (Class.TOLD, Class.AVAILABLE):
            return tuple(self._rows.row(org, klass, "") for org in self._rows.of_class(klass))
        grouped = self._rows.by_reason(klass)
        ordered = sorted((org, reason) for reason, orgs in grouped.items() for org in orgs)
        return tuple(self._rows.row(org, klass, reason) for org, reason in ordered)

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every row at once: as long as the graph has bodies."""
        return tuple(sorted((row for klass in Class for row in self.of_class(klass)), key=lambda row: row.org))

    def names(self, klass: Class) -> tuple[str, ...]:
        """The bodies of a class, without their rows."""
        return tuple(self._rows.of_class(klass))

    def of(self, org: str) -> Outcome:
        """The outcome of one body; no other row is written. Raises KeyError when the snapshot has no such body."""
        if org == self.originator and self._itself:
            return self._itself[0]
        for klass in (klass for klass in _OTHERS if self._count[klass.value]):
            if klass in (Class.TOLD, Class.AVAILABLE):
                if org in self._rows.of_class(klass):
                    return self._rows.row(org, klass, "")
                continue
            for reason, orgs in self._rows.by_reason(klass).items():
                if org in orgs:
                    return self._rows.row(org, klass, reason)
        raise KeyError(org)

    def totals(self) -> dict[str, int]:
        count = self._count
        known = self.originator in self._case.graph.organisations
        return {name: int(known) if name == ORIGINATOR else count[name] for name in CLASSES}

    def reasons(self) -> dict[str, dict[str, int]]:
        """How many bodies of each class have which reason, the originator aside; no row is written for it."""
        return self._rows.reasons()

    @property
    def unroutable(self) -> bool:
        return not self._count[TOLD] and not self.hold and not self.originator_leads

    @property
    def lead(self) -> Lead | None:
        return self._lead

    @property
    def originator_leads(self) -> bool:
        return self.lead is not None and self.originator in self.lead.any_of

    @property
    def flags(self) -> tuple[str, ...]:
        return self._flags

    @cached_property
    def _lead(self) -> Lead | None:
        return lead_of(self._case, self.names(Class.TOLD))

    @property
    def may_tell_on(self) -> tuple[str, ...]:
        """The bodies that are told, where others should be and are not: each is asked whom it would tell."""
        return self.names(Class.TOLD) if self._count[GAP] and self._count[TOLD] else ()

    @cached_property
    def _flags(self) -> tuple[str, ...]:
        told = self.may_tell_on
        hints = self._hints(self._case, told, self.names(Class.GAP)) if told else []
        leads = ["originator-leads"] if self.originator_leads else []
        return tuple(sorted([*asks_a_person(self._case), *hints, *leads]))

    @cached_property
    def _itself(self) -> tuple[Outcome, ...]:
        known = self.originator in self._case.graph.organisations
        return (Outcome(self.originator, Class.ORIGINATOR, reasons.ORIGINATOR),) if known else ()

    def whole(self) -> Decision:
        """The same as the plain value."""
        return Decision(
            originator=self.originator,
            outcomes=self.outcomes,
            hold=self.hold,
            detail=self.detail,
            unroutable=self.unroutable,
            lead=self.lead,
            originator_leads=self.originator_leads,
            flags=self.flags,
        )

    def to_json(self) -> dict[str, Any]:
        """As `Decision.to_json`."""
        grouped = {klass: self._rows.by_reason(klass) for klass in _GROUPED if self._count[klass.value]}
        return {
            "originator": self.originator,
            "totals": self.totals(),
            "told": [outcome.to_json() for outcome in self.told],
            "available": [outcome.to_json() for outcome in self.of_class(Class.AVAILABLE)],
            "not_told": {klass.value: rows for klass, rows in grouped.items()},
            "hold": list(self.hold),
            "detail": list(self.detail),
            "unroutable": self.unroutable,
            "lead": self.lead.to_json() if self.lead else None,
            "originator_leads": self.originator_leads,
            "flags": list(self.flags),
        }


_OTHERS = tuple(klass for klass in Class if klass is not Class.ORIGINATOR)
_GROUPED = (Class.HELD, Class.GAP, Class.WITHHELD, Class.NO_PATH)
