"""Questions about decisions over HTTP.

Operators see whole decisions and the queues of what waits for a person; an originator sees its own concerns' decisions
as far as it may know them. What a caller may not see answers exactly like what does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request

from services.router.domain.explanation import operator_view, organisation_view, originator_view
from services.router.domain.model import ENGINE, Concern, DecisionRecord, ItemCursor, ItemKind, WorkItem
from services.router.domain.policy import CurrentJudge, Judge
from services.router.entrypoints.forms import PreviewForm, without_detail
from services.router.ports import DecisionStore
from shared.clock import Clock
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http import strictjson
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import PathId
from shared.http.problems import FieldError, Problem, bad_fields, not_found

PAGE_MAX = 200
Reader = Annotated[Principal, Depends(caller("decisions:read"))]
Previewer = Annotated[Principal, Depends(caller("decisions:preview"))]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="a version of the concern; absent: the newest")]
Kind = Annotated[ItemKind | None, Query(description="one queue; absent: all")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="items at most")]
_PREVIEW: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": PreviewForm.model_json_schema()}}}
}


@dataclass(frozen=True, slots=True)
class DecisionRoutes:
    """The routes of the router."""

    store: DecisionStore
    current: CurrentJudge
    clock: Clock

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["decisions"])
        router.add_api_route("/v1/decisions/preview", self.preview, methods=["POST"], openapi_extra=_PREVIEW)
        router.add_api_route("/v1/decisions/{concern_id}", self.decision)
        router.add_api_route("/v1/decisions/{concern_id}/organisations/{org}", self.organisation)
        router.add_api_route("/v1/unroutable", self.unroutable)
        router.add_api_route("/v1/work-items", self.work_items)
        router.add_api_route("/v1/graph/head", self.graph_head)
        return router

    async def decision(self, concern_id: PathId, principal: Reader, version: Version = None) -> JsonObject:
        """The decision on a concern: whole for operators, for its originator what it may know."""
        record = await self._visible(concern_id, version, principal)
        notices = await self.store.told_by(record.decision_id)
        view = operator_view if principal.is_operator else originator_view
        return {**_head(record), **view(orjson.loads(record.body), notices)}

    async def organisation(
        self, concern_id: PathId, org: PathId, principal: Reader, version: Version = None
    ) -> JsonObject:
        """Why one organisation is told of a concern or not; for operators."""
        if not principal.is_operator:
            raise not_found()
        record = await self._visible(concern_id, version, principal)
        notices = await self.store.told_by(record.decision_id)
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

    async def unroutable(self, principal: Reader, after: After = "", limit: Limit = 50) -> JsonObject:
        """Concerns that reached nobody, oldest first; for operators."""
        return await self.work_items(principal, "unroutable", after, limit)

    async def work_items(
        self, principal: Reader, kind: Kind = None, after: After = "", limit: Limit = 50
    ) -> JsonObject:
        """What waits for a person, oldest first; for operators. `next` leads to the page behind this one."""
        if not principal.is_operator:
            raise Problem(403, "forbidden", "Your client may not do this", detail="It needs the role operator.")
        found = await self.store.work_items(kind, _place(after), limit + 1)
        page = found[:limit]
        now = self.clock.now()
        items = [{**_item(item), "age_seconds": int((now - item.opened_at).total_seconds())} for item in page]
        return {"items": items, "next": _cursor_after(page[-1]) if len(found) > limit else None}

    async def graph_head(self) -> JsonObject:
        """The graph that is decided on. Open, like the graph itself."""
        head = self.current.get().head
        return {"version": head.version, "root": head.root}

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
        "graph": {"version": record.graph.version, "root": record.graph.root},
        "engine": record.engine,
        "as_of": record.as_of,
        "decided_at": rfc3339(record.decided_at),
    }


def _preview(form: PreviewForm, judge: Judge, clock: Clock) -> JsonObject:
    now = clock.now()
    routing = form.concern.routing(now)
    verdict = judge.judge(Concern("", 1, "", now, routing, {})).verdict
    return {
        "graph": {"version": judge.head.version, "root": judge.head.root},
        "engine": ENGINE,
        "as_of": routing["received_at"],
        "body_digest": verdict.body_digest,
        "decision": orjson.loads(verdict.body),
    }


def _place(after: str) -> ItemCursor | None:
    place = place_of(after)
    return place and ItemCursor(*place)


def _cursor_after(item: WorkItem) -> str:
    return cursor_of(item.opened_at, item.item_id)


def _item(item: WorkItem) -> JsonObject:
    return {
        "item_id": item.item_id,
        "kind": item.kind,
        "concern_id": item.key.concern_id,
        "version": item.key.version,
        "round": item.key.round,
        "codes": list(item.codes),
        "organisations": list(item.bodies),
        "opened_at": rfc3339(item.opened_at),
    }
