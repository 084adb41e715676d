"""A person's decision to share or not to share, with its record: what was weighed, on which power, by whom.

The fields of the record are those of the data sharing decision form in the Information Commissioner's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field, ValidationInfo, field_validator

from services.router.entrypoints.acting import ActForm, Actor, Organisations, body_of, person_of, refusal, request_of
from services.router.entrypoints.choices import stands_view
from services.router.entrypoints.forms import Term
from services.router.usecases import (
    Absent,
    Desk,
    HumanDecision,
    NotOpen,
    Refused,
    Stands,
    UnknownGateways,
    record_decision,
)
from shared.agreements.reasons import REQUIRED, SENTENCES
from shared.contracts.envelope import JsonObject
from shared.http.params import PathId
from shared.http.problems import FieldError, Problem, bad_fields, not_found

GATEWAYS_MAX = 16
Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
Gateways = Annotated[tuple[Term, ...], Field(max_length=GATEWAYS_MAX)]
Maybe = Annotated[str, Field(max_length=4000)]


class HumanDecisionForm(ActForm):
    """The body of `POST /v1/decisions/{concern_id}/human-decisions`; `reason` is the reason for sharing or not.

    `gateways` are `bar/gateway` ids that are opened, `why_necessary` states the necessity test where one is made. A
    decision not to share closes the gateways that it names, and with `no_longer_necessary` the necessity.
    """

    decision: Literal["share", "do-not-share"]
    decided_by: str = Field(min_length=1, max_length=200, pattern=r"\S")
    position: Words
    receiving_organisations: Organisations
    data_described: Words
    purpose: Words
    legal_power: Words
    lawful_basis: Words
    gateways: Gateways = ()
    why_necessary: Maybe = ""
    no_longer_necessary: Annotated[bool, Field(strict=True)] = False
    requested_by: Maybe = ""
    controller_relationship: Literal["", "joint", "separate"] = ""
    sharing_agreement: Maybe = ""
    special_conditions: Maybe = ""
    law_enforcement_provisions: Maybe = ""
    impact_assessment: Maybe = ""
    data_protection_officer: Maybe = ""
    retention: Maybe = ""
    security: Maybe = ""
    individuals_rights: Maybe = ""

    @field_validator("no_longer_necessary")
    @classmethod
    def _sharing_closes_nothing(cls, closes: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - as pydantic calls it
        if closes and info.data.get("decision") == "share":
            raise ValueError("this goes with a decision not to share, and only with it")
        return closes


_RECEIVING = "/receiving_organisations"
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": HumanDecisionForm.model_json_schema()}},
    }
}


@dataclass(frozen=True, slots=True)
class HumanDecisionRoutes:
    """The route of human decisions."""

    desk: Desk

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["human decisions"])
        path = "/v1/decisions/{concern_id}/human-decisions"
        router.add_api_route(path, self.record, methods=["POST"], openapi_extra=_FORM)
        return router

    async def record(self, concern_id: PathId, request: Request, principal: Actor) -> JsonObject:
        """Record a decision and decide the concern anew on it; for the originator, whose bar or power it is."""
        form = HumanDecisionForm.model_validate(await body_of(request))
        sharing = form.decision == "share"
        made = HumanDecision(
            record=form.model_dump(mode="json"),
            gateways=tuple(dict.fromkeys(form.gateways)),
            necessity=bool(form.why_necessary.strip()) if sharing else form.no_longer_necessary,
            organisations=tuple(dict.fromkeys(form.receiving_organisations)),
            reason=form.reason,
            by=person_of(principal, form),
            request=request_of(principal, form, concern_id, "human-decision"),
        )

        match await record_decision(concern_id, made, asker=principal.org, desk=self.desk):
            case Stands() as stands:
                return stands_view(concern_id, stands)
            case UnknownGateways(ids):
                raise bad_fields(_unknown(form.gateways, ids))
            case NotOpen() as wrong:
                raise bad_fields(_not_open(form.gateways, wrong))
            case Refused() as refused if sharing:
                hidden = Refused(dict.fromkeys(refused.reasons, "NOT_AVAILABLE"))
                raise refusal(hidden, form.receiving_organisations, field=_RECEIVING)
            case Refused() as refused:
                raise _told_by_duty(refused, form.receiving_organisations)
            case Absent():
                raise not_found()


def _told_by_duty(refused: Refused, organisations: list[str]) -> Problem:
    """409: the only reason for which a decision not to share is refused."""
    errors = [
        FieldError(f"{_RECEIVING}/{number}", f"{REQUIRED}: {SENTENCES[REQUIRED]}")
        for number, org in enumerate(organisations)
        if org in refused.reasons
    ]
    title = "A duty says that some of these organisations are told; nothing was recorded"
    return Problem(409, "told-by-duty", title, detail="Leave out each one named in `errors`.", errors=errors)


def _unknown(gateways: tuple[str, ...], ids: tuple[str, ...]) -> list[FieldError]:
    said = "no bar has this gateway: take `bar/gateway` from the graph"
    return [FieldError(f"/gateways/{gateways.index(name)}", said) for name in ids]


def _not_open(gateways: tuple[str, ...], wrong: NotOpen) -> list[FieldError]:
    said = "this is not open on this concern: see its rounds for what is"
    errors = [FieldError(f"/gateways/{gateways.index(name)}", said) for name in wrong.gateways]
    return errors + ([FieldError("/no_longer_necessary", said)] if wrong.necessity else [])
