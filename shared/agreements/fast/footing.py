"""Where a body's lanes lead on one day: rules 5, 7, 8 and 11, for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.agreements import reasons
from shared.agreements.case import Case
from shared.agreements.fast.bits import bits_at, places_of
from shared.agreements.fast.days import Season
from shared.agreements.fast.gate import NUMBER, Shut
from shared.agreements.fast.lanes import Tied
from shared.agreements.fast.slice import Slice
from shared.agreements.fast.terrain import Asked, Era, Terrain
from shared.agreements.kept import keep
from shared.agreements.succession import Reached

FOOTINGS_KEPT_MAX = 8
WIDE = 10_000
FOOTINGS_OF_WIDE_KEPT_MAX = 128
OPENINGS_KEPT_MAX = 8
Party = tuple[str, bool]
"""A party, and whether its signature is personal."""
Ways = Mapping[Party, Mapping[int, list[int]]]
"""Of each party the lanes to each body that may receive for it."""
Stop = tuple[int, str, int]
"""A gate by its number, a reason, and the lanes of which it is the first that fails."""


class Opening(NamedTuple):
    """What the agreements themselves decide on one day: the lanes that are left, and where the others stopped."""

    alive: int
    stops: tuple[Stop, ...]


class Footing:
    """In one era, for a concern's functions: the lanes that lead somewhere, those with a road on which a person must
    choose the successor, those without any other, the guards of the bodies to which they lead; and, of bodies that no
    clause joins to the originator, all, those joined the other way, and those that are gone."""

    __slots__ = ("_openings", "active", "ambiguous", "apart", "doubtful", "era", "free", "gone", "guards", "wrong_way")

    def __init__(self, slice_: Slice, ways: _Ways, era: Era, itself: int) -> None:
        self.active = ways.lanes
        self.ambiguous = ways.unsure & ways.lanes
        self.doubtful = ways.doubtful & ways.lanes
        self.guards = slice_.any_of(ways.lanes)
        self.era = era
        self.free = era.able & ~(ways.bodies | itself)
        self.wrong_way = ways.wrong_way & self.free
        self.gone = era.gone & ~itself
        self.apart = self.free.bit_count() + self.gone.bit_count()
        self._openings: dict[tuple[int, int], Opening] = {}

    def opening(self, slice_: Slice, case: Case) -> Opening:
        """What capacity, mode, force, accession and assumption leave, by the days of receipt and incident."""
        calendar, incident = slice_.calendar, case.facts.incident_date
        turn = calendar.turn(case.day)
        key = turn, turn if incident is None else calendar.turn(incident)
        found = self._openings.get(key)
        if found is None:
            found = keep(self._openings, key, self._open(slice_, _season(slice_, case)), OPENINGS_KEPT_MAX)
        return found

    def _open(self, slice_: Slice, season: Season) -> Opening:
        stops, alive = list[Stop](), self.active
        for name, (reason, lanes) in _clause_gates(slice_, season):
            if hit := alive & lanes:
                stops.append((NUMBER[name], reason, hit))
                alive ^= hit
        return Opening(alive, tuple(stops))


def _season(slice_: Slice, case: Case) -> Season:
    """Rule 10: lanes that are read on the day of the incident, and the others on that of receipt."""
    season = slice_.calendar.season(case.day)
    if case.facts.incident_date is None or not slice_.by_incident:
        return season
    return season.but(slice_.by_incident, slice_.calendar.season(case.facts.incident_date))


def _clause_gates(slice_: Slice, season: Season) -> Iterator[tuple[str, Shut]]:
    """All that the agreement itself decides."""
    yield "capacity", (reasons.NOT_SIGNED, slice_.unsigned)
    yield "mode", (reasons.FEED_ONLY, slice_.feeds & slice_.permits)
    yield "mode", (reasons.RECORD_ONLY, slice_.records & slice_.permits)
    for shut in season.unforced.items():
        yield "in_force", shut
    yield "accession", (reasons.NOT_SIGNED, season.absent)
    yield "assumed", (reasons.ASSUMED_OFF, slice_.switched_off)


class _Ways(NamedTuple):
    """Lanes with the bodies to which they lead, and bodies that are joined the other way."""

    lanes: int
    unsure: int
    doubtful: int
    bodies: int
    wrong_way: int


class _Settled(NamedTuple):
    """The same of what falls into no parts, on which nobody has to choose."""

    lanes: int
    bodies: int
    wrong_way: int


class Footings:
    """The footings of one slice. Parties that may fall into parts are followed for each concern that the parts tell
    apart, all the others once in an era."""

    __slots__ = (
        "_asks", "_heard", "_itself", "_kept", "_parted", "_settled", "_slice", "_speaking", "_speaks_in_parts",
        "_still", "_terrain", "_whole",
    )  # fmt: skip

    def __init__(self, slice_: Slice, terrain: Terrain) -> None:
        self._slice = slice_
        self._terrain = terrain
        self._itself = terrain.set_of((slice_.originator,))
        self._still = slice_.lanes ^ slice_.moving
        moving = _moving(slice_)
        heard = {party for tie in slice_.heard for party in tie[:2] if party not in terrain.still}
        speakers = slice_.speakers.items()
        plain = slice_.originator in terrain.still
        self._speaking = {who: lanes for who, lanes in speakers if not (plain and who[0] == slice_.originator)}
        self._asks = terrain.parts({*heard, *(who[0] for who in moving), *(who[0] for who in slice_.speakers)})
        self._whole = {party: ways for party, ways in moving.items() if not terrain.is_parted(party[0])}
        self._parted = {party: ways for party, ways in moving.items() if terrain.is_parted(party[0])}
        self._heard = _heard(slice_.heard, terrain)
        self._speaks_in_parts = any(terrain.is_parted(party) for party, _ in self._speaking)
        self._settled: dict[int, _Settled] = {}
        self._kept: dict[tuple[int, Asked], Footing] = {}

    def of(self, case: Case, era: Era) -> Footing:
        """The footing on which the concern is decided."""
        functions, categories = self._asks
        facts = case.facts
        asked = (True, facts.functions & functions) if facts.functions else (False, facts.categories & categories)
        found = self._kept.get((era.number, asked))
        if found is None:
            made = Footing(self._slice, self._work_out(case, era), era, self._itself)
            most = FOOTINGS_OF_WIDE_KEPT_MAX if self._slice.width > WIDE else FOOTINGS_KEPT_MAX
            found = keep(self._kept, (era.number, asked), made, most)
        return found

    def _work_out(self, case: Case, era: Era) -> _Ways:
        settled = self._settle(case, era)
        silent, ambiguous = self._speakers(case)
        parted, unsure, doubtful, bodies = self._follow(self._parted, case, era, silent)
        lanes = (settled.lanes | parted) & ~silent
        joined = settled.bodies | bodies
        if self._speaks_in_parts:
            joined = self._bodies(self._slice.any_of(lanes))
        wrong_way = settled.wrong_way | self._terrain.set_of(self._wrong_way(case, era, parted=True))
        return _Ways(lanes, ambiguous | unsure, ambiguous | doubtful, joined, wrong_way)

    def _settle(self, case: Case, era: Era) -> _Settled:
        """What no concern can tell apart within an era: nobody has to choose where nothing falls into parts."""
        found = self._settled.get(era.number)
        if found is None:
            silent, _ = self._speakers(case)
            moved, *_ = self._follow(self._whole, case, era, 0)
            lanes = self._still | moved
            bodies = self._bodies(self._slice.any_of(lanes & ~silent))
            wrong_way = self._terrain.set_of(self._wrong_way(case, era, parted=False))
            found = keep(self._settled, era.number, _Settled(lanes, bodies, wrong_way), FOOTINGS_KEPT_MAX)
        return found

    def _bodies(self, guards: int) -> int:
        return bits_at(self._slice.layout.orgs(guards), len(self._terrain.names))

    def _speakers(self, case: Case) -> tuple[int, int]:
        """The lanes of parties for which the originator does not act, and those of parties for which it may."""
        silent = ambiguous = 0
        for (discloser, personal), lanes in self._speaking.items():
            reached = speaking_as(case, self._terrain, discloser, personal=personal)
            silent |= 0 if reached else lanes
            ambiguous |= lanes if reached and reached.ambiguous else 0
        return silent, ambiguous

    def _follow(self, moving: Ways, case: Case, era: Era, silent: int) -> tuple[int, int, int, int]:
        """The lanes along roads that are open, those that have a road on which the body is one of several candidates,
        those that have no other, and the bodies. A division's parent may be reached by two roads at once."""
        open_: list[int] = []
        unsure: list[int] = []
        doubtful: list[int] = []
        met: list[int] = []
        for (party, personal), ways in moving.items():
            roads = era.receivers(party, case, personal=personal)
            for reached in roads:
                body = self._terrain.number[reached.org]
                places = ways.get(body, ())
                open_ += places
                if reached.ambiguous:
                    unsure += places
                    doubtful += () if _is_sure(reached.org, roads) else places
                if places and not (silent and all(silent >> place & 1 for place in places)):
                    met.append(body)
        width = self._slice.width
        bodies = bits_at(met, len(self._terrain.names))
        return bits_at(open_, width), bits_at(unsure, width), bits_at(doubtful, width), bodies

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
        self.still = tuple(party for party in listed if party in terrain.still)
        moving = [party for party in listed if party not in terrain.still]
        self.parted = tuple(party for party in moving if terrain.is_parted(party))
        self.whole = tuple(party for party in moving if not terrain.is_parted(party))

    def some(self, case: Case, era: Era, *, parted: bool, everybody: bool) -> Iterator[str]:
        followed = (*self.parted, *self.whole) if everybody else self.parted if parted else self.whole
        if everybody or not parted:
            yield from self.still
        for party in followed:
            yield from (row.org for row in era.receivers(party, case, personal=self.personal))


def _moving(slice_: Slice) -> dict[Party, dict[int, list[int]]]:
    found: dict[Party, dict[int, list[int]]] = {}
    for place in places_of(slice_.moving):
        party = slice_.party_of[place], slice_.said_at[place].personal
        found.setdefault(party, {}).setdefault(slice_.layout.body_of(place), []).append(place)
    return found


def _heard(ties: Iterable[Tied], terrain: Terrain) -> dict[Party, _Tellers]:
    found: dict[Party, list[str]] = {}
    for tie in ties:
        found.setdefault(tie[1:], []).append(tie.discloser)
    return {party: _Tellers(parties, terrain, personal=party[1]) for party, parties in found.items()}


def _is_sure(org: str, roads: Iterable[Reached]) -> bool:
    return any(road.org == org and not road.ambiguous for road in roads)


def speaking_as(case: Case, terrain: Terrain, discloser: str, *, personal: bool) -> Reached | None:
    """Rule 5, as `Bodies` has it: a parent also originates under its division's signature."""
    for reached in case.bodies.resolve(discloser, personal=personal):
        if case.originator in (reached.org, terrain.parent(reached.org)):
            return reached
    return None
