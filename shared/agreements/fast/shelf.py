"""The slices of the bodies that spoke: read when first needed, kept in order of use, changed with the graph."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from threading import Lock

from shared.agreements.facts import NONE, Terms
from shared.agreements.fast.footing import Footings
from shared.agreements.fast.lanes import Finder
from shared.agreements.fast.slice import Slice
from shared.agreements.fast.terrain import Terrain
from shared.agreements.snapshot import Snapshot

WEIGHT_KEPT_MAX = 500_000
"""In lanes, of all slices together: some 60 MB."""
SLICE_WEIGHT = 150
"""What a slice takes however few lanes it has."""
_KEPT_SHARE = 0.9
Key = tuple[str, Terms]
_uses = count(1)


class Held:
    """A slice with its footings, and when it was last used."""

    __slots__ = ("footings", "slice", "used")

    def __init__(self, slice_: Slice, terrain: Terrain) -> None:
        self.slice = slice_
        self.footings = Footings(slice_, terrain)
        self.used = next(_uses)

    @property
    def weight(self) -> int:
        return SLICE_WEIGHT + self.slice.width


class Shelf:
    """Slices of one snapshot, by body and by whom a concern names. Shared freely between threads: each is read once,
    and nobody waits for another's."""

    def __init__(self, snapshot: Snapshot, terrain: Terrain) -> None:
        self.snapshot = snapshot
        self._terrain = terrain
        self._finder = Finder(snapshot, terrain)
        self._held: dict[Key, Held] = {}
        self._lock = Lock()
        self._reading: dict[Key, Lock] = {}

    def get(self, org: str, named: Terms = NONE) -> Held:
        """What the body may say to a concern that names these parties."""
        plain = self._held.get((org, NONE)) or self._read((org, NONE))
        plain.used = next(_uses)
        if not named or not plain.slice.naming:
            return plain
        found = self._held.get((org, named)) or self._read((org, named))
        found.used = next(_uses)
        return found

    def lacks(self, org: str, named: Terms = NONE) -> bool:
        """Whether it has yet to be read."""
        plain = self._held.get((org, NONE))
        return plain is None or bool(named and plain.slice.naming and (org, named) not in self._held)

    @property
    def is_half_full(self) -> bool:
        """Whether half of what may be kept is there."""
        return 2 * self._weight() >= WEIGHT_KEPT_MAX

    def spoken(self) -> list[str]:
        """The bodies of which slices are kept, the one used last first."""
        held = self._held.copy().items()
        return [org for (org, named), _ in sorted(held, key=lambda row: -row[1].used) if not named]

    def after(self, snapshot: Snapshot, agreements: Collection[str], parties: Collection[str]) -> Shelf:
        """The same for the snapshot after a change of these agreements, which are or were those of these parties: of
        the slices only their lanes are another."""
        after = Shelf(snapshot, self._terrain)
        for key, held in self._held.copy().items():
            touched = not snapshot.acting_for(key[0]).isdisjoint(parties)
            if not touched:
                after._held[key] = held
            elif not key[1]:
                after._held[key] = self._changed(key[0], held, after._finder, agreements)
        return after

    def _changed(self, org: str, held: Held, finder: Finder, agreements: Collection[str]) -> Held:
        lost, found = self._finder.find(org, agreements), finder.find(org, agreements)
        changed = Held(held.slice.after(agreements, lost, found), self._terrain)
        changed.used = held.used
        return changed

    def _read(self, key: Key) -> Held:
        with self._lock:
            reading = self._reading.setdefault(key, Lock())
        with reading:
            return self._held.get(key) or self._keep(key, Held(self._made(*key), self._terrain))

    def _made(self, org: str, named: Terms) -> Slice:
        if not named:
            return Slice(org).after((), self._finder.find(org, ()), self._finder.find(org))
        plain = self.get(org).slice
        return plain.also(self._finder.named(org, plain.naming, named))

    def _keep(self, key: Key, held: Held) -> Held:
        with self._lock:
            self._reading.pop(key, None)
            self._held[key] = held
            self._forget(self._weight())
        return held

    def _weight(self) -> int:
        return sum(row.weight for row in self._held.copy().values())

    def _forget(self, weight: int) -> None:
        """The slices that were used longest ago go, but never the last one."""
        if weight <= WEIGHT_KEPT_MAX:
            return
        for key in sorted(self._held, key=lambda key: self._held[key].used)[:-1]:
            if weight <= WEIGHT_KEPT_MAX * _KEPT_SHARE:
                break
            weight -= self._held.pop(key).weight
