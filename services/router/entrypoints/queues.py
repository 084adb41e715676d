"""The queues of what waits for a person, and what the person does: take it on, route by hand, let it wait, close it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, assert_never

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field, ValidationInfo, field_validator

from services.router.domain.choosing import Manner
from services.router.domain.model import ItemCursor, ItemKind, ItemQuery, ItemState, WorkItem
from services.router.entrypoints.acting import (
    ActForm,
    Actor,
    Organisations,
    body_of,
    duty_router,
    person_of,
    refusal,
    request_of,
)
from services.router.entrypoints.choices import stands_view
from services.router.entrypoints.forms import Moment
from services.router.entrypoints.item_views import item_view, whole_item_view
from services.router.ports import DecisionStore
from services.router.usecases import (
    Absent,
    Ask,
    AwaitsSecond,
    Desk,
    Done,
    Ended,
    ItemResult,
    NeedsThird,
    NotRouted,
    Refused,
    assign_item,
    close_item,
    let_item_wait,
    look_at_item,
    route_item,
)
from shared.contracts.envelope import JsonObject
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import PathId
from shared.http.problems import FieldError, Problem, bad_fields, not_found

PAGE_MAX = 200
Reader = Annotated[Principal, Depends(caller("decisions:read"))]
Kind = Annotated[ItemKind | None, Query(description="one queue; absent: all")]
State = Annotated[ItemState | None, Query(description="absent: open and waiting")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="items at most")]
READERS = frozenset({"operator", "duty-router"})


class AssignmentForm(ActForm):
    """The body of `POST /v1/work-items/{item_id}/assignment`; absent `owner`: whoever asks."""

    reason: str = Field(default="", max_length=4000)
    owner: str = Field(default="", max_length=200, pattern=r"^[A-Za-z0-9_.:@ -]*$")


class ResolutionForm(ActForm):
    """The body of `POST /v1/work-items/{item_id}/resolution`.

    `route` names organisations; `pointer_only` tells them that there is something and no more, which a second person
    must ask for as well. `wait` names until when.
    """

    action: Literal["route", "wait", "close"]
    organisations: Annotated[Organisations | None, Field(validate_default=True)] = None
    pointer_only: Annotated[bool, Field(strict=True)] = False
    until: Annotated[Moment | None, Field(validate_default=True)] = None

    @field_validator("organisations", "until")
    @classmethod
    def _goes_with_its_action(cls, value: object, info: ValidationInfo) -> object:
        its_action = "route" if info.field_name == "organisations" else "wait"
        if "action" in info.data and (info.data["action"] == its_action) != (value is not None):
            raise ValueError(f"this goes with the action {its_action}, and only with it")
        return value

    @field_validator("pointer_only")
    @classmethod
    def _goes_with_route(cls, pointer_only: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - as pydantic calls it
        if pointer_only and info.data.get("action", "route") != "route":
            raise ValueError("this goes with the action route, and only with it")
        return pointer_only


@dataclass(frozen=True, slots=True)
class QueueRoutes:
    """The routes of work items."""

    store: DecisionStore
    desk: Desk

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["work items"])
        router.add_api_route("/v1/unroutable", self.unroutable)
        router.add_api_route("/v1/work-items", self.work_items)
        router.add_api_route("/v1/work-items/{item_id}", self.work_item)
        for name, act, form in (
            ("assignment", self.assign, AssignmentForm),
            ("resolution", self.resolve, ResolutionForm),
        ):
            router.add_api_route(
                f"/v1/work-items/{{item_id}}/{name}", act, methods=["POST"], openapi_extra=_documented(form)
            )
        return router

    async def unroutable(self, principal: Reader, after: After = "", limit: Limit = 50) -> JsonObject:
        """Concerns that reached nobody, oldest first; for operators and duty routers."""
        _may_read(principal)
        return await self._page(ItemQuery(self.desk.clock.now(), limit + 1, "unroutable", None, _place(after)))

    async def work_items(
        self, principal: Reader, kind: Kind = None, state: State = None, after: After = "", limit: Limit = 50
    ) -> JsonObject:
        """What waits for a person, oldest first. `next` leads to the page behind this one.

        For operators and duty routers.
        """
        _may_read(principal)
        return await self._page(ItemQuery(self.desk.clock.now(), limit + 1, kind, state, _place(after)))

    async def work_item(self, item_id: PathId, principal: Reader) -> JsonObject:
        """One item: what happened to it, what is missing for each body, and what a person can do."""
        _may_read(principal)
        look = await look_at_item(item_id, self.store, self.desk)
        if isinstance(look, Absent):
            raise not_found()
        return whole_item_view(look, self.desk.clock.now())

    async def assign(self, item_id: PathId, request: Request, principal: Actor) -> JsonObject:
        """Somebody takes the item on, or is given it; for duty routers."""
        duty_router(principal)
        form = AssignmentForm.model_validate(await body_of(request))
        ask = Ask(item_id, person_of(principal, form), form.reason, request_of(principal, form, item_id, "assignment"))
        result = await assign_item(ask, form.owner or principal.subject, self.desk)
        return self._answer(result, None)

    async def resolve(self, item_id: PathId, request: Request, response: Response, principal: Actor) -> JsonObject:
        """Route by hand, let wait, or close with a reason; for duty routers. 202: a second person is waited for."""
        duty_router(principal)
        form = ResolutionForm.model_validate(await body_of(request))
        ask = Ask(item_id, person_of(principal, form), form.reason, request_of(principal, form, item_id, "resolution"))
        result = await self._resolve(ask, form)
        if isinstance(result, AwaitsSecond):
            response.status_code = 202
        return self._answer(result, form)

    async def _resolve(self, ask: Ask, form: ResolutionForm) -> ItemResult:
        match form.action:
            case "route":
                manner: Manner = "pointer" if form.pointer_only else "full"
                return await route_item(ask, dict.fromkeys(sorted(set(form.organisations or ())), manner), self.desk)
            case "wait":
                return await let_item_wait(ask, _within(form.until, self.desk), self.desk)
            case "close":
                return await close_item(ask, self.desk)
            case _:
                assert_never(form.action)

    def _answer(self, result: ItemResult, form: ResolutionForm | None) -> JsonObject:
        now = self.desk.clock.now()
        match result:
            case Done(item, stands, repeated):
                decision = {"decision": stands_view(item.key.concern_id, stands)} if stands else {}
                return {**item_view(item, now), **decision, "repeated": repeated}
            case AwaitsSecond(item):
                return {**item_view(item, now), "awaits": "a second person with the role duty-router"}
            case Ended(item):
                raise _too_late(item)
            case NotRouted(item):
                raise _not_routed(item)
            case NeedsThird():
                raise _needs_third()
            case Refused():
                raise refusal(result, list(form.organisations or ()) if form else [])
            case Absent():
                raise not_found()
            case _:
                assert_never(result)

    async def _page(self, query: ItemQuery) -> JsonObject:
        found = await self.store.work_items(query)
        page = found[: query.limit - 1]
        onward = cursor_of(page[-1].opened_at, page[-1].item_id) if len(found) == query.limit else None
        return {"items": [item_view(item, query.now) for item in page], "next": onward}


def _may_read(principal: Principal) -> None:
    if not principal.roles & READERS:
        raise Problem(
            403, "forbidden", "Your client may not do this", detail="It needs the role operator or duty-router."
        )


def _place(after: str) -> ItemCursor | None:
    place = place_of(after)
    return place and ItemCursor(*place)


def _within(until: datetime | None, desk: Desk) -> datetime:
    now = desk.clock.now()
    if until is None or not now < until <= now + desk.wait_max:
        said = f"this must lie in the future, and at most {desk.wait_max.days} days from now"
        raise bad_fields([FieldError("/until", said)])
    return until


def _too_late(item: WorkItem) -> Problem:
    return Problem(
        409,
        "resolved-already",
        "This item was resolved before; nothing was changed",
        detail=f"It ended as {item.resolution}. Look at it again.",
    )


def _not_routed(item: WorkItem) -> Problem:
    return Problem(
        409,
        "not-routed",
        "An item of this kind tells nobody; nothing was changed",
        detail=f"Look at {_looked_at(item)}, then let it wait or close it.",
    )


def _looked_at(item: WorkItem) -> str:
    if item.kind in ("emergency", "derived"):
        return f"/v1/decisions/{item.key.concern_id}/rounds"
    return f"/v1/correlations?subject-of={item.key.concern_id}"


def _needs_third() -> Problem:
    return Problem(
        403,
        "needs-another-person",
        "Who decided the emergency does not review it; nothing was changed",
        detail="Another person with the role duty-router closes this item.",
    )


def _documented(form: type[ActForm]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": form.model_json_schema()}}}}
