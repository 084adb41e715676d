"""What comes in from Kafka: concerns to route, commits of the graph, outcomes of notices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from services.router.domain.model import Concern, Head
from services.router.domain.policy import CurrentJudge
from services.router.domain.replica import CommitPart
from services.router.entrypoints.faults import passing
from services.router.usecases import Adopted, Applied, GraphNews, Refused, Routed
from shared.canonical import canonical
from shared.contracts.concern import ConcernSubmitted
from shared.contracts.graph import GraphCommitted
from shared.contracts.outcome import NoticeOutcome
from shared.graphroot import object_key
from shared.records import Batch
from shared.supervision import Pause, Progress, repeat
from shared.telemetry import Telemetry

Route = Callable[[Batch[Concern]], Awaitable[tuple[Routed, ...]]]
Follow = Callable[[Batch[CommitPart]], Awaitable[tuple[GraphNews, ...]]]
Close = Callable[[Batch[str]], Awaitable[None]]
Refresh = Callable[[], Awaitable[GraphNews | None]]
PROBLEMS_SHOWN_MAX = 5
ALARMED_PAUSE_SECONDS = 5.0


async def take_concerns(batch: Batch[ConcernSubmitted], *, route: Route, telemetry: Telemetry) -> None:
    """Route concerns; say what became of them and alarm for those that wait for a person."""
    concerns = Batch(tuple(map(concern_of, batch.events)), batch.spans)
    with telemetry.unit("concerns.routed", items=len(batch.events)) as line, passing(telemetry):
        routed = await route(concerns)
        line.update(_counts(routed))
    for one in routed:
        if not one.repeated:
            _alarm(one, telemetry)


async def take_commits(batch: Batch[GraphCommitted], *, follow: Follow, telemetry: Telemetry) -> None:
    """Apply commits of the graph."""
    parts = Batch(tuple(map(part_of, batch.events)), batch.spans)
    with telemetry.unit("graph.followed", items=len(batch.events)), passing(telemetry):
        news = await follow(parts)
    for one in news:
        say_news(one, telemetry)


async def take_outcomes(batch: Batch[NoticeOutcome], *, close: Close, telemetry: Telemetry) -> None:
    """Whatever became of a notice, the notifier has it."""
    with telemetry.unit("notices.closed", items=len(batch.events)):
        await close(Batch(tuple(event.data.notice_id for event in batch.events), batch.spans))


class GraphRefresher:
    """Looks several times a second whether the stored graph is another one than the one decided on."""

    def __init__(
        self, refresh: Refresh, current: CurrentJudge, *, poll_seconds: float, progress: Progress, telemetry: Telemetry
    ) -> None:
        self._refresh = refresh
        self._current = current
        self._poll_seconds = poll_seconds
        self._progress = progress
        self._telemetry = telemetry

    async def run(self) -> None:
        """Look, for ever."""
        await repeat(self._step, pause=Pause("graph refresher", self._telemetry))

    async def _step(self) -> float:
        before = self._current.head
        self._progress.beat(waiting=0 if before.version else 1)
        with passing(self._telemetry):
            news = await self._refresh()
        if news is not None:
            say_news(news, self._telemetry)
            return ALARMED_PAUSE_SECONDS if isinstance(news, Refused) else 0.0
        if self._current.head != before:
            self._telemetry.line("graph.in-force", **_head(self._current.head))
        self._progress.made(waiting=0)
        return self._poll_seconds


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
    )


def part_of(event: GraphCommitted) -> CommitPart:
    """The contract in the router's words; the objects as their canonical bytes."""
    data = event.data
    bodies = {object_key(one): canonical(one) for one in data.objects}
    return CommitPart(data.version, data.parent_root, data.root, data.part, data.parts, bodies)


def say_news(news: GraphNews, telemetry: Telemetry) -> None:
    """A line for a commit that took effect, an alarm for everything else."""
    match news:
        case Applied(head):
            telemetry.line("graph.applied", **_head(head))
        case Adopted(head, because):
            telemetry.alarm("graph-read-whole", **_head(head), because=because)
        case Refused(head, problems):
            telemetry.alarm("graph-refused", **_head(head), problems=problems[:PROBLEMS_SHOWN_MAX])


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
