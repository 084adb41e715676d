"""Changes of the graph over HTTP: every change after the seed goes this way, and there is no other.

Scope `changes:write` and the role of each step; `If-Match` names the change as it was read. Reading needs
`changes:read`: who works in the registry sees every change, a signatory those that it is asked to sign.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.registry.domain.change import STATES, ChangePlace
from services.registry.domain.model import Refused
from services.registry.entrypoints.change_answers import answer, etag, json_answer, summary, view
from services.registry.entrypoints.change_forms import (
    AgreementForm,
    ApprovalForm,
    ChangeForm,
    NothingForm,
    PartForm,
    ReasonForm,
    ReviewForm,
    RevisionForm,
    SignatureForm,
    WhatIfForm,
)
from services.registry.entrypoints.change_requests import (
    Asking,
    Key,
    Watch,
    Writer,
    actor_of,
    key_of,
    read_form,
    registry_only,
)
from services.registry.entrypoints.forms import refusal
from services.registry.usecases.change import (
    Ask,
    Desk,
    Result,
    approve_change,
    review_change,
    withdraw_change,
)
from services.registry.usecases.change_content import OtherContent, add_to_change, draft_change, revise_change
from services.registry.usecases.change_gate import assess_change, schedule_change, what_if
from services.registry.usecases.change_signatures import sign_change
from services.registry.usecases.change_views import (
    ChangeView,
    list_changes,
    read_change,
    read_difference,
    read_objects,
    sees_all,
)
from services.registry.usecases.lifecycle import draft_agreement
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import PathId
from shared.http.problems import FieldError, bad_fields, not_found
from shared.telemetry import Telemetry

LIST_MAX = 200
OBJECTS_PAGE_MAX = 1_000
Reader = Annotated[Principal, Depends(caller("changes:read"))]
State = Annotated[str | None, Query(max_length=16, description=" | ".join(STATES))]
Limit = Annotated[int, Query(ge=1, le=LIST_MAX, description="changes at most")]
From = Annotated[int, Query(ge=0, le=10**9, description="objects to leave out; `next` of the page before")]
ObjectLimit = Annotated[int, Query(ge=1, le=OBJECTS_PAGE_MAX, description="objects at most")]


@dataclass(frozen=True, slots=True)
class ChangeRoutes:
    """The routes of changes."""

    desk: Desk
    telemetry: Telemetry

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["changes"])
        one = "/v1/changes/{change_id}"
        router.add_api_route("/v1/changes", self.draft, methods=["POST"], status_code=201)
        router.add_api_route("/v1/changes", self.all)
        router.add_api_route(one, self.read)
        router.add_api_route(f"{one}/difference", self.difference)
        router.add_api_route(f"{one}/objects", self.objects)
        for path, step in self._steps().items():
            methods = ["PUT", "POST"] if path == "revision" else ["POST"]
            router.add_api_route(f"{one}/{path}", step, methods=methods)
        router.add_api_route("/v1/agreements", self.agreement, methods=["POST"], status_code=201)
        router.add_api_route("/v1/analyses/what-if", self.simulate, methods=["POST"])
        return router

    def _steps(self) -> dict[str, Callable[..., Awaitable[Response]]]:
        return {
            "objects": self.add,
            "revision": self.revise,
            "review": self.review,
            "assessment": self.assess,
            "approval": self.approve,
            "signatures": self.sign,
            "schedule": self.schedule,
            "withdrawal": self.withdraw,
        }

    async def draft(self, request: Request, principal: Writer, key: Key = None) -> Response:
        """Propose a change. 201; 200 where this key proposed the same before; 409 where it proposed something else."""
        draft = (await read_form(request, ChangeForm)).draft()
        return await self._drafted(draft_change(draft, actor_of(principal), key_of(key), desk=self.desk), principal)

    async def agreement(self, request: Request, principal: Writer, key: Key = None) -> Response:
        """Propose one new agreement: the same as a change that holds nothing else."""
        draft = (await read_form(request, AgreementForm)).draft()
        return await self._drafted(draft_agreement(draft, actor_of(principal), key_of(key), desk=self.desk), principal)

    async def all(self, principal: Reader, state: State = None, after: After = "", limit: Limit = 50) -> Response:
        """Changes, the one that was drafted last first: `{items, next}`. For who works in the registry."""
        registry_only(principal)
        if state is not None and state not in STATES:
            raise bad_fields([FieldError("/state", f"must be one of {', '.join(STATES)}")])
        place = place_of(after)
        before = ChangePlace(*place) if place else None
        found = await list_changes(state, before=before, count_max=limit + 1, desk=self.desk)
        last = found[limit - 1] if len(found) > limit else None
        onward = cursor_of(last.drafted_at, last.change_id) if last else None
        return json_answer({"items": [summary(proposal) for proposal in found[:limit]], "next": onward})

    async def read(self, change_id: PathId, principal: Reader) -> Response:
        """A change: its state, every event, and what is missing until it can be scheduled, and from whom."""
        shown = await self._shown(change_id, principal)
        return json_answer(view(shown), headers={"ETag": etag(shown.proposal)})

    async def difference(self, change_id: PathId, principal: Reader) -> Response:
        """What the change would do, to the byte as it was assessed; its `ETag` is the digest that is approved."""
        registry_only(principal)
        found = await read_difference(change_id, desk=self.desk)
        if found is None:
            raise not_found()
        headers = {"ETag": f'"{found[0]}"', "Cache-Control": "no-cache"}
        return Response(found[1], headers=headers, media_type="application/json")

    async def objects(
        self, change_id: PathId, principal: Reader, after: From = 0, limit: ObjectLimit = 100
    ) -> Response:
        """What the change proposes, in the order in which it was sent: `{items, next}`."""
        shown = await self._shown(change_id, principal)
        found = await read_objects(shown, after, limit, desk=self.desk)
        behind = after + len(found)
        onward = behind if behind < shown.proposal.object_count else None
        return json_answer({"items": [item.row() for item in found], "next": onward})

    async def add(self, request: Request, ask: Asking) -> Response:
        """Add a part to what is proposed; what was said of it before counts no more."""
        part = (await read_form(request, PartForm)).part()
        return await self._step(ask, add_to_change(ask, part, desk=self.desk))

    async def revise(self, request: Request, ask: Asking) -> Response:
        """Replace what is proposed; it is reviewed, assessed, approved and signed anew."""
        draft = (await read_form(request, RevisionForm)).draft()
        return await self._step(ask, revise_change(ask, draft, desk=self.desk))

    async def review(self, request: Request, ask: Asking) -> Response:
        """Somebody who wrote no part of it has read it."""
        note = (await read_form(request, ReviewForm)).note
        return await self._step(ask, review_change(ask, note, desk=self.desk))

    async def assess(self, request: Request, ask: Asking) -> Response:
        """Work out what the change would do, and keep it for the approvers. 503 while the router does not answer."""
        await read_form(request, NothingForm)
        return await self._step(ask, assess_change(ask, desk=self.desk))

    async def approve(self, request: Request, ask: Asking) -> Response:
        """One of two approvals, of the difference with that digest."""
        digest = (await read_form(request, ApprovalForm)).difference
        return await self._step(ask, approve_change(ask, digest, desk=self.desk))

    async def sign(self, request: Request, ask: Asking) -> Response:
        """A party signs the terms of an agreement, or an editor records that it did. 404 where it has no part in it."""
        if not sees_all(ask.actor) and await read_change(ask.change_id, ask.actor, desk=self.desk) is None:
            raise not_found()
        form = await read_form(request, SignatureForm)
        given = form.given(ask.actor.org)
        return await self._step(ask, sign_change(ask, given, form.evidence, desk=self.desk))

    async def schedule(self, request: Request, ask: Asking) -> Response:
        """Make it a commit of the graph, when nothing is missing."""
        await read_form(request, NothingForm)
        return await self._step(ask, schedule_change(ask, desk=self.desk))

    async def withdraw(self, request: Request, ask: Asking) -> Response:
        """It will never be part of the graph; its history stays."""
        reason = (await read_form(request, ReasonForm)).reason
        return await self._step(ask, withdraw_change(ask, reason, desk=self.desk))

    async def simulate(self, request: Request, principal: Reader) -> Response:
        """What objects would do on the graph as it stands: the same difference as of a change; nothing is kept."""
        registry_only(principal)
        form = await read_form(request, WhatIfForm)
        with Watch(self.telemetry).unit("change.simulated", principal.subject):
            worked = await what_if(form.asked(), form.since, desk=self.desk)
        if isinstance(worked, Refused):
            raise refusal(worked.defects)
        headers = {"ETag": f'"{worked.digest}"', "Cache-Control": "no-store"}
        return Response(worked.body, headers=headers, media_type="application/json")

    async def _shown(self, change_id: str, principal: Principal) -> ChangeView:
        shown = await read_change(change_id, actor_of(principal), desk=self.desk)
        if shown is None:
            raise not_found()
        return shown

    async def _drafted(self, drafting: Awaitable[Result | OtherContent], principal: Principal) -> Response:
        with Watch(self.telemetry).unit("change.drafted", principal.subject) as line:
            result = await drafting
            line["outcome"] = type(result).__name__.lower()
        return answer(result, status=201)

    async def _step(self, ask: Ask, stepping: Awaitable[Result]) -> Response:
        with Watch(self.telemetry).unit("change.stepped", ask.actor.principal) as line:
            line["change_id"] = ask.change_id
            result = await stepping
            line["outcome"] = type(result).__name__.lower()
        return answer(result)
