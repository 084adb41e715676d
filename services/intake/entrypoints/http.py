"""The HTTP routes of intake."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from services.intake.domain.model import Answer, Clash, ConcernId, Page, Reader, Receipt, Status, Unsourced
from services.intake.domain.status import progress_of
from services.intake.entrypoints.bulk import BatchLimits, add_bulk_route
from services.intake.entrypoints.desk import (
    FORMS,
    OUTCOME_UNKNOWN,
    Desk,
    ReadingCaller,
    Writer,
    accepted,
    content_differs,
    json_answer,
    known_id,
    read_form,
    receipt_row,
    request_body,
    submission_of,
    writer,
)
from services.intake.entrypoints.followups import add_follow_up_routes
from services.intake.entrypoints.sources import unsourced
from services.intake.entrypoints.views import list_item, whole
from services.intake.ports import Acceptance
from shared.faults import StoreUnavailable
from shared.http.app import Shortcuts
from shared.http.auth import Principal
from shared.http.cursors import After, cursor_of, place_of
from shared.http.problems import not_found
from shared.telemetry import Telemetry

CONCERNS = "/v1/concerns"
PAGE_MAX = 200
Since = Annotated[
    AwareDatetime | None, Query(description="concerns whose first version was accepted at this moment or later")
]
Wanted = Annotated[
    Status | None,
    Query(description="concerns that stand so; a page may then be short, even empty, while `next` leads on"),
]


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


def routes(desk: Desk, limits: BatchLimits, telemetry: Telemetry) -> APIRouter:
    """The routes of intake."""
    router = APIRouter()

    @router.post(CONCERNS, status_code=202, openapi_extra=request_body(FORMS))
    async def post_concern(request: Request, writer: Writer) -> Response:
        return await submit(request, writer, desk)

    add_bulk_route(router, desk, limits)
    add_follow_up_routes(router, desk, telemetry)
    _add_reading_routes(router, desk)
    return router


def shortcuts(desk: Desk) -> Shortcuts:
    """The one route that every concern takes, past the framework."""

    async def post_concern(request: Request) -> Response:
        return await submit(request, await writer(request), desk)

    return {("POST", CONCERNS): post_concern}


async def submit(request: Request, client: Principal, desk: Desk) -> Response:
    """Take one concern in. Raises Problem, ValidationError, an IntakeFault, Overloaded."""
    form = read_form(request.headers.get("content-type", ""), await request.body())
    try:
        answer = await desk.submit(submission_of(form, client))
    except StoreUnavailable:
        raise OUTCOME_UNKNOWN from None
    if isinstance(answer, Clash):
        raise content_differs()
    if isinstance(answer, Unsourced):
        raise unsourced(answer)
    return accepted(receipt_row(answer), replayed=answer.replayed)


def _add_reading_routes(router: APIRouter, desk: Desk) -> None:

    @router.get("/v1/concerns/{concern_id}")
    async def get_concern(concern_id: str, reading: ReadingCaller) -> Response:
        wanted = known_id(concern_id)
        record = await desk.archive.concern(wanted, _reader(reading))
        if record is None:
            raise not_found()
        return json_answer(whole(record))

    @router.get(CONCERNS)
    async def list_concerns(
        reading: ReadingCaller,
        after: After = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        since: Since = None,
        status: Wanted = None,
    ) -> Response:
        records = await desk.archive.concerns(Page(limit + 1, _place(after), since), _reader(reading))
        page = records[:limit]
        next_after = cursor_of(page[-1].versions[0].accepted_at, page[-1].id) if len(records) > limit else None
        shown = [record for record in page if status in (None, progress_of(record).status)]
        return json_answer({"items": [list_item(record) for record in shown], "next": next_after})


def _reader(principal: Principal) -> Reader:
    return Reader(None if principal.is_operator else principal.org)


def _place(after: str) -> tuple[datetime, ConcernId] | None:
    place = place_of(after)
    return place and (place[0], ConcernId(place[1]))
