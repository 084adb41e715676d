"""Every body in its class, as sets: rules 13, 15 and 16. Reasons and clauses are worked out when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from shared.agreements import reasons
from shared.agreements.bars import withholds_from
from shared.agreements.case import Case
from shared.agreements.decision import Class
from shared.agreements.fast.remits import Covered
from shared.agreements.fast.terrain import Era, Terrain
from shared.agreements.fast.trial import NUMBER, Trial

Sets = dict[str, int]
TOLD, AVAILABLE, HELD, GAP, WITHHELD, NO_PATH = (
    klass.value for klass in (Class.TOLD, Class.AVAILABLE, Class.HELD, Class.GAP, Class.WITHHELD, Class.NO_PATH)
)
"""The classes by name: a set is looked up by it for every decision, and an Enum is hashed in Python."""
BAR = NUMBER["bar"]
_ON_PURPOSE = (reasons.TOPIC_EXCLUDED, reasons.FORBIDDEN)


class Cell(NamedTuple):
    """Bodies of which some clause that names a category came to this gate and failed there."""

    gate: int
    reason: str
    guards: int


class Joined:
    """The bodies that a clause joins to the originator, by class: sets of guards."""

    def __init__(self, trial: Trial, silent: int) -> None:
        self.trial = trial
        held = trial.slice
        self.subjects = held.fill(trial.about)[1] if trial.about else 0
        self.forbidden = held.any_of(trial.prohibiting) if trial.prohibiting else 0
        open_ = trial.footing.guards & ~self.forbidden & ~self.subjects
        told = held.any_of(trial.telling) & open_ if trial.telling else 0
        allowed = held.any_of(trial.passed) & open_ if trial.passed else 0
        waiting = held.any_of(trial.waiting) & open_ if trial.waiting else 0
        waits = waiting & ~allowed
        self.untold = trial.footing.guards & ~(allowed | waits)
        gap = self.untold & trial.in_remit & ~self.subjects
        if gap:
            gap &= ~(self._excluded() | (held.fill(silent)[1] if silent else 0))
        self.classes: Sets = {
            TOLD: told,
            AVAILABLE: allowed & ~told,
            HELD: waits,
            GAP: gap,
            WITHHELD: self.untold & ~gap,
        }

    def _excluded(self) -> int:
        """A clause leaves the topic out by name, or forbids."""
        lanes = 0
        for stop in self.trial.stops:
            lanes |= stop.lanes if stop.reason in _ON_PURPOSE else 0
        return self.forbidden | (self.trial.slice.any_of(lanes) if lanes else 0)

    @cached_property
    def in_conflict(self) -> int:
        lanes = 0
        for stop in self.trial.stops:
            lanes |= stop.lanes if stop.reason == reasons.CONFLICT_OF_INTEREST else 0
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
        return found

    def _in_order(self) -> Iterator[tuple[str, int]]:
        trial, held = self.trial, self.trial.slice
        yield reasons.SUBJECT_IS_RECIPIENT, self.subjects
        yield reasons.CONFLICT_OF_INTEREST, self.in_conflict
        yield reasons.FORBIDDEN, held.any_of(trial.arrived) & self.forbidden
        for stop in sorted(trial.stops, reverse=True):
            if stop.gate and stop.gate != NUMBER["category"]:
                yield stop.reason, held.any_of(trial.naming(stop.lanes))
        yield reasons.CATEGORY, held.any_of(trial.footing.active & ~trial.stopped("capacity"))
        yield reasons.NOT_SIGNED, trial.footing.guards


class Apart:
    """The bodies that no clause joins to the originator, none of which is ever looked at by itself."""

    def __init__(self, trial: Trial, era: Era, covered: Covered, silent: int, originator: int) -> None:
        self.gone = era.gone & ~originator
        footing = trial.footing
        free = era.able & ~footing.joined & ~originator
        gap = free & covered.anybody & ~trial.about & ~silent
        self.classes: Sets = {
            GAP: gap,
            WITHHELD: free & ~gap & footing.wrong_way,
            NO_PATH: (free & ~gap & ~footing.wrong_way) | self.gone,
        }
        self._free = free
        self._subjects = trial.about & free
        self._wrong_way = footing.wrong_way & free & ~trial.about
        self._replaced = era.replaced & self.gone

    @cached_property
    def by_reason(self) -> dict[str, int]:
        plain = self._free & ~self._subjects & ~self._wrong_way
        return {
            reasons.SUBJECT_IS_RECIPIENT: self._subjects,
            reasons.WRONG_DIRECTION: self._wrong_way,
            reasons.NO_PATH: plain | (self.gone & ~self._replaced),
            reasons.REPLACED_BY_SUCCESSOR: self._replaced,
        }


def silent_bodies(case: Case, terrain: Terrain) -> int:
    """Bodies towards which a shut bar makes the originator's silence meant: of a body a gateway asks its sector."""
    if not any(bar.withholds for bar in case.bars):
        return 0
    silent = 0
    for example, bodies in terrain.sectors:
        silent |= bodies if withholds_from(case, example) else 0
    return silent
