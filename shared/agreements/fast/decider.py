"""The fast path: decides as the reference does, on sets instead of one clause after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Lock

from shared.agreements.case import Attempt, Case
from shared.agreements.decision import Class
from shared.agreements.facts import Facts
from shared.agreements.fast.concern import Common, SwiftCase
from shared.agreements.fast.decided import Swift
from shared.agreements.fast.footing import Footing
from shared.agreements.fast.roads import Roads
from shared.agreements.fast.rows import Rows
from shared.agreements.fast.shelf import Held, Shelf
from shared.agreements.fast.sorted import Apart, Joined, silent_bodies
from shared.agreements.fast.trial import Trial
from shared.agreements.fast.waiting import Waiting
from shared.agreements.holds import contradictions, is_own_cause, whole_holds
from shared.agreements.load.objects import Row
from shared.agreements.snapshot import Snapshot

EXPECTED_MAX = 256
LONG_AGREEMENTS = 2_000
"""A body that is party to as many takes some tenths of a second to read."""

ROWS_OF_A_MOMENT = 100
"""So many rows with their clauses are written in some milliseconds."""


class Decider:
    """Decides on one snapshot. What a body may say is read when it is first needed; shared freely between threads.

    `expected`: bodies that spoke on the graph before, the last one first.
    """

    def __init__(self, snapshot: Snapshot, expected: Iterable[str] = ()) -> None:
        self.snapshot = snapshot
        self._expected = tuple(dict.fromkeys(expected))[:EXPECTED_MAX]
        self._ground: tuple[Common, Shelf] | None = None
        self._lock = Lock()

    def decide(self, facts: Facts) -> Swift:
        """The decision, equal to the reference's."""
        common, _ = self._stand()
        case = SwiftCase(self.snapshot, facts, common)
        if not common.knows(facts) or is_own_cause(case) or contradictions(case):
            return Waiting(case, whole_holds(case), self._in_conflict(case))
        trial = self._try(case)
        silent = silent_bodies(case, common.terrain)
        rows = Rows(case, common.terrain, Joined(trial, silent), Apart(trial, silent))
        return Swift(case, rows, self.suggest_onward)

    def slice_of(self, org: str) -> Held:
        """What the body may say; read now if it was not needed before."""
        return self._stand()[1].get(org)

    def lacks(self, facts: Facts) -> list[str]:
        """The bodies of which something has yet to be read before a decision is whole: the originator, and once that is
        there, whoever is told and might tell on."""
        shelf, named = self._stand()[1], facts.named_recipients
        if shelf.lacks(facts.originator, named):
            return [facts.originator]
        return [org for org in self.decide(facts).may_tell_on if shelf.lacks(org, named)]

    def takes_long(self, facts: Facts) -> bool:
        """Whether the whole decision takes more than some milliseconds: something has to be read, or much written."""
        if self.lacks(facts):
            return True
        count = self.decide(facts).totals()
        return sum(count[klass.value] for klass in (Class.TOLD, Class.AVAILABLE, Class.GAP)) > ROWS_OF_A_MOMENT

    def read_for(self, facts: Facts) -> None:
        """Read what is lacking; it may take seconds, and any thread can do it."""
        _, shelf = self._stand()
        for _ in range(2):
            for org in self.lacks(facts):
                shelf.get(org, facts.named_recipients)

    def ahead(self) -> Iterator[str]:
        """Of whom to read before it is needed: who spoke before, then who takes long; half of what may be kept."""
        common, shelf = self._stand()
        for org in dict.fromkeys((*self._expected, *self.snapshot.much_signed(LONG_AGREEMENTS))):
            if shelf.is_half_full:
                return
            if org in common.terrain.number and shelf.lacks(org):
                yield org

    def spoken(self) -> list[str]:
        """The bodies of which something was read, the one needed last first; then those of the graph before."""
        read = self._ground[1].spoken() if self._ground else []
        return list(dict.fromkeys((*read, *self._expected)))

    def after(self, snapshot: Snapshot, changed: Iterable[Row]) -> Decider:
        """The same for the snapshot after a change; of what was read only what the change touches is another."""
        after = Decider(snapshot, self.spoken())
        if self._ground is not None:
            common, shelf = self._ground
            if common.serves(snapshot):  # what else is kept rests on organisations, successions, bars, policy and words
                after._ground = common, shelf.after(snapshot, *self._touched(changed, snapshot))
        return after

    def _touched(self, changed: Iterable[Row], snapshot: Snapshot) -> tuple[set[str], set[str]]:
        """The changed agreements and those of which one is, or was, the later version; and the parties of all."""
        names = {row["id"] for row in changed if row["kind"] == "agreement"}
        held = (self.snapshot.graph.agreements, snapshot.graph.agreements)
        names |= {row.supersedes for graph in held for name in names if (row := graph.get(name)) and row.supersedes}
        found = [row for graph in held for name in names if (row := graph.get(name))]
        return names, {party.org for row in found for party in row.parties}

    def _stand(self) -> tuple[Common, Shelf]:
        if self._ground is None:
            with self._lock:
                if self._ground is None:
                    common = Common(self.snapshot)
                    self._ground = common, Shelf(self.snapshot, common.terrain)
        return self._ground

    def _try(self, case: SwiftCase) -> Trial:
        held, footing = self._footing_of(case)
        return Trial(held.slice, case, footing, self._stand()[0])

    def _footing_of(self, case: Case) -> tuple[Held, Footing]:
        common, shelf = self._stand()
        held = shelf.get(case.originator, case.facts.named_recipients)
        return held, held.footings.of(case, common.terrain.era(case.day))

    def _in_conflict(self, case: SwiftCase) -> frozenset[str]:
        """Rule 16: the bodies that a clause of the originator's excludes by conflict."""
        joined = Joined(self._try(case), 0)
        names = self._stand()[0].terrain.names
        return frozenset(names[number] for number in joined.trial.slice.layout.orgs(joined.in_conflict))

    def attempts(self, case: Case, org: str) -> tuple[Attempt, ...]:
        """Every clause by which the concern's originator might tell the body, as the reference tries it."""
        held, footing = self._footing_of(case)
        return tuple(Roads(case, self._stand()[0].terrain, held.slice, footing).to(org))

    def wrong_way(self, case: Case, orgs: Iterable[str]) -> frozenset[str]:
        """Those of the bodies that only a clause in the other direction joins to the originator."""
        terrain = self._stand()[0].terrain
        found = self._footing_of(case)[1].wrong_way
        return frozenset(org for org in orgs if found >> terrain.number[org] & 1)

    def suggest_onward(self, case: Case, told: Iterable[str], gaps: Iterable[str]) -> list[str]:
        """As `suggest_onward` has it: whom each body that is told would itself tell."""
        return [f"suggest-onward:{org}->{gap}" for org in sorted(told) for gap in self._would_tell(org, case, gaps)]

    def _would_tell(self, org: str, case: Case, gaps: Iterable[str]) -> list[str]:
        common, _ = self._stand()
        trial = self._try(SwiftCase(self.snapshot, replace(case.facts, originator=org), common))
        guards = Joined(trial, 0).told & trial.slice.layout.fill(common.terrain.set_of(gaps))[1]
        return [common.terrain.names[number] for number in trial.slice.layout.orgs(guards)]
