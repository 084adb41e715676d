"""A concern before the graph, of which nothing is looked up by walking through the graph."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from operator import attrgetter

from shared.agreements.case import Case
from shared.agreements.facts import NONE, Facts
from shared.agreements.fast.remits import Remits
from shared.agreements.fast.terrain import terrain_of
from shared.agreements.holds import unknown_terms
from shared.agreements.model import Bar
from shared.agreements.snapshot import Snapshot

WORDS_KEPT_MAX = 20_000
_WORDS = (
    "categories", "topics", "functions", "flags", "purposes", "urgency", "nation", "setting", "victim",
    "fault_holder", "provider_status", "sensitivity", "named_recipients", "subjects", "onward", "marking",
    "provenance", "field_classes", "gateways",
)  # fmt: skip
_words_of = attrgetter(*_WORDS)


class Common:
    """What all decisions on one graph share and no commit on agreements alone changes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.graph = snapshot.graph
        self.terrain = terrain_of(snapshot)
        self.remits = Remits(self.terrain)
        self._implied: dict[str, set[str]] = {}
        for row in self.graph.successions:
            for category in row.categories if row.kind != "planned" else ():
                self._implied.setdefault(category, set()).update(row.functions)
        self._bars: dict[str, list[Bar]] = {}
        for bar in self.graph.bars.values():
            for org in {org for holder in bar.holders for org in (holder, *self.terrain.bodies_of(holder))}:
                self._bars.setdefault(org, []).append(bar)
        self._known: tuple[set[Hashable], ...] = tuple(set() for _ in _WORDS)

    def serves(self, snapshot: Snapshot) -> bool:
        """Whether it is the same for that snapshot: of its graph nothing but agreements may differ."""
        mine, other = self.graph, snapshot.graph
        return self.terrain.fits(other) and all(
            getattr(mine, name) is getattr(other, name) for name in ("bars", "duties", "policy", "vocabularies")
        )

    def implied(self, categories: Iterable[str]) -> frozenset[str]:
        """As `implied_functions` has it."""
        if self._implied.keys().isdisjoint(categories):
            return NONE
        return frozenset(name for category in categories for name in self._implied.get(category, ()))

    def bars_of(self, org: str) -> Collection[Bar]:
        """Those that could ever bind the body, in their order."""
        return self._bars.get(org, ())

    def knows(self, facts: Facts) -> bool:
        """Whether every word and body of the concern is known, each looked up once."""
        if facts.originator not in self.terrain.number:
            return False
        words = _words_of(facts)
        for word, known in zip(words, self._known, strict=True):
            if word not in known:
                return self._learn(words, facts)
        return True

    def _learn(self, words: Iterable[Hashable], facts: Facts) -> bool:
        if unknown_terms(self.graph, facts):
            return False
        for word, known in zip(words, self._known, strict=True):
            if len(known) >= WORDS_KEPT_MAX:
                known.clear()
            known.add(word)
        return True


class SwiftCase(Case):
    """A case made from what all decisions share. `withholds`: a bar that may keep it back binds the originator."""

    def __init__(self, snapshot: Snapshot, facts: Facts, common: Common) -> None:
        self.snapshot = snapshot
        self.facts = facts
        self.graph = snapshot.graph
        self.policy = snapshot.graph.policy
        self.words = snapshot.graph.vocabularies
        self.originator = facts.originator
        self.day = facts.day
        self.functions = facts.functions or common.implied(facts.categories)
        self.subjects = self._subjects_of(facts) if facts.subjects else NONE
        bars = common.bars_of(facts.originator)
        self.bars = tuple(bar for bar in bars if self._binds(bar)) if bars else ()
        self.withholds = any(bar.withholds for bar in self.bars)
        self.forbidden = NONE
        self._parties = {}
        self._remits = {}
