"""Who can tell whom what on one day: every clause that joins two bodies, as boxes of the space.

The gates that do not depend on what a concern says are asked of the evaluator itself, once for each clause and pair;
the others are the boxes. So this is the evaluator's reading, of all concerns at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.registry.domain.analyses.space import Box, Space, meet
from services.registry.domain.analyses.splits import Splits
from shared.agreements import Snapshot, facts_of
from shared.agreements.bars import shut_bars, withholds_from
from shared.agreements.case import Attempt, Case
from shared.agreements.gates import accession, assumed, capacity, in_force, mode, purpose
from shared.agreements.model import Effect


class Way(NamedTuple):
    """A clause from the originator to one body, and the concerns that it lets through on the day.

    `alone` is the part that a concern of one category reaches.
    """

    attempt: Attempt
    box: Box
    alone: Box | None

    @property
    def cite(self) -> str:
        return self.attempt.clause.cite


@dataclass(slots=True)
class Pair:
    """Everything that joins two bodies in one direction on the day.

    `joined` is every clause between them, whatever it says, with the part of the space where these two act for its
    parties; `ways` tell or make available; `held` wait for a person; `forbids` are the FORBID clauses that bind;
    `shut` are ways that a statutory bar closes; `meant` is where a topic is left out by name; the `assumed` ones are
    switched off.
    """

    joined: list[Way] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    held: list[Way] = field(default_factory=list)
    forbids: list[Way] = field(default_factory=list)
    shut: list[Way] = field(default_factory=list)
    assumed: list[Way] = field(default_factory=list)
    assumed_forbids: list[Way] = field(default_factory=list)
    meant: list[Box] = field(default_factory=list)

    def no_gap(self) -> Iterator[Box]:
        """Where rule 15 sees no gap: told, available, held, or a silence that is meant."""
        for ways in (self.forbids, self.ways, self.held, self.shut):
            yield from (way.alone for way in ways if way.alone)
        yield from self.meant


class Rule(NamedTuple):
    """What one clause is on the day, whoever tries it: is it shut, and what does it let through?"""

    is_open: bool
    is_assumed: bool
    is_forbid: bool
    box: Box
    excluded: Box | None


class Reach:
    """All pairs of one snapshot on one day, worked out originator by originator."""

    def __init__(self, snapshot: Snapshot, day: date, space: Space | None = None) -> None:
        self.snapshot = snapshot
        self.graph = snapshot.graph
        self.day = day
        self.space = space or Space(snapshot.graph)
        self.bodies = snapshot.bodies(day, frozenset(), frozenset())
        self.able = self.bodies.able
        self._splits = Splits(snapshot, self.space, self.bodies)
        self._rules: dict[str, Rule] = {}

    def originators(self) -> list[str]:
        """Bodies that can raise a concern on the day: those that can receive, and divisions."""
        organisations = self.graph.organisations.values()
        divisions = {o.id for o in organisations if o.deliver_to and o.exists.covers(self.day)}
        return sorted(self.able | {org for org in divisions if not self.snapshot.successions.get(org)})

    def case(self, originator: str) -> Case:
        """The originator on the day, at its most favourable: before it says what the concern is about."""
        space = self.space
        return Case(
            self.snapshot,
            facts_of(
                {
                    "originator": originator,
                    "received_at": f"{self.day.isoformat()}T12:00:00Z",
                    "purposes": space.purposes,
                    "urgency": space.urgency,
                    "flags": space.flags,
                    "named_recipients": sorted(self.graph.organisations) if space.names_bodies else [],
                }
            ),
        )

    def pairs(self, originator: str, case: Case | None = None) -> dict[str, Pair]:
        """By the body that would receive."""
        case = case or self.case(originator)
        found: dict[str, Pair] = {}
        for attempt, part in self._attempts(case):
            org = attempt.recipient.org
            pair = found.get(org)
            if pair is None:
                pair = found[org] = Pair()
            self._place(attempt, pair, part)
        return found

    def _attempts(self, case: Case) -> Iterator[tuple[Attempt, Box | None]]:
        unsure = self._splits.agreements
        for attempt in case.attempts:
            if attempt.agreement.id not in unsure:
                yield attempt, None
        for joined, part in self._splits.of(case.originator):
            yield Attempt(case, *joined), part

    def silent(self, case: Case, body: str) -> bool:
        """A bar withholds everything from the body: its silence is meant."""
        return _withholds(case) and withholds_from(case, body)

    def _place(self, attempt: Attempt, pair: Pair, part: Box | None) -> None:
        pair.joined.append(Way(attempt, part or self.space.full, None))
        rule = self._rules.get(attempt.clause.cite) or self._rule(attempt)
        if not rule.is_open or capacity(attempt) is not None or accession(attempt) is not None:
            return
        if rule.excluded and not rule.is_assumed:
            pair.meant.extend(filter(None, [rule.excluded if part is None else meet(rule.excluded, part)]))
        box = rule.box if part is None else meet(rule.box, part)
        if box and all(box):
            _kind(attempt, rule, pair).append(Way(attempt, box, self.space.alone(box, attempt.clause.when)))

    def _rule(self, attempt: Attempt) -> Rule:
        clause, scope = attempt.clause, attempt.clause.when
        forbids = clause.effect is Effect.FORBID
        shut = [gate(attempt) for gate in (in_force, *(() if forbids else (mode, purpose)))]
        rule = Rule(
            is_open=not any(shut),
            is_assumed=assumed(attempt) is not None,
            is_forbid=forbids,
            box=self.space.clause_box(scope),
            excluded=self.space.excluded_box(scope),
        )
        self._rules[clause.cite] = rule
        return rule


def _kind(attempt: Attempt, rule: Rule, pair: Pair) -> list[Way]:
    if rule.is_forbid:
        return pair.assumed_forbids if rule.is_assumed else pair.forbids
    if rule.is_assumed:
        return pair.assumed
    if _withholds(attempt.case) and any(bar.withholds for bar in shut_bars(attempt)):
        return pair.shut
    return pair.held if attempt.ambiguous else pair.ways


def _withholds(case: Case) -> bool:
    return any(bar.withholds for bar in case.bars)
