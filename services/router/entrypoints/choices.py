"""The originator chooses among the bodies that are available to it: some agreements tell nobody without that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request

from services.router.domain.choosing import Manner
from services.router.domain.rounds import Act
from services.router.entrypoints.acting import (
    ActForm,
    Actor,
    Organisations,
    body_of,
    person_of,
    refusal,
    request_of,
)
from services.router.usecases import Absent, Desk, Refused, Stands, choose_bodies
from shared.contracts.envelope import JsonObject
from shared.http.params import PathId
from shared.http.problems import not_found


class ChoiceForm(ActForm):
    """The body of `POST /v1/decisions/{concern_id}/choices`."""

    organisations: Organisations


_CHOICE: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ChoiceForm.model_json_schema()}}}
}


@dataclass(frozen=True, slots=True)
class ChoiceRoutes:
    """The route of choices."""

    desk: Desk

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["choices"])
        router.add_api_route("/v1/decisions/{concern_id}/choices", self.choose, methods=["POST"], openapi_extra=_CHOICE)
        return router

    async def choose(self, concern_id: PathId, request: Request, principal: Actor) -> JsonObject:
        """Tell bodies that are available; each gate is checked again on the newest agreements.

        For the originator. The same sent again changes nothing; all of them are told, or none.
        """
        form = ChoiceForm.model_validate(await body_of(request))
        chosen: dict[str, Manner] = dict.fromkeys(sorted(set(form.organisations)), "full")
        sent = request_of(principal, form, concern_id, "choice")
        act = Act("choice", person_of(principal, form), form.reason, tuple(chosen), sent, chosen)

        match await choose_bodies(concern_id, act, asker=principal.org, desk=self.desk):
            case Stands() as stands:
                return stands_view(concern_id, stands)
            case Refused() as refused:
                # One answer for every reason: why a body is not available is not the originator's to know.
                raise refusal(Refused(dict.fromkeys(refused.reasons, "NOT_AVAILABLE")), form.organisations)
            case Absent():
                raise not_found()


def stands_view(concern_id: str, stands: Stands) -> JsonObject:
    """The decision that an act led to."""
    told = [{"org": org, "notice_id": notice} for org, notice in sorted(stands.told.items())]
    return {
        "concern_id": concern_id,
        "decision_id": stands.decision_id,
        "round": stands.round,
        "told": told,
        "repeated": stands.repeated,
    }
