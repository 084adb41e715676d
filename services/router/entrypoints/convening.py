"""Meetings that a named person convenes: proposed, convened, and what each body says for itself, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, assert_never

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.router.domain.convening import PanelState
from services.router.domain.panel_rules import OF_INVITEES
from services.router.domain.panels import PanelCursor, PanelQuery
from services.router.entrypoints.acting import ActForm, Actor, body_of, person_of, request_of
from services.router.entrypoints.decisions import sees_all
from services.router.entrypoints.panel_forms import STEP_FORMS, PanelForm, StepForm, ToldForm, step_form
from services.router.entrypoints.panel_views import panel_head_view, panel_view
from services.router.usecases import (
    Absent,
    CannotBe,
    Convened,
    Desk,
    PanelResult,
    Proposal,
    Step,
    look_at_panel,
    look_at_panels,
    propose_panel,
    take_step,
)
from shared.agreements.days import civil_day
from shared.canonical import canonical, digest
from shared.contracts.audit import AuditFact
from shared.contracts.envelope import JsonObject
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import PathId
from shared.http.problems import FieldError, Problem, bad_fields, not_found
from shared.ids import new_id

PAGE_MAX = 200
ROLES = frozenset({"convenor", "duty-router"})
Reader = Annotated[Principal, Depends(caller("decisions:read"))]
State = Annotated[PanelState | None, Query(description="absent: panels in any state")]
Overdue = Annotated[bool, Query(description="true: only panels with a review or an action of which the day is past")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="panels at most")]
IfMatch = Annotated[str, Header(description='the ETag that was seen, such as "3"')]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class PanelRoutes:
    """The routes of panels."""

    desk: Desk

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["panels"])
        router.add_api_route(
            "/v1/panels", self.propose, methods=["POST"], status_code=201, openapi_extra=_documented(PanelForm)
        )
        router.add_api_route("/v1/panels", self.panels)
        router.add_api_route("/v1/panels/{panel_id}", self.panel)
        router.add_api_route(
            "/v1/panels/{panel_id}/events", self.step, methods=["POST"], openapi_extra=_documented(*STEP_FORMS)
        )
        return router

    async def propose(self, request: Request, response: Response, principal: Actor, key: Key) -> JsonObject:
        """Propose a meeting: convenors about a concern that their body raised or was told of, duty routers about any.

        What it is called, its source and its members are those of the graph today. The same key finds the same panel.
        """
        _may_convene(principal)
        form = PanelForm.model_validate(await body_of(request))
        asked = Proposal(
            form.kind,
            tuple(dict.fromkeys((form.concern_id, *form.also))),
            form.reason,
            form.quorum,
            person_of(principal, form),
            key,
            request_of(principal, form, "panels"),
            any_concern="duty-router" in principal.roles,
            level=form.level,
        )
        return self._answer(await propose_panel(asked, self.desk), principal, response)

    async def step(
        self, panel_id: PathId, request: Request, response: Response, principal: Actor, if_match: IfMatch = ""
    ) -> JsonObject:
        """The next thing about a panel: for its convenor's body, and what each invited body says for itself.

        `If-Match` names the state that was seen: 428 without it, 412 where somebody else acted meanwhile.
        """
        form = step_form(await body_of(request))
        _not_to_come(form, self._today())
        convenes = bool(principal.roles & ROLES)
        if form.event not in OF_INVITEES and form.event != "action-done":
            _may_convene(principal)
        number = _number_of(if_match)
        body = {**form.stated, "reason": form.reason}
        asked = digest(canonical({"of": request_of(principal, form, panel_id), "behind": number}))
        step = Step(panel_id, form.event, body, person_of(principal, form), number, asked, convenes)
        return self._answer(await take_step(step, self.desk), principal, response)

    async def panels(
        self,
        principal: Reader,
        state: State = None,
        overdue: Overdue = False,  # noqa: FBT002 - a query parameter
        after: After = "",
        limit: Limit = 50,
    ) -> JsonObject:
        """Panels without a word that was said, oldest first: what is still to be done by a day, and what is overdue.

        Operators and auditors see all, and their looks are recorded; a body those that it convened, and of those that
        it was invited to its own part. `next` leads to the page behind this one.
        """
        everything, today, place = sees_all(principal), self._today(), place_of(after)
        cursor = place and PanelCursor(*place)
        query = PanelQuery(principal.org, today, limit + 1, everything, state, overdue, cursor)
        found = await look_at_panels(query, self.desk)
        page = found[:limit]
        if everything and page:
            async with self.desk.begin() as tx:
                await tx.say([self._looked(page, principal)])
        onward = cursor_of(page[-1].events[0].at, page[-1].panel.panel_id) if len(found) > limit else None
        return {"items": [panel_head_view(one, principal, today) for one in page], "next": onward}

    async def panel(self, panel_id: PathId, response: Response, principal: Reader) -> JsonObject:
        """The panel: whole for its convenor's body, operators and auditors, whose looks are recorded.

        An invited body sees its own part and the agreed outcome.
        """
        found = await look_at_panel(panel_id, self.desk)
        if isinstance(found, Convened) and sees_all(principal):
            async with self.desk.begin() as tx:
                await tx.say([self._looked([found], principal)])
        return self._answer(found, principal, response)

    def _today(self) -> date:
        return civil_day(self.desk.clock.now())

    def _looked(self, found: Sequence[Convened], principal: Principal) -> AuditFact:
        """A look at one panel belongs to its concern; one at a page of them names them all."""
        panels = [one.panel.panel_id for one in found]
        return AuditFact(
            fact_id=new_id("fct"),
            kind="access",
            concern_id=found[0].panel.concern_id if len(found) == 1 else None,
            at=self.desk.clock.now(),
            service="router",
            actor=principal.subject,
            body={"panels": panels, "org": principal.org},
        )

    def _answer(self, result: PanelResult, principal: Principal, response: Response) -> JsonObject:
        match result:
            case Convened(panel, _) if sees_all(principal) or principal.org in panel.invited | {panel.convenor}:
                response.headers["ETag"] = f'"{panel.number}"'
                return panel_view(result, principal, self._today())
            case CannotBe(reason, stale):
                title = "Somebody else acted meanwhile" if stale else "This cannot be done now"
                code = "changed-meanwhile" if stale else "not-now"
                raise Problem(412 if stale else 409, code, f"{title}; nothing was changed", detail=f"{reason}.")
            case Convened() | Absent():
                raise not_found()
            case _:
                assert_never(result)


def _may_convene(principal: Principal) -> None:
    if not principal.roles & ROLES:
        raise Problem(
            403, "forbidden", "Your client may not do this", detail="It needs the role convenor or duty-router."
        )


def _number_of(if_match: str) -> int:
    if not if_match:
        raise Problem(428, "if-match-needed", "Say which state you saw", detail="Send its ETag as If-Match.")
    if not re.fullmatch(r'"[0-9]{1,9}"', if_match):
        raise Problem(412, "changed-meanwhile", "This is no state of the panel", detail="Look at it again, then act.")
    return int(if_match.strip('"'))


def _not_to_come(form: StepForm, today: date) -> None:
    if isinstance(form, ToldForm) and form.told_on > today:
        raise bad_fields([FieldError("/told_on", "this day is still to come: record it when they were told")])


def _documented(*forms: type[ActForm]) -> dict[str, Any]:
    schema = {"oneOf": [form.model_json_schema() for form in forms]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
