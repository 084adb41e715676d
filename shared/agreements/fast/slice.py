"""The lanes of one body laid side by side: each gate is a set of lanes, each body a run of lanes with a guard above.

A sum does for all bodies at once what a loop would do for each: `lanes + any` carries into the guard of every body of
which at least one lane is in the set, and into no other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress
from operator import itemgetter
from typing import Any, NamedTuple

from shared.agreements.case import Case
from shared.agreements.fast.bits import bits_at, places_of, span_of
from shared.agreements.fast.days import Calendar, Force, Spans
from shared.agreements.fast.lanes import Finder, Found, Lane, Speech, Unbarred
from shared.agreements.fast.terrain import Terrain
from shared.agreements.model import Effect, Mode, Scope, Terms
from shared.agreements.rights import Right
from shared.agreements.scope import SCOPE_TESTS, ScopeTest

KEPT_MAX = 16
FILLS_KEPT_MAX = 16
FEW_GUARDS = 64
READ_BY: Mapping[str, tuple[tuple[str, ...], Callable[[Case], Hashable]]] = {
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


class Shut(NamedTuple):
    """What one gate shuts, by reason."""

    reason: str
    lanes: int


class Kept:
    """Answers by what was asked; bounded, and exact because all that is read is in the question."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[Shut, ...]] = {}

    def ask(self, key: Hashable, work: Callable[[], Iterable[Shut]]) -> tuple[Shut, ...]:
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= KEPT_MAX:
                self._answers.clear()
            found = self._answers[key] = tuple(work())
        return found


class ScopeGate:
    """One key of `when` over all lanes: each different value is tested once, by the reference's own test."""

    def __init__(self, test: ScopeTest, scopes: Mapping[Scope, int]) -> None:
        fields, self._read = READ_BY[test.__name__]
        self._test = test
        self._values: dict[tuple[Any, ...], tuple[Scope, int]] = {}
        for scope, lanes in scopes.items():
            value = tuple(getattr(scope, name) for name in fields)
            if any(part is not None for part in value):
                held = self._values.get(value, (scope, 0))
                self._values[value] = held[0], held[1] | lanes
        self.tests_something = bool(self._values)
        self._kept = Kept()

    def shut(self, case: Case) -> tuple[Shut, ...]:
        return self._kept.ask(self._read(case), lambda: self._try(case))

    def _try(self, case: Case) -> list[Shut]:
        found: dict[str, int] = {}
        for scope, lanes in self._values.values():
            reason = self._test(scope, case)
            if reason is not None:
                found[reason] = found.get(reason, 0) | lanes
        return [Shut(reason, lanes) for reason, lanes in found.items()]


