"""The bodies of each class as sets, and the row of any of them written from its lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.agreements import reasons
from shared.agreements.case import Attempt, Case
from shared.agreements.classes import citing, told_by
from shared.agreements.decision import Class, Outcome
from shared.agreements.fast.bits import places_of
from shared.agreements.fast.roads import Roads
from shared.agreements.fast.sorted import (
    AVAILABLE,
    CAPACITY,
    CATEGORY,
    GAP,
    HELD,
    NO_PATH,
    TOLD,
    WITHHELD,
    Apart,
    Joined,
    Sets,
)
from shared.agreements.fast.terrain import Terrain


class Rows:
    """The bodies of each class in the order of their ids, and the row of any of them."""

    def __init__(self, case: Case, terrain: Terrain, joined: Joined, apart: Apart) -> None:
        self._terrain = terrain
        self._joined = joined
        self._apart = apart
        self._slice = joined.trial.slice
        self._roads = Roads(case, terrain, self._slice, joined.trial.footing)

    def totals(self) -> Sets:
        """How many bodies are in each class, by name; the originator aside."""
        count = self._joined.counts()
        for name, many in self._apart.counts().items():
            count[name] = count.get(name, 0) + many
        return count

    def of_class(self, klass: Class) -> list[str]:
        """The bodies of a class."""
        return self._names(self._joined.classes.get(klass.value, 0), self._apart.classes.get(klass.value, 0))

    def by_reason(self, klass: Class) -> dict[str, list[str]]:
        """The bodies of a class that is not told nor available, by reason."""
        joined, apart = self._joined.classes.get(klass.value, 0), self._apart.classes.get(klass.value, 0)
        if klass is Class.HELD:
            return {reasons.HOLD_SUCCESSION_AMBIGUOUS: self._names(joined, apart)}
        found = {
            reason: self._names(
                joined & self._joined.by_reason.get(reason, 0), apart & self._apart.by_reason.get(reason, 0)
            )
            for reason in {**self._joined.by_reason, **self._apart.by_reason}
        }
        return {reason: names for reason, names in found.items() if names}

    def reasons(self) -> dict[str, dict[str, int]]:
        """How many bodies of each class have which reason, the originator aside: every body explained by sets alone."""
        trial, joined = self._joined.trial, self._joined.classes
        required = self._slice.any_of(trial.telling & self._slice.requires) & joined[TOLD]
        counted = {TOLD: {reasons.REQUIRED: required, reasons.PERMITTED: joined[TOLD] ^ required}}
        counted[AVAILABLE] = {reasons.AVAILABLE: joined[AVAILABLE]}
        counted[HELD] = {reasons.HOLD_SUCCESSION_AMBIGUOUS: joined[HELD]}
        found = {name: {why: sets.bit_count() for why, sets in rows.items() if sets} for name, rows in counted.items()}
        for name in (GAP, WITHHELD, NO_PATH):
            row: dict[str, int] = {}
            found[name] = row
            for part in (self._joined, self._apart):
                of_class = part.classes.get(name, 0)
                for why, sets in part.by_reason.items() if of_class else ():
                    if count := (sets & of_class).bit_count():
                        row[why] = row.get(why, 0) + count
        return found

    def row(self, org: str, klass: Class, reason: str) -> Outcome:
        """The outcome of a body of that class; `reason` where it is neither told nor available."""
        trial = self._joined.trial
        if klass is Class.TOLD:
            return told_by(org, tuple(self._attempts(org, trial.telling, _is_sure)))
        if klass is Class.AVAILABLE:
            return citing(Outcome(org, klass, reasons.AVAILABLE), self._attempts(org, trial.passed, _is_sure))
        if klass is Class.HELD:
            return citing(Outcome(org, klass, reason), self._attempts(org, trial.waiting, _is_ambiguous))
        return Outcome(org, klass, reason, nearest=self._nearest(org))

    def _names(self, guards: int, numbers: int) -> list[str]:
        names = self._terrain.names
        found = self._slice.layout.orgs(guards)
        if numbers:
            found = [*found, *places_of(numbers)]
            found.sort()
        return [names[number] for number in found]

    def _nearest(self, org: str) -> str | None:
        """The citation of the furthest clause, as `classes` has it."""
        run = self._roads.lanes_of(org)
        for lanes in self._furthest(run):
            if hit := lanes & run:
                return max(self._roads.cite(place) for place in places_of(hit))
        return None

    def _furthest(self, run: int) -> Iterator[int]:
        trial = self._joined.trial
        guard = run + (run & -run) if run else 0
        forbidden = bool(guard & self._joined.forbidden)
        if guard & self._joined.subjects and not forbidden:
            yield trial.permitted
        if forbidden:
            yield trial.arrived
        for gate, _, lanes in sorted(trial.stops, reverse=True):
            if gate not in (CAPACITY, CATEGORY):
                yield trial.naming(lanes)

    def _attempts(self, org: str, lanes: int, fits: Callable[[Attempt], bool]) -> Iterator[Attempt]:
        return filter(fits, self._roads.along(org, lanes))


def _is_sure(attempt: Attempt) -> bool:
    return not attempt.ambiguous


def _is_ambiguous(attempt: Attempt) -> bool:
    return attempt.ambiguous
