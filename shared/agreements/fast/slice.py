"""The lanes of one body laid side by side: each gate is a set of lanes. A change lays anew only what it touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from shared.agreements.fast.days import Calendar
from shared.agreements.fast.facets import Column, Facet, Read, facet_after
from shared.agreements.fast.gate import KEPT_MAX, by_term, category_gate, purpose_gate, scope_gates, sensitivity_gate
from shared.agreements.fast.lanes import Found, Lane, Opened, Speech, Tied
from shared.agreements.fast.layout import Layout
from shared.agreements.fast.remits import Covered
from shared.agreements.kept import keep
from shared.agreements.model import Effect, Mode
from shared.agreements.rights import Right

FACETS: Mapping[str, Read] = {
    "scope": lambda lane: lane.speech.scope,
    "manner": lambda lane: lane.speech.manner,
    "purposes": lambda lane: lane.speech.purposes,
    "ceiling": lambda lane: lane.speech.ceiling,
    "unbarred": lambda lane: lane.unbarred,
    "signed": lambda lane: lane.signed,
    "speaker": lambda lane: lane.speech.said[2:],
    "moves": lambda lane: lane.moves,
}
"""What has few values among many lanes: of each the set of its lanes."""
COLUMNS: Mapping[str, Read] = {
    "said": lambda lane: lane.speech.said,
    "party": lambda lane: lane.party,
    "force": lambda lane: lane.speech.force,
    "sides": lambda lane: lane.sides,
}
"""What is another for nearly every lane: by its place."""


class Sheet(NamedTuple):
    """All that a slice is made of; the rest follows from it."""

    layout: Layout
    facets: Mapping[str, Facet]
    columns: Mapping[str, Column]
    rights: Mapping[Opened, Right]
    naming: tuple[Speech, ...]
    heard: Mapping[Tied, int]


BLANK = Sheet(Layout(), {name: {} for name in FACETS}, {name: Column() for name in COLUMNS}, {}, (), {})


class Slice:
    """Everything that one body may say, as sets of lanes. Immutable but for what it remembers."""

    def __init__(self, originator: str, sheet: Sheet = BLANK) -> None:
        self.originator = originator
        self.sheet = sheet
        self.layout, facets, columns, self.rights, self.naming, self.heard = sheet
        self.lanes, self.width, self.any_of = self.layout.lanes, self.layout.width, self.layout.any_of
        self.said_at, self.party_of = columns["said"], columns["party"]
        self.calendar = Calendar(columns["force"], columns["sides"])
        self.unbarred, self.speakers = facets["unbarred"], facets["speaker"]
        self.moving = facets["moves"].get(True, 0)
        self._met: dict[Covered, tuple[int, int]] = {}
        self._index(facets)

    def met(self, covered: Covered) -> tuple[int, int]:
        """The lanes that name a category which lies in their body's remit, and the guards of bodies in remit."""
        found = self._met.get(covered)
        if found is None:
            found = keep(self._met, covered, self._meet(covered), KEPT_MAX)
        return found

    def after(self, gone: Collection[str], lost: Found, found: Found) -> Slice:
        """The slice after a change: these agreements are said no more, as `lost` has them, and `found` is said."""
        sheet = self.sheet
        heard = {**self.heard}
        for tie in {**lost.heard, **found.heard}:
            heard[tie] = heard.get(tie, 0) - lost.heard[tie] + found.heard[tie]
            if not heard[tie]:
                del heard[tie]
        codes = {code for code, said in enumerate(self.said_at.values) if code and said[0] in gone}
        after = _relaid(sheet, self.said_at.places(codes), found.lanes)
        kept = tuple(speech for speech in self.naming if speech.said.agreement not in gone)
        return Slice(
            self.originator,
            after._replace(
                rights={**sheet.rights, **found.rights},
                naming=(*kept, *found.naming),
                heard=heard,
            ),
        )

    def also(self, lanes: Iterable[Lane]) -> Slice:
        """The slice with these lanes besides: those to whom a concern names."""
        return Slice(self.originator, _relaid(self.sheet, (), lanes))

    def _meet(self, covered: Covered) -> tuple[int, int]:
        met = in_remit = 0
        for category, bodies in covered.by_category.items():
            lanes, guards = self.layout.fill(bodies)
            met |= lanes & self.categories.get(category, 0)
            in_remit |= guards
        return met, in_remit

    def _index(self, facets: Mapping[str, Facet]) -> None:
        manners, scopes = facets["manner"], facets["scope"]
        modes = {mode: _union(b for manner, b in manners.items() if manner.mode is mode) for mode in Mode}
        self.requires = _union(lanes for manner, lanes in manners.items() if manner.effect is Effect.REQUIRE)
        self.forbids = _union(lanes for manner, lanes in manners.items() if manner.effect is Effect.FORBID)
        self.permits = permits = self.lanes ^ self.forbids
        self.pushes, self.feeds, self.records = modes[Mode.PUSH], modes[Mode.FEED], modes[Mode.RECORD]
        self.switched_off = _union(lanes for manner, lanes in manners.items() if manner.switched_off)
        self.unsigned = facets["signed"].get(False, 0)
        self.by_incident = _union(lanes for scope, lanes in scopes.items() if scope.by_incident)
        self.needs_remit = permits & _union(lanes for scope, lanes in scopes.items() if scope.needs_remit)
        self.categories = by_term((scope.categories, lanes) for scope, lanes in scopes.items())
        self.category = category_gate(self.lanes, self.categories, self.records)
        self.scope_gates = self.category, *scope_gates(scopes)
        self.permit_gates = purpose_gate(permits, facets["purposes"]), sensitivity_gate(permits, facets["ceiling"])


def _relaid(sheet: Sheet, gone: Sequence[int], lanes: Iterable[Lane]) -> Sheet:
    """The sheet without the lanes at these places, and with others."""
    fresh = sorted(lanes, key=attrgetter("body"))
    layout, moves = sheet.layout.relaid(gone, [lane.body for lane in fresh])
    return sheet._replace(
        layout=layout,
        facets={name: facet_after(sheet.facets[name], moves, list(map(read, fresh))) for name, read in FACETS.items()},
        columns={name: sheet.columns[name].after(moves, map(read, fresh)) for name, read in COLUMNS.items()},
    )


def _union(sets: Iterable[int]) -> int:
    union = 0
    for lanes in sets:
        union |= lanes
    return union
