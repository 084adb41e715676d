"""Questions about decisions over HTTP.

Operators see whole decisions; an originator sees its own concerns' decisions
as far as it may know them. What a caller may not see answers exactly like what does not exist.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request

from services.router.domain.explanation import operator_view, organisation_view, originator_view, recipient_view
from services.router.domain.model import ENGINE, Concern, DecisionRecord, Head
from services.router.domain.policy import Judge
from services.router.domain.tokens import token_of
from services.router.entrypoints.forms import Moment, PreviewForm, without_detail
from services.router.entrypoints.round_views import round_view_for, whole_round_view
from services.router.ports import DecisionStore, History
from services.router.usecases import Desk, Ground, chosen, judge_on, judged, on_day, replay
from shared.agreements import GraphInvalid
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.envelope import JsonObject, rfc3339
from shared.http import strictjson
from shared.http.auth import Principal, caller
from shared.http.params import ID_LENGTH_MAX, PathId
from shared.http.problems import FieldError, Problem, bad_fields, not_found
from shared.ids import new_id

REPLAY_MAX = 500
Reader = Annotated[Principal, Depends(caller("decisions:read"))]
Previewer = Annotated[Principal, Depends(caller("decisions:preview"))]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="a version of the concern; absent: the newest")]
MomentQuery = Annotated[Moment | None, Query(description="an instant with its offset; absent: now")]
ReplayAfter = Annotated[
    str, Query(max_length=ID_LENGTH_MAX, pattern=r"^[A-Za-z0-9_]*$", description="`next` of the page before")
]
ReplayLimit = Annotated[int, Query(ge=1, le=REPLAY_MAX, description="decisions at most")]
_PREVIEW: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": PreviewForm.model_json_schema()}}}
}


@dataclass(frozen=True, slots=True)
class DecisionRoutes:
    """The routes of decisions."""

    store: DecisionStore
    desk: Desk
    history: History

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["decisions"])
        router.add_api_route("/v1/decisions/preview", self.preview, methods=["POST"], openapi_extra=_PREVIEW)
        router.add_api_route("/v1/decisions/{concern_id}", self.decision)
        router.add_api_route("/v1/decisions/{concern_id}/rounds", self.rounds)
        router.add_api_route("/v1/decisions/{concern_id}/again", self.again)
        router.add_api_route("/v1/decisions/{concern_id}/organisations/{org}", self.organisation)
        router.add_api_route("/v1/replay", self.replay)
        router.add_api_route("/v1/graph/head", self.graph_head)
        return router

    async def decision(self, concern_id: PathId, principal: Reader, version: Version = None) -> JsonObject:
        """The decision on a concern: whole for operators and auditors, for its originator what it may know."""
        record = await self._visible(concern_id, version, principal)
        notices = await self.store.told_by(record.key)
        view = operator_view if sees_all(principal) else originator_view
        return {**head_view(record), **view(orjson.loads(record.body), notices)}

    async def rounds(self, concern_id: PathId, principal: Reader, version: Version = None) -> JsonObject:
        """What opened each later round: who decided what and why, with the record of a person's decision.

        Whole for operators and auditors; for the originator without the reasons, names and records of others.
        """
        record = await self._visible(concern_id, version, principal)
        async with self.desk.begin() as tx:
            dossier = await tx.dossier(concern_id, record.key.version)
        opened = dossier.opened if dossier else ()
        view = whole_round_view if sees_all(principal) else partial(round_view_for, principal.org)
        return {"concern_id": concern_id, "version": record.key.version, "rounds": list(map(view, opened))}

    async def organisation(
        self, concern_id: PathId, org: PathId, principal: Reader, version: Version = None
    ) -> JsonObject:
        """Why one organisation is told of a concern or not: of any for operators and auditors, of itself for a body
        that was told. Whoever was not told gets the answer of a concern that does not exist."""
        if not sees_all(principal):
            return await self._recipient(concern_id, org, principal)
        record = await self._visible(concern_id, version, principal)
        notices = await self.store.told_by(record.key)
        found = organisation_view(orjson.loads(record.body), org, notices)
        if found is None:
            raise not_found()
        return {**head_view(record), **found}

    async def _recipient(self, concern_id: str, org: str, principal: Principal) -> JsonObject:
        """The same one look at the store for what was withheld and for what does not exist."""
        key = await self.store.told_of(concern_id, principal.org)
        if key is None or org != principal.org:
            raise not_found()
        record = await self.store.decision(concern_id, key.version)
        notices = await self.store.told_by(key)
        if record is None:
            raise not_found()
        return recipient_view(orjson.loads(record.body), org, notices) | {
            "concern_id": concern_id,
            "version": key.version,
            "decided_at": rfc3339(record.decided_at),
        }

    async def again(
        self,
        concern_id: PathId,
        principal: Reader,
        version: Version = None,
        as_of: MomentQuery = None,
        known_at: MomentQuery = None,
    ) -> JsonObject:
        """What would be decided on a concern under the law of a day, as the graph was known at a moment.

        Nothing is stored and nobody is told; for operators and auditors.
        """
        if not sees_all(principal):
            raise not_found()
        await self._visible(concern_id, version, principal)
        async with self.desk.begin() as tx:
            dossier = await tx.dossier(concern_id, version)
        if dossier is None:
            raise not_found()
        judge = await judge_on(Ground(as_of, known_at), self.desk.current, self.history)
        routing = on_day(dossier.routing, as_of)
        verdict = (await chosen(judge, replace(dossier.concern, routing=routing), dossier.choices)).verdict
        stored = dossier.newest
        return {
            "concern_id": concern_id,
            "version": stored.key.version,
            "graph": graph_of(judge.head),
            "engine": ENGINE,
            "as_of": routing["received_at"],
            "body_digest": verdict.body_digest,
            "stored": {"body_digest": stored.body_digest, "graph": graph_of(stored.graph), "as_of": stored.as_of},
            **operator_view(orjson.loads(verdict.body), {}),
        }

    async def replay(self, principal: Reader, after: ReplayAfter = "", limit: ReplayLimit = 100) -> JsonObject:
        """Decide a page of history again on its recorded graphs, and name every decision of which a byte differs.

        For operators and auditors. `next` leads on; the end is reached when it is null.
        """
        if not sees_all(principal):
            raise Problem(
                403, "forbidden", "Your client may not do this", detail="It needs the role operator or auditor."
            )
        found = await replay(after, limit, store=self.store, history=self.history)
        return {"count": found.count, "differences": list(map(asdict, found.differences)), "next": found.last}

    async def preview(self, request: Request, principal: Previewer) -> JsonObject:
        """What would be decided on a concern; nothing is stored and nobody is told.

        Now and on the graph in office, or `as_of` a moment, as `known_at` another, with a change of the graph
        (`graph_delta`: whole objects, for operators). Names, identifiers and texts decide nothing and are not read:
        `ignored` lists those that were sent.
        """
        body, ignored = without_detail(strictjson.parse(await request.body()))
        form = PreviewForm.model_validate(body)
        if not principal.is_operator and form.concern.originator != principal.org:
            raise bad_fields([FieldError("/concern/originator", "this must be your own organisation")])
        if form.graph_delta and not principal.is_operator:
            raise bad_fields([FieldError("/graph_delta", "only operators may try a change of the graph")])
        judge = await judge_on(Ground(form.as_of, form.known_at), self.desk.current, self.history)
        if form.graph_delta:
            judge = await self._changed(judge, form)
        preview = await _preview(form, judge, self.desk.clock)
        view = operator_view if principal.is_operator else originator_view
        return {**preview, "ignored": ignored, **view(preview.pop("decision"), {})}

    async def _changed(self, judge: Judge, form: PreviewForm) -> Judge:
        try:
            return await self.history.judge_with(judge.head.version, form.graph_delta)
        except GraphInvalid as invalid:
            said = [FieldError("/graph_delta", str(problem)) for problem in invalid.problems]
            raise bad_fields(said or [FieldError("/graph_delta", "the graph cannot be read with it")]) from None

    async def graph_head(self) -> JsonObject:
        """The graph that is decided on. Open, like the graph itself."""
        head = self.desk.current.get().head
        return graph_of(head)

    async def _visible(self, concern_id: str, version: int | None, principal: Principal) -> DecisionRecord:
        """The same one look at the store for what another raised and for what does not exist."""
        if not (sees_all(principal) or await self.store.is_raised_by(concern_id, principal.org)):
            raise not_found()
        record = await self.store.decision(concern_id, version)
        if record is None:
            raise not_found()
        if is_auditor(principal):
            async with self.desk.begin() as tx:
                await tx.say([access_fact(record, principal, self.desk.clock.now())])
        return record


def head_view(record: DecisionRecord) -> JsonObject:
    return {
        "decision_id": record.decision_id,
        "concern_id": record.key.concern_id,
        "version": record.key.version,
        "round": record.key.round,
        "digest": record.digest,
        "body_digest": record.body_digest,
        "concern_digest": record.concern_digest,
        "graph": graph_of(record.graph),
        "engine": record.engine,
        "as_of": record.as_of,
        "decided_at": rfc3339(record.decided_at),
    }


def graph_of(head: Head) -> JsonObject:
    """The graph that a decision was taken on, and the token that asks for it or a later one."""
    return {"version": head.version, "root": head.root, "token": token_of(head)}


def sees_all(principal: Principal) -> bool:
    """Operators and auditors see whole decisions; none of them sees what is sealed."""
    return principal.is_operator or is_auditor(principal)


def is_auditor(principal: Principal) -> bool:
    """Whose every look at a decision is recorded."""
    return "auditor" in principal.roles


def access_fact(record: DecisionRecord, principal: Principal, now: datetime) -> AuditFact:
    """That an auditor looked."""
    return AuditFact(
        fact_id=new_id("fct"),
        kind="access",
        concern_id=record.key.concern_id,
        at=now,
        service="router",
        actor=principal.subject,
        body={"decision_id": record.decision_id, "org": principal.org},
    )


async def _preview(form: PreviewForm, judge: Judge, clock: Clock) -> JsonObject:
    now = clock.now()
    routing = on_day(form.concern.routing(now), form.as_of)
    verdict = (await judged(judge, Concern("", 1, "", now, routing, {}))).verdict
    return {
        "graph": graph_of(judge.head),
        "engine": ENGINE,
        "as_of": routing["received_at"],
        "body_digest": verdict.body_digest,
        "decision": orjson.loads(verdict.body),
    }
