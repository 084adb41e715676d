"""The HTTP app that every service starts from: health, readiness, metrics, problems, limits, trace context."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.batching import Overloaded
from shared.faults import StoreUnavailable
from shared.http.auth import Verifier
from shared.http.problems import FieldError, Problem, ProblemAnswers, bad_fields, pointer
from shared.supervision import Health
from shared.telemetry import ITEMS, Telemetry
from shared.trace import continue_trace

GRACE_SECONDS = 8
Shortcuts = Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]]
"""Method and path to what answers there: past the framework, whose machinery costs more than the hot path's own work.

The same route stands in the framework, too, for its documents; a shortcut must give the same answers.
"""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the app needs beside its routes. `faults` maps the service's own faults to their answers."""

    health: Health
    telemetry: Telemetry
    verifier: Verifier
    faults: Mapping[type[Exception], Problem]
    body_bytes_max: int


def make_app(title: str, routes: APIRouter, edge: Edge, shortcuts: Shortcuts | None = None) -> FastAPI:
    """The app of one service."""
    app = FastAPI(title=title, version="1", docs_url=None, redoc_url=None)
    app.state.verifier = edge.verifier
    app.include_router(_plumbing(edge.health))
    app.include_router(routes)
    answers = ProblemAnswers(edge.telemetry, edge.faults)
    for kind in (Problem, ValidationError, StoreUnavailable, Overloaded, Exception, *edge.faults):
        app.add_exception_handler(kind, answers)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(
        _Limits, edge=edge, shortcuts={at: _Shortcut(to, answers) for at, to in (shortcuts or {}).items()}
    )
    return app


def _plumbing(health: Health) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> Response:
        if faults := health.faults():
            return Problem(503, "not-ready", "Not ready", detail="; ".join(faults)).response()
        return JSONResponse({"status": "ready", "degraded": health.degraded()})

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _invalid_request(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    return bad_fields([FieldError(pointer(e["loc"][1:]), e["msg"]) for e in found]).response()


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    titles = {
        404: ("not-found", "There is nothing here that you may see"),
        405: ("method", "This method is not known here"),
    }
    slug, title = titles.get(status, ("http", "The request cannot be answered"))
    return Problem(status, slug, title).response()


class _Limits:
    """Pure ASGI, because it stands on every request: body size, no compressed bodies, trace context, a counter."""

    def __init__(self, app: ASGIApp, *, edge: Edge, shortcuts: Mapping[tuple[str, str], ASGIApp]) -> None:
        self._app = app
        self._edge = edge
        self._shortcuts = shortcuts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        trace = continue_trace(headers.get(b"traceparent", b"").decode("latin-1") or None)
        answer = _Answer(send, trace)
        try:
            if refusal := self._refusal(headers):
                await refusal.response()(scope, receive, answer)
                return
            app = self._shortcuts.get((scope["method"], scope["path"]), self._app)
            await app(scope, _Bounded(receive, self._edge.body_bytes_max), answer)
        finally:
            ITEMS.labels("http.request", f"{answer.status}").inc()

    def _refusal(self, headers: Mapping[bytes, bytes]) -> Problem | None:
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._edge.body_bytes_max:
            return too_large(self._edge.body_bytes_max)
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return Problem(415, "compressed", "Send the body without compression")
        return None


class _Shortcut:
    """A route past the framework: what it raises gets the answers that the framework's routes get."""

    def __init__(self, endpoint: Callable[[Request], Awaitable[Response]], answers: ProblemAnswers) -> None:
        self._endpoint, self._answers = endpoint, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._endpoint(request)
        except Exception as error:  # noqa: BLE001 - the HTTP edge is one of the two places that catch all
            response = await self._answers(request, error)
        await response(scope, receive, send)


def too_large(bytes_max: int) -> Problem:
    """413 with the limit."""
    return Problem(
        413,
        "too-large",
        "The body is too large; nothing was stored",
        detail=f"The limit is {bytes_max} bytes.",
    )


class _Bounded:
    """A receive that refuses to go past the limit, for bodies that came without their length."""

    __slots__ = ("_bytes_left", "_bytes_max", "_receive")

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive, self._bytes_max, self._bytes_left = receive, bytes_max, bytes_max

    async def __call__(self) -> Message:
        message = await self._receive()
        self._bytes_left -= len(message.get("body", b""))
        if self._bytes_left < 0:
            raise too_large(self._bytes_max)
        return message


class _Answer:
    """A send that adds our `traceparent` and remembers the status."""

    __slots__ = ("_send", "_trace", "status")

    def __init__(self, send: Send, trace: str) -> None:
        self._send, self._trace, self.status = send, trace.encode(), 0

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"traceparent", self._trace)]
        await self._send(message)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the supervisor has them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: readiness must fall before the server stops, and one handler decides when."""
        yield


def _quotes_nothing(record: logging.LogRecord) -> bool:
    """Drops what the app raised: it was answered with a 500 and an alarm, and its traceback quotes values."""
    return record.exc_info is None


async def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Serve until cancelled; then let open requests finish, under a limit.

    The server keeps no log of its own: what it warns of goes where the process sends what libraries say.
    """
    config = uvicorn.Config(
        app, host=host, port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False,
        log_config=None, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS, server_header=False,
        proxy_headers=False,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").addFilter(_quotes_nothing)
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.should_exit = True
        await asyncio.wait({task}, timeout=GRACE_SECONDS + 2)
        raise
