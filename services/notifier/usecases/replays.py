"""Sending again: one notice, or all of a stretch of time as a job with a rate that can be paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain.errors import NeverSent, NothingThere
from services.notifier.domain.model import NoticeId
from services.notifier.ports import Begin, Records, Replay, ReplayState
from shared.clock import Clock
from shared.ids import new_id

RATE_MAX = 6_000
"""Notices a minute that a replay may be asked for."""
JOBS_MAX = 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is to be sent again: a recipient's notices registered in `[since, until)`, so many a minute."""

    recipient: str
    since: datetime
    until: datetime
    rate_per_minute: int


async def start_replay(stretch: Stretch, *, by: str, clock: Clock, begin: Begin) -> Replay:
    """Start a job; nothing of it is in memory, and it ends however many rows there are."""
    now = clock.now()
    replay = Replay(
        replay_id=new_id("rpl"),
        recipient=stretch.recipient,
        since=stretch.since,
        until=min(stretch.until, now),
        rate_per_minute=stretch.rate_per_minute,
        state=ReplayState.RUNNING,
        total=0,
        sent=0,
        created_by=by,
        created_at=now,
    )
    async with begin() as ledger:
        return await ledger.add_replay(replay)


async def change_replay(
    replay_id: str, state: ReplayState, *, org: str | None, begin: Begin, records: Records
) -> Replay:
    """Pause, resume or cancel a job that is not over. Raises NothingThere."""
    if replay_id not in {one.replay_id for one in await records.replays(org)}:
        raise NothingThere
    async with begin() as ledger:
        await ledger.change_replay(replay_id, state)
    return next(one for one in await records.replays(org) if one.replay_id == replay_id)


async def redeliver_notice(notice_id: str, *, org: str | None, clock: Clock, begin: Begin) -> NoticeId:
    """Send one notice again, under its own id; gives the id of the row that does. Raises NothingThere, NeverSent."""
    async with begin() as ledger:
        notice = await ledger.addressed(notice_id)
        if notice is None or org not in (None, notice.subject.recipient):
            raise NothingThere
        made = await ledger.resend(notice_id, new_id("rpl"), now=clock.now())
    if made is None:
        raise NeverSent
    return made


async def advance_replays(*, clock: Clock, begin: Begin) -> Sequence[Replay]:
    """Put the next notices of the jobs that are due into the line."""
    async with begin() as ledger:
        return await ledger.advance_replays(now=clock.now(), row_count_max=JOBS_MAX)
