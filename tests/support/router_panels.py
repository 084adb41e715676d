"""Panels over HTTP, step by step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from tests.support.router_app import CONVENOR, STRANGER, RouterUnderTest
from tests.support.router_fakes import judging
from tests.support.router_subjects import RECOGNISABLE, Watch, about

FORUM = {
    "kind": "forum", "id": "rrp", "name": "Regulatory Review Panel", "agreement": "pact", "purpose": "meets",
    "certainty": "source", "source": [],
}  # fmt: skip
OPEN = {"kind": "rrp", "concern_id": "con_1", "reason": "speed matters", "decided_by": "Ada"}
SAYS = {"decided_by": "Ada", "reason": "as agreed"}
DAY = timedelta(days=1)
CONVENED: dict[str, Any] = {"organisations": ["alpha", "beta"], "position": "head of regulation"}
HELD: dict[str, Any] = {
    "answer": "held",
    "lawful_basis": "Article 6(1)(e)",
    "why_necessary": "the pattern shows in no one record",
}
NOT_TOLD: dict[str, Any] = {
    "concern_id": "con_1",
    "subject": "registrant",
    "told": "no",
    "why_not": "it would prejudice an inquiry",
}
CLOSING: dict[str, Any] = {"lessons": "meet earlier", "feedback": {"con_1": "told what was decided"}}
TO_DO = {"action": "a1", "owner": "beta", "owner_person": "Bo", "due": "2025-11-01"}


class Table:
    """A panel over HTTP; each step states the ETag that was seen last."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.router = RouterUnderTest(watch.store, watch.current, watch.clock)
        self.place = ""
        self.etag = ""

    async def propose(self, by: str = CONVENOR, key: str = "k1", **changes: Any) -> httpx.Response:
        answer = await self.router.post("/v1/panels", {**OPEN, **changes}, by=by, Idempotency_Key=key)
        if answer.status_code == 201:
            self.place, self.etag = f"/v1/panels/{answer.json()['panel_id']}", answer.headers["ETag"]
        return answer

    async def say(self, event: str, by: str = CONVENOR, **more: Any) -> httpx.Response:
        body = {**SAYS, "event": event, **more}
        answer = await self.router.post(f"{self.place}/events", body, by=by, If_Match=self.etag)
        self.etag = answer.headers.get("ETag", self.etag)
        return answer

    async def sees(self, by: str) -> Any:
        return (await self.router.get(self.place, by=by)).json()


@asynccontextmanager
async def set_table() -> AsyncIterator[Table]:
    """A concern of alpha, of which beta was told, and a graph with a forum to which alpha, beta and gamma belong."""
    watch = Watch(current=judging(RECOGNISABLE, FORUM, {**FORUM, "id": "risk-summit", "name": "Risk Summit"}))
    await watch.decide(about(1))
    table = Table(watch)
    yield table
    await table.router.http.aclose()


async def opened(table: Table, **proposal: Any) -> None:
    assert (await table.propose(**proposal)).status_code == 201
    assert (await table.say("convened", **CONVENED)).status_code == 200
    assert (await table.say("contributions-opened")).status_code == 200


async def decided(table: Table, **proposal: Any) -> None:
    """Both bodies are present: one says that it holds nothing, the other was asked and gave nothing."""
    await opened(table, **proposal)
    assert (await table.say("attended", organisations=["alpha", "beta"])).status_code == 200
    assert (await table.say("contributed", by=STRANGER, answer="nothing-held")).status_code == 200
    assert (await table.say("no-contribution", organisations=["alpha"])).status_code == 200
    assert (await table.say("decided", outcome="joint-plan")).status_code == 200
