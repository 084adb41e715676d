"""Errors as RFC 9457 problem documents: a stable `type`, words that say what to do, every bad field at once.

A problem never echoes a value that the caller sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.batching import Overloaded
from shared.faults import StoreUnavailable
from shared.telemetry import Telemetry
from shared.trace import current_trace

TYPE_PREFIX = "urn:concordat:problem:"
NAME_LENGTH_MAX = 64
FIELD_ERRORS_MAX = 200
RETRY_AFTER_SECONDS = "2"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: where (JSON Pointer, RFC 6901) and what is wrong with it."""

    pointer: str
    detail: str


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is an error. `slug` is the last part of the stable `type` URI."""

    status: int
    slug: str
    title: str
    detail: str = ""
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.slug)

    def response(self) -> Response:
        """The document as a response."""
        body: dict[str, Any] = {"type": TYPE_PREFIX + self.slug, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in self.errors[:FIELD_ERRORS_MAX]]
        if trace := current_trace():
            body["trace"] = trace[3:35]
        return Response(orjson.dumps(body), self.status, dict(self.headers), "application/problem+json")


def not_found() -> Problem:
    """The one 404: the same for what does not exist and for what the caller may not know of."""
    return Problem(404, "not-found", "There is nothing here that you may see")


def unavailable(detail: str) -> Problem:
    """503 with `Retry-After`. It does not say that nothing happened: after a lost COMMIT that is not known."""
    headers = {"Retry-After": RETRY_AFTER_SECONDS}
    title = "Try again in a moment; sending the same again is safe"
    return Problem(503, "unavailable", title, detail=detail, headers=headers)


def pointer(parts: Sequence[int | str]) -> str:
    """A JSON Pointer from the path of a field; names are cut to a length that no log minds.

    A name is the caller's text: what no JSON can carry of it (a lone surrogate) stands as a question mark.
    """
    return "".join("/" + _name(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _name(part: int | str) -> str:
    return str(part)[:NAME_LENGTH_MAX].encode(errors="replace").decode()


def invalid_form(error: ValidationError) -> Problem:
    """422 with every bad field of a form."""
    return bad_fields([FieldError(pointer(e["loc"]), _words(e)) for e in error.errors(include_input=False)])


def bad_fields(errors: Sequence[FieldError]) -> Problem:
    """422 with these fields."""
    title = "Some fields are not right; nothing was stored"
    return Problem(
        422,
        "invalid-fields",
        title,
        detail="Correct every field in `errors` and send it again.",
        errors=errors,
    )


def _words(error: ErrorDetails) -> str:
    return "this field is not known" if error["type"] == "extra_forbidden" else error["msg"]


class ProblemAnswers:
    """Maps what a route raised to its answer; the HTTP edge is one of the two places that catch all."""

    def __init__(self, telemetry: Telemetry, faults: Mapping[type[Exception], Problem]) -> None:
        self._telemetry = telemetry
        self._faults = faults

    async def __call__(self, request: Request, error: Exception) -> Response:
        """The answer for what was raised."""
        if isinstance(error, Problem):
            return error.response()
        if isinstance(error, ValidationError):
            return invalid_form(error).response()
        if isinstance(error, StoreUnavailable | Overloaded):
            return unavailable("The store is busy or away.").response()
        for kind, problem in self._faults.items():
            if isinstance(error, kind):
                return problem.response()
        self._telemetry.alarm("request-failed", path=request.url.path, fault=type(error).__name__)
        return Problem(500, "fault", "Something is broken on our side; nothing is known to have changed").response()
