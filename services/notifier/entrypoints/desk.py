"""What the routes call, and who calls them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, Response

from services.notifier.ports import Begin, Endpoints, Law, Opener, Records, Verifying
from services.notifier.usecases import Rules
from shared.clock import Clock
from shared.http.auth import Principal, caller
from shared.telemetry import Telemetry

PAGE_MAX = 200
Owner = Annotated[Principal, Depends(caller("endpoints:write"))]
Approver = Annotated[Principal, Depends(caller("endpoints:approve"))]
Reading = Annotated[Principal, Depends(caller("notices:read"))]
Speaking = Annotated[Principal, Depends(caller("notices:write"))]
Auditor = Annotated[Principal, Depends(caller("audit:read"))]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes call. `changed` is told of every change of an endpoint; `certificate_fault` says why a client
    certificate cannot be used."""

    rules: Rules
    clock: Clock
    endpoints: Endpoints
    wire: Verifying
    begin: Begin
    records: Records
    telemetry: Telemetry
    changed: Callable[[], None]
    certificate_fault: Callable[[str], str | None]
    law: Law
    opener: Opener


def scope_of(principal: Principal) -> str | None:
    """The organisation that the caller may see; None for an operator, who sees all."""
    return None if principal.is_operator else principal.org


def json_answer(body: Any, status: int = 200) -> Response:
    """JSON that nobody keeps."""
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store"}, "application/json")
