"""A decision whose rows are written when they are asked for: classes and totals are sets from the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

from shared.agreements import reasons
from shared.agreements.case import Attempt, Case
from shared.agreements.classes import citing, told_by
from shared.agreements.decision import Class, Decision, Lead, Outcome
from shared.agreements.fast.bits import places_of, span_of
from shared.agreements.fast.footing import speaking_as
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


class Rows:
    """The bodies of each class in the order of their ids, and the row of any of them."""

    def __init__(self, case: Case, terrain: Terrain, joined: Joined, apart: Apart) -> None:
        self._case = case
        self._terrain = terrain
        self._era = joined.trial.footing.era
        self._joined = joined
        self._apart = apart
        self._slice = joined.trial.slice

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

    def _lanes(self, org: str) -> int:
        number = self._terrain.number[org]
        return span_of(*self._slice.layout.run_of(number))

    def _nearest(self, org: str) -> str | None:
        """The citation of the furthest clause, as `classes` has it."""
        run = self._lanes(org)
        for lanes in self._furthest(run):
            if hit := lanes & run:
                return max(self._cite(place) for place in places_of(hit))
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

    def _cite(self, place: int) -> str:
        said = self._slice.said_at[place]
        return f"{said.agreement}/{said.clause}"

    def _attempts(self, org: str, lanes: int, fits: Callable[[Attempt], bool]) -> Iterator[Attempt]:
        for place in places_of(lanes & self._lanes(org)):
            yield from filter(fits, self._along(org, place))

    def _along(self, org: str, place: int) -> Iterator[Attempt]:
        """A lane as the reference tries it, along each road to the body."""
        case, said, party = self._case, self._slice.said_at[place], self._slice.party_of[place]
        agreement = case.snapshot.sharing(said.agreement)
        assert agreement is not None  # noqa: S101 - the slice was read from it
        discloser = speaking_as(case, self._terrain, said.discloser, personal=said.personal)
        assert discloser is not None  # noqa: S101 - the lane is active
        cite = self._cite(place)
        clause = next(clause for clause in agreement.clauses if clause.cite == cite)
        for road in self._era.receivers(party, case, personal=said.personal):
            if road.org == org:
                yield Attempt(case, agreement, clause, discloser, road)


def _is_sure(attempt: Attempt) -> bool:
    return not attempt.ambiguous


def _is_ambiguous(attempt: Attempt) -> bool:
    return attempt.ambiguous


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


_GROUPED = (Class.HELD, Class.GAP, Class.WITHHELD, Class.NO_PATH)
