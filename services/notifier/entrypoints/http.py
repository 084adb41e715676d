"""The HTTP routes of the notifier, and the only table from its faults to their answers."""

from collections.abc import Mapping

import orjson
from fastapi import APIRouter, Response

from services.notifier.domain.errors import (
    AcknowledgementClash,
    DestinationRefused,
    DetailRefused,
    EndpointExists,
    KeyRefused,
    LawUnavailable,
    NeverSent,
    NotApproved,
    NothingThere,
    NotVerified,
    SamePerson,
    ScheduleRefused,
)
from services.notifier.entrypoints.desk import Auditor, Desk, json_answer
from services.notifier.entrypoints.detail_routes import add_detail_route
from services.notifier.entrypoints.endpoint_routes import WAITS, add_endpoint_routes
from services.notifier.entrypoints.notice_routes import add_notice_routes
from services.notifier.ports import Records
from shared.http.params import QueryId
from shared.http.problems import FieldError, Problem, bad_fields, not_found, unavailable

FAULTS: Mapping[type[Exception], Problem] = {
    DestinationRefused: bad_fields([FieldError("/url", "no delivery may go to this address")]),
    ScheduleRefused: bad_fields([FieldError("/retry_seconds", "no endpoint may ask for these pauses")]),
    KeyRefused: bad_fields([FieldError("/encryption_key", "nothing can be encrypted to this key")]),
    EndpointExists: Problem(
        409,
        "endpoint-exists",
        "Your organisation has an endpoint; nothing was changed",
        detail="One first endpoint and one alternate per organisation: remove the other one first.",
    ),
    NotApproved: Problem(409, "not-approved", "Nothing is sent to this endpoint before it is approved", detail=WAITS),
    SamePerson: Problem(
        403, "same-person", "Who registered an endpoint does not approve it", detail="Another operator must approve it."
    ),
    NotVerified: Problem(409, "not-verified", "The endpoint has not shown that it wants our deliveries"),
    AcknowledgementClash: Problem(409, "acknowledgement-clash", "This contradicts what was said of the notice before"),
    NeverSent: Problem(
        409,
        "never-sent",
        "This notice cannot be sent again",
        detail="It was cancelled, or the basis for telling has ended.",
    ),
    DetailRefused: Problem(409, "detail-refused", "Nothing was given"),
    LawUnavailable: unavailable(
        "The router, which knows what the agreements allow now, does not answer; nothing was given."
    ),
    NothingThere: not_found(),
}


def routes(desk: Desk) -> APIRouter:
    """All routes of the notifier."""
    router = APIRouter()
    add_endpoint_routes(router, desk)
    add_notice_routes(router, desk)
    add_detail_route(router, desk)
    _add_audit_routes(router, desk.records)
    return router


def _add_audit_routes(router: APIRouter, records: Records) -> None:
    @router.get("/v1/audit/facts")
    async def list_facts(_auditor: Auditor, concern_id: QueryId) -> Response:
        events = await records.facts(concern_id)
        return json_answer({"items": [orjson.Fragment(event) for event in events], "next": None})
