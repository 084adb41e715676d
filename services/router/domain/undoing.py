"""Taking back what was told: when an agreement ends early, when a concern is amended, when it is recalled. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.router.domain.evaluating import Ruling
from services.router.domain.model import Concern
from shared.agreements import Class, Outcome

Settled = Literal["told", "ended", "withdrawn"]
UndoingKind = Literal["withdrawal", "recall"]


@dataclass(frozen=True, slots=True)
class ToldNotice:
    """A notice that tells a body of a version; `settled` once the body has it, or never will."""

    notice_id: str
    concern_id: str
    version: int
    recipient: str
    settled: Settled | None = None


@dataclass(frozen=True, slots=True)
class NoticeNews:
    """What became of a notice: the notifier has it, at least. A refusal names its reason and, maybe, the right body."""

    notice_id: str
    concern_id: str
    version: int
    recipient: str
    at: datetime
    settled: Settled | None = None
    refusal: str | None = None
    suggested: str | None = None


@dataclass(frozen=True, slots=True)
class TakeBack:
    """It no longer tells, for the reason of this code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stays:
    """It tells, and will until that moment where there is one."""

    until: datetime | None


def standing_of(told: ToldNotice, concern: Concern, decision: Ruling, now: datetime) -> TakeBack | Stays:
    """Whether a notice that is not yet with its body may still go, by the decision on the newest graph.

    A concern ages from its acceptance: one received long ago is sent under the law of then, and of the time since.
    Where the newest graph leaves the body to a person, that is no reason to take anything back.
    """
    outcome = _outcome_of(decision, told.recipient)
    if outcome is None:
        return TakeBack("NO_PATH")
    if outcome.klass is Class.HELD:
        return Stays(None)
    if outcome.klass is not Class.TOLD:
        return TakeBack(outcome.reason)
    if outcome.valid_until is None:
        return Stays(None)
    until = concern.accepted_at + (outcome.valid_until - concern.received_at)
    return TakeBack("EXPIRED") if until <= now else Stays(until)


def taken_back_by(decision: Ruling, org: str) -> str | None:
    """Why a body that was told of an earlier version may no longer know of it; None where it may, or may again."""
    outcome = _outcome_of(decision, org)
    if outcome is None:
        return "NO_PATH"
    return None if outcome.klass in _MAY_KNOW else outcome.reason


def _outcome_of(decision: Ruling, org: str) -> Outcome | None:
    try:
        return decision.of(org)
    except KeyError:
        return None


_MAY_KNOW = frozenset({Class.TOLD, Class.AVAILABLE, Class.HELD, Class.ORIGINATOR})
