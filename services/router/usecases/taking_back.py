"""Tell a body that what it was told of no longer stands, or see to it that it is never told."""

from __future__ import annotations

from services.router.domain.evaluating import Ruling
from services.router.domain.model import Concern
from services.router.domain.rounds import Dossier
from services.router.domain.undoing import ToldNotice, UndoingKind, taken_back_by
from services.router.ports import Undoing
from services.router.usecases.desk import Sitting
from services.router.usecases.pointing import undoing_of, undone_of


async def take_back(
    told: ToldNotice, dossier: Dossier, reason: str, sitting: Sitting, *, kind: UndoingKind
) -> Undoing | None:
    """One notice, once; None where it was taken back before."""
    undoing = undoing_of(kind, told, dossier, reason, (sitting.judge.head, sitting.now))
    return undoing if await sitting.tx.undo(undoing) else None


async def withdraw(told: ToldNotice, dossier: Dossier, reason: str, sitting: Sitting) -> bool:
    """One notice, once, and intake hears of it; False where it was taken back before."""
    undoing = await take_back(told, dossier, reason, sitting, kind="withdrawal")
    if undoing is not None:
        await sitting.tx.say_undone(undone_of(told.concern_id, "withdrawal", [undoing], sitting.now))
    return undoing is not None


async def withdraw_from_others(
    concern: Concern, decision: Ruling, sitting: Sitting, *, also_of_this: bool = False
) -> None:
    """Tell those of the withdrawal who know of an earlier version, or of this one too, and may no longer."""
    for told in await sitting.tx.told_before(concern.concern_id, concern.version + also_of_this):
        reason = taken_back_by(decision, told.recipient)
        dossier = await sitting.tx.dossier(told.concern_id, told.version) if reason else None
        if dossier is not None and reason is not None:
            await withdraw(told, dossier, reason, sitting)
