"""Bodies and who took over from whom, over HTTP: on a day, as known at a moment. A body that is gone stays here."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from services.registry.domain.intervals import ORGANISATION
from services.registry.domain.model import Row
from services.registry.domain.standing import Standing
from services.registry.entrypoints.agreements import Limit, Party, Words
from services.registry.entrypoints.moments import AsOf, KnownAt, moments
from services.registry.entrypoints.reads import LIST_DEFAULT, answer, frame_of, id_after, next_of, standing_json
from services.registry.ports import Begin
from services.registry.usecases.history_views import (
    OrganisationOnDay,
    Wanted,
    agreements_of,
    find_organisation,
    list_organisations,
    list_successions,
)
from shared.clock import Clock
from shared.http.cursors import After
from shared.http.params import PathId
from shared.http.problems import not_found

NAMES = ("id", "name", "short")


class OrganisationRoutes:
    """The routes of organisations and successions."""

    def __init__(self, *, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["organisations"])
        router.add_api_route("/v1/organisations", self.list)
        router.add_api_route("/v1/organisations/{organisation_id}", self.find)
        router.add_api_route("/v1/successions", self.successions)
        return router

    async def list(  # noqa: PLR0913 - each is a filter of the query string
        self,
        request: Request,
        as_of: AsOf = "",
        known_at: KnownAt = "",
        q: Words = "",
        after: After = "",
        limit: Limit = LIST_DEFAULT,
    ) -> Response:
        """Bodies on the day as known at the moment, sorted by id: `{items, next, as_of, graph}`."""
        asked = moments(as_of, known_at, self._clock.now())
        async with self._begin() as history:
            frame = await frame_of(history, asked, after=after)
            wanted = Wanted(frame.search(ORGANISATION), id_after(after), limit)
            found, last = await list_organisations(wanted, _filter(q), history=history)
        items = list(map(_organisation, found))
        return answer(request, {"items": items, "next": next_of(frame, last), **frame.json()})

    async def find(
        self, request: Request, organisation_id: PathId, as_of: AsOf = "", known_at: KnownAt = ""
    ) -> Response:
        """One body on the day as known at the moment, with the agreements that it is itself a party to.

        `more_agreements`: there are others; `GET /v1/agreements?party=` lists them all.
        """
        asked = moments(as_of, known_at, self._clock.now())
        async with self._begin() as history:
            frame = await frame_of(history, asked)
            search = frame.search(ORGANISATION)
            found = await find_organisation(organisation_id, search, history=history)
            if found is None:
                raise not_found()
            agreements, more = await agreements_of(organisation_id, search, history=history)
        shown = [_agreement(organisation_id, *pair) for pair in agreements]
        return answer(request, {**_organisation(found), "agreements": shown, "more_agreements": more, **frame.json()})

    async def successions(  # noqa: PLR0913 - each is a filter of the query string
        self,
        request: Request,
        as_of: AsOf = "",
        known_at: KnownAt = "",
        party: Party = None,
        after: After = "",
        limit: Limit = LIST_DEFAULT,
    ) -> Response:
        """Successions as known at the moment, sorted by id; `happened`: on the day or before it."""
        asked = moments(as_of, known_at, self._clock.now())
        async with self._begin() as history:
            frame = await frame_of(history, asked, after=after)
            rows = await list_successions(frame.search("succession"), history=history)
        start = id_after(after)
        found = [row for row in rows if row["id"] > start and party in (None, row["from"], row["to"])]
        items = [{**row, "happened": _has_happened(row, frame.day.isoformat())} for row in found[:limit]]
        last = found[limit - 1]["id"] if len(found) > limit else None
        return answer(request, {"items": items, "next": next_of(frame, last), **frame.json()})


def _organisation(view: OrganisationOnDay) -> dict[str, Any]:
    row = view.row
    return {
        "id": view.id,
        "version": view.version,
        "names": {"name": row["name"], "short": row.get("short"), "also_known_as": row.get("also_known_as", [])},
        "identifiers": row.get("identifiers", []),
        "exists": {"on_day": view.exists, "from": row["exists"]["from"], "to": row["exists"]["to"]},
        "successions": {"taken_over": view.taken_over, "passed_on": view.passed_on},
        "remits": view.remits,
        "record": row,
    }


def _agreement(organisation_id: str, row: Row, standing: Standing) -> dict[str, Any]:
    own: Sequence[Row] = [party for party in row["parties"] if party["org"] == organisation_id]
    capacities = sorted({party["capacity"] for party in own})
    return {"id": row["id"], "title": row["title"], "capacities": capacities, "standing": standing_json(standing)}


def _has_happened(row: Row, day: str) -> bool:
    return row["effective"] is not None and row["effective"] <= day


def _filter(words: str) -> Callable[[Row], bool]:
    wanted = words.casefold()

    def keep(row: Row) -> bool:
        names = [*(row.get(key, "") for key in NAMES), *row.get("also_known_as", ())]
        names += [item["value"] for item in row.get("identifiers", ())]
        return any(wanted in name.casefold() for name in names)

    return keep
