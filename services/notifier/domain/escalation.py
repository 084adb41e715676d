"""What silence causes, and when: a notice that nobody acknowledges, or that reaches nobody; pure.

Each step of a notice is taken once, whatever happens between them: the ledger keeps which were taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from services.notifier.domain.limits import Limit, ends_at, is_provisional
from services.notifier.domain.model import NoticeId, NoticeState, Subject

UNDELIVERED_AFTER = timedelta(days=5)
NEEDS_A_PERSON = frozenset({"recall", "withdrawal"})
"""Kinds that must be acknowledged even where no agreement sets a limit: somebody acts on what is no longer so."""
UNSTATED = Limit(1, "working_days")


class Step(Enum):
    """One step of the escalation of a notice."""

    REMINDER = "reminder"
    SECOND_CONTACT = "second-contact"
    OPERATOR = "operator"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Silent:
    """A notice that may have to escalate. `reachable`: its recipient has an endpoint; `alternate`: a second one.

    `since` is the moment of delivery, or of registration where it is not delivered.
    """

    notice_id: NoticeId
    subject: Subject
    lane: int
    state: NoticeState
    registered_at: datetime
    since: datetime
    acknowledge_within: str
    taken: frozenset[Step]
    reachable: bool
    alternate: bool


@dataclass(frozen=True, slots=True)
class Escalation:
    """What follows at one moment: the steps to take now, when to look again, and the deadline as it stands."""

    silent: Silent
    steps: tuple[Step, ...]
    again_at: datetime | None
    acknowledge_by: datetime | None

    @property
    def taken(self) -> tuple[Step, ...]:
        """All steps taken after this moment, in a fixed order."""
        return tuple(step for step in Step if step in self.silent.taken or step in self.steps)

    @property
    def moves(self) -> bool:
        """Whether the notice goes to the alternate endpoint from now on."""
        return Step.UNDELIVERED in self.steps and self.silent.alternate


def limit_of(kind: str, duties: Mapping[str, Any], nation: str | None) -> str:
    """The limit within which a person must acknowledge, as text; empty for none. `nation` is the concern's."""
    stated = (duties.get("limits") or {}).get("acknowledge")
    if stated:
        return str(Limit(int(stated["amount"]), str(stated["unit"])).within(nation))
    return str(UNSTATED.within(nation)) if kind in NEEDS_A_PERSON else ""


def deadline_of(since: datetime, within: str) -> datetime | None:
    """By when a person must have acknowledged; None without a limit."""
    limit = Limit.parse(within)
    return ends_at(since, limit) if limit else None


def rests_on_a_guess(by: datetime | None, within: str) -> bool:
    """Whether a deadline counts days of a year whose bank holidays are not published yet: it may still move."""
    limit = Limit.parse(within)
    return by is not None and limit is not None and is_provisional(by, limit)


def first_look_at(registered_at: datetime, within: str) -> datetime:
    """When a new notice is looked at first."""
    return min(at for at, _ in (*_clock(registered_at, within), (registered_at + UNDELIVERED_AFTER, None)))


def look_after_delivery_at(delivered_at: datetime, within: str) -> datetime | None:
    """When a delivered notice is looked at first; None where nobody has to acknowledge."""
    return next((at for at, _ in _clock(delivered_at, within)), None)


def escalate(silent: Silent, *, now: datetime) -> Escalation:
    """The steps that are due and not yet taken, and when the next one is."""
    open_steps = [(at, step) for at, step in _plan(silent) if step not in silent.taken]
    return Escalation(
        silent=silent,
        steps=tuple(step for at, step in open_steps if at <= now),
        again_at=min((at for at, _ in open_steps if at > now), default=None),
        acknowledge_by=deadline_of(silent.since, silent.acknowledge_within) if _clock_runs(silent) else None,
    )


def _clock_runs(silent: Silent) -> bool:
    """A delivered notice waits for a person; so does one in the inbox of a body that has no endpoint."""
    return silent.state is NoticeState.DELIVERED or not silent.reachable


def _plan(silent: Silent) -> Iterator[tuple[datetime, Step]]:
    if _clock_runs(silent):
        yield from _clock(silent.since, silent.acknowledge_within)
    if silent.state is NoticeState.PENDING:
        yield silent.registered_at + UNDELIVERED_AFTER, Step.UNDELIVERED


def _clock(since: datetime, within: str) -> Iterator[tuple[datetime, Step]]:
    """Reminded at half of the time, the second contact at its end, the operator after half of it again."""
    by = deadline_of(since, within)
    if by is not None:
        half = (by - since) / 2
        yield since + half, Step.REMINDER
        yield by, Step.SECOND_CONTACT
        yield by + half, Step.OPERATOR
