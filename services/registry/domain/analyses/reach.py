"""Who can tell whom what on one day: every clause that joins two bodies, as boxes of the space.

The gates that do not depend on what a concern says are asked of the evaluator itself, once for each clause and pair;
the others are the boxes. So this is the evaluator's reading, of all concerns at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from services.registry.domain.analyses.space import CATEGORY, FUNCTION, Box, Space, meet, with_key
from shared.agreements import Facts, Graph, Snapshot, facts_of
from shared.agreements.bars import shut_bars, withholds_from
from shared.agreements.case import Attempt, Case
from shared.agreements.gates import Gate, accession, assumed, capacity, in_force, mode, purpose
from shared.agreements.model import Agreement, Effect

_TELLS = (capacity, mode, in_force, accession, assumed)
_FORBIDS = (capacity, in_force, accession, assumed)


class Way(NamedTuple):
    """A clause from the originator to one body, and the concerns that it lets through on the day."""

    attempt: Attempt
    box: Box

    @property
    def cite(self) -> str:
        return self.attempt.clause.cite


@dataclass(slots=True)
class Pair:
    """Everything that joins two bodies in one direction on the day.

    `ways` tell or make available; `held` wait for a person; `forbids` are the FORBID clauses that bind; `shut` are ways
    that a statutory bar closes; `meant` is where a topic is left out by name; `assumed` are ways that are switched off.
    """

    attempts: list[Attempt] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    held: list[Way] = field(default_factory=list)
    forbids: list[Way] = field(default_factory=list)
    shut: list[Way] = field(default_factory=list)
    assumed: list[Way] = field(default_factory=list)
    meant: list[Box] = field(default_factory=list)

    def no_gap(self) -> Iterator[Box]:
        """Where rule 15 sees no gap: told, available, held, or a silence that is meant."""
        for ways in (self.forbids, self.ways, self.held, self.shut):
            yield from (way.box for way in ways)
        yield from self.meant


class Reach:
    """All pairs of one snapshot on one day, worked out originator by originator."""

    def __init__(self, snapshot: Snapshot, day: date, space: Space | None = None) -> None:
        self.snapshot = snapshot
        self.graph = snapshot.graph
        self.day = day
        self.space = space or Space(snapshot.graph)
        self.bodies = snapshot.bodies(day, frozenset(), frozenset())
        self.able = self.bodies.able
        self._unsure = _unsure_agreements(self.graph)
        self._parts = _only(self.graph, self._unsure) if self._unsure else None
        self._slices = tuple(self._slices_of_parts()) if self._unsure else ()
        self._boxes: dict[str, tuple[Box, Box | None]] = {}

    def originators(self) -> list[str]:
        """Bodies that can raise a concern on the day: those that can receive, and divisions."""
        organisations = self.graph.organisations.values()
        divisions = {o.id for o in organisations if o.deliver_to and o.exists.covers(self.day)}
        return sorted(self.able | {org for org in divisions if not self.snapshot.successions.get(org)})

    def case(self, originator: str) -> Case:
        """The originator on the day, before anything is said."""
        return Case(self.snapshot, self._facts(originator, frozenset(), frozenset()))

    def pairs(self, originator: str, case: Case | None = None) -> dict[str, Pair]:
        """By the body that would receive."""
        case = case or self.case(originator)
        found: dict[str, Pair] = {}
        for attempt in case.attempts:
            if attempt.agreement.id not in self._unsure:
                self._place(attempt, found.setdefault(attempt.recipient.org, Pair()), None)
        for attempt, part in self._followed(originator):
            self._place(attempt._replace(case=case), found.setdefault(attempt.recipient.org, Pair()), part)
        return found

    def _followed(self, originator: str) -> Iterator[tuple[Attempt, Box]]:
        """Clauses of a party that was split, for each part of the space in which it is followed in its own way."""
        for facts, part in self._slices:
            if self._parts:
                for attempt in Case(self._parts, replace(facts, originator=originator)).attempts:
                    yield attempt, part

    def silent(self, case: Case, body: str) -> bool:
        """A bar withholds everything from the body: its silence is meant."""
        return any(bar.withholds for bar in case.bars) and withholds_from(case, body)

    def _place(self, attempt: Attempt, pair: Pair, part: Box | None) -> None:
        pair.attempts.append(attempt)
        passes, excluded = self._boxes_of(attempt)
        box = passes if part is None else meet(passes, part)
        if attempt.clause.effect is Effect.FORBID:
            self._place_forbid(attempt, pair, box)
            left_out = _passed(attempt, _FORBIDS)
        else:
            self._place_permit(attempt, pair, box)
            left_out = _passed(attempt, _TELLS)
        if excluded and left_out:
            pair.meant.extend(filter(None, [excluded if part is None else meet(excluded, part)]))

    def _place_forbid(self, attempt: Attempt, pair: Pair, box: Box | None) -> None:
        if box and all(box) and _passed(attempt, _FORBIDS):
            pair.forbids.append(Way(attempt, box))

    def _place_permit(self, attempt: Attempt, pair: Pair, box: Box | None) -> None:
        if not box or not all(box) or purpose(attempt) is not None or not _passed(attempt, _TELLS[:-1]):
            return
        way = Way(attempt, box)
        if assumed(attempt) is not None:
            pair.assumed.append(way)
        elif any(bar.withholds for bar in shut_bars(attempt)):
            pair.shut.append(way)
        else:
            (pair.held if attempt.ambiguous else pair.ways).append(way)

    def _boxes_of(self, attempt: Attempt) -> tuple[Box, Box | None]:
        cite = attempt.clause.cite
        if cite not in self._boxes:
            scope = attempt.clause.when
            self._boxes[cite] = (self.space.clause_box(scope), self.space.excluded_box(scope))
        return self._boxes[cite]

    def _facts(self, originator: str, categories: frozenset[str], functions: frozenset[str]) -> Facts:
        """The most favourable concern of these categories and functions."""
        space = self.space
        facts = facts_of(
            {
                "originator": originator,
                "received_at": f"{self.day.isoformat()}T12:00:00Z",
                "categories": sorted(categories),
                "purposes": space.purposes,
                "urgency": space.urgency,
                "flags": space.flags,
                "named_recipients": sorted(self.graph.organisations) if space.names_bodies else [],
            }
        )
        return replace(facts, functions=functions)

    def _slices_of_parts(self) -> Iterator[tuple[Facts, Box]]:
        """Where parts of split bodies are followed differently: by function, and without one by category."""
        space = self.space
        for function in filter(None, space.values[FUNCTION]):
            part = with_key(space.full, FUNCTION, space.mask(FUNCTION, [function]))
            yield self._facts("", frozenset(), frozenset({function})), part
        followed = sorted({category for row in self.graph.successions for category in row.categories})
        unstated = with_key(space.full, FUNCTION, space.mask(FUNCTION, [None]))
        for category in followed:
            bit = space.category_bit(category)
            yield self._facts("", frozenset({category}), frozenset()), with_key(unstated, CATEGORY, bit)
        others = space.full[CATEGORY] & ~space.mask(CATEGORY, followed)
        yield self._facts("", frozenset(), frozenset()), with_key(unstated, CATEGORY, others)


def _passed(attempt: Attempt, gates: Iterable[Gate]) -> bool:
    return all(gate(attempt) is None for gate in gates)


def _unsure_agreements(graph: Graph) -> frozenset[str]:
    """Those of a party that was split, now or before: who acts for it depends on what the concern says.

    Where such a party holds under a bar, everything may depend on it.
    """
    split = _split_parties(graph)
    if any(set(bar.holders) & split for bar in graph.bars.values()):
        return frozenset(graph.sharing())
    return frozenset(name for name, row in graph.sharing().items() if split & _named_in(row))


def _split_parties(graph: Graph) -> set[str]:
    """Predecessors of a part, and whoever they took over from."""
    split = {row.predecessor for row in graph.successions if row.partial and row.effective}
    while before := {row.predecessor for row in graph.successions if row.successor in split} - split:
        split |= before
    return split


def _named_in(agreement: Agreement) -> set[str]:
    sides = {org for clause in agreement.clauses for org in (*clause.disclosers, *clause.recipients)}
    return sides | {party.org for party in agreement.parties}


def _only(graph: Graph, wanted: frozenset[str]) -> Snapshot:
    """The graph with these agreements, duties and bars alone."""
    return Snapshot(
        replace(
            graph,
            agreements={name: row for name, row in graph.agreements.items() if name in wanted},
            duties={name: row for name, row in graph.duties.items() if name in wanted},
            bars={name: row for name, row in graph.bars.items() if name in wanted},
        ),
        version=0,
        root="",
    )
