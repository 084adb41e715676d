"""What was recorded of one object, what differs between two graphs, and the graph as it applies on a day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from services.registry.domain.difference_of_graphs import (
    FieldChange,
    GraphDifference,
    difference_of_graphs,
    difference_of_objects,
)
from services.registry.domain.intervals import AGREEMENT, TIMELESS, applies_on
from services.registry.domain.model import Commit, GraphObject, Row
from services.registry.domain.standing import STANDING_STILL, Standing
from services.registry.ports import History
from services.registry.usecases.history_views import standings_on


@dataclass(frozen=True, slots=True)
class RecordedState:
    """One recorded state of an object, known from the commit's moment until `until`; None: it stands.

    `changes` is what it made different from the state before; () for the first.
    """

    commit: Commit
    until: datetime | None
    row: Row
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the graph of a commit, on a day where one is asked about."""

    commit: Commit
    day: date | None


@dataclass(frozen=True, slots=True)
class StandingChange:
    """An agreement that stands otherwise; None: it is not known on that side."""

    agreement: str
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True)
class Applying:
    """An object that applies on a day; `standing` of an agreement."""

    item: GraphObject
    standing: Standing | None


async def read_past(kind: str, object_id: str, *, history: History) -> Sequence[RecordedState]:
    """Every recorded state of one object, newest first; () for one that is not known."""
    past = await history.past(kind, object_id)
    rows = [recorded.item.row() for recorded in past]
    changes = [(), *(difference_of_objects(before, after) for before, after in pairwise(rows))]
    states = zip(past, rows, changes, strict=False)
    made = [RecordedState(recorded.commit, recorded.until, row, changed) for recorded, row, changed in states]
    return made[::-1]


async def compare(before: Side, after: Side, *, history: History) -> GraphDifference:
    """What differs between the graphs of two commits, whichever is the older."""
    low, high = sorted((before.commit.version, after.commit.version))
    keys = await history.touched(low, high)
    sides = [await history.states(keys, side.commit.version) for side in (before, after)]
    return difference_of_graphs(*([stored.item.row() for stored in side] for side in sides))


async def compare_standings(before: Side, after: Side, *, history: History) -> Sequence[StandingChange]:
    """The agreements whose status or flags differ between two days, sorted by id; () where no days are asked about."""
    if before.day is None or after.day is None:
        return ()
    old = await standings_on(before.day, before.commit.version, history=history)
    new = await standings_on(after.day, after.commit.version, history=history)
    changes = (StandingChange(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
    return [change for change in changes if _said(change.before) != _said(change.after)]


async def read_applying(commit: Commit, day: date, *, history: History) -> Sequence[Applying]:
    """The objects of a graph that apply on a day, sorted by kind and id.

    An agreement that is suspended stands, with that standing; one that is scheduled, superseded, expired or terminated
    is left out, as is every other object with valid time that does not apply.
    """
    standings = await standings_on(day, commit.version, history=history)
    return list(_applying(await history.graph(commit.version), standings, day))


def _applying(objects: Sequence[GraphObject], standings: dict[str, Standing], day: date) -> Iterator[Applying]:
    for item in objects:
        standing = standings.get(item.id) if item.kind == AGREEMENT else None
        if applies(item, standing, day):
            yield Applying(item, standing)


def applies(item: GraphObject, standing: Standing | None, day: date) -> bool:
    """Whether an object applies on the day; `standing` of an agreement."""
    if standing:
        return standing.status in STANDING_STILL
    return item.kind in TIMELESS or applies_on(item.row(), day)


def _said(standing: Standing | None) -> tuple[str, tuple[str, ...]] | None:
    return (standing.status, standing.flags) if standing else None
