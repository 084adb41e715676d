"""A concern that waits for a person as a whole. Rule 16: every body but the originator is held."""

from __future__ import annotations

from collections.abc import Collection

from shared.agreements import reasons
from shared.agreements.case import Case
from shared.agreements.decision import Class, Lead, Outcome
from shared.agreements.fast.decided import Swift
from shared.agreements.fast.sorted import HELD, Sets
from shared.agreements.holds import not_understood


class HeldRows:
    """Every body held for one reason, but those that a clause excludes by conflict: these for that."""

    def __init__(self, case: Case, reason: str, in_conflict: Collection[str]) -> None:
        held = [org for org in sorted(case.graph.organisations) if org != case.originator]
        kept_out = [org for org in held if org in in_conflict]
        waiting = [org for org in held if org not in in_conflict] if kept_out else held
        rows = {reason: waiting, reasons.CONFLICT_OF_INTEREST: kept_out}
        self._by_reason = {why: orgs for why, orgs in rows.items() if orgs}
        self._held = held

    def totals(self) -> Sets:
        """As `Written` has it."""
        return {klass.value: len(self._held) if klass is Class.HELD else 0 for klass in Class}

    def of_class(self, klass: Class) -> list[str]:
        """As `Written` has it."""
        return self._held if klass is Class.HELD else []

    def by_reason(self, klass: Class) -> dict[str, list[str]]:
        """As `Written` has it."""
        return self._by_reason if klass is Class.HELD else {}

    def reasons(self) -> dict[str, dict[str, int]]:
        """As `Written` has it."""
        counts = {why: len(orgs) for why, orgs in self._by_reason.items()}
        others = (klass for klass in Class if klass is not Class.ORIGINATOR)
        return {klass.value: counts if klass.value == HELD else {} for klass in others}

    def row(self, org: str, klass: Class, reason: str) -> Outcome:
        """As `Written` has it."""
        return Outcome(org, klass, reason)


class Waiting(Swift):
    """The decision that everything waits, with the codes that say why and the terms that are not known."""

    def __init__(self, case: Case, holds: tuple[str, ...], in_conflict: Collection[str]) -> None:
        super().__init__(case, HeldRows(case, holds[0], in_conflict), _no_hints)
        self._holds = holds
        self.detail = not_understood(case)

    @property
    def hold(self) -> tuple[str, ...]:
        """Why everything waits."""
        return self._holds

    @property
    def lead(self) -> Lead | None:
        """Nobody's, as long as nothing is decided."""
        return None

    @property
    def flags(self) -> tuple[str, ...]:
        """None, as long as nothing is decided."""
        return ()


def _no_hints(*_: object) -> list[str]:
    return []
