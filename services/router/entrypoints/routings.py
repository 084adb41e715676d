"""What was routed, for who works out what a change of the agreements would have done; never the sealed part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Response

from services.router.domain.model import PastRouting, RoutingCursor
from services.router.entrypoints.forms import Moment
from services.router.ports import DecisionStore
from shared.contracts.envelope import rfc3339
from shared.http.auth import Principal, caller
from shared.http.cursors import After, cursor_of, place_of
from shared.http.problems import FieldError, Problem, bad_fields

PAGE_MAX = 1_000
ROLES = frozenset({"registry", "operator"})
Reader = Annotated[Principal, Depends(caller("decisions:read-all"))]
Since = Annotated[Moment | None, Query(description="received at or after this instant; absent: from the first")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="items at most")]


@dataclass(frozen=True, slots=True)
class RoutingRoutes:
    """The route of past routings."""

    store: DecisionStore

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["routings"])
        router.add_api_route("/v1/routings", self.routings, response_class=Response)
        return router

    async def routings(self, principal: Reader, since: Since = None, after: After = "", limit: Limit = 200) -> Response:
        """The clear part of each version of a concern, as its newest decision was taken on it, in order of receipt.

        For the roles registry and operator. `next` leads to the page behind this one.
        """
        if not principal.roles & ROLES:
            raise Problem(
                403, "forbidden", "Your client may not do this", detail="It needs the role registry or operator."
            )
        found = await self.store.routings(since, _cursor(after), limit + 1)
        page = found[:limit]
        onward = _after(page[-1]) if len(found) > limit else None
        return Response(
            orjson.dumps({"items": [_item(row) for row in page], "next": onward}), media_type="application/json"
        )


def _item(row: PastRouting) -> dict[str, object]:
    return {
        "concern_id": row.concern_id,
        "version": row.version,
        "received_at": rfc3339(row.received_at),
        "routing": orjson.Fragment(row.routing),
    }


def _after(row: PastRouting) -> str:
    return cursor_of(row.received_at, f"{row.concern_id}_{row.version}")


def _cursor(after: str) -> RoutingCursor | None:
    place = place_of(after)
    if place is None:
        return None
    concern_id, _, version = place[1].rpartition("_")
    if not concern_id or not (version.isascii() and version.isdigit() and len(version) < 10):
        raise bad_fields([FieldError("/after", "this is no cursor of ours: take it from `next`, unchanged")])
    return RoutingCursor(place[0], concern_id, int(version))
