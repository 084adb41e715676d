"""What the calendar shuts, of all clauses of a body at once: worked out per day between two turns, and kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from shared.agreements import reasons
from shared.agreements.days import Span
from shared.agreements.fast.facets import Column
from shared.agreements.gates import force_on
from shared.agreements.kept import keep
from shared.agreements.model import Agreement

SEASONS_KEPT_MAX = 4
Spans = tuple[Span, ...]
ALWAYS: Spans = (Span(),)


class Force(NamedTuple):
    """What decides on which days an agreement is in force; read by the reference's own rule."""

    span: Span
    terminated: date | None
    later: date | None
    suspended: Spans

    def why_not(self, day: date) -> str | None:
        """As `force_on` has it."""
        later = _Begun(Span(self.later)) if self.later else None
        return force_on(_Forced(self.span, self.terminated, self.suspended), day, later)  # type: ignore[arg-type]  # it reads no more

    def turns(self) -> Iterable[date | None]:
        yield from (self.span.start, self.span.end, self.terminated, self.later)
        yield from (day for span in self.suspended for day in (span.start, span.end))


class _Begun(NamedTuple):
    span: Span


class _Forced(NamedTuple):
    span: Span
    terminated: date | None
    suspended: Spans


def force_of(agreement: Agreement, later: date | None) -> Force:
    return Force(agreement.span, agreement.terminated, later, agreement.suspended)


def spans_of(agreement: Agreement) -> Mapping[str, Spans]:
    """When each party is one."""
    found: dict[str, Spans] = {}
    for party in agreement.parties:
        found[party.org] = (*found.get(party.org, ()), party.span)
    return found


class Season(NamedTuple):
    """On one day: the clauses not in force by reason, and those of which one side is not, or no longer, a party."""

    unforced: Mapping[str, int]
    absent: int

    def but(self, lanes: int, other: Season) -> Season:
        """The same, but these lanes as in the other."""
        mine, theirs = self.unforced, other.unforced
        shut = {
            reason: (mine.get(reason, 0) & ~lanes) | (theirs.get(reason, 0) & lanes) for reason in {**mine, **theirs}
        }
        return Season(shut, (self.absent & ~lanes) | (other.absent & lanes))


REASONS = (
    reasons.NOT_YET_IN_FORCE,
    reasons.TERMINATED,
    reasons.SUPERSEDED,
    reasons.EXPIRED,
    reasons.SUSPENDED,
)


class Calendar:
    """The days of one body's clauses, by the place of each."""

    def __init__(self, forces: Column, sides: Column) -> None:
        self._forces = forces
        self._sides = sides
        days = {day for force in forces.values[1:] for day in force.turns()}
        spans = {span for pair in sides.values[1:] for side in pair for span in side}
        days.update(day for span in spans for day in (span.start, span.end))
        self._turns = sorted(day for day in days if day is not None)
        self._seasons: dict[int, Season] = {}

    def turn(self, day: date) -> int:
        """The number of the days between two turns, among which this one is."""
        return bisect_right(self._turns, day)

    def season(self, day: date) -> Season:
        key = self.turn(day)
        found = self._seasons.get(key)
        if found is None:
            found = keep(self._seasons, key, self._work_out(day), SEASONS_KEPT_MAX)
        return found

    def _work_out(self, day: date) -> Season:
        why = [None, *(force.why_not(day) for force in self._forces.values[1:])]
        absent = [False, *(not all(_present(spans, day) for spans in pair) for pair in self._sides.values[1:])]
        shut = {reason: self._forces.having([one == reason for one in why]) for reason in REASONS if reason in why}
        return Season(shut, self._sides.having(absent))


def _present(spans: Spans, day: date) -> bool:
    return any(span.covers(day) for span in spans)
