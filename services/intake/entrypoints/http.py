"""The HTTP routes of intake, and the only table from its faults to their answers."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.intake.domain.errors import (
    HistoricNotAllowed,
    HistoricNotEntitled,
    NotTheFirstVersion,
    NotTheOriginator,
    ReceivedInTheFuture,
)
from services.intake.domain.model import Answer, Caller, Clash, ConcernId, Page, Reader, Receipt, Submission
from services.intake.entrypoints.forms import ConcernForm, SubmittedForm
from services.intake.entrypoints.views import flag_rows, link_of, list_item, whole
from services.intake.ports import Acceptance, Archive
from shared.faults import StoreUnavailable
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.problems import RETRY_AFTER_SECONDS, FieldError, Problem, bad_fields, not_found
from shared.http.strictjson import parse
from shared.telemetry import Telemetry

JSON = "application/json"
CLOUD_EVENT = "application/cloudevents+json"
SCOPE_WRITE, SCOPE_READ, SCOPE_HISTORIC = "concerns:write", "concerns:read", "concerns:historic"
PAGE_MAX = 200
_CONCERN_ID = re.compile(r"con_[0-9a-f]{32}")
Writer = Annotated[Principal, Depends(caller(SCOPE_WRITE))]
ReadingCaller = Annotated[Principal, Depends(caller(SCOPE_READ))]

FAULTS: Mapping[type[Exception], Problem] = {
    NotTheOriginator: Problem(
        403,
        "not-the-originator",
        "You may submit for your own organisation only; nothing was stored",
        detail="`originator` must be the organisation of your token.",
    ),
    NotTheFirstVersion: Problem(
        409,
        "not-the-first-version",
        "A new concern has version 1; nothing was stored",
        detail="Send `version` 1 for a concern that is new.",
    ),
    HistoricNotAllowed: bad_fields(
        [FieldError("/received_at", "this deployment sets the moment of receipt itself: leave the field out")]
    ),
    HistoricNotEntitled: Problem(
        403,
        "historic",
        "Your client may not state when a concern was received; nothing was stored",
        detail=f"`received_at` needs the scope {SCOPE_HISTORIC}: leave the field out, or ask for the scope.",
    ),
    ReceivedInTheFuture: bad_fields([FieldError("/received_at", "this moment has not come yet")]),
}
OUTCOME_UNKNOWN = Problem(
    503,
    "unavailable",
    "Send it again in a moment; whether it was stored is not known",
    detail="The store is busy or away. Sending the same concern again is safe: it is stored once.",
    headers={"Retry-After": RETRY_AFTER_SECONDS},
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes call."""

    submit: Callable[[Submission], Awaitable[Answer]]
    archive: Archive


async def accept_batch(
    batch: Sequence[Acceptance],
    *,
    accept: Callable[[Sequence[Acceptance]], Awaitable[Sequence[Answer]]],
    telemetry: Telemetry,
    ended: Callable[[], None],
) -> Sequence[Answer]:
    """One batch, one line; `ended` is called whatever came of it."""
    try:
        with telemetry.unit("concerns.accepted", items=len(batch)) as row:
            answers = await accept(batch)
            row["replayed"] = sum(1 for answer in answers if isinstance(answer, Receipt) and answer.replayed)
            row["clashed"] = sum(1 for answer in answers if isinstance(answer, Clash))
    finally:
        ended()
    return answers


def routes(desk: Desk) -> APIRouter:
    """The routes of intake."""
    router = APIRouter()

    @router.post("/v1/concerns", status_code=202, openapi_extra=_request_body())
    async def post_concern(request: Request, writer: Writer) -> Response:
        form = read_form(request.headers.get("content-type", ""), await request.body())
        try:
            answer = await desk.submit(_submission(form, writer))
        except StoreUnavailable:
            raise OUTCOME_UNKNOWN from None
        return _answer(answer)

    @router.get("/v1/concerns/{concern_id}")
    async def get_concern(concern_id: str, reading: ReadingCaller) -> Response:
        known = _CONCERN_ID.fullmatch(concern_id)
        record = await desk.archive.concern(ConcernId(concern_id), _reader(reading)) if known else None
        if record is None:
            raise not_found()
        return _json(whole(record))

    @router.get("/v1/concerns")
    async def list_concerns(
        reading: ReadingCaller,
        after: After = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    ) -> Response:
        records = await desk.archive.concerns(Page(limit + 1, _place(after)), _reader(reading))
        page = records[:limit]
        next_after = cursor_of(page[-1].versions[0].accepted_at, page[-1].id) if len(records) > limit else None
        return _json({"items": [list_item(record) for record in page], "next": next_after})

    return router


def read_form(content_type: str, raw: bytes) -> ConcernForm:
    """The form in a body. Raises Problem 400, 415, 422, or ValidationError with every bad field."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON:
        return ConcernForm.model_validate(parse(raw))
    if media_type == CLOUD_EVENT:
        return SubmittedForm.model_validate(parse(raw)).data
    raise Problem(
        415, "media-type", "This media type is not known here", detail=f"Send {JSON} or {CLOUD_EVENT}, as UTF-8."
    )


def _submission(form: ConcernForm, writer: Principal) -> Submission:
    sender = Caller(writer.subject, writer.org, historic=SCOPE_HISTORIC in writer.scopes)
    received_at = datetime.fromisoformat(form.received_at) if form.received_at else None
    return Submission(form.model_dump(by_alias=True, exclude_none=True), sender, received_at)


def _answer(answer: Answer) -> Response:
    if isinstance(answer, Clash):
        raise Problem(
            409,
            "content-differs",
            "This reference is taken by a concern with other content; nothing was stored",
            detail="The same originator, reference and version were sent before with other content.",
        )
    body = {
        "concern_id": answer.concern_id,
        "version": answer.version,
        "status": "accepted",
        "links": {"self": link_of(answer.concern_id)},
        "identifier_flags": flag_rows(answer.flags),
    }
    return _json(body, 202, {"Idempotent-Replayed": "true"} if answer.replayed else None)


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, JSON)


def _reader(principal: Principal) -> Reader:
    return Reader(None if principal.is_operator else principal.org)


def _place(after: str) -> tuple[datetime, ConcernId] | None:
    place = place_of(after)
    return place and (place[0], ConcernId(place[1]))


def _request_body() -> dict[str, Any]:
    """The body for the OpenAPI document; the route reads the raw bytes itself, so that they are parsed once."""
    content = {kind: {"schema": _inlined(form)} for kind, form in ((JSON, ConcernForm), (CLOUD_EVENT, SubmittedForm))}
    return {"requestBody": {"required": True, "content": content}}


@cache
def _inlined(form: type[BaseModel]) -> Any:
    """The schema of a form with its definitions in place: an OpenAPI document has them nowhere else."""
    schema = form.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return inline(definitions[node["$ref"].rpartition("/")[2]])
        return {key: inline(value) for key, value in node.items()}

    return inline(schema)
