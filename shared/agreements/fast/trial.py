"""All gates over all lanes of one body: what each gate stops, and which bodies that leaves."""

from __future__ import annotations

from collections.abc import Iterable

from shared.agreements import reasons
from shared.agreements.bars import shut_bars
from shared.agreements.case import Attempt
from shared.agreements.fast.concern import Common, SwiftCase
from shared.agreements.fast.footing import Footing
from shared.agreements.fast.gate import NUMBER, Shut
from shared.agreements.fast.slice import Slice
from shared.agreements.rights import Right
from shared.agreements.succession import Reached

REMIT, ONWARD, BAR = NUMBER["remit"], NUMBER["onward"], NUMBER["bar"]


class Trial:
    """Every lane before every gate. What the last two gates ask, of whole bodies, is left to the bodies."""

    __slots__ = (
        "_alive", "_terrain", "about", "arrived", "case", "covered", "footing", "in_remit", "passed", "permitted",
        "prohibiting", "slice", "stops", "telling", "waiting",
    )  # fmt: skip

    def __init__(self, slice_: Slice, case: SwiftCase, footing: Footing, common: Common) -> None:
        self.slice = slice_
        self.case = case
        self.footing = footing
        self.covered = covered = common.remits.covered(case)
        self._terrain = common.terrain
        self.about = common.terrain.set_of(case.subjects) if case.subjects else 0
        self._alive, stops = footing.opening(slice_, case)
        self.stops = [*stops]
        for gate in slice_.scope_gates:
            self._stop(gate.number, gate.shut(case))
        met, self.in_remit = slice_.met(covered)
        before = self._alive
        self._stop(REMIT, ((reasons.NOT_IN_REMIT, slice_.needs_remit & ~met),))
        aside = (before ^ self._alive) & footing.ambiguous
        for gate in slice_.permit_gates:
            aside = self._stop(gate.number, gate.shut(case), aside)
        if case.facts.provenance:
            kept_back = slice_.permits & ~self._let_on()
            aside = self._stop(ONWARD, ((reasons.ONWARD_NOT_PERMITTED, kept_back),), aside)
        self.arrived = self._alive
        if case.withholds:
            aside = self._stop(BAR, ((reasons.FORBIDDEN, self._barred()),), aside)
        self.permitted = permitted = self._alive & slice_.permits
        self.passed = sure = permitted & ~footing.doubtful
        self.telling = sure & (slice_.requires | (slice_.pushes & met))
        self.waiting = aside | (permitted & footing.ambiguous)
        self.prohibiting = self.arrived & slice_.forbids

    def stopped(self, gate: int) -> int:
        """The lanes of which this gate is the first that fails."""
        found = 0
        for number, _, lanes in self.stops:
            found |= lanes if number == gate else 0
        return found

    def naming(self, lanes: int) -> int:
        """Those of the lanes that name one of the concern's categories."""
        for _, nameless in self.slice.category.shut(self.case):
            lanes &= ~nameless
        return lanes

    def _stop(self, number: int, shut: Iterable[Shut], aside: int = 0) -> int:
        """Stop what the gate shuts; gives those of the lanes that are aside which it does not shut."""
        alive = self._alive
        for reason, lanes in shut:
            hit = alive & lanes
            if hit:
                self.stops.append((number, reason, hit))
                alive ^= hit
            if aside:
                aside &= ~lanes
        self._alive = alive
        return aside

    def _let_on(self) -> int:
        """Every hop lets it go on freely, or to the bodies to which its giver granted it."""
        hops = [hop for hop in self.case.facts.provenance if hop.onward != "free"]
        if not hops:
            return self.slice.lanes
        if any(hop.onward != "ask_originator" for hop in hops):
            return 0
        granted = frozenset.intersection(*(hop.granted for hop in hops))
        return self.slice.layout.fill(self._terrain.set_of(granted))[0]

    def _barred(self) -> int:
        """Rule 13: what a shut bar withholds, asked once of all lanes that a gateway cannot tell apart."""
        barred = 0
        for unbarred, lanes in self.slice.unbarred.items():
            example = self._example(lanes, self.slice.rights[unbarred.clause])
            if any(bar.withholds for bar in shut_bars(example)):
                barred |= lanes
        return barred

    def _example(self, lanes: int, right: Right) -> Attempt:
        place = (lanes & -lanes).bit_length() - 1
        org = self._terrain.names[self.slice.layout.body_of(place)]
        discloser = Reached(right.discloser, self.case.originator, (right.discloser,))
        return Attempt(self.case, right.agreement, right.clause, discloser, Reached(org, org, (org,)))
