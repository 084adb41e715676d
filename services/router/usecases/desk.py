"""Who decides, where and when: what the acts of people, and the machine's own, need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.rounds import MACHINE, Person
from services.router.ports import Begin, Transaction
from shared.clock import Clock

ROUTER = Person(MACHINE, "", MACHINE)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the acts of people need; `wait_max`: how far ahead an item may be put off at a time."""

    current: CurrentJudge
    begin: Begin
    clock: Clock
    wait_max: timedelta = timedelta(days=28)

    def sitting(self, tx: Transaction) -> Sitting:
        """Decide in this transaction, now, by the judge in office. Raises NoGraphYet, GraphBehind."""
        return Sitting(tx, self.current.get(), self.clock.now())


async def may_act(concern_id: str, asker: str | None, tx: Transaction) -> bool:
    """Whether a body may act on a concern: its originator, or (None) whoever is on duty.

    It is asked before anything else is read, so that what another raised is answered by the same one look as what does
    not exist (P20).
    """
    return asker is None or await tx.is_raised_by(concern_id, asker)


@dataclass(frozen=True, slots=True)
class Sitting:
    """Where, by whom and when one round is decided."""

    tx: Transaction
    judge: Judge
    now: datetime
