"""The life of an agreement over HTTP: each turn drafts a change, and the same gate applies to it as to any other.

Not telling can cost lives as much as telling: suspending an agreement takes as many eyes as bringing one in.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from services.registry.domain.model import EventName
from services.registry.entrypoints.change_answers import answer
from services.registry.entrypoints.change_forms import TurnForm
from services.registry.entrypoints.change_requests import Key, Watch, Writer, actor_of, key_of, read_form
from services.registry.usecases.change import Desk
from services.registry.usecases.lifecycle import turn_agreement
from shared.http.params import PathId
from shared.telemetry import Telemetry

TURNS: Mapping[str, EventName] = {"suspension": "SUSPENDED", "resumption": "RESUMED", "termination": "TERMINATED"}
Turn = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class LifecycleRoutes:
    """The routes that suspend, resume and terminate."""

    desk: Desk
    telemetry: Telemetry

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["changes"])
        for path, event in TURNS.items():
            route = f"/v1/agreements/{{agreement_id}}/{path}"
            router.add_api_route(route, self._turn(event), methods=["POST"], status_code=201)
        return router

    def _turn(self, event: EventName) -> Turn:
        async def turn(request: Request, agreement_id: PathId, principal: Writer, key: Key = None) -> Response:
            """Draft the change. 404 where the graph has no such agreement, 409 where the turn cannot be taken."""
            turning = (await read_form(request, TurnForm)).turning(agreement_id, event)
            with Watch(self.telemetry).unit("change.drafted", principal.subject) as line:
                result = await turn_agreement(turning, actor_of(principal), key_of(key), desk=self.desk)
                line["outcome"] = type(result).__name__.lower()
            return answer(result, status=201)

        return turn
