"""What became of a concern: a fold over its timeline, the same in whatever order the entries came in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from services.intake.domain.model import ConcernRecord, Decided, NoticeState, NoticeTurn, Status, Told

_RANK: dict[NoticeState, int] = {state: rank for rank, state in enumerate(get_args(NoticeState))}
_THERE = frozenset({"delivered", "acknowledged", "accepted", "refused", "used"})


@dataclass(frozen=True, slots=True)
class ToldState:
    """A body that was told, and how far its notice has come; `issued` before anything is known of it."""

    told: Told
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the current version of a concern stands."""

    status: Status
    told: tuple[ToldState, ...]
    available: tuple[str, ...]
    hold: tuple[str, ...]


def progress_of(record: ConcernRecord) -> Progress:
    """Fold the timeline of the current version."""
    version = record.current.version
    decisions = _rounds(e for e in record.entries if isinstance(e, Decided) and e.version == version)
    if not decisions:
        return Progress("accepted", (), (), ())
    turns = [e for e in record.entries if isinstance(e, NoticeTurn) and e.version == version]
    told = _told(decisions, turns)
    newest = decisions[-1]
    return Progress(_status(newest, told), told, newest.available, newest.hold)


def _rounds(decisions: Iterable[Decided]) -> Sequence[Decided]:
    return sorted(decisions, key=lambda decision: (decision.round, decision.event_id))


def _told(decisions: Sequence[Decided], turns: Sequence[NoticeTurn]) -> tuple[ToldState, ...]:
    """Everyone told in any round, by organisation; a notice counts once, with the furthest that it came."""
    told = {row.notice_id: (row, decision.at) for decision in decisions for row in decision.told}
    return tuple(_furthest(*told[notice_id], turns) for notice_id in sorted(told, key=lambda n: (told[n][0].org, n)))


def _furthest(told: Told, issued_at: datetime, turns: Sequence[NoticeTurn]) -> ToldState:
    own = [turn for turn in turns if turn.notice_id == told.notice_id]
    if not own:
        return ToldState(told, "issued", issued_at)
    furthest = max(own, key=lambda turn: (_RANK[turn.state], turn.at, turn.event_id))
    return ToldState(told, furthest.state, furthest.at)


def _status(newest: Decided, told: Sequence[ToldState]) -> Status:
    states = {row.state for row in told} - {"cancelled"}
    if states and states <= _THERE:
        return "delivered"
    if "expired" in states:
        return "undelivered"
    if told:
        return "routed"
    if newest.hold:
        return "held"
    return "unroutable" if newest.unroutable else "routed"
