"""No parameter of any route lets a NUL through: no store could hold it."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, cast

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from services.intake.entrypoints import http as intake
from services.intake.entrypoints.desk import Desk as Intake
from services.notifier.entrypoints import http as notifier
from services.notifier.entrypoints.desk import Desk as Notifier
from services.registry.entrypoints import http as registry
from services.registry.entrypoints.changes import ChangeRoutes
from services.registry.entrypoints.lifecycle import LifecycleRoutes
from services.router.entrypoints import http as router
from services.router.usecases import Desk
from shared.http.app import Edge, make_app
from shared.http.auth import Principal, Verifier
from shared.http.jwks import PublishedKeys
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.clock import FrozenClock

NOTHING = cast("Any", None)
"""Behind every route: a request that gets past its parameters breaks here, and is answered 500."""
SCOPES = frozenset(
    {"concerns:read", "concerns:write", "decisions:read", "decisions:read-all", "decisions:preview", "decisions:write",
     "endpoints:write", "endpoints:approve", "notices:read", "notices:write", "audit:read", "changes:read",
     "changes:write"}
)  # fmt: skip


class EveryoneIsAnOperator(Verifier):
    """Lets everyone do everything, so that only parameters are judged."""

    def __init__(self) -> None:
        super().__init__(PublishedKeys([]), audience="concordat", clock=FrozenClock())

    async def principal(self, authorization: str | None) -> Principal:  # noqa: ARG002 - the verifier's
        return Principal("op", "hq", SCOPES, frozenset({"operator", "duty-router", "emergency-approver"}))


ROUTES: dict[str, APIRouter] = {
    "intake": intake.routes(Intake(NOTHING, NOTHING, NOTHING, NOTHING), NOTHING, NOTHING),
    "router": router.routes(NOTHING, Desk(NOTHING, NOTHING, FrozenClock()), NOTHING),
    "notifier": notifier.routes(Notifier(*(NOTHING for _ in fields(Notifier)))),
    "registry": registry.GraphRoutes(begin=NOTHING, clock=FrozenClock(), telemetry=NOTHING).router(),
    "registry changes": ChangeRoutes(NOTHING, NOTHING).router(),
    "registry lifecycle": LifecycleRoutes(NOTHING, NOTHING).router(),
}


@cache
def app_of(service: str) -> FastAPI:
    return make_app(service, ROUTES[service], Edge(Health(30), Telemetry(service), EveryoneIsAnOperator(), {}, 65_536))


def flat(router: APIRouter) -> Iterator[APIRoute]:
    """The routes of a router, and of those that it includes."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from flat(cast("Any", route).original_router)


def parameters() -> Iterator[tuple[str, str, str, str]]:
    """Service, method, address and name of each parameter of each route, with a NUL in that one."""
    for service, routes in ROUTES.items():
        for route in flat(routes):
            paths = {field.alias: "x" for field in route.dependant.path_params}
            required = {field.alias: "x" for field in route.dependant.query_params if field.field_info.is_required()}
            for name in [*paths, *(field.alias for field in route.dependant.query_params)]:
                query = required | ({name: "a%00"} if name not in paths else {})
                address = route.path.format(**{**paths, name: "a%00"})
                yield (
                    service,
                    min(route.methods or ()),
                    address + "?" + "&".join(f"{key}={value}" for key, value in query.items()),
                    name,
                )


@pytest.mark.parametrize(("service", "method", "address", "name"), list(parameters()))
async def test_a_nul_in_a_parameter_is_a_bad_field_or_names_nothing(
    service: str, method: str, address: str, name: str
) -> None:
    transport = httpx.ASGITransport(app_of(service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        answer = await client.request(method, address)
    assert answer.status_code in (404, 422)
    assert answer.status_code == 404 or f"/{name}" in {error["pointer"] for error in answer.json()["errors"]}


def test_every_service_has_parameters() -> None:
    assert {service for service, *_ in parameters()} == ROUTES.keys()