class Slice:
    """Everything that one body may say, as sets of lanes. Immutable but for what it remembers."""

    def __init__(self, originator: str, found: Found, terrain: Terrain) -> None:
        self.originator = originator
        self.names_bodies = found.names
        self.heard = found.heard
        ordered = sorted(found.lanes, key=lambda lane: (lane.body, lane.party, lane.personal, lane.speech))
        self._lay(ordered)
        self._stand(ordered, found.speeches, terrain)
        self._index(ordered, found.speeches)
        self._cite(ordered, found.speeches)
        self.unbarred = self._by(ordered, lambda lane: lane.unbarred)
        self.rights: Mapping[Unbarred, Right] = found.rights
        self.parties = frozenset({lane.party for lane in ordered} | {row.discloser for row in found.speeches})
        self._fills: dict[int, tuple[int, int]] = {}

    def any_of(self, lanes: int) -> int:
        """The guards of the bodies of which a lane is in the set."""
        return (lanes + self.lanes) & self.guards

    def orgs(self, guards: int) -> list[int]:
        """The bodies of these guards, by number, ascending."""
        if self._pick is None or guards.bit_count() <= FEW_GUARDS:
            return [self.body_at[place] for place in places_of(guards)]
        return list(compress(self.body_at.values(), map("1".__eq__, self._pick(f"{guards:0{self.width}b}"[::-1]))))

    def fill(self, bodies: int) -> tuple[int, int]:
        """All lanes of these bodies, given as a set of numbers, and their guards."""
        known = bodies & self.bodies
        found = self._fills.get(known)
        if found is None:
            if len(self._fills) >= FILLS_KEPT_MAX:
                self._fills.clear()
            starts = bits_at((self.start_of[body] for body in places_of(known)), self.width)
            carried = self.lanes + starts
            found = self._fills[known] = self.lanes ^ (carried & self.lanes), carried & self.guards
        return found

    def run_of(self, body: int) -> tuple[int, int]:
        """The places `[start, guard)` of a body's lanes."""
        start = self.start_of[body]
        return start, self.guard_of[body]

    def body_above(self, place: int) -> int:
        """The body of a lane."""
        above = self.guards >> place
        return self.body_at[place + (above & -above).bit_length() - 1]

    def _lay(self, ordered: Sequence[Lane]) -> None:
        """A place for each lane, and one for the guard above the lanes of each body."""
        self.start_of: dict[int, int] = {}
        self.guard_of: dict[int, int] = {}
        self._places = array("I")
        place, last = 0, None
        for lane in ordered:
            if lane.body != last:
                if last is not None:
                    self.guard_of[last] = place
                    place += 1
                self.start_of[lane.body], last = place, lane.body
            self._places.append(place)
            place += 1
        if last is not None:
            self.guard_of[last] = place
        self.width = place + 1
        self.guards = bits_at(self.guard_of.values(), self.width)
        self.lanes = bits_at(self._places, self.width)
        self.body_at = {place: body for body, place in self.guard_of.items()}
        self._pick = itemgetter(*self.body_at) if len(self.body_at) > FEW_GUARDS else None
        self.bodies = bits_at(self.start_of, max(self.start_of, default=0) + 1)

    def _stand(self, ordered: Sequence[Lane], speeches: Sequence[Speech], terrain: Terrain) -> None:
        """Which lanes always lead from originator to body, and which only by some road, on some days."""
        self.moving: dict[tuple[str, bool], dict[int, tuple[int, int]]] = {}
        still = {party: terrain.stands_still(party) for party in {lane.party for lane in ordered}}
        for lane, place in zip(ordered, self._places, strict=True):
            if not still[lane.party]:
                runs = self.moving.setdefault((lane.party, lane.personal), {})
                runs[lane.body] = (runs.get(lane.body, (place, place))[0], place + 1)
        self.still = self.lanes
        for runs in self.moving.values():
            for start, end in runs.values():
                self.still ^= span_of(start, end)
        spoken = self._by(ordered, lambda lane: (speeches[lane.speech].discloser, lane.personal))
        alone = (self.originator, False), (self.originator, True)
        plain = terrain.stands_still(self.originator)
        self.speakers = {who: lanes for who, lanes in spoken.items() if not (plain and who in alone)}

    def _index(self, ordered: Sequence[Lane], speeches: Sequence[Speech]) -> None:
        manners = self._by(ordered, lambda lane: speeches[lane.speech].manner)
        self.forbids = _union(lanes for manner, lanes in manners.items() if manner.effect is Effect.FORBID)
        self.requires = _union(lanes for manner, lanes in manners.items() if manner.effect is Effect.REQUIRE)
        modes = {mode: _union(b for manner, b in manners.items() if manner.mode is mode) for mode in Mode}
        self.pushes, self.feeds, self.records = modes[Mode.PUSH], modes[Mode.FEED], modes[Mode.RECORD]
        self.switched_off = _union(lanes for manner, lanes in manners.items() if manner.switched_off)
        self.unsigned = bits_at((p for lane, p in self._placed(ordered) if not lane.signed), self.width)
        scopes = self._by(ordered, lambda lane: speeches[lane.speech].scope)
        self.categories = _by_term((scope.categories, lanes) for scope, lanes in scopes.items())
        self.by_incident = _union(lanes for scope, lanes in scopes.items() if scope.by_incident)
        self.needs_remit = _union(lanes for scope, lanes in scopes.items() if scope.needs_remit)
        gates = [(test.__name__, ScopeGate(test, scopes)) for test in SCOPE_TESTS]
        self.scope_gates = tuple((name, gate) for name, gate in gates if gate.tests_something)
        self.purposes = _by_term(self._by(ordered, lambda lane: speeches[lane.speech].purposes).items())
        self.ceilings = self._by(ordered, lambda lane: speeches[lane.speech].ceiling)
        self.kept = {name: Kept() for name in ("category", "purpose", "sensitivity")}
        forces: dict[Force, list[int]] = {}
        sides: dict[tuple[Spans, Spans], list[int]] = {}
        for lane, place in self._placed(ordered):
            forces.setdefault(speeches[lane.speech].force, []).append(place)
            sides.setdefault(lane.sides, []).append(place)
        self.calendar = Calendar(_packed(forces), _packed(sides), self.width)

    def _cite(self, ordered: Sequence[Lane], speeches: Sequence[Speech]) -> None:
        """Enough to find a lane's clause and parties again."""
        self.speech_at = array("I", bytes(4 * self.width))
        for lane, place in self._placed(ordered):
            self.speech_at[place] = lane.speech
        self.party_of = _Parties(ordered, self._places)
        self.agreements = [row.agreement for row in speeches]
        self.clauses = [row.clause for row in speeches]
        self.disclosers = [row.discloser for row in speeches]
        self.personal = bytes(row.personal for row in speeches)

    def _placed(self, ordered: Sequence[Lane]) -> Iterable[tuple[Lane, int]]:
        return zip(ordered, self._places, strict=True)

    def _by(self, ordered: Sequence[Lane], key: Callable[[Lane], Any]) -> dict[Any, int]:
        found: dict[Any, list[int]] = {}
        for lane, place in zip(ordered, self._places, strict=True):
            found.setdefault(key(lane), []).append(place)
        return {value: bits_at(places, self.width) for value, places in found.items()}


class _Parties:
    """The party of each lane: lanes of one body and party stand together, so only the turns are kept."""

    __slots__ = ("_names", "_starts")

    def __init__(self, ordered: Sequence[Lane], places: Sequence[int]) -> None:
        self._names: list[str] = []
        self._starts = array("I")
        last = None
        for lane, place in zip(ordered, places, strict=True):
            if (lane.body, lane.party) != last:
                last = (lane.body, lane.party)
                self._names.append(lane.party)
                self._starts.append(place)

    def __getitem__(self, place: int) -> str:
        return self._names[bisect_right(self._starts, place) - 1]


def slice_of(originator: str, finder: Finder, terrain: Terrain) -> Slice:
    return Slice(originator, finder.find(originator), terrain)


def _union(sets: Iterable[int]) -> int:
    union = 0
    for lanes in sets:
        union |= lanes
    return union


def _by_term(rows: Iterable[tuple[Terms, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for terms, lanes in rows:
        for term in terms:
            found[term] = found.get(term, 0) | lanes
    return found


def _packed(places: Mapping[Any, Sequence[int]]) -> dict[Any, array[int]]:
    return {key: array("I", found) for key, found in places.items()}
