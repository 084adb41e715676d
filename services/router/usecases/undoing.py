"""Take back what was told: a commit that ends a telling clause early, an amendment, a recall; and hear what became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from services.router.domain.model import DecisionKey, Recall, WorkItem
from services.router.domain.policy import is_ahead
from services.router.domain.rounds import Act, Opened
from services.router.domain.undoing import NoticeNews, Stays, TakeBack, ToldNotice, standing_of
from services.router.ports import Begin, Decided, Transaction, Undoing
from services.router.usecases.desk import ROUTER, Desk, Sitting
from services.router.usecases.judging import chosen
from services.router.usecases.lineage import point_out
from services.router.usecases.pointing import undone_of
from services.router.usecases.taking_back import take_back, withdraw, withdraw_from_others
from services.router.usecases.telling import amended_of, silenced
from shared.agreements.reasons import CHOSEN
from shared.ids import derived_id
from shared.records import Batch

PAGE = 100
VERSIONS_MAX = 2**31 - 1


async def withdraw_ended(desk: Desk) -> int:
    """Look at every notice that is not yet with its body by the newest graph; gives how many were taken back.

    Raises NoGraphYet, GraphBehind.
    """
    count = 0
    while True:
        async with desk.begin() as tx:
            sitting = desk.sitting(tx)
            page = await tx.unsettled(sitting.judge.head.version, sitting.now, PAGE)
            for told in page:
                count += await _look_at(told, sitting)
        if len(page) < PAGE:
            return count


async def _look_at(told: ToldNotice, sitting: Sitting) -> bool:
    dossier = await sitting.tx.dossier(told.concern_id, told.version)
    if dossier is None:  # nothing is known to decide it on: looked at, so that the next page is another
        await sitting.tx.checked(told.notice_id, sitting.judge.head.version, None)
        return False
    concern = replace(dossier.concern, routing=dossier.routing)
    decision = (await chosen(sitting.judge, concern, dossier.choices)).decision
    match standing_of(told, concern, decision, sitting.now):
        case TakeBack(reason):
            return await withdraw(told, dossier, reason, sitting)
        case Stays(until):
            await sitting.tx.checked(told.notice_id, sitting.judge.head.version, until)
            return False
        case never:
            assert_never(never)


async def amend(decided: Decided, sitting: Sitting) -> Decided | None:
    """Store the decision on a version that follows others; None where that is stored already.

    Choices that were made before stand where they still may; who was told and no longer may know is told of the
    withdrawal alone, and nobody needs to look at the earlier versions any more. A person looks at what was built on
    those. After a recall nobody is told.
    """
    concern, tx = decided.concern, sitting.tx
    before = await tx.dossier(concern.concern_id, None)
    if before is None or before.concern.version >= concern.version:
        return decided if await tx.record([decided]) else None
    if is_ahead(concern, sitting.now):
        choice = sitting.judge.refuse(concern, before.choices)
    else:
        choice = await chosen(sitting.judge, concern, before.choices)
    standing = {org: how for org, how in before.choices.items() if org not in choice.refused}
    act = Act("amended", ROUTER, "", (), "", standing)
    made = amended_of(concern, act, choice.verdict, sitting.judge.head, sitting.now)
    made = silenced(made) if before.recalled else made
    opened = Opened(made.record.decision_id, made.record.key, sitting.now, act)
    if not await tx.open_round(made, opened, []):
        return None
    await tx.supersede(concern.concern_id, concern.version, sitting.now)
    await withdraw_from_others(concern, choice.decision, sitting)
    if not before.recalled:
        await point_out(concern, sitting)
    return made


async def recall(recalled: Recall, sitting: Sitting) -> int:
    """Everyone who was told of any version, of it or of what came of it, is told to stop; gives how many are.

    Nothing of it is decided any more. The same again changes nothing; intake is told again that it is so.
    """
    count = 0
    for concern_id in (recalled.concern_id, *recalled.descendants):
        await sitting.tx.keep_recall(concern_id, recalled.reason, sitting.now)
        await sitting.tx.supersede(concern_id, VERSIONS_MAX, sitting.now)
        undoings = await _recall_notices(concern_id, sitting)
        await sitting.tx.say_undone(undone_of(concern_id, "recall", undoings, sitting.now))
        count += len(undoings)
    return count


async def recall_late(concern_ids: Sequence[str], sitting: Sitting) -> int:
    """Take back what was decided on behind the recall of what it came of: that lies in another partition."""
    late = await sitting.tx.recalled_among(concern_ids)
    return sum([await recall(Recall(concern_id, reason), sitting) for concern_id, reason in sorted(late.items())])


async def _recall_notices(concern_id: str, sitting: Sitting) -> Sequence[Undoing]:
    undoings = []
    for told in await sitting.tx.told_before(concern_id, VERSIONS_MAX):
        dossier = await sitting.tx.dossier(told.concern_id, told.version)
        if dossier is not None:
            undoings.append(await take_back(told, dossier, CHOSEN, sitting, kind="recall"))
    return [undoing for undoing in undoings if undoing is not None]


async def hear_of_notices(batch: Batch[NoticeNews], *, begin: Begin) -> None:
    """The notifier has these notices; some are settled, and what is refused is a person's to look at."""
    async with begin(batch.spans) as tx:
        if batch.events:
            await tx.close([news.notice_id for news in batch.events])
        settled = {news.notice_id: news.settled for news in batch.events if news.settled}
        if settled:
            await tx.settle(settled)
        for news in batch.events:
            if news.refusal is not None:
                await _open_refusal(news, news.refusal, tx)


async def _open_refusal(news: NoticeNews, reason: str, tx: Transaction) -> None:
    """A recipient that names the right body sends it back; one that does not refuses."""
    kind, code = ("returned", "RETURNED") if news.suggested else ("refused", "REFUSED")
    bodies = (news.suggested,) if news.suggested else (news.recipient,)
    key = DecisionKey(news.concern_id, news.version)
    name = derived_id("wrk", kind, news.notice_id)
    codes = (code, reason)
    item = WorkItem(name, "returned" if news.suggested else "refused", key, codes, bodies, news.at, ref=news.notice_id)
    await tx.open_item(item)
