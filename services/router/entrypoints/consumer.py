"""What comes in from Kafka: concerns to route, commits of the graph, outcomes of notices."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from services.router.domain.model import Concern, Head, Recall, WorkItem
from services.router.domain.panels import PanelDue
from services.router.domain.policy import CurrentJudge, Newer
from services.router.domain.replica import CommitPart
from services.router.domain.undoing import NoticeNews, Settled
from services.router.entrypoints.faults import passing
from services.router.usecases import Adopted, Applied, GraphNews, Routed
from shared.canonical import canonical
from shared.contracts.concern import ConcernRecalled, ConcernSubmitted
from shared.contracts.graph import GraphCommitted
from shared.contracts.outcome import (
    ACCEPTED,
    ACKNOWLEDGED,
    CANCELLED,
    DELIVERED,
    EXPIRED,
    REFUSED,
    USED,
    NoticeOutcome,
)
from shared.graphroot import object_key
from shared.records import Batch
from shared.supervision import Pause, Progress, repeat
from shared.telemetry import Telemetry

Route = Callable[[Batch[Concern | Recall]], Awaitable[tuple[Routed, ...]]]
Follow = Callable[[Batch[CommitPart]], Awaitable[tuple[GraphNews, ...]]]
Hear = Callable[[Batch[NoticeNews]], Awaitable[None]]
Refresh = Callable[[], Awaitable[GraphNews | None]]
Chore = Callable[[], Awaitable[int]]
FindOverdue = Callable[[], Awaitable[Sequence[WorkItem]]]
FindOverduePanels = Callable[[], Awaitable[Sequence[PanelDue]]]
AskHead = Callable[[], Awaitable[Head | None]]
CatchUp = Callable[[Head], Awaitable[GraphNews | None]]
REGISTRY_POLL_SECONDS = 10.0
TEND_SECONDS = 5.0
COMMIT_ON_ITS_WAY_SECONDS = 1.0


async def take_concerns(
    batch: Batch[ConcernSubmitted | ConcernRecalled], *, route: Route, telemetry: Telemetry
) -> None:
    """Route concerns; say what became of them and alarm for those that wait for a person."""
    concerns = Batch(tuple(map(_concern_or_recall, batch.events)), batch.spans)
    with telemetry.unit("concerns.routed", items=len(batch.events)) as line, passing():
        routed = await route(concerns)
        line.update(_counts(routed))
    for one in routed:
        if not one.repeated:
            _alarm(one, telemetry)


async def take_commits(batch: Batch[GraphCommitted], *, follow: Follow, telemetry: Telemetry) -> None:
    """Apply commits of the graph."""
    parts = Batch(tuple(map(part_of, batch.events)), batch.spans)
    with telemetry.unit("graph.followed", items=len(batch.events)), passing():
        news = await follow(parts)
    for one in news:
        say_news(one, telemetry)


async def take_outcomes(batch: Batch[NoticeOutcome], *, hear: Hear, telemetry: Telemetry) -> None:
    """Whatever became of a notice, the notifier has it."""
    with telemetry.unit("notices.closed", items=len(batch.events)):
        await hear(Batch(tuple(map(news_of, batch.events)), batch.spans))
    for event in batch.events:
        if event.type == REFUSED:
            ids = {"notice_id": event.data.notice_id, "concern_id": event.data.concern_id}
            telemetry.alarm("notice-refused", **ids, organisation=event.data.recipient, reason=event.data.reason)


class GraphRefresher:
    """Looks several times a second whether the stored graph is another one than the one decided on.

    It is also who says, once, that a newer graph is known and cannot be used; it gets on only while one can be.
    """

    def __init__(
        self, refresh: Refresh, current: CurrentJudge, *, poll_seconds: float, progress: Progress, telemetry: Telemetry
    ) -> None:
        self._refresh = refresh
        self._current = current
        self._poll_seconds = poll_seconds
        self._progress = progress
        self._telemetry = telemetry
        self._alarmed: Newer | None = None

    async def run(self) -> None:
        """Look, for ever."""
        await repeat(self._step, pause=Pause("graph refresher", self._telemetry))

    async def _step(self) -> float:
        before = self._current.head
        try:
            with passing():
                news = await self._refresh()
        finally:
            self._report()
        if news is not None:
            say_news(news, self._telemetry)
            return 0.0
        if self._current.head != before:
            self._telemetry.line("graph.in-force", **_head(self._current.head))
        return self._poll_seconds

    def _report(self) -> None:
        newer = self._current.newer
        if newer and newer != self._alarmed:
            self._telemetry.alarm(
                "graph-behind", **_head(self._current.head), known=newer.version, because=newer.because
            )
        self._alarmed = newer
        if newer or not self._current.head.version:
            self._progress.beat(waiting=1)
        else:
            self._progress.made(waiting=0)


class RegistryWatch:
    """Asks the registry every few seconds for its head, because a commit can be lost on its way.

    A newer head is asked about once more before anything is done: its commit may be under way.
    """

    def __init__(self, ask: AskHead, catch_up: CatchUp, *, progress: Progress, telemetry: Telemetry) -> None:
        self._ask = ask
        self._catch_up = catch_up
        self._progress = progress
        self._telemetry = telemetry
        self._newer: Head | None = None

    async def run(self) -> None:
        """Ask, for ever."""
        await repeat(self._step, pause=Pause("registry watch", self._telemetry), progress=self._progress)

    async def _step(self) -> float:
        self._progress.made(waiting=0)
        if self._newer is None:
            self._newer = await self._ask()
            return REGISTRY_POLL_SECONDS if self._newer is None else COMMIT_ON_ITS_WAY_SECONDS
        with passing():
            news = await self._catch_up(self._newer)
        self._newer = None
        if news is not None:
            say_news(news, self._telemetry)
        return REGISTRY_POLL_SECONDS


class GraphTender:
    """Does what a change of the graph or of the day asks for: ends holds, takes back, says what is overdue.

    Whenever the graph changes, and every few seconds, since another router may have left something undone.
    """

    def __init__(
        self, chores: Mapping[str, Chore], current: CurrentJudge, *, progress: Progress, telemetry: Telemetry
    ) -> None:
        self._chores = chores
        self._progress = progress
        self._telemetry = telemetry
        self._changed = asyncio.Event()
        current.listen(self._changed.set)

    async def run(self) -> None:
        """Look, for ever."""
        await repeat(self._step, pause=Pause("graph tender", self._telemetry), progress=self._progress)

    async def _step(self) -> float:
        self._progress.made(waiting=0)
        with suppress(TimeoutError):
            async with asyncio.timeout(TEND_SECONDS):
                await self._changed.wait()
        self._changed.clear()
        for event, chore in self._chores.items():
            with passing():
                count = await chore()
            if count:
                self._telemetry.line(event, items=count)
        return 0.0


async def say_overdue(find: FindOverdue, telemetry: Telemetry) -> int:
    """An alarm for each review that should have been done by now."""
    overdue = await find()
    for item in overdue:
        ids = {"item_id": item.item_id, "concern_id": item.key.concern_id, "version": item.key.version}
        telemetry.alarm("review-overdue", **ids, bodies=item.bodies)
    return len(overdue)


async def say_overdue_panels(find: FindOverduePanels, telemetry: Telemetry) -> int:
    """An alarm for each action and review of a panel that should have been done by now."""
    overdue = await find()
    for panel_id, concern_id, due in overdue:
        ids = {"panel_id": panel_id, "number": due.number, "concern_id": concern_id}
        what = "action" if due.action else "review"
        telemetry.alarm("panel-overdue", **ids, what=what, owner=due.owner, due=due.day.isoformat())
    return len(overdue)


def _concern_or_recall(event: ConcernSubmitted | ConcernRecalled) -> Concern | Recall:
    if isinstance(event, ConcernSubmitted):
        return concern_of(event)
    return Recall(event.data.concern_id, event.data.reason, tuple(event.data.descendants))


def concern_of(event: ConcernSubmitted) -> Concern:
    """The contract in the router's words."""
    data = event.data
    return Concern(
        concern_id=data.concern_id,
        version=data.version,
        digest=data.digest,
        accepted_at=data.accepted_at,
        routing=data.routing,
        sealed=data.sealed.model_dump(),
        traceparent=event.traceparent,
        descendants=tuple(data.descendants or ()),
    )


