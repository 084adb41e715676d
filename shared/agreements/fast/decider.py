"""The fast path: decides as the reference does, on sets instead of one clause after the other."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from threading import Lock

from shared.agreements.case import Case
from shared.agreements.decide import decide
from shared.agreements.decision import Decision
from shared.agreements.facts import Facts
from shared.agreements.fast.decided import Ground, Rows, Swift
from shared.agreements.fast.footing import WIDE, Footings
from shared.agreements.fast.lanes import Finder
from shared.agreements.fast.remits import Remits
from shared.agreements.fast.slice import Slice, slice_of
from shared.agreements.fast.sorted import Apart, Joined, silent_bodies
from shared.agreements.fast.terrain import terrain_of
from shared.agreements.fast.trial import Trial
from shared.agreements.hints import suggest_onward
from shared.agreements.holds import unknown_terms
from shared.agreements.load.objects import Row
from shared.agreements.model import Bar
from shared.agreements.snapshot import Snapshot

WORDS_KEPT_MAX = 20_000
SLICES_KEPT_MAX = 2_048
_WORDS = (
    "categories", "topics", "functions", "flags", "purposes", "urgency", "nation", "setting", "victim",
    "fault_holder", "provider_status", "sensitivity", "named_recipients", "subjects", "gateways", "onward",
    "marking", "provenance", "field_classes",
)  # fmt: skip


class SwiftCase(Case):
    """A case of which nothing is looked up by walking through the graph."""

    def __init__(self, snapshot: Snapshot, facts: Facts, ground: Common) -> None:
        self.snapshot = snapshot
        self.facts = facts
        self.graph = snapshot.graph
        self.policy = snapshot.graph.policy
        self.words = snapshot.graph.vocabularies
        self.originator = facts.originator
        self.opened = facts.opened
        self.day = facts.day
        self.functions = facts.functions or ground.implied(facts.categories)
        self.bodies = snapshot.bodies(self.day, facts.functions, facts.categories)
        self.subjects = frozenset(
            org for subject in facts.subjects if subject.org for org in self.bodies.acting_for(subject.org)
        )
        self.bars = tuple(bar for bar in ground.bars_of(facts.originator) if self._binds(bar))
        self.forbidden = frozenset()
        self._parties = {}
        self._remits = {}


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
        self._known: set[Hashable] = set()

    def serves(self, snapshot: Snapshot) -> bool:
        """Whether it is the same for that snapshot: of its graph nothing but agreements may differ."""
        mine, other = self.graph, snapshot.graph
        return self.terrain.fits(other) and all(
            getattr(mine, name) is getattr(other, name) for name in ("bars", "duties", "policy", "vocabularies")
        )

    def implied(self, categories: Iterable[str]) -> frozenset[str]:
        """As `implied_functions` has it."""
        return frozenset(name for category in categories for name in self._implied.get(category, ()))

    def bars_of(self, org: str) -> Collection[Bar]:
        """Those that could ever bind the body, in their order."""
        return self._bars.get(org, ())

    def knows(self, facts: Facts) -> bool:
        """Whether every word and body of the concern is known, each looked up once."""
        if facts.originator not in self.terrain.number:
            return False
        words = [(name, getattr(facts, name)) for name in _WORDS]
        if self._known.issuperset(words):
            return True
        if unknown_terms(self.graph, facts):
            return False
        if len(self._known) >= WORDS_KEPT_MAX:
            self._known.clear()
        self._known.update(words)
        return True


class Decider:
    """Decides on one snapshot. Slices are built when a body first speaks and kept; shared freely between threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._common: Common | None = None
        self._finder: Finder | None = None
        self._slices: dict[str, tuple[Slice, Footings]] = {}
        self._lock = Lock()

    def decide(self, facts: Facts) -> Swift | Decision:
        """The decision, equal to the reference's; the reference decides what must wait whole, and `@named`."""
        common = self._ground()
        if not common.knows(facts):
            return decide(self.snapshot, facts)
        case = SwiftCase(self.snapshot, facts, common)
        if case.originator in case.subjects:
            return decide(self.snapshot, facts)
        slice_, footings = self.slice_of(facts.originator)
        if facts.named_recipients and slice_.names_bodies:
            return decide(self.snapshot, facts)
        terrain = common.terrain
        era = terrain.era(case.day)
        covered = common.remits.covered(case)
        trial = Trial(slice_, case, footings.of(case, era), covered, terrain)
        silent = silent_bodies(case, terrain)
        itself = 1 << terrain.number[case.originator]
        rows = Rows(Ground(case, terrain, era), Joined(trial, silent), Apart(trial, era, covered, silent, itself))
        return Swift(case, rows, self._suggest_onward)

    def slice_of(self, org: str) -> tuple[Slice, Footings]:
        """What the body may say; read now if it was not asked before."""
        found = self._slices.get(org)
        if found is None:
            with self._lock:
                found = self._slices.get(org) or self._build(org)
        return found

    def after(self, snapshot: Snapshot, changed: Iterable[Row]) -> Decider:
        """The same for the snapshot after a change; what it does not touch is taken over."""
        after = Decider(snapshot)
        common = self._common
        if common is not None and common.serves(snapshot):
            after._common = common
            touched = frozenset(self._touched(changed, snapshot))
            held = self._slices.copy().items()
            kept = ((org, row) for org, row in held if not touched & snapshot.acting_for(org))
            after._slices.update(kept)
        return after

    def _touched(self, changed: Iterable[Row], snapshot: Snapshot) -> Iterable[str]:
        """The parties of each changed agreement, and of each that it takes the place of, before and after."""
        for row in changed:
            if row["kind"] == "agreement":
                before = self.snapshot.graph.agreements.get(row["id"])
                yield from (party["org"] for party in row["parties"])
                yield from (party.org for party in (before.parties if before else ()))
                older = {row.get("supersedes"), before.supersedes if before else None} - {None}
                graphs = (self.snapshot.graph, snapshot.graph)
                found = (graph.agreements.get(str(name)) for graph in graphs for name in older)
                yield from (party.org for one in found if one for party in one.parties)

    def _ground(self) -> Common:
        if self._common is None:
            self._common = Common(self.snapshot)
        return self._common

    def _build(self, org: str) -> tuple[Slice, Footings]:
        terrain = self._ground().terrain
        if self._finder is None:
            self._finder = Finder(self.snapshot, terrain)
        slice_ = slice_of(org, self._finder, terrain)
        found = self._slices[org] = slice_, Footings(slice_, terrain)
        if len(self._slices) > SLICES_KEPT_MAX:
            self._forget()
        return found

    def _forget(self) -> None:
        """The slice that was read longest ago goes, but none that is long to read."""
        oldest = next((org for org, (held, _) in self._slices.items() if held.width <= WIDE), None)
        if oldest is not None:
            del self._slices[oldest]

    def _suggest_onward(self, case: Case, told: Iterable[str], gaps: Iterable[str]) -> list[str]:
        """As `suggest_onward` has it."""
        return suggest_onward(case, set(told), set(gaps))
