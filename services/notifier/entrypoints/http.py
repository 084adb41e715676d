"""The HTTP routes of the notifier, and the only table from its faults to their answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.notifier.domain.destination import URL_LENGTH_MAX, Guard
from services.notifier.domain.errors import (
    DestinationRefused,
    EndpointExists,
    NothingThere,
)
from services.notifier.domain.model import Endpoint, EndpointState, NoticeState
from services.notifier.ports import Endpoints, Json, Listing, Records
from services.notifier.usecases import Wanted, change_endpoint, endpoint_of, register_endpoint
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import PathId, QueryId
from shared.http.problems import FieldError, Problem, bad_fields, not_found
from shared.http.strictjson import parse
from shared.telemetry import Telemetry

PAGE_MAX = 200
Owner = Annotated[Principal, Depends(caller("endpoints:write"))]
Reading = Annotated[Principal, Depends(caller("notices:read"))]
Auditor = Annotated[Principal, Depends(caller("audit:read"))]

FAULTS: Mapping[type[Exception], Problem] = {
    DestinationRefused: bad_fields([FieldError("/url", "no delivery may go to this address")]),
    EndpointExists: Problem(
        409,
        "endpoint-exists",
        "Your organisation has an endpoint; nothing was changed",
        detail="One endpoint per organisation: remove the other one first.",
    ),
    NothingThere: not_found(),
}


class EndpointForm(BaseModel):
    """Where an organisation wants to be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(min_length=1, max_length=URL_LENGTH_MAX)
    description: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes call. `changed` is told of every change of an endpoint."""

    guard: Guard
    clock: Clock
    endpoints: Endpoints
    records: Records
    telemetry: Telemetry
    changed: Callable[[], None]


def routes(desk: Desk) -> APIRouter:
    """All routes of the notifier."""
    router = APIRouter()
    _add_endpoint_routes(router, desk)
    _add_state_routes(router, desk)
    _add_notice_routes(router, desk.records)
    _add_audit_routes(router, desk.records)
    return router


def _add_endpoint_routes(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/endpoints", status_code=201, openapi_extra=_request_body())
    async def post_endpoint(request: Request, owner: Owner) -> Response:
        form = EndpointForm.model_validate(parse(await request.body()))
        wanted = Wanted(owner.org, form.url, form.description)
        try:
            made = await register_endpoint(wanted, guard=desk.guard, clock=desk.clock, endpoints=desk.endpoints)
        except DestinationRefused as fault:
            raise bad_fields([FieldError("/url", str(fault))]) from None
        _say(desk, "endpoint.registered", made.endpoint)
        return _json(_shown(made.endpoint) | {"secret": made.secret}, 201)

    @router.get("/v1/endpoints")
    async def list_endpoints(owner: Owner) -> Response:
        found = await desk.endpoints.all_of(_scope_of(owner))
        return _json({"items": [_shown(endpoint) for endpoint in found], "next": None})

    @router.get("/v1/endpoints/{endpoint_id}")
    async def get_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        return _json(_shown(await endpoint_of(endpoint_id, org=_scope_of(owner), endpoints=desk.endpoints)))


def _add_state_routes(router: APIRouter, desk: Desk) -> None:
    async def change(endpoint_id: str, state: EndpointState, owner: Principal) -> Endpoint:
        org = _scope_of(owner)
        endpoint = await change_endpoint(endpoint_id, state, org=org, clock=desk.clock, endpoints=desk.endpoints)
        _say(desk, f"endpoint.{state.value}", endpoint)
        return endpoint

    @router.post("/v1/endpoints/{endpoint_id}/pause")
    async def pause_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        return _json(_shown(await change(endpoint_id, EndpointState.PAUSED, owner)))

    @router.post("/v1/endpoints/{endpoint_id}/resume")
    async def resume_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        return _json(_shown(await change(endpoint_id, EndpointState.ACTIVE, owner)))

    @router.delete("/v1/endpoints/{endpoint_id}", status_code=204)
    async def remove_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        await change(endpoint_id, EndpointState.REMOVED, owner)
        return Response(status_code=204)


def _add_notice_routes(router: APIRouter, records: Records) -> None:
    @router.get("/v1/notices")
    async def list_notices(
        reading: Reading,
        concern_id: QueryId | None = None,
        state: NoticeState | None = None,
        after: After = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    ) -> Response:
        org = _scope_of(reading)
        found = await records.notices(Listing(org, concern_id, state, place_of(after), limit + 1))
        page = list(found[:limit])
        return _json({"items": page, "next": _cursor_after(page[-1]) if len(found) > limit else None})

    @router.get("/v1/notices/{notice_id}")
    async def get_notice(notice_id: PathId, reading: Reading) -> Response:
        notice = await records.notice(notice_id)
        if notice is None or _scope_of(reading) not in (None, notice["recipient"]):
            raise NothingThere
        return _json(notice)


def _add_audit_routes(router: APIRouter, records: Records) -> None:
    @router.get("/v1/audit/facts")
    async def list_facts(_auditor: Auditor, concern_id: QueryId) -> Response:
        events = await records.facts(concern_id)
        return _json({"items": [orjson.Fragment(event) for event in events], "next": None})


def _cursor_after(notice: Json) -> str:
    return cursor_of(datetime.fromisoformat(notice["registered_at"]), notice["notice_id"])


def _scope_of(principal: Principal) -> str | None:
    """The organisation that the caller may see; None for an operator, who sees all."""
    return None if principal.is_operator else principal.org


def _shown(endpoint: Endpoint) -> Json:
    return {
        "endpoint_id": endpoint.endpoint_id,
        "org": endpoint.org,
        "url": endpoint.url,
        "description": endpoint.description,
        "state": endpoint.state.value,
        "reason": endpoint.reason,
        "created_at": rfc3339(endpoint.created_at),
        "links": {"self": f"/v1/endpoints/{endpoint.endpoint_id}"},
    }


def _say(desk: Desk, event: str, endpoint: Endpoint) -> None:
    desk.changed()
    desk.telemetry.line(event, endpoint_id=endpoint.endpoint_id, org=endpoint.org)


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store"}, "application/json")


def _request_body() -> dict[str, Any]:
    """The body for the OpenAPI document; the route reads the raw bytes itself."""
    content = {"application/json": {"schema": EndpointForm.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
