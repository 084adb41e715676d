"""Where a body's lanes lead on one day: rules 5, 7, 8 and 11, for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.agreements.case import Case
from shared.agreements.fast.bits import bits_at, span_of
from shared.agreements.fast.slice import Slice
from shared.agreements.fast.terrain import Asked, Era, Terrain
from shared.agreements.fast.trial import Footing
from shared.agreements.succession import Reached

FOOTINGS_KEPT_MAX = 8
WIDE = 10_000
FOOTINGS_OF_WIDE_KEPT_MAX = 128
Signed = tuple[str, bool]
Runs = Mapping[int, tuple[int, int]]


class _Ways(NamedTuple):
    """Lanes with the bodies to which they lead, and bodies that are joined the other way."""

    lanes: int
    unsure: int
    doubtful: int
    bodies: int
    wrong_way: int


class Footings:
    """The footings of one slice. Parties that may fall into parts are followed for each concern that the parts tell
    apart, all the others once in an era."""

    __slots__ = ("_asks", "_heard", "_kept", "_parted", "_settled", "_slice", "_speaks_in_parts", "_terrain", "_whole")

    def __init__(self, slice_: Slice, terrain: Terrain) -> None:
        self._slice = slice_
        self._terrain = terrain
        self._asks = terrain.parts(slice_.parties | {party for row in slice_.heard for party in row[:2]})
        moving = slice_.moving.items()
        self._whole = {signed: runs for signed, runs in moving if not terrain.is_parted(signed[0])}
        self._parted = {signed: runs for signed, runs in moving if terrain.is_parted(signed[0])}
        self._heard = _heard(slice_, terrain)
        self._speaks_in_parts = any(terrain.is_parted(party) for party, _ in slice_.speakers)
        self._settled: dict[int, _Ways] = {}
        self._kept: dict[tuple[int, Asked], Footing] = {}

    def of(self, case: Case, era: Era) -> Footing:
        functions, categories = self._asks
        facts = case.facts
        asked = (True, facts.functions & functions) if facts.functions else (False, facts.categories & categories)
        found = self._kept.get((era.number, asked))
        if found is None:
            if len(self._kept) >= (FOOTINGS_OF_WIDE_KEPT_MAX if self._slice.width > WIDE else FOOTINGS_KEPT_MAX):
                self._kept.clear()
            found = self._kept[era.number, asked] = self._work_out(case, era)
        return found

    def _work_out(self, case: Case, era: Era) -> Footing:
        held, settled = self._slice, self._settle(case, era)
        silent, ambiguous = self._speakers(case)
        parted, unsure, doubtful, bodies = self._follow(self._parted, case, era, silent)
        active = (settled.lanes | parted) & ~silent
        joined = settled.bodies | bodies
        if self._speaks_in_parts:
            joined = self._bodies(held.any_of(active))
        wrong_way = settled.wrong_way | self._terrain.set_of(self._wrong_way(case, era, parted=True))
        unsure = (ambiguous | settled.unsure | unsure) & active
        doubtful = (ambiguous | settled.doubtful | doubtful) & active
        return Footing(active, unsure, doubtful, held.any_of(active), joined, wrong_way)

    def _settle(self, case: Case, era: Era) -> _Ways:
        """What no concern can tell apart within an era."""
        found = self._settled.get(era.number)
        if found is None:
            if len(self._settled) >= FOOTINGS_KEPT_MAX:
                self._settled.clear()
            silent, _ = self._speakers(case)
            moved, unsure, doubtful, _ = self._follow(self._whole, case, era, 0)
            lanes = self._slice.still | moved
            bodies = self._bodies(self._slice.any_of(lanes & ~silent))
            wrong_way = self._terrain.set_of(self._wrong_way(case, era, parted=False))
            found = self._settled[era.number] = _Ways(lanes, unsure, doubtful, bodies, wrong_way)
        return found

    def _bodies(self, guards: int) -> int:
        return bits_at(self._slice.orgs(guards), len(self._terrain.names) + 1)

    def _speakers(self, case: Case) -> tuple[int, int]:
        """The lanes of parties for which the originator does not act, and those of parties for which it may."""
        silent = ambiguous = 0
        for (discloser, personal), lanes in self._slice.speakers.items():
            reached = speaking_as(case, self._terrain, discloser, personal=personal)
            silent |= 0 if reached else lanes
            ambiguous |= lanes if reached and reached.ambiguous else 0
        return silent, ambiguous

    def _follow(self, ways: Mapping[Signed, Runs], case: Case, era: Era, silent: int) -> tuple[int, int, int, int]:
        """The lanes along roads that are open, those that have a road on which the body is one of several candidates,
        those that have no other, and the bodies. A division's parent may be reached by two roads at once."""
        starts: list[int] = []
        ends: list[int] = []
        unsure = doubtful = 0
        met: list[int] = []
        number = self._terrain.number
        for (party, personal), runs in ways.items():
            roads = era.receivers(party, case, personal=personal)
            for reached in roads:
                body = number[reached.org]
                if run := runs.get(body):
                    starts.append(run[0])
                    ends.append(run[1])
                    if reached.ambiguous:
                        unsure |= span_of(*run)
                        doubtful |= 0 if _is_sure(reached.org, roads) else span_of(*run)
                    if not silent or span_of(*run) & ~silent:
                        met.append(body)
        return _sum_of(starts, ends, self._slice.width), unsure, doubtful, bits_at(met, len(number) + 1)

    def _wrong_way(self, case: Case, era: Era, *, parted: bool) -> Iterator[str]:
        """As `Bodies.wrong_way_to` has it; `parted`: what depends on the concern, else what does not."""
        for (recipient, personal), tellers in self._heard.items():
            hears_in_parts = self._terrain.is_parted(recipient)
            if parted or not hears_in_parts:
                reached = era.receivers(recipient, case, personal=personal)
                if any(row.org == case.originator for row in reached):
                    yield from tellers.some(case, era, parted=parted, everybody=parted and hears_in_parts)


