"""Many concerns in one request: NDJSON in, one line of result for each line, in the order of the lines."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from services.intake.domain.errors import IntakeFault
from services.intake.domain.model import Answer, Clash, Unsourced
from services.intake.entrypoints.desk import (
    FAULTS,
    JSON,
    OUTCOME_UNKNOWN,
    Desk,
    Writer,
    content_differs,
    read_form,
    receipt_row,
    submission_of,
)
from services.intake.entrypoints.forms import ConcernForm
from services.intake.entrypoints.sources import unsourced
from shared.batching import Overloaded
from shared.faults import StoreUnavailable
from shared.http.auth import Principal
from shared.http.problems import Problem, invalid_form, unavailable

NDJSON = "application/x-ndjson"
_LINE = {"schema": {"type": "string", "description": "a concern on each line, in the form of /v1/concerns"}}
_BODY: Mapping[str, Any] = {"requestBody": {"required": True, "content": {NDJSON: _LINE}}}


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How many lines one request may have, and how many of them are under way at once."""

    lines_max: int
    at_once_max: int


def add_bulk_route(router: APIRouter, desk: Desk, limits: BatchLimits) -> None:
    """`/v1/concerns/batch`."""

    @router.post("/v1/concerns/batch", openapi_extra=dict(_BODY))
    async def post_batch(request: Request, writer: Writer) -> Response:
        lines = read_lines(request.headers.get("content-type", ""), await request.body(), limits.lines_max)
        return StreamingResponse(_results(lines, desk, writer, limits.at_once_max), media_type=NDJSON)


def read_lines(content_type: str, raw: bytes, lines_max: int) -> Sequence[bytes]:
    """The lines of a body, without the end of its last one. Raises Problem 400, 413, 415."""
    if content_type.partition(";")[0].strip().lower() != NDJSON:
        raise Problem(415, "media-type", "This media type is not known here", detail=f"Send {NDJSON}, as UTF-8.")
    lines = raw.removesuffix(b"\n").split(b"\n") if raw.strip() else []
    if not lines:
        raise Problem(400, "invalid-json", "There is no line; nothing was stored", detail="Send a concern on each.")
    if len(lines) > lines_max:
        raise Problem(
            413, "too-large", "There are too many lines; nothing was stored", detail=f"The limit is {lines_max} lines."
        )
    return lines


async def _results(lines: Sequence[bytes], desk: Desk, writer: Principal, at_once_max: int) -> AsyncIterator[bytes]:
    """What became of each line. So many go through the batcher at once; their results are sent when all have theirs."""
    for first in range(0, len(lines), at_once_max):
        some = lines[first : first + at_once_max]
        for row in await asyncio.gather(*(_result(line, desk, writer) for line in some)):
            yield orjson.dumps(row) + b"\n"


async def _result(line: bytes, desk: Desk, writer: Principal) -> dict[str, Any]:
    try:
        return _row(await desk.submit(submission_of(_form(line), writer)))
    except Problem as problem:
        return _refusal(problem)
    except ValidationError as error:
        return _refusal(invalid_form(error))
    except StoreUnavailable:
        return _refusal(OUTCOME_UNKNOWN)
    except Overloaded:
        return _refusal(unavailable("Too many concerns wait."))
    except IntakeFault as fault:
        return _refusal(FAULTS[type(fault)])


def _form(line: bytes) -> ConcernForm:
    return read_form(JSON, line)


def _row(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Clash):
        return _refusal(content_differs())
    if isinstance(answer, Unsourced):
        return _refusal(unsourced(answer))
    return {**receipt_row(answer), "status": 202, "replayed": answer.replayed}


def _refusal(problem: Problem) -> dict[str, Any]:
    return {"status": problem.status, "problem": orjson.Fragment(problem.response().body)}
