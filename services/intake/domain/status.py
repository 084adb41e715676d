"""What became of a concern: a fold over its timeline, the same in whatever order the entries came in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from services.intake.domain.model import (
    ConcernRecord,
    Decided,
    NoticeState,
    NoticeTurn,
    Status,
    TakenBack,
    Told,
    UndoingKind,
    Undone,
)

_RANK: dict[NoticeState, int] = {state: rank for rank, state in enumerate(get_args(NoticeState))}
_THERE = frozenset({"delivered", "acknowledged", "accepted", "refused", "used"})


@dataclass(frozen=True, slots=True)
class ToldState:
    """A body that was told, and how far its notice has come; `issued` before anything is known of it."""

    told: Told
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TakenBackState:
    """A body that was told, of any version, and is told that it no longer stands; how far that notice has come."""

    taken_back: TakenBack
    kind: UndoingKind
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the current version of a concern stands, and what was taken back of any version."""

    status: Status
    told: tuple[ToldState, ...] = ()
    available: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    taken_back: tuple[TakenBackState, ...] = ()


def progress_of(record: ConcernRecord) -> Progress:
    """Fold the timeline. A recall stands above everything else that became of the concern."""
    progress = replace(_of_version(record, record.current.version), taken_back=_taken_back(record))
    return progress if record.recall is None else replace(progress, status="recalled")


def _of_version(record: ConcernRecord, version: int) -> Progress:
    decisions = _rounds(e for e in record.entries if isinstance(e, Decided) and e.version == version)
    if not decisions:
        return Progress("accepted")
    told = _told(decisions, [e for e in record.entries if isinstance(e, NoticeTurn) and e.version == version])
    newest = decisions[-1]
    gone = {row.of for entry in record.entries if isinstance(entry, Undone) for row in entry.notices}
    standing = [row for row in told if row.told.notice_id not in gone]
    return Progress(_status(newest, told, standing), told, newest.available, newest.hold)


def _taken_back(record: ConcernRecord) -> tuple[TakenBackState, ...]:
    turns = [entry for entry in record.entries if isinstance(entry, NoticeTurn)]
    found = {
        row.notice_id: (row, entry) for entry in record.entries if isinstance(entry, Undone) for row in entry.notices
    }
    states = (
        TakenBackState(row, entry.kind, *_furthest(notice_id, turns, ("issued", entry.at)))
        for notice_id, (row, entry) in found.items()
    )
    return tuple(sorted(states, key=_place))


def _place(row: TakenBackState) -> tuple[str, int, str]:
    return row.taken_back.org, row.taken_back.version, row.taken_back.notice_id


def _rounds(decisions: Iterable[Decided]) -> Sequence[Decided]:
    return sorted(decisions, key=lambda decision: (decision.round, decision.event_id))


def _told(decisions: Sequence[Decided], turns: Sequence[NoticeTurn]) -> tuple[ToldState, ...]:
    """Everyone told in any round, by organisation; a notice counts once, with the furthest that it came."""
    told = {row.notice_id: (row, decision.at) for decision in decisions for row in decision.told}
    return tuple(
        ToldState(row, *_furthest(row.notice_id, turns, ("issued", issued_at)))
        for row, issued_at in sorted(told.values(), key=lambda pair: (pair[0].org, pair[0].notice_id))
    )


def _furthest(notice_id: str, turns: Sequence[NoticeTurn], at_first: tuple[str, datetime]) -> tuple[str, datetime]:
    own = [turn for turn in turns if turn.notice_id == notice_id]
    if not own:
        return at_first
    furthest = max(own, key=lambda turn: (_RANK[turn.state], turn.at, turn.event_id))
    return furthest.state, furthest.at


def _status(newest: Decided, told: Sequence[ToldState], standing: Sequence[ToldState]) -> Status:
    """By the notices that still stand; what was taken back was told all the same."""
    states = {row.state for row in standing} - {"cancelled"}
    if states and states <= _THERE:
        return "delivered"
    if "expired" in states:
        return "undelivered"
    if told:
        return "routed"
    if newest.hold:
        return "held"
    return "unroutable" if newest.unroutable else "routed"
