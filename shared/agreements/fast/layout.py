"""Where the lanes of each body lie: a run of places, with a guard above it.

A sum does for all bodies at once what a loop would do for each: `lanes + any` carries into the guard of every body of
which at least one lane is in the set, and into no other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from operator import itemgetter

from shared.agreements.fast.bits import bits_at, places_of
from shared.agreements.kept import keep

FILLS_KEPT_MAX = 64
FEW_GUARDS = 64
FEW_PIECES = 32
Piece = tuple[int, int, int]


class Layout:
    """The runs of bodies, given as (body, how many lanes) in the order of their numbers. Immutable."""

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        self.guard_of: dict[int, int] = {}
        self._starts = array("I")
        place = 0
        for body, count in runs:
            self._starts.append(place)
            self.guard_of[body] = place + count
            place += count + 1
        self.width = place + 1
        self.guards = bits_at(self.guard_of.values(), self.width)
        self.lanes = ((1 << place) - 1) ^ self.guards
        self._numbers = tuple(self.guard_of)
        self.bodies = bits_at(self._numbers, max(self._numbers, default=0) + 1)
        self._body_at = {place: body for body, place in self.guard_of.items()}
        self._pick = itemgetter(*self._body_at) if len(self._body_at) > FEW_GUARDS else None
        self._start_of = dict(zip(self._numbers, self._starts, strict=True))
        self._fills: dict[int, tuple[int, int]] = {}

    def any_of(self, lanes: int) -> int:
        """The guards of the bodies of which a lane is in the set."""
        return (lanes + self.lanes) & self.guards

    def orgs(self, guards: int) -> list[int]:
        """The bodies of these guards, by number, ascending."""
        if self._pick is None or guards.bit_count() <= FEW_GUARDS:
            return [self._body_at[place] for place in places_of(guards)]
        return list(compress(self._numbers, map("1".__eq__, self._pick(f"{guards:0{self.width}b}"[::-1]))))

    def fill(self, bodies: int) -> tuple[int, int]:
        """All lanes of these bodies, given as a set of numbers, and their guards."""
        known = bodies & self.bodies
        found = self._fills.get(known)
        if found is None:
            starts = bits_at((self._start_of[body] for body in places_of(known)), self.width)
            carried = self.lanes + starts
            made = self.lanes ^ (carried & self.lanes), carried & self.guards
            found = keep(self._fills, known, made, FILLS_KEPT_MAX)
        return found

    def run_of(self, body: int) -> tuple[int, int]:
        """The places `[start, guard)` of a body's lanes; none for a body without any."""
        return self._start_of.get(body, 0), self.guard_of.get(body, 0)

    def body_of(self, place: int) -> int:
        """The body of a lane."""
        return self._numbers[bisect_right(self._starts, place) - 1]

    def relaid(self, gone: Sequence[int], fresh: Sequence[int]) -> tuple[Layout, Moves]:
        """The layout without the lanes at these places, ascending, and with one more for each of these bodies,
        ascending; new lanes of a body lie at the end of its run."""
        lost, won = Counter(map(self.body_of, gone)), Counter(fresh)
        counts = {body: guard - self._start_of[body] for body, guard in self.guard_of.items()}
        for body in {**lost, **won}:
            counts[body] = counts.get(body, 0) - lost[body] + won[body]
        after = Layout((body, counts[body]) for body in sorted(counts) if counts[body])
        drops = {*gone, *(self.guard_of[body] for body in lost if not counts[body])}
        makes = {self._end_of(body): 0 for body in won}
        for body, count in won.items():
            makes[self._end_of(body)] += count + (body not in self.guard_of)
        places = [after.guard_of[body] - count + n for body, count in won.items() for n in range(count)]
        return after, Moves(list(_kept(drops, makes, self.width)), after.width, places)

    def _end_of(self, body: int) -> int:
        """The place before which new lanes of a body go: its guard, or where its run would begin."""
        guard = self.guard_of.get(body)
        if guard is not None:
            return guard
        above = bisect_right(self._numbers, body)
        return self._starts[above] if above < len(self._starts) else self.width - 1


class Moves:
    """Where the places of one layout are in the next: pieces `(start, end, place)` that move as they are."""

    __slots__ = ("_pieces", "fresh", "width")

    def __init__(self, pieces: Sequence[Piece], width: int, fresh: Sequence[int]) -> None:
        self._pieces = pieces
        self.width = width
        self.fresh = fresh

    def set(self, bits: int) -> int:
        """The same lanes in the next layout."""
        if len(self._pieces) > FEW_PIECES:
            return self._of_many(bits)
        found = 0
        for start, end, place in self._pieces:
            found |= ((bits >> start) & ((1 << end - start) - 1)) << place
        return found

    def row(self, values: array[int]) -> array[int]:
        """The same values by place in the next layout; 0 where a place is new."""
        found = array("I", bytes(4 * self.width))
        for start, end, place in self._pieces:
            found[place : place + end - start] = values[start:end]
        return found

    def _of_many(self, bits: int) -> int:
        """By its text: each piece costs little more than its digits."""
        upto = max(end for _, end, _ in self._pieces)
        text, found = f"{bits:0{upto}b}".encode()[::-1], bytearray(b"0" * self.width)
        for start, end, place in self._pieces:
            found[place : place + end - start] = text[start:end]
        found.reverse()
        return int(found, 2)


def _kept(drops: set[int], makes: Mapping[int, int], width: int) -> Iterator[Piece]:
    """What lies between two places that go, or before which new ones come."""
    upto = place = 0
    for at in sorted(drops.union(makes)):
        if at > upto:
            yield upto, at, place
        place += at - upto + makes.get(at, 0)
        upto = at + (at in drops)
    yield upto, width, place
