"""Questions about decisions over HTTP.

Operators see whole decisions; an originator sees its own concerns' decisions
as far as it may know them. What a caller may not see answers exactly like what does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request

from services.router.domain.explanation import operator_view, organisation_view, originator_view
from services.router.domain.model import ENGINE, Concern, DecisionRecord, Head
from services.router.domain.policy import CurrentJudge, Judge, token_of
from services.router.entrypoints.forms import PreviewForm, without_detail
from services.router.ports import DecisionStore
from shared.clock import Clock
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http import strictjson
from shared.http.auth import Principal, caller
from shared.http.params import PathId
from shared.http.problems import FieldError, bad_fields, not_found

Reader = Annotated[Principal, Depends(caller("decisions:read"))]
Previewer = Annotated[Principal, Depends(caller("decisions:preview"))]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="a version of the concern; absent: the newest")]
_PREVIEW: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": PreviewForm.model_json_schema()}}}
}


@dataclass(frozen=True, slots=True)
class DecisionRoutes:
    """The routes of decisions."""

    store: DecisionStore
    current: CurrentJudge
    clock: Clock

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["decisions"])
        router.add_api_route("/v1/decisions/preview", self.preview, methods=["POST"], openapi_extra=_PREVIEW)
        router.add_api_route("/v1/decisions/{concern_id}", self.decision)
        router.add_api_route("/v1/decisions/{concern_id}/organisations/{org}", self.organisation)
        router.add_api_route("/v1/graph/head", self.graph_head)
        return router

    async def decision(self, concern_id: PathId, principal: Reader, version: Version = None) -> JsonObject:
        """The decision on a concern: whole for operators, for its originator what it may know."""
        record = await self._visible(concern_id, version, principal)
        notices = await self.store.told_by(record.key)
        view = operator_view if principal.is_operator else originator_view
        return {**_head(record), **view(orjson.loads(record.body), notices)}

    async def organisation(
        self, concern_id: PathId, org: PathId, principal: Reader, version: Version = None
    ) -> JsonObject:
        """Why one organisation is told of a concern or not; for operators."""
        if not principal.is_operator:
            raise not_found()
        record = await self._visible(concern_id, version, principal)
        notices = await self.store.told_by(record.key)
        found = organisation_view(orjson.loads(record.body), org, notices)
        if found is None:
            raise not_found()
        return {**_head(record), **found}

    async def preview(self, request: Request, principal: Previewer) -> JsonObject:
        """What would be decided on a concern now; nothing is stored and nobody is told.

        Names, identifiers and texts decide nothing and are not read: `ignored` lists those that were sent.
        """
        body, ignored = without_detail(strictjson.parse(await request.body()))
        form = PreviewForm.model_validate(body)
        if not principal.is_operator and form.concern.originator != principal.org:
            raise bad_fields([FieldError("/concern/originator", "this must be your own organisation")])
        preview = _preview(form, self.current.get(), self.clock)
        view = operator_view if principal.is_operator else originator_view
        return {**preview, "ignored": ignored, **view(preview.pop("decision"), {})}

    async def graph_head(self) -> JsonObject:
        """The graph that is decided on. Open, like the graph itself."""
        head = self.current.get().head
        return graph_of(head)

    async def _visible(self, concern_id: str, version: int | None, principal: Principal) -> DecisionRecord:
        record = await self.store.decision(concern_id, version)
        if record is None or not (principal.is_operator or principal.org == record.originator):
            raise not_found()
        return record


def _head(record: DecisionRecord) -> JsonObject:
    return {
        "decision_id": record.decision_id,
        "concern_id": record.key.concern_id,
        "version": record.key.version,
        "round": record.key.round,
        "digest": record.digest,
        "body_digest": record.body_digest,
        "concern_digest": record.concern_digest,
        "graph": graph_of(record.graph),
        "engine": record.engine,
        "as_of": record.as_of,
        "decided_at": rfc3339(record.decided_at),
    }


def graph_of(head: Head) -> JsonObject:
    """The graph that a decision was taken on, and the token that asks for it or a later one."""
    return {"version": head.version, "root": head.root, "token": token_of(head)}


def _preview(form: PreviewForm, judge: Judge, clock: Clock) -> JsonObject:
    now = clock.now()
    routing = form.concern.routing(now)
    verdict = judge.judge(Concern("", 1, "", now, routing, {})).verdict
    return {
        "graph": graph_of(judge.head),
        "engine": ENGINE,
        "as_of": routing["received_at"],
        "body_digest": verdict.body_digest,
        "decision": orjson.loads(verdict.body),
    }
