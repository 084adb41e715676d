"""What was recorded when, over HTTP: the past of an object, and what differs between two graphs or two days."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.registry.domain.difference_of_graphs import FieldChange, GraphDifference
from services.registry.domain.intervals import AGREEMENT, ORGANISATION
from services.registry.entrypoints.forms import VERSION_MAX
from services.registry.entrypoints.moments import AsOf, KnownAt, Moments, moments, refuse
from services.registry.entrypoints.reads import answer, commit_at, rfc3339_or_none, standing_json
from services.registry.ports import Begin, History
from services.registry.usecases.graph import At
from services.registry.usecases.history import (
    RecordedState,
    Side,
    StandingChange,
    compare,
    compare_standings,
    read_past,
)
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from shared.http.params import PathId
from shared.http.problems import FieldError, not_found

CHANGES_MAX = 1_000
Version = Annotated[int | None, Query(ge=1, le=VERSION_MAX, description="a version of the graph")]


class HistoryRoutes:
    """The routes of the past."""

    def __init__(self, *, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["history"])
        router.add_api_route("/v1/agreements/{agreement_id}/history", self.agreement)
        router.add_api_route("/v1/organisations/{organisation_id}/history", self.organisation)
        router.add_api_route("/v1/graph/difference", self.difference)
        return router

    async def agreement(self, request: Request, agreement_id: PathId) -> Response:
        """Every recorded state of an agreement, newest first, with what each changed field by field."""
        return await self._past(request, AGREEMENT, agreement_id)

    async def organisation(self, request: Request, organisation_id: PathId) -> Response:
        """Every recorded state of a body, newest first, with what each changed field by field."""
        return await self._past(request, ORGANISATION, organisation_id)

    async def difference(  # noqa: PLR0913 - each is a side of the comparison in the query string
        self,
        request: Request,
        from_version: Annotated[Version, Query(alias="from")] = None,
        to_version: Annotated[Version, Query(alias="to")] = None,
        from_known_at: KnownAt = "",
        to_known_at: KnownAt = "",
        from_as_of: AsOf = "",
        to_as_of: AsOf = "",
    ) -> Response:
        """What differs between two graphs: objects added and changed, and which agreements stand otherwise.

        Each side is a version, or what was known at a moment; without either it is the newest graph. The standing is
        compared where both sides name a day. Of each part 1,000 are shown; `totals` counts them all.
        """
        now = self._clock.now()
        before = moments(from_as_of, from_known_at, now, ("from_as_of", "from_known_at"))
        after = moments(to_as_of, to_known_at, now, ("to_as_of", "to_known_at"))
        refuse(_contradictions((from_version, before, "from"), (to_version, after, "to")))
        async with self._begin() as history:
            sides = await _side(history, from_version, before), await _side(history, to_version, after)
            found = await compare(*sides, history=history)
            standings = await compare_standings(*sides, history=history)
        totals = {"added": len(found.added), "changed": len(found.changed), "standing": len(standings)}
        shown = {**_difference(found), "standing": list(map(_standing, standings[:CHANGES_MAX])), "totals": totals}
        return answer(request, {"from": _side_json(sides[0]), "to": _side_json(sides[1]), **shown})

    async def _past(self, request: Request, kind: str, object_id: str) -> Response:
        async with self._begin() as history:
            states = await read_past(kind, object_id, history=history)
        if not states:
            raise not_found()
        return answer(request, {"kind": kind, "id": object_id, "states": list(map(_state, states))})


def _contradictions(*sides: tuple[int | None, Moments, str]) -> list[FieldError]:
    faults = [
        FieldError(f"/{name}", f"send a version or `{name}_known_at`, not both")
        for version, asked, name in sides
        if version is not None and asked.known_at is not None
    ]
    days = [name for _, asked, name in sides if asked.day is None]
    if len(days) == 1:
        faults.append(FieldError(f"/{days[0]}_as_of", "send a day for both sides, or for neither"))
    return faults


async def _side(history: History, version: int | None, asked: Moments) -> Side:
    return Side(await commit_at(history, At(version, asked.known_at)), asked.day)


def _side_json(side: Side) -> dict[str, Any]:
    return {"version": side.commit.version, "root": side.commit.root, "as_of": side.day}


def _difference(found: GraphDifference) -> dict[str, Any]:
    """The registry removes nothing; what a later graph added is missing from an earlier one all the same."""
    return {
        "added": [{"kind": kind, "id": name} for kind, name in found.added[:CHANGES_MAX]],
        "removed": [{"kind": kind, "id": name} for kind, name in found.removed[:CHANGES_MAX]],
        "changed": [
            {"kind": change.kind, "id": change.id, "fields": list(map(_field, change.fields))}
            for change in found.changed[:CHANGES_MAX]
        ],
    }


def _field(change: FieldChange) -> dict[str, Any]:
    return {"path": change.path, "before": change.before, "after": change.after}


def _standing(change: StandingChange) -> dict[str, Any]:
    return {"id": change.agreement, "before": standing_json(change.before), "after": standing_json(change.after)}


def _state(state: RecordedState) -> dict[str, Any]:
    commit = state.commit
    return {
        "version": commit.version,
        "recorded": {"from": rfc3339(commit.committed_at), "to": rfc3339_or_none(state.until)},
        "principal": commit.principal,
        "reason": commit.reason,
        "event": commit.event,
        "changes": list(map(_field, state.changes)),
        "object": state.row,
    }
