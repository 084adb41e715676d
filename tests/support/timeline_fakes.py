"""The graph over time in memory; the conformance suite holds it to Postgres."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from services.registry.domain.intervals import IN_FORCE, PARTY, SUSPENDED, TIMED, Interval, intervals_of
from services.registry.domain.model import Commit, StoredObject
from services.registry.domain.timeline import Key, Recorded, Search


class InMemoryTimeline:
    """Answers from a list of commits, with their objects, oldest first."""

    __slots__ = ()

    @property
    def _all(self) -> list[Commit]:
        raise NotImplementedError

    async def known_at(self, moment: datetime) -> Commit | None:
        known = [replace(commit, objects=()) for commit in self._all if commit.committed_at <= moment]
        return known[-1] if known else None

    async def search(self, search: Search, *, after: str, count_max: int) -> Sequence[str]:
        stored = self._at(search.version)
        found = (s.item.id for key, s in sorted(stored.items()) if key[0] == search.kind and _is_asked(s, search))
        return [object_id for object_id in found if object_id > after][:count_max]

    async def lineages(self, names: Collection[str], version: int) -> Sequence[str]:
        intervals = (each for stored in self._at(version).values() for each in _intervals(stored))
        return sorted(each.object_id for each in intervals if each.lineage and each.lineage in names)

    async def states(self, keys: Collection[Key], version: int) -> Sequence[StoredObject]:
        stored = self._at(version)
        return [stored[key] for key in sorted(set(keys) & stored.keys())]

    async def of_kind(self, kind: str, version: int) -> Sequence[StoredObject]:
        return [stored for key, stored in sorted(self._at(version).items()) if key[0] == kind]

    async def past(self, kind: str, object_id: str) -> Sequence[Recorded]:
        made = [(commit, item) for commit in self._all for item in commit.objects if item.key == (kind, object_id)]
        ends = [commit.committed_at for commit, _ in made[1:]]
        return [
            Recorded(replace(commit, objects=()), until, item)
            for (commit, item), until in zip(made, [*ends, None], strict=False)
        ]

    async def touched(self, after: int, until: int) -> Sequence[Key]:
        return sorted({item.key for commit in self._all if after < commit.version <= until for item in commit.objects})

    def _at(self, version: int) -> dict[Key, StoredObject]:
        commits = (commit for commit in self._all if commit.version <= version)
        return {item.key: StoredObject(commit.version, item) for commit in commits for item in commit.objects}


def _is_asked(stored: StoredObject, search: Search) -> bool:
    intervals = list(_intervals(stored))
    parties = {each.party for each in intervals if each.facet == PARTY and _covers(each, search.day)}
    in_time = search.in_force_on is None or _is_in_force(intervals, search.in_force_on)
    return in_time and (search.party is None or search.party in parties)


def _is_in_force(intervals: Sequence[Interval], day: date) -> bool:
    facets = {each.facet for each in intervals if _covers(each, day)}
    return IN_FORCE in facets and SUSPENDED not in facets


def _covers(interval: Interval, day: date) -> bool:
    return (interval.start or "") <= day.isoformat() < (interval.end or "~")


def _intervals(stored: StoredObject) -> Iterator[Interval]:
    if stored.item.kind in TIMED:
        yield from intervals_of(stored.item.row())
