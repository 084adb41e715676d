"""What the law asked of the originator of a concern, and whether it was done: "not sent because" is never left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends

from services.router.domain.duties import Duty
from services.router.entrypoints.decisions import graph_of, sees_all
from services.router.ports import History
from services.router.usecases import Absent, Desk, duties_of
from shared.agreements import sentence
from shared.contracts.envelope import JsonObject
from shared.http.auth import Principal, caller
from shared.http.params import PathId
from shared.http.problems import not_found

Reader = Annotated[Principal, Depends(caller("decisions:read"))]


@dataclass(frozen=True, slots=True)
class DutyRoutes:
    """The route of statutory duties."""

    desk: Desk
    history: History

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["decisions"])
        router.add_api_route("/v1/decisions/{concern_id}/duties", self.duties)
        return router

    async def duties(self, concern_id: PathId, principal: Reader) -> JsonObject:
        """Each statutory duty that covers the newest version of a concern: sent, or not sent and why.

        On the graph that it was decided on; for operators, auditors and the originator, whose duties they are.
        """
        asker = None if sees_all(principal) else principal.org
        found = await duties_of(concern_id, asker=asker, desk=self.desk, history=self.history)
        if isinstance(found, Absent):
            raise not_found()
        head, duties = found
        return {"concern_id": concern_id, "graph": graph_of(head), "duties": list(map(duty_view, duties))}


def duty_view(duty: Duty) -> JsonObject:
    """One duty."""
    not_sent = None if duty.reason is None else {"reason": duty.reason, "sentence": sentence(duty.reason)}
    return {
        "duty": duty.cite,
        "title": duty.title,
        "org": duty.org,
        "sent": not_sent is None,
        "not_sent_because": not_sent,
    }
