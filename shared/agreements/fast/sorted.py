"""Every body in its class, as sets: rules 13, 15 and 16. Reasons and clauses are worked out when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from shared.agreements import reasons
from shared.agreements.bars import withholds_from
from shared.agreements.decision import Class
from shared.agreements.fast.concern import SwiftCase
from shared.agreements.fast.gate import NUMBER
from shared.agreements.fast.terrain import Terrain
from shared.agreements.fast.trial import Trial

Sets = dict[str, int]
TOLD, AVAILABLE, HELD, GAP, WITHHELD, NO_PATH = (
    klass.value for klass in (Class.TOLD, Class.AVAILABLE, Class.HELD, Class.GAP, Class.WITHHELD, Class.NO_PATH)
)
"""The classes by name: a set is looked up by it for every decision, and an Enum is hashed in Python."""
CAPACITY, CATEGORY = NUMBER["capacity"], NUMBER["category"]
_ON_PURPOSE = (reasons.TOPIC_EXCLUDED, reasons.FORBIDDEN)


class Joined:
    """The bodies that a clause joins to the originator, by class: sets of guards."""

    def __init__(self, trial: Trial, silent: int) -> None:
        self.trial = trial
        held, any_of, guards = trial.slice, trial.slice.any_of, trial.footing.guards
        self.subjects = held.layout.fill(trial.about)[1] if trial.about else 0
        self.forbidden = any_of(trial.prohibiting) if trial.prohibiting else 0
        shut = self.forbidden | self.subjects
        self.allowed = allowed = any_of(trial.passed) & ~shut if trial.passed else 0
        self.told = any_of(trial.telling) & allowed if trial.telling else 0
        self.waits = any_of(trial.waiting) & guards & ~(shut | allowed) if trial.waiting else 0
        self.untold = guards & ~(allowed | self.waits)
        self.gap = self.untold & trial.in_remit & ~self.subjects
        if self.gap:
            self.gap &= ~(self._excluded() | (held.layout.fill(silent)[1] if silent else 0))

    @cached_property
    def classes(self) -> Sets:
        return {
            TOLD: self.told,
            AVAILABLE: self.allowed ^ self.told,
            HELD: self.waits,
            GAP: self.gap,
            WITHHELD: self.untold ^ self.gap,
        }

    def counts(self) -> Sets:
        """How many bodies are in each class."""
        allowed, told = self.allowed.bit_count(), self.told.bit_count()
        untold, gap = self.untold.bit_count(), self.gap.bit_count()
        return {
            TOLD: told,
            AVAILABLE: allowed - told,
            HELD: self.waits.bit_count(),
            GAP: gap,
            WITHHELD: untold - gap,
        }

    def _excluded(self) -> int:
        """A clause leaves the topic out by name, or forbids."""
        return self.forbidden | self._stopped_by(_ON_PURPOSE)

    @cached_property
    def in_conflict(self) -> int:
        return self._stopped_by((reasons.CONFLICT_OF_INTEREST,))

    def _stopped_by(self, wanted: tuple[str, ...]) -> int:
        lanes = 0
        for _, reason, stopped in self.trial.stops:
            lanes |= stopped if reason in wanted else 0
        return self.trial.slice.any_of(lanes) if lanes else 0

    @cached_property
    def by_reason(self) -> dict[str, int]:
        """Of each reason the bodies that are neither told nor may be: the furthest gate, and what comes before it."""
        found: dict[str, int] = {}
        left = self.untold
        for reason, guards in self._in_order():
            hit = left & guards
            if hit:
                found[reason] = found.get(reason, 0) | hit
                left ^= hit
                if not left:
                    break
        return found

    def _in_order(self) -> Iterator[tuple[str, int]]:
        trial, any_of = self.trial, self.trial.slice.any_of
        yield reasons.SUBJECT_IS_RECIPIENT, self.subjects
        yield reasons.CONFLICT_OF_INTEREST, self.in_conflict
        yield reasons.FORBIDDEN, any_of(trial.arrived) & self.forbidden
        for gate, reason, lanes in sorted(trial.stops, reverse=True):
            if gate not in (CAPACITY, CATEGORY):
                yield reason, any_of(trial.naming(lanes))
        yield reasons.CATEGORY, any_of(trial.footing.active & ~trial.stopped(CAPACITY))
        yield reasons.NOT_SIGNED, trial.footing.guards


class Apart:
    """The bodies that no clause joins to the originator, none of which is ever looked at by itself."""

    def __init__(self, trial: Trial, silent: int) -> None:
        self._footing = footing = trial.footing
        self._about = trial.about
        self._gap = footing.free & trial.covered.anybody
        if self._about or silent:
            self._gap &= ~(self._about | silent)
        self._withheld = footing.wrong_way & ~self._gap if footing.wrong_way else 0

    def counts(self) -> Sets:
        """How many bodies are in each class."""
        gap, withheld = self._gap.bit_count(), self._withheld.bit_count()
        return {GAP: gap, WITHHELD: withheld, NO_PATH: self._footing.apart - gap - withheld}

    @cached_property
    def classes(self) -> Sets:
        footing = self._footing
        no_path = (footing.free ^ self._gap ^ self._withheld) | footing.gone
        return {GAP: self._gap, WITHHELD: self._withheld, NO_PATH: no_path}

    @cached_property
    def by_reason(self) -> dict[str, int]:
        footing = self._footing
        subjects = self._about & footing.free
        wrong_way = footing.wrong_way & ~self._about
        replaced = footing.era.replaced & footing.gone
        return {
            reasons.SUBJECT_IS_RECIPIENT: subjects,
            reasons.WRONG_DIRECTION: wrong_way,
            reasons.NO_PATH: (footing.free ^ subjects ^ wrong_way) | (footing.gone ^ replaced),
            reasons.REPLACED_BY_SUCCESSOR: replaced,
        }


def silent_bodies(case: SwiftCase, terrain: Terrain) -> int:
    """Bodies towards which a shut bar makes the originator's silence meant: of a body a gateway asks its sector."""
    if not case.withholds:
        return 0
    silent = 0
    for example, bodies in terrain.sectors:
        silent |= bodies if withholds_from(case, example) else 0
    return silent
