"""All gates over all lanes of one body: what each gate stops, and which bodies that leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.agreements import reasons
from shared.agreements.bars import shut_bars
from shared.agreements.case import Attempt, Case
from shared.agreements.fast.days import Season
from shared.agreements.fast.remits import Covered
from shared.agreements.fast.slice import Shut, Slice
from shared.agreements.fast.terrain import Terrain
from shared.agreements.gates import GATES, name_of
from shared.agreements.rights import Right
from shared.agreements.succession import Reached

NUMBER = {name_of(gate): number for number, gate in enumerate(GATES)}


class Footing(NamedTuple):
    """On one day, for a concern's functions: the lanes that lead somewhere, those with a road on which a person must
    choose the successor, those without any other, the bodies that they lead to, and those joined the other way."""

    active: int
    ambiguous: int
    doubtful: int
    guards: int
    joined: int
    wrong_way: int


class Stop(NamedTuple):
    """The lanes of which this gate is the first that fails."""

    gate: int
    reason: str
    lanes: int


class Trial:
    """Every lane before every gate. What the last two gates ask, of whole bodies, is left to the bodies."""

    def __init__(self, slice_: Slice, case: Case, footing: Footing, covered: Covered, terrain: Terrain) -> None:
        self.slice = slice_
        self.case = case
        self.footing = footing
        self.stops: list[Stop] = []
        self._terrain = terrain
        self.about = terrain.set_of(case.subjects) if case.subjects else 0
        self._met, self.in_remit = self._meet(covered)
        self._alive = footing.active
        self._binding = slice_.lanes ^ slice_.forbids
        self._try_clause()
        self._try_scope()
        waiting = self._try_concern()
        self.permitted = permitted = self._alive & self._binding
        sure = permitted & ~footing.doubtful
        self.passed = sure
        self.telling = sure & (slice_.requires | (slice_.pushes & self._met))
        self.waiting = (waiting | permitted) & footing.ambiguous
        self.prohibiting = self.arrived & slice_.forbids

    def stopped(self, *names: str) -> int:
        """The lanes of which one of these gates is the first that fails."""
        numbers = {NUMBER[name] for name in names}
        found = 0
        for stop in self.stops:
            if stop.gate in numbers:
                found |= stop.lanes
        return found

    def naming(self, lanes: int) -> int:
        """Those of the lanes that name one of the concern's categories."""
        return lanes & ~self._nameless

    def _stop(self, name: str, shut: Iterable[Shut]) -> None:
        for reason, lanes in shut:
            hit = self._alive & lanes
            if hit:
                self.stops.append(Stop(NUMBER[name], reason, hit))
                self._alive ^= hit

    def _try_clause(self) -> None:
        """Capacity, mode, force, accession, assumed: all that the agreement itself decides."""
        held, only = self.slice, self._binding
        self._stop("capacity", [Shut(reasons.NOT_SIGNED, held.unsigned)])
        self._stop("mode", [Shut(reasons.FEED_ONLY, held.feeds & only)])
        self._stop("mode", [Shut(reasons.RECORD_ONLY, held.records & only)])
        season = self._season()
        self._stop("in_force", [Shut(reason, lanes) for reason, lanes in season.unforced.items()])
        self._stop("accession", [Shut(reasons.NOT_SIGNED, season.absent)])
        self._stop("assumed", [Shut(reasons.ASSUMED_OFF, held.switched_off)])

    def _season(self) -> Season:
        """Rule 10: lanes that are read on the day of the incident, and the others on that of receipt."""
        held, case = self.slice, self.case
        season = held.calendar.season(case.day)
        incident = case.facts.incident_date or case.day
        if not held.by_incident or held.calendar.same(case.day, incident):
            return season
        return season.but(held.by_incident, held.calendar.season(incident))

    def _try_scope(self) -> None:
        held, categories = self.slice, self.case.facts.categories
        shut = held.kept["category"].ask(categories, self._nameless_lanes)
        self._nameless = shut[0].lanes
        self._stop("category", shut)
        for name, gate in held.scope_gates:
            self._stop(name, gate.shut(self.case))

    def _nameless_lanes(self) -> Iterator[Shut]:
        """A record clause counts as naming every category."""
        held = self.slice
        named = held.records
        for category in self.case.facts.categories:
            named |= held.categories.get(category, 0)
        yield Shut(reasons.CATEGORY, held.lanes ^ named)

    def _try_concern(self) -> int:
        """Remit, purpose, sensitivity, onward, bars. Gives the lanes that fail by their remit alone."""
        held, only = self.slice, self._binding
        before = self._alive
        self._stop("remit", [Shut(reasons.NOT_IN_REMIT, held.needs_remit & ~self._met & only)])
        aside = before ^ self._alive
        for name, shut in self._shut_to_permits():
            self._stop(name, [Shut(reason, lanes & only) for reason, lanes in shut])
            for _, lanes in shut:
                aside &= ~lanes
        self.arrived = self._alive
        barred = self._barred()
        self._stop("bar", [Shut(reasons.FORBIDDEN, barred)])
        return aside & ~barred

    def _shut_to_permits(self) -> Iterator[tuple[str, tuple[Shut, ...]]]:
        held, facts = self.slice, self.case.facts
        yield "purpose", held.kept["purpose"].ask(facts.purposes, self._purposeless)
        yield "sensitivity", held.kept["sensitivity"].ask(facts.sensitivity, self._too_sensitive)
        if facts.provenance:
            yield "onward", (Shut(reasons.ONWARD_NOT_PERMITTED, held.lanes ^ self._let_on()),)

    def _purposeless(self) -> Iterator[Shut]:
        held, served = self.slice, 0
        for purpose in self.case.facts.purposes:
            served |= held.purposes.get(purpose, 0)
        yield Shut(reasons.PURPOSE_NOT_COVERED, held.lanes ^ served)

    def _too_sensitive(self) -> Iterator[Shut]:
        carried, shut = self.case.facts.sensitivity, {True: 0, False: 0}
        for ceiling, lanes in self.slice.ceilings.items():
            shut[ceiling.agreed] |= 0 if carried <= ceiling.carries else lanes
        yield Shut(reasons.SENSITIVITY, shut[True])
        yield Shut(reasons.INSTRUMENT_INSUFFICIENT, shut[False])

    def _let_on(self) -> int:
        """Every hop lets it go on freely, or to the bodies to which its giver granted it."""
        hops = [hop for hop in self.case.facts.provenance if hop.onward != "free"]
        if not hops:
            return self.slice.lanes
        if any(hop.onward != "ask_originator" for hop in hops):
            return 0
        granted = frozenset.intersection(*(hop.granted for hop in hops))
        return self.slice.fill(self._terrain.set_of(granted))[0]

    def _barred(self) -> int:
        """Rule 13: what a shut bar withholds, asked once of all lanes that a gateway cannot tell apart."""
        if not any(bar.withholds for bar in self.case.bars):
            return 0
        barred = 0
        for unbarred, lanes in self.slice.unbarred.items():
            if any(bar.withholds for bar in shut_bars(self._example(lanes, self.slice.rights[unbarred]))):
                barred |= lanes
        return barred

    def _example(self, lanes: int, right: Right) -> Attempt:
        place = (lanes & -lanes).bit_length() - 1
        org = self._terrain.names[self.slice.body_above(place)]
        discloser = Reached(right.discloser, self.case.originator, (right.discloser,))
        return Attempt(self.case, right.agreement, right.clause, discloser, Reached(org, org, (org,)))

    def _meet(self, covered: Covered) -> tuple[int, int]:
        """The lanes that name a category which lies in their body's remit, and the guards of bodies in remit."""
        held, met, in_remit = self.slice, 0, 0
        for category, bodies in covered.by_category.items():
            lanes, guards = held.fill(bodies)
            met |= lanes & held.categories.get(category, 0)
            in_remit |= guards
        return met, in_remit
