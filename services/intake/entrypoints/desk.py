"""What the routes of intake have in common: whom they call, who calls them, and the table from faults to answers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import orjson
from fastapi import Depends, Response
from pydantic import BaseModel

from services.intake.domain.errors import (
    Contended,
    HistoricNotAllowed,
    HistoricNotEntitled,
    NotTheFirstVersion,
    NotTheOriginator,
    ReceivedInTheFuture,
)
from services.intake.domain.model import (
    Answer,
    Caller,
    ConcernId,
    Followed,
    RecallAnswer,
    RecallReason,
    Receipt,
    Submission,
)
from services.intake.entrypoints.forms import ConcernForm, SubmittedForm
from services.intake.entrypoints.views import flag_rows, link_of
from services.intake.ports import Archive
from shared.http.auth import Principal, caller
from shared.http.problems import RETRY_AFTER_SECONDS, FieldError, Problem, bad_fields, not_found
from shared.http.strictjson import parse

JSON = "application/json"
CLOUD_EVENT = "application/cloudevents+json"
SCOPE_WRITE, SCOPE_READ, SCOPE_HISTORIC = "concerns:write", "concerns:read", "concerns:historic"
FORMS: Mapping[str, type[BaseModel]] = {JSON: ConcernForm, CLOUD_EVENT: SubmittedForm}
_CONCERN_ID = re.compile(r"con_[0-9a-f]{32}")
writer = caller(SCOPE_WRITE)
Writer = Annotated[Principal, Depends(writer)]
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
        detail="Send `version` 1 for a concern that is new; later versions go to /v1/concerns/{concern_id}/versions.",
    ),
    Contended: Problem(
        503,
        "contended",
        "Others keep writing to this concern; nothing was stored",
        detail="Read the concern, and send it again if it still stands.",
        headers={"Retry-After": RETRY_AFTER_SECONDS},
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
    amend: Callable[[ConcernId, Submission], Awaitable[Followed | None]]
    recall: Callable[[ConcernId, RecallReason, Caller], Awaitable[RecallAnswer | None]]
    archive: Archive


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


def caller_of(writer: Principal) -> Caller:
    """Who speaks, in intake's words."""
    return Caller(writer.subject, writer.org, historic=SCOPE_HISTORIC in writer.scopes)


def known_id(text: str) -> ConcernId:
    """The id of a concern. Raises Problem 404 for a text that no concern can have as its id."""
    if not _CONCERN_ID.fullmatch(text):
        raise not_found()
    return ConcernId(text)


def submission_of(form: ConcernForm, writer: Principal) -> Submission:
    """A form, as its sender says it."""
    received_at = datetime.fromisoformat(form.received_at) if form.received_at else None
    return Submission(form.model_dump(by_alias=True, exclude_none=True), caller_of(writer), received_at)


def receipt_row(receipt: Receipt) -> dict[str, Any]:
    """What the sender of a version is told."""
    return {
        "concern_id": receipt.concern_id,
        "version": receipt.version,
        "status": "accepted",
        "links": {"self": link_of(receipt.concern_id)},
        "identifier_flags": flag_rows(receipt.flags),
    }


def accepted(body: Mapping[str, Any], *, replayed: bool) -> Response:
    """202; the same again says so."""
    return json_answer(body, 202, {"Idempotent-Replayed": "true"} if replayed else None)


def content_differs() -> Problem:
    """409: the same key with other content."""
    return Problem(
        409,
        "content-differs",
        "This reference is taken by a concern with other content; nothing was stored",
        detail="The same originator, reference and version were sent before with other content.",
    )


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON bytes as an answer."""
    return Response(orjson.dumps(body), status, headers, JSON)


def request_body(forms: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """The body for the OpenAPI document; the route reads the raw bytes itself, so that they are parsed once."""
    content = {kind: {"schema": _inlined(form)} for kind, form in forms.items()}
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
