"""Agreements over HTTP: on a day, as known at a moment, with the bodies that act for their parties."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.registry.domain.intervals import AGREEMENT
from services.registry.domain.standing import Status
from services.registry.domain.standing_of_parties import AgreementOnDay, PartyOnDay, VersionOnDay
from services.registry.entrypoints.moments import AsOf, KnownAt, moments
from services.registry.entrypoints.reads import (
    LIST_DEFAULT,
    LIST_MAX,
    answer,
    frame_of,
    id_after,
    next_of,
    standing_json,
)
from services.registry.ports import Begin
from services.registry.usecases.history_views import StoredAgreement, Wanted, find_agreement, list_agreements
from shared.clock import Clock
from shared.http.cursors import After
from shared.http.params import ID_LENGTH_MAX, ID_PATTERN, PathId
from shared.http.problems import not_found

Instrument = Annotated[
    str, Query(max_length=32, pattern=r"^[^\x00]*$", description="mou, jwp, isa, protocol, statutory, framework")
]
Party = Annotated[
    str | None,
    Query(min_length=1, max_length=ID_LENGTH_MAX, pattern=ID_PATTERN, description="a body that is a party that day"),
]
InForceOn = Annotated[str, Query(max_length=64, description="only those in force and not suspended on this civil day")]
StatusAsked = Annotated[Status | None, Query(description="only those of this standing on the day")]
Words = Annotated[
    str,
    Query(max_length=200, pattern=r"^[^\x00]*$", description="only those with this text in id or title, in any case"),
]
Limit = Annotated[int, Query(ge=1, le=LIST_MAX, description="items at most; a page may be shorter, `next` decides")]


class AgreementRoutes:
    """The routes of agreements."""

    def __init__(self, *, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["agreements"])
        router.add_api_route("/v1/agreements", self.list)
        router.add_api_route("/v1/agreements/{agreement_id}", self.find)
        return router

    async def list(  # noqa: PLR0913 - each is a filter of the query string
        self,
        request: Request,
        as_of: AsOf = "",
        known_at: KnownAt = "",
        party: Party = None,
        instrument: Instrument = "",
        in_force_on: InForceOn = "",
        status: StatusAsked = None,
        q: Words = "",
        after: After = "",
        limit: Limit = LIST_DEFAULT,
    ) -> Response:
        """Agreements on the day as known at the moment, sorted by id: `{items, next, as_of, graph}`."""
        now = self._clock.now()
        asked, in_force = moments(as_of, known_at, now), moments(in_force_on, "", now, ("in_force_on", "")).day
        keep = _filter(instrument, status, q)
        async with self._begin() as history:
            frame = await frame_of(history, asked, after=after)
            search = frame.search(AGREEMENT, party=party, in_force_on=in_force)
            found, last = await list_agreements(Wanted(search, id_after(after), limit), keep, history=history)
        items = [agreement_json(view) for view in found]
        return answer(request, {"items": items, "next": next_of(frame, last), **frame.json()})

    async def find(self, request: Request, agreement_id: PathId, as_of: AsOf = "", known_at: KnownAt = "") -> Response:
        """One agreement on the day as known at the moment.

        Its terms, its standing, its parties that day each with the body that acts for it, and its other versions.
        """
        asked = moments(as_of, known_at, self._clock.now())
        async with self._begin() as history:
            frame = await frame_of(history, asked)
            found = await find_agreement(agreement_id, frame.search(AGREEMENT), history=history)
        if found is None:
            raise not_found()
        return answer(request, {**agreement_json(found), **frame.json()})


def agreement_json(view: StoredAgreement) -> dict[str, Any]:
    """How an answer shows an agreement on a day."""
    on_day = view.on_day
    lineage = {"earlier": list(map(_version, on_day.earlier)), "later": list(map(_version, on_day.later))}
    return {
        "id": view.id,
        "version": view.version,
        "standing": standing_json(on_day.standing),
        "parties": list(map(_party, on_day.parties)),
        "review_due": on_day.row.get("review_due"),
        "lineage": {"id": on_day.row["lineage"], **lineage},
        "terms": on_day.row,
    }


def _party(party: PartyOnDay) -> dict[str, Any]:
    acting = [
        {"org": each.org, "path": each.path, "flags": each.flags, "by_function": each.by_function}
        for each in party.acting
    ]
    return {**{key: party.party[key] for key in ("org", "capacity", "from", "to")}, "acting": acting}


def _version(version: VersionOnDay) -> dict[str, Any]:
    agreement = version.agreement
    bounds: dict[str, date | None] = {"from": agreement.span.start, "to": agreement.span.end}
    return {"id": agreement.id, **bounds, "status": version.standing.status}


def _filter(instrument: str, status: str | None, words: str) -> Callable[[AgreementOnDay], bool]:
    wanted = words.casefold()

    def keep(on_day: AgreementOnDay) -> bool:
        row = on_day.row
        says = wanted in row["id"].casefold() or wanted in row["title"].casefold()
        return says and instrument in ("", row["instrument"]) and status in (None, on_day.standing.status)

    return keep
