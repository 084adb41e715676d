"""The lanes of one body as clauses again: what the reference tries, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from shared.agreements.case import Attempt, Case
from shared.agreements.fast.bits import places_of, span_of
from shared.agreements.fast.footing import Footing, speaking_as
from shared.agreements.fast.slice import Slice
from shared.agreements.fast.terrain import Terrain


class Roads:
    """The lanes of one originator as the reference tries them, along each road to a body."""

    def __init__(self, case: Case, terrain: Terrain, slice_: Slice, footing: Footing) -> None:
        self._case = case
        self._terrain = terrain
        self._slice = slice_
        self._footing = footing

    def to(self, org: str) -> Iterator[Attempt]:
        """Every clause by which the originator might tell the body."""
        return self.along(org, self._footing.active)

    def along(self, org: str, lanes: int) -> Iterator[Attempt]:
        """Those of these lanes."""
        for place in places_of(lanes & self.lanes_of(org)):
            yield from self._of_lane(org, place)

    def lanes_of(self, org: str) -> int:
        return span_of(*self._slice.layout.run_of(self._terrain.number[org]))

    def cite(self, place: int) -> str:
        said = self._slice.said_at[place]
        return f"{said.agreement}/{said.clause}"

    def _of_lane(self, org: str, place: int) -> Iterator[Attempt]:
        case, said, party = self._case, self._slice.said_at[place], self._slice.party_of[place]
        agreement = case.snapshot.sharing(said.agreement)
        assert agreement is not None  # noqa: S101 - the slice was read from it
        discloser = speaking_as(case, self._terrain, said.discloser, personal=said.personal)
        assert discloser is not None  # noqa: S101 - the lane is active
        cite = self.cite(place)
        clause = next(clause for clause in agreement.clauses if clause.cite == cite)
        for road in self._footing.era.receivers(party, case, personal=said.personal):
            if road.org == org:
                yield Attempt(case, agreement, clause, discloser, road)
