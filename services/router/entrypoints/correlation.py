"""What adds up about a subject: asked by those who may know of its concerns, and looked for in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.router.domain.correlation import Cluster, Rule, Viewer
from services.router.entrypoints.decisions import sees_all
from services.router.entrypoints.faults import passing
from services.router.ports import DecisionStore
from services.router.usecases import PAGE, Correlation, Desk, Followed, correlations_of
from shared.contracts.audit import AuditFact
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http.auth import Principal, caller
from shared.http.params import ID_LENGTH_MAX
from shared.http.problems import not_found
from shared.ids import new_id
from shared.supervision import Pause, Progress, repeat
from shared.telemetry import Telemetry

LOOK_SECONDS = 1.0
Reader = Annotated[Principal, Depends(caller("decisions:read"))]
SubjectOf = Annotated[
    str,
    Query(
        alias="subject-of",
        min_length=1,
        max_length=ID_LENGTH_MAX,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="the concern whose subjects are asked about",
    ),
]
Follow = Callable[[], Awaitable[Followed]]


@dataclass(frozen=True, slots=True)
class CorrelationRoutes:
    """The route of correlations."""

    store: DecisionStore
    desk: Desk

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["correlations"])
        router.add_api_route("/v1/correlations", self.correlations)
        return router

    async def correlations(self, principal: Reader, subject_of: SubjectOf) -> JsonObject:
        """Other concerns about each subject of a concern within the policy's window, with the diversity of sources.

        A body sees its own concerns and those it was told of in a form that lets it recognise the subject; counts are
        over these alone. Operators, auditors and duty routers see all, and each of their looks is recorded.
        """
        viewer = Viewer(principal.org, everything=sees_all(principal) or "duty-router" in principal.roles)
        found = await correlations_of(subject_of, viewer, store=self.store, current=self.desk.current)
        if found is None:
            raise not_found()
        if viewer.everything:
            async with self.desk.begin() as tx:
                await tx.say([self._looked(subject_of, principal)])
        return {"concern_id": subject_of, "subjects": list(map(correlation_view, found))}

    def _looked(self, concern_id: str, principal: Principal) -> AuditFact:
        return AuditFact(
            fact_id=new_id("fct"),
            kind="access",
            concern_id=concern_id,
            at=self.desk.clock.now(),
            service="router",
            actor=principal.subject,
            body={"looked_at": "correlations", "org": principal.org},
        )


class ConcernFollower:
    """Keeps what each concern shows about its subjects, a moment after it was decided; nothing waits for it."""

    def __init__(self, follow: Follow, *, progress: Progress, telemetry: Telemetry) -> None:
        self._follow = follow
        self._progress = progress
        self._telemetry = telemetry

    async def run(self) -> None:
        """Follow, for ever."""
        await repeat(self._step, pause=Pause("concern follower", self._telemetry), progress=self._progress)

    async def _step(self) -> float:
        self._progress.made(waiting=0)
        with passing():
            followed = await self._follow()
        for item in followed.suggested:
            self._telemetry.line("subject.suggested", item_id=item.item_id, codes=item.codes)
        return 0.0 if followed.count == PAGE else LOOK_SECONDS


def correlation_view(one: Correlation) -> JsonObject:
    """One subject, by its place in the concern's list."""
    seen = one.cluster.sightings
    return {
        "subject": one.subject,
        "kind": one.kind,
        **_rule(one.rule),
        "reached": one.cluster.reaches(one.rule),
        "concerns": list(one.cluster.concerns),
        **_diversity(one.cluster),
        "categories": sorted({name for row in seen for name in row.categories}),
        "first_received_at": rfc3339(seen[0].received_at) if seen else None,
        "last_received_at": rfc3339(seen[-1].received_at) if seen else None,
    }


def _diversity(cluster: Cluster) -> JsonObject:
    return {
        "independent_sources": len(cluster.sources),
        "originators": sorted({originator for originator, _ in cluster.sources}),
        "source_types": sorted({kind for _, kind in cluster.sources}),
    }


def _rule(rule: Rule) -> JsonObject:
    return {"window_seconds": int(rule.window.total_seconds()), "suggested_from": rule.count}
