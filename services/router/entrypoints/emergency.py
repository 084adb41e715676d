"""An emergency: who should know and has no clause is told by a pointer, at once, on two people's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from services.router.domain.rounds import Person
from services.router.entrypoints.acting import ActForm, Actor, Organisations, body_of, person_of, refusal, request_of
from services.router.entrypoints.choices import stands_view
from services.router.usecases import Absent, Desk, Emergency, NotApproved, Refused, Stands, tell_in_emergency
from shared.contracts.envelope import JsonObject
from shared.http.auth import Principal
from shared.http.params import PathId
from shared.http.problems import Problem, not_found

APPROVER_ROLE = "emergency-approver"
APPROVER_HEADER = "approver-authorization"
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class EmergencyForm(ActForm):
    """The body of `POST /v1/decisions/{concern_id}/emergencies`; `reason` is the ground: who is in danger, of what.

    `telephoned` says who was called and when: danger now is told by telephone first. The approver is a second client,
    which signs the same request with a token of its own in the header `Approver-Authorization`.
    """

    organisations: Organisations
    decided_by: Name
    approved_by: Name
    approver_position: Words
    telephoned: Words


_EMERGENCY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": EmergencyForm.model_json_schema()}}},
    "parameters": [
        {
            "name": "Approver-Authorization",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": f"`Bearer` and a token of another client with the role {APPROVER_ROLE}",
        }
    ],
}


async def _approver(request: Request) -> Principal:
    """The second person. Raises Problem 401 or 403."""
    found: Principal = await request.app.state.verifier.principal(request.headers.get(APPROVER_HEADER))
    if APPROVER_ROLE not in found.roles:
        raise Problem(
            403, "forbidden", "This client may not approve", detail=f"The approver needs the role {APPROVER_ROLE}."
        )
    return found


Approver = Annotated[Principal, Depends(_approver)]


@dataclass(frozen=True, slots=True)
class EmergencyRoutes:
    """The route of emergencies."""

    desk: Desk

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["emergencies"])
        path = "/v1/decisions/{concern_id}/emergencies"
        router.add_api_route(path, self.tell, methods=["POST"], openapi_extra=_EMERGENCY)
        return router

    async def tell(self, concern_id: PathId, request: Request, principal: Actor, approver: Approver) -> JsonObject:
        """Tell bodies that should know and that no clause lets be told: the header alone, and only in danger.

        For the originator and duty routers. All of them are told, or none. A third person reviews it in time.
        """
        form = EmergencyForm.model_validate(await body_of(request))
        on_duty = "duty-router" in principal.roles
        made = Emergency(
            organisations=tuple(dict.fromkeys(form.organisations)),
            reason=form.reason,
            by=person_of(principal, form),
            approver=Person(approver.subject, approver.org, form.approved_by),
            record={"ground": form.reason, "position": form.approver_position, "telephoned": form.telephoned},
            request=request_of(principal, form, concern_id, "emergency", approver.subject),
        )

        match await tell_in_emergency(concern_id, made, asker=None if on_duty else principal.org, desk=self.desk):
            case Stands() as stands:
                return stands_view(concern_id, stands)
            case NotApproved():
                raise _one_person()
            case Refused(reasons) as refused:
                # Why a body is not to be told is a duty router's to know, not the originator's.
                shown = refused if on_duty else Refused(dict.fromkeys(reasons, "NOT_AVAILABLE"))
                raise refusal(shown, form.organisations)
            case Absent():
                raise not_found()


def _one_person() -> Problem:
    return Problem(
        403,
        "needs-another-person",
        "One person cannot ask and approve; nobody was told",
        detail="The approver must be another client, and another name, than who decides.",
    )
