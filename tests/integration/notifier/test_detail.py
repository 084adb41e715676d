"""A recipient asks for the rest of a notice, over HTTP, on the real Postgres, with a router on a real port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from services.notifier.adapters.law import RouterLaw
from services.notifier.domain.detail import Allowed
from services.notifier.domain.errors import LawUnavailable
from services.notifier.domain.model import Subject
from shared.contracts.audit import AuditRecorded
from shared.contracts.topics import AUDIT
from tests.integration.notifier.test_conversation import Service, serving
from tests.support.notifier_fakes import a_notice
from tests.support.stack import TestDatabase, TestPostgres

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
BASIS = "basis=mou-cqc-gmc/c1"
BECAUSE = [{"agreement": "mou-cqc-gmc", "clause": "c1", "signed_as": {"discloser": "cqc"}, "path": []}]
TERMS: dict[str, Any] = {
    "told": True,
    "because": BECAUSE,
    "fields": {"header": "full", "narrative": "full"},
    "withheld": {"registrant": "mou-cqc-gmc/c1"},
    "onward": "none",
    "graph": {"version": 7, "root": "ab", "token": "7.ab"},
    "as_of": "2025-03-10T12:00:00Z",
    "valid_until": None,
}
POINTER: dict[str, Any] = {"fields": {"header": "full"}, "withheld": {"narrative": "x"}, "pointer_only": True}


@dataclass
class Router:
    """A router that answers with these terms, this status, or never."""

    url: str = ""
    terms: object = field(default_factory=lambda: dict(TERMS))
    status: int = 200
    hangs: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((str(request.rel_url), request.headers["authorization"]))
        if self.hangs:
            await asyncio.Event().wait()
        return web.Response(body=orjson.dumps(self.terms), status=self.status, content_type="application/json")


@asynccontextmanager
async def a_router() -> AsyncIterator[Router]:
    router, app = Router(), web.Application()
    app.router.add_get("/{tail:.*}", router.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    router.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield router
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_engine: TestPostgres) -> AsyncIterator[TestDatabase]:
    """A database of its own."""
    yield await postgres_engine.fresh_database("notifier")


@asynccontextmanager
async def asking(database: TestDatabase) -> AsyncIterator[tuple[Service, Router]]:
    async with a_router() as router, serving(database, law=RouterLaw(router.url, deadline_seconds=5)) as service:
        yield service, router


def looks(service: Service) -> list[dict[str, Any]]:
    rows = [row for row in service.rig.offered.rows if row.topic == AUDIT.name]
    facts = [AuditRecorded.model_validate_json(row.value).data for row in rows]
    return [fact.body for fact in facts if fact.kind == "access"]


async def test_the_rest_of_a_notice_is_given_on_a_clause_in_force_and_recorded(database: TestDatabase) -> None:
    event = a_notice(**POINTER)
    async with asking(database) as (service, router):
        await service.rig.notify(event)
        path = f"/v1/notices/{event.data.notice_id}/detail?{BASIS}"
        answer = await service.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        body = answer.json()
        assert body["concern"]["summary"] == "Something is wrong."
        assert body["withheld"] == [{"class": "registrant", "reason": "mou-cqc-gmc/c1"}]
        assert "4012345" not in answer.text
        wanted = f"/v1/decisions/{event.data.concern_id}/organisations/gmc/terms?version=1"
        assert router.asked == [(wanted, "gmc")]
        (look,) = looks(service)
        assert (look["verdict"], look["basis"], look["recipient"]) == ("given", "mou-cqc-gmc/c1", "gmc")


async def test_another_clause_or_none_gives_nothing_and_says_what_to_state(database: TestDatabase) -> None:
    event = a_notice(**POINTER)
    async with asking(database) as (service, _):
        await service.rig.notify(event)
        path = f"/v1/notices/{event.data.notice_id}/detail"
        other = await service.get(f"{path}?basis=mou-cqc-gmc/c9")
        assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (409, "other-clause")
        assert "because" in other.json()["detail"]
        assert [look["ground"] for look in looks(service)] == ["other-clause"]
        for basis in ("", "?basis=", "?basis=because%20I%20may", "?basis=" + "x/" * 200):
            assert (await service.get(path + basis)).status_code == 422


async def test_a_recall_closes_the_rest(database: TestDatabase) -> None:
    event = a_notice(**POINTER)
    recall = a_notice(concern_id=event.data.concern_id, kind="recall", ref=event.data.notice_id)
    async with asking(database) as (service, router):
        await service.rig.notify(event)
        await service.rig.notify(recall)
        answer = await service.get(f"/v1/notices/{event.data.notice_id}/detail?{BASIS}")
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "taken-back")
        assert router.asked == []


async def test_another_body_an_operator_and_who_asks_for_nothing_get_the_same_answer(database: TestDatabase) -> None:
    event = a_notice(**POINTER)
    async with asking(database) as (service, _):
        await service.rig.notify(event)
        path = f"/v1/notices/{event.data.notice_id}/detail?{BASIS}"
        absent = await service.get(f"/v1/notices/ntc_none/detail?{BASIS}")
        answers = [await service.get(path, "nmc"), await service.get(path, "operator"), absent]
        assert {answer.status_code for answer in answers} == {404}
        assert len({tuple(sorted({**answer.json(), "trace": ""}.items())) for answer in answers}) == 1


async def test_a_router_that_is_away_means_to_ask_again(database: TestDatabase) -> None:
    event = a_notice(**POINTER)
    async with asking(database) as (service, router):
        await service.rig.notify(event)
        router.status = 503
        answer = await service.get(f"/v1/notices/{event.data.notice_id}/detail?{BASIS}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert looks(service) == []


SUBJECT = Subject("con_1", 2, "gmc", "tell", "")


async def test_the_law_of_now_is_read_as_the_router_says_it() -> None:
    async with a_router() as router:
        law = RouterLaw(router.url + "/", deadline_seconds=5)
        allowed = await law.allowed(SUBJECT, authorization="Bearer x")
        assert (allowed.told, allowed.citations, allowed.fields) == (
            True,
            frozenset({"mou-cqc-gmc/c1"}),
            TERMS["fields"],
        )
        router.terms = {"told": False, "graph": {"version": 7, "root": "ab"}}
        assert (await law.allowed(SUBJECT, authorization="Bearer x")).told is False
        router.status = 404
        assert await law.allowed(SUBJECT, authorization="Bearer x") == Allowed(told=False)
        assert router.asked[0] == ("/v1/decisions/con_1/organisations/gmc/terms?version=2", "Bearer x")


@pytest.mark.parametrize(
    "changes",
    [{"status": 500}, {"status": 302}, {"status": 403}, {"terms": []}, {"terms": {"told": True}}, {"hangs": True}],
    ids=str,
)
async def test_an_answer_that_is_none_is_waited_for_under_a_deadline_and_gives_nothing(
    changes: dict[str, Any],
) -> None:
    async with a_router() as router:
        for name, value in changes.items():
            setattr(router, name, value)
        with pytest.raises(LawUnavailable):
            await RouterLaw(router.url, deadline_seconds=0.3).allowed(SUBJECT, authorization="Bearer x")


async def test_nobody_at_home_gives_nothing() -> None:
    async with a_router() as router:
        url = router.url
    with pytest.raises(LawUnavailable) as away:
        await RouterLaw(url, deadline_seconds=2).allowed(SUBJECT, authorization="Bearer x")
    assert isinstance(away.value.__cause__, httpx.HTTPError)
