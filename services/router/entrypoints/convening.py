"""Meetings that a named person convenes: proposed, convened, and what each body says for itself, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, assert_never

from fastapi import APIRouter, Depends, Header, Request, Response

from services.router.domain.convening import OF_INVITEES, EventName, PanelEvent
from services.router.entrypoints.acting import ActForm, Actor, body_of, person_of, request_of
from services.router.entrypoints.decisions import sees_all
from services.router.entrypoints.panel_forms import PanelForm, StepForm
from services.router.usecases import (
    Absent,
    CannotBe,
    Convened,
    Desk,
    PanelResult,
    Proposal,
    Step,
    look_at_panel,
    propose_panel,
    take_step,
)
from shared.canonical import canonical, digest
from shared.contracts.audit import AuditFact
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http.auth import Principal, caller
from shared.http.params import PathId
from shared.http.problems import Problem, not_found
from shared.ids import new_id

ROLES = frozenset({"convenor", "duty-router"})
Reader = Annotated[Principal, Depends(caller("decisions:read"))]
IfMatch = Annotated[str, Header(description='the ETag that was seen, such as "3"')]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
SHARED: frozenset[EventName] = frozenset(
    {"proposed", "convened", "invited", "contributions-opened", "decided", "review-set", "closed", "withdrawn"}
)
"""What every body at the table sees: the meeting, the agreed outcome, and when it is looked at again."""


_NOT_FOR_ALL = frozenset({"concern_id", "also", "about"})
"""A body at the table sees the concerns that it was told of, and of no other that there is one."""


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
        router.add_api_route("/v1/panels/{panel_id}", self.panel)
        router.add_api_route(
            "/v1/panels/{panel_id}/events", self.step, methods=["POST"], openapi_extra=_documented(StepForm)
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
        )
        return _answer(await propose_panel(asked, self.desk), principal, response)

    async def step(
        self, panel_id: PathId, request: Request, response: Response, principal: Actor, if_match: IfMatch = ""
    ) -> JsonObject:
        """The next thing about a panel: for its convenor's body, and what each invited body says for itself.

        `If-Match` names the state that was seen: 428 without it, 412 where somebody else acted meanwhile.
        """
        form = StepForm.model_validate(await body_of(request))
        if form.event not in OF_INVITEES and form.event != "action-done":
            _may_convene(principal)
        number = _number_of(if_match)
        body = {**form.stated, "reason": form.reason}
        asked = digest(canonical({"of": request_of(principal, form, panel_id), "behind": number}))
        step = Step(panel_id, form.event, body, person_of(principal, form), number, asked)
        return _answer(await take_step(step, self.desk), principal, response)

    async def panel(self, panel_id: PathId, response: Response, principal: Reader) -> JsonObject:
        """The panel: whole for its convenor's body, operators and auditors, whose looks are recorded.

        An invited body sees its own part and the agreed outcome.
        """
        found = await look_at_panel(panel_id, self.desk)
        if isinstance(found, Convened) and sees_all(principal):
            async with self.desk.begin() as tx:
                await tx.say([self._looked(found, principal)])
        return _answer(found, principal, response)

    def _looked(self, found: Convened, principal: Principal) -> AuditFact:
        return AuditFact(
            fact_id=new_id("fct"),
            kind="access",
            concern_id=found.panel.concern_id,
            at=self.desk.clock.now(),
            service="router",
            actor=principal.subject,
            body={"panel_id": found.panel.panel_id, "org": principal.org},
        )


def _answer(result: PanelResult, principal: Principal, response: Response) -> JsonObject:
    match result:
        case Convened(panel, _) if sees_all(principal) or principal.org in panel.invited | {panel.convenor}:
            response.headers["ETag"] = f'"{panel.number}"'
            return panel_view(result, principal)
        case CannotBe(reason, stale):
            title = "Somebody else acted meanwhile" if stale else "This cannot be done now"
            code = "changed-meanwhile" if stale else "not-now"
            raise Problem(412 if stale else 409, code, f"{title}; nothing was changed", detail=f"{reason}.")
        case Convened() | Absent():
            raise not_found()
        case _:
            assert_never(result)


def panel_view(convened: Convened, principal: Principal) -> JsonObject:
    """The panel as this caller may see it."""
    panel, events = convened.panel, convened.events
    whole = sees_all(principal) or principal.org == panel.convenor
    shown = events if whole else _shown_to(principal.org, events)
    opening = events[0].body
    first, *also = panel.concern_ids if whole else panel.about[principal.org]
    return {
        "panel_id": panel.panel_id,
        "kind": opening["kind"],
        "named": opening["named"],
        "source": opening["source"],
        "agreement": opening["agreement"],
        "concern_id": first,
        "also": also,
        "state": panel.state,
        "convenor": panel.convenor,
        "events": [_event_view(one, principal.org, whole=whole) for one in shown],
    }


def _shown_to(org: str, events: Sequence[PanelEvent]) -> list[PanelEvent]:
    """What is for all, and its own part: with the end of each action that it owns, whoever recorded that."""
    owners: dict[str, str] = {}
    shown = []
    for event in events:
        if event.event == "action-added":
            owners[event.body["action"]] = event.body["owner"]
        if _is_for(event, org, owners):
            shown.append(event)
    return shown


def _is_for(event: PanelEvent, org: str, owners: Mapping[str, str]) -> bool:
    if event.by.org == org or event.event in SHARED:
        return True
    if event.event == "attended":
        return org in event.body["organisations"]
    return event.event in ("action-added", "action-done") and owners.get(event.body["action"]) == org


def _event_view(event: PanelEvent, org: str, *, whole: bool) -> JsonObject:
    body = {name: value for name, value in event.body.items() if whole or name not in _NOT_FOR_ALL}
    if event.event == "attended" and not whole:
        body["organisations"] = [org]
    by = {"org": event.by.org, "name": event.by.name}
    return {"number": event.number, "event": event.event, "at": rfc3339(event.at), "by": by, **body}


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


def _documented(form: type[ActForm]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": form.model_json_schema()}}}}