class _Tellers:
    """Who may tell one party: those that are always themselves, and those that have to be followed."""

    __slots__ = ("parted", "personal", "still", "whole")

    def __init__(self, parties: Iterable[str], terrain: Terrain, *, personal: bool) -> None:
        listed = sorted(parties)
        self.personal = personal
        self.still = tuple(party for party in listed if terrain.stands_still(party))
        moving = [party for party in listed if not terrain.stands_still(party)]
        self.parted = tuple(party for party in moving if terrain.is_parted(party))
        self.whole = tuple(party for party in moving if not terrain.is_parted(party))

    def some(self, case: Case, era: Era, *, parted: bool, everybody: bool) -> Iterator[str]:
        followed = (*self.parted, *self.whole) if everybody else self.parted if parted else self.whole
        if everybody or not parted:
            yield from self.still
        for party in followed:
            yield from (row.org for row in era.receivers(party, case, personal=self.personal))


def _heard(slice_: Slice, terrain: Terrain) -> dict[Signed, _Tellers]:
    found: dict[Signed, set[str]] = {}
    for discloser, recipient, personal in slice_.heard:
        found.setdefault((recipient, personal), set()).add(discloser)
    return {signed: _Tellers(parties, terrain, personal=signed[1]) for signed, parties in found.items()}


def _is_sure(org: str, roads: Iterable[Reached]) -> bool:
    return any(road.org == org and not road.ambiguous for road in roads)


def _sum_of(starts: Iterable[int], ends: Iterable[int], width: int) -> int:
    """The union of runs that do not overlap: the sum of their ends less that of their starts.

    Where one run ends as the next begins, both cancel out.
    """
    ending, beginning = set(ends), set(starts)
    both = ending & beginning
    return bits_at(ending - both, width) - bits_at(beginning - both, width)


def speaking_as(case: Case, terrain: Terrain, discloser: str, *, personal: bool) -> Reached | None:
    """Rule 5, as `Bodies` has it: a parent also originates under its division's signature."""
    for reached in case.bodies.resolve(discloser, personal=personal):
        if case.originator in (reached.org, terrain.parent(reached.org)):
            return reached
    return None
