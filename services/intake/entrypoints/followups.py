"""Amend, correct and recall over HTTP: what follows the first version of a concern."""

from typing import assert_never

from fastapi import APIRouter, Request, Response

from services.intake.domain.model import Clash, Followed, NotNext, Over, RecallReceipt, Receipt, Unfit, Unsourced
from services.intake.entrypoints.desk import (
    FORMS,
    JSON,
    OUTCOME_UNKNOWN,
    Desk,
    Writer,
    accepted,
    caller_of,
    content_differs,
    known_id,
    read_form,
    receipt_row,
    request_body,
    submission_of,
)
from services.intake.entrypoints.forms import RecallForm
from services.intake.entrypoints.sources import unsourced
from services.intake.entrypoints.views import link_of, recall_row
from shared.faults import StoreUnavailable
from shared.http.problems import FieldError, Problem, bad_fields, not_found
from shared.http.strictjson import parse
from shared.telemetry import Telemetry


def add_follow_up_routes(router: APIRouter, desk: Desk, telemetry: Telemetry) -> None:
    """`/v1/concerns/{concern_id}/versions` and `/recall`."""

    @router.post("/v1/concerns/{concern_id}/versions", status_code=202, openapi_extra=request_body(FORMS))
    async def post_version(concern_id: str, request: Request, writer: Writer) -> Response:
        amended = known_id(concern_id)
        form = read_form(request.headers.get("content-type", ""), await request.body())
        with telemetry.unit("concern.amended", concern_id=amended) as row:
            try:
                said = await desk.amend(amended, submission_of(form, writer))
            except StoreUnavailable:
                raise OUTCOME_UNKNOWN from None
            row["outcome"] = type(said).__name__ if said else "Absent"
        receipt = _received(said)
        return accepted(receipt_row(receipt), replayed=receipt.replayed)

    @router.post("/v1/concerns/{concern_id}/recall", status_code=202, openapi_extra=request_body({JSON: RecallForm}))
    async def post_recall(concern_id: str, request: Request, writer: Writer) -> Response:
        recalled = known_id(concern_id)
        form = read_recall(request.headers.get("content-type", ""), await request.body())
        with telemetry.unit("concern.recalled", concern_id=recalled, reason=form.reason) as row:
            try:
                said = await desk.recall(recalled, form.reason, caller_of(writer))
            except StoreUnavailable:
                raise OUTCOME_UNKNOWN from None
            row["outcome"] = type(said).__name__ if said else "Absent"
        return _recall_answer(said)


def read_recall(content_type: str, raw: bytes) -> RecallForm:
    """The recall in a body. Raises Problem 400, 415, 422, or ValidationError with every bad field."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise Problem(415, "media-type", "This media type is not known here", detail=f"Send {JSON}, as UTF-8.")
    return RecallForm.model_validate(parse(raw))


def _received(said: Followed | None) -> Receipt:
    """The receipt, or the problem that there is none."""
    match said:
        case Receipt():
            return said
        case None:
            raise not_found()
        case Unfit(pointers):
            words = "it must be what the first version states"
            raise bad_fields([FieldError(pointer, words) for pointer in pointers])
        case Unsourced():
            raise unsourced(said)
        case Over(recall):
            raise _over(f"It was recalled ({recall.reason}): submit what should still be told as a new concern.")
        case Clash():
            raise content_differs()
        case NotNext(current):
            raise _not_next(current)
        case never:
            assert_never(never)


def _recall_answer(said: RecallReceipt | Over | None) -> Response:
    if said is None:
        raise not_found()
    if isinstance(said, Over):
        raise _over(f"It was recalled before, for the reason {said.recall.reason}; that stands.")
    body = {
        "concern_id": said.concern_id,
        "status": "recalled",
        "recall": recall_row(said.recall),
        "links": {"self": link_of(said.concern_id)},
    }
    return accepted(body, replayed=said.replayed)


def _over(detail: str) -> Problem:
    return Problem(409, "recalled", "The concern was recalled; nothing was stored", detail=detail)


def _not_next(current: int) -> Problem:
    return Problem(
        409,
        "not-the-next-version",
        "A version follows the current one; nothing was stored",
        detail=f"The current version is {current}: send `version` {current + 1}.",
    )