def news_of(event: NoticeOutcome) -> NoticeNews:
    """The contract in the router's words."""
    data = event.data
    return NoticeNews(
        notice_id=data.notice_id,
        concern_id=data.concern_id,
        version=data.version,
        recipient=data.recipient,
        at=data.at,
        settled=_SETTLED.get(event.type),
        refusal=(data.reason or "other") if event.type == REFUSED else None,
        suggested=data.suggested_body if event.type == REFUSED else None,
    )


_SETTLED: dict[str, Settled] = {
    **dict.fromkeys((DELIVERED, ACKNOWLEDGED, ACCEPTED, REFUSED, USED), "told"),
    **dict.fromkeys((EXPIRED, CANCELLED), "ended"),
}


def part_of(event: GraphCommitted) -> CommitPart:
    """The contract in the router's words; the objects as their canonical bytes."""
    data = event.data
    bodies = {object_key(one): canonical(one) for one in data.objects}
    whole = data.complete is None
    return CommitPart(data.version, data.parent_root, data.root, data.part, data.parts, bodies, complete=whole)


def say_news(news: GraphNews, telemetry: Telemetry) -> None:
    """A line for a commit that took effect, an alarm for everything else."""
    match news:
        case Applied(head):
            telemetry.line("graph.applied", **_head(head))
        case Adopted(head, because):
            telemetry.alarm("graph-read-whole", **_head(head), because=because)


def _head(head: Head) -> dict[str, Any]:
    return {"version": head.version, "root": head.root}


def _counts(routed: tuple[Routed, ...]) -> dict[str, int]:
    fresh = [one for one in routed if not one.repeated]
    items = Counter(item.kind for one in fresh for item in one.decided.items)
    return {
        "repeated": len(routed) - len(fresh),
        "told": sum(len(one.decided.issued) for one in fresh),
        **{f"{kind}_count": items[kind] for kind in sorted(items)},
    }


def _alarm(routed: Routed, telemetry: Telemetry) -> None:
    record = routed.decided.record
    ids = {"concern_id": record.key.concern_id, "version": record.key.version, "decision_id": record.decision_id}
    if routed.fault:
        telemetry.alarm("evaluator-fault", **ids, fault=routed.fault)
    for item in routed.decided.items:
        telemetry.alarm(f"concern-{item.kind}", **ids, codes=item.codes, bodies=item.bodies)
