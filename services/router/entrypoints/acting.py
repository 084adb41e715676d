"""What the routes of people's acts share: who acts, the digest of what is asked, and the answers to a refusal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.router.domain.rounds import Person
from services.router.entrypoints.forms import Term
from services.router.usecases import Refused
from shared.agreements.reasons import SENTENCES
from shared.canonical import canonical, digest
from shared.http import strictjson
from shared.http.auth import Principal, caller
from shared.http.problems import FieldError, Problem

ORGANISATIONS_MAX = 64
Actor = Annotated[Principal, Depends(caller("decisions:write"))]
Reason = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
Organisations = Annotated[list[Term], Field(min_length=1, max_length=ORGANISATIONS_MAX)]
BEYOND = {
    "NOT_AVAILABLE": "This organisation is not available to you for this concern.",
    "NOT_A_GAP": "An emergency is for who should know of this and has no agreement; this organisation is no such body.",
}


class ActForm(BaseModel):
    """What every act states: why, and which person decided it (absent: the client's own subject)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reason: Reason
    decided_by: str = Field(default="", max_length=200)


def person_of(principal: Principal, form: ActForm) -> Person:
    """Who acts."""
    return Person(principal.subject, principal.org, form.decided_by or principal.subject)


def request_of(principal: Principal, form: ActForm, *place: str) -> str:
    """The digest of an act by this client at this place: the same act sent again has the same."""
    said = {"by": principal.subject, "org": principal.org, "place": list(place), "form": form.model_dump(mode="json")}
    return digest(canonical(said))


async def body_of(request: Request) -> Any:
    """The body as strict JSON."""
    return strictjson.parse(await request.body())


def refusal(refused: Refused, organisations: list[str], *, field: str = "/organisations") -> Problem:
    """409 that names each body with its reason; nothing was changed."""
    errors = [
        FieldError(f"{field}/{organisations.index(org)}", f"{code}: {BEYOND.get(code) or SENTENCES[code]}")
        for org, code in sorted(refused.reasons.items(), key=lambda row: organisations.index(row[0]))
    ]
    return Problem(
        409,
        "not-permitted",
        "No agreement lets some of these organisations be told; nobody was told",
        detail="Leave out each organisation named in `errors`, or see what is missing at the work item.",
        errors=errors,
    )


def duty_router(principal: Principal) -> None:
    """Raises Problem 403 for everybody but the people who route by hand."""
    if "duty-router" not in principal.roles:
        raise Problem(403, "forbidden", "Your client may not do this", detail="It needs the role duty-router.")
