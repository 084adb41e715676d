"""Who should know, of all bodies at once: equal remits are looked at once, whoever has them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from shared.agreements.case import Case
from shared.agreements.days import Span
from shared.agreements.fast.bits import bits_at, places_of
from shared.agreements.fast.terrain import Terrain
from shared.agreements.kept import keep
from shared.agreements.model import Scope
from shared.agreements.scope import REMIT_TESTS

KEPT_MAX = 512


class Covered:
    """Of each category of a concern the bodies in whose remit it lies, and all of them. One for equal concerns, so
    that others may keep what follows from it by the object itself."""

    __slots__ = ("anybody", "by_category")

    def __init__(self, by_category: Mapping[str, int]) -> None:
        self.by_category = by_category
        self.anybody = 0
        for bodies in by_category.values():
            self.anybody |= bodies


class Remits:
    """The remits of a graph: each different one once, with its holders."""

    def __init__(self, terrain: Terrain) -> None:
        held: dict[tuple[Scope, Span, bool], list[int]] = {}
        for org, number in terrain.number.items():
            for remit in terrain.graph.organisations[org].remits:
                held.setdefault((remit.scope, remit.span, remit.assumed), []).append(number)
        self._rows = tuple(held)
        self._holders = tuple(bits_at(numbers, len(terrain.names)) for numbers in held.values())
        self._naming: dict[str, int] = {}
        for place, (scope, _, _) in enumerate(self._rows):
            for category in scope.categories:
                self._naming[category] = self._naming.get(category, 0) | 1 << place
        self._kept: dict[Hashable, Covered] = {}

    def covered(self, case: Case) -> Covered:
        """As `categories_in_remit` has it, for every body."""
        facts = case.facts
        key = (
            (case.day, case.policy.assumed_remits, facts.categories, facts.nation, facts.subjects, facts.setting),
            (facts.victim, facts.provider_status, facts.fault_holder, facts.topics, case.functions, facts.purposes),
        )
        found = self._kept.get(key)
        if found is None:
            found = keep(self._kept, key, self._cover(case), KEPT_MAX)
        return found

    def _cover(self, case: Case) -> Covered:
        naming = {category: self._naming.get(category, 0) for category in case.facts.categories}
        asked = 0
        for places in naming.values():
            asked |= places
        covering = {place for place in places_of(asked) if self._covers(place, case)}
        return Covered({category: self._held(places, covering) for category, places in naming.items()})

    def _covers(self, place: int, case: Case) -> bool:
        scope, span, assumed = self._rows[place]
        if not span.covers(case.day) or (assumed and not case.policy.assumed_remits):
            return False
        return all(test(scope, case) is None for test in REMIT_TESTS)

    def _held(self, places: int, covering: set[int]) -> int:
        bodies = 0
        for place in places_of(places):
            if place in covering:
                bodies |= self._holders[place]
        return bodies
