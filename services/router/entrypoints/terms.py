"""On what terms a body that was told of a concern would be told now: who gives it more asks here first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.router.domain.rounds import Dossier
from services.router.entrypoints.decisions import graph_of
from services.router.ports import DecisionStore
from services.router.usecases import Desk, chosen, on_day
from shared.agreements import Outcome
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http.auth import Principal, caller
from shared.http.params import PathId
from shared.http.problems import not_found

Reader = Annotated[Principal, Depends(caller("decisions:read"))]
Version = Annotated[int, Query(ge=1, le=2**31 - 1, description="the version of the concern that it was told of")]


@dataclass(frozen=True, slots=True)
class TermsRoutes:
    """The route of terms."""

    store: DecisionStore
    desk: Desk

    def router(self) -> APIRouter:
        """Where it is found."""
        router = APIRouter(tags=["decisions"])
        router.add_api_route("/v1/decisions/{concern_id}/organisations/{org}/terms", self.terms)
        return router

    async def terms(self, concern_id: PathId, org: PathId, principal: Reader, version: Version) -> JsonObject:
        """What the agreements allow the caller's own body, as of now, of a concern that it was told of.

        Decided on the graph in office, with the choices that stand; nothing is stored. `told` alone where it would not
        be told any more. Whoever was not told, or from whom it was taken back, gets the answer of what does not exist.
        """
        key = await self.store.told_of(concern_id, principal.org)
        if key is None or org != principal.org:
            raise not_found()
        async with self.desk.begin() as tx:
            dossier = await tx.dossier(concern_id, version)
        if dossier is None or org not in dossier.notices:
            raise not_found()
        judge, now = self.desk.current.get(), self.desk.clock.now()
        concern = replace(dossier.concern, routing=on_day(dossier.routing, _as_of(dossier, now)))
        told = (await chosen(judge, concern, dossier.choices)).verdict.told
        outcome = next((row for row in told if row.org == org), None)
        stated = {"concern_id": concern_id, "version": version, "org": org, "graph": graph_of(judge.head)}
        return {**stated, "as_of": concern.routing["received_at"], "told": outcome is not None, **_terms(outcome)}


def _as_of(dossier: Dossier, now: datetime) -> datetime:
    """The day of the law: that of receipt, and the time since the concern was accepted."""
    received_at = datetime.fromisoformat(str(dossier.routing["received_at"]))
    return received_at + (now - dossier.concern.accepted_at)


def _terms(outcome: Outcome | None) -> JsonObject:
    if outcome is None:
        return {}
    until = outcome.valid_until
    return {
        "because": [row.to_json() for row in outcome.because],
        "fields": outcome.fields,
        "withheld": {row.field: row.by for row in outcome.withheld},
        "onward": outcome.onward or "none",
        "valid_until": until and rfc3339(until),
    }
