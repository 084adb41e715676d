"""The whole service on the real engines: notices and facts in from Kafka, deliveries and outcomes out, HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest

from services.notifier.bootstrap import assemble, make_adapters
from services.notifier.domain.signature import secret_bytes
from shared.contracts.topics import AUDIT, NOTICES, Topic
from shared.http.auth import Principal
from shared.kafka.producer import Record
from shared.service import Foundation, lay_foundation
from tests.integration.notifier.deliver_one import settings_of
from tests.support.notifier_fakes import a_notice
from tests.support.notifier_rig import receiving
from tests.support.stack import Engines, TestDatabase
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
LEASE_SECONDS = 120.0
SCOPES = frozenset({"endpoints:write", "notices:read", "audit:read"})


class SaidToBe:
    """Takes the caller's word: `Authorization: ORG`, or `operator`."""

    async def principal(self, authorization: str | None) -> Principal:
        org = authorization or "nobody"
        roles = frozenset({"operator"}) if org == "operator" else frozenset()
        return Principal(org, org, SCOPES if org != "nobody" else frozenset(), roles)


@dataclass
class Running:
    """The service at work."""

    foundation: Foundation
    client: httpx.AsyncClient
    database: TestDatabase

    async def get(self, path: str, org: str) -> httpx.Response:
        return await self.client.get(path, headers={"authorization": org})

    async def post(self, path: str, org: str, body: object = None) -> httpx.Response:
        return await self.client.post(path, headers={"authorization": org}, content=orjson.dumps(body))

    async def publish(self, topic: Topic, partition: int, value: bytes) -> None:
        await self.foundation.producer.publish([Record(topic.name, partition, "key", value)])

    async def fetch(self, statement: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()


@asynccontextmanager
async def running(engines: Engines, folder: Path) -> AsyncIterator[Running]:
    database = await engines.fresh_database("notifier")
    settings = settings_of(database.url("notifier"), "", folder)
    # Nobody is killed here: a lease that runs out while the machine is busy would only send a second time.
    more = {"kafka_bootstrap_servers": engines.kafka_bootstrap, "lease_seconds": LEASE_SECONDS}
    settings = settings.model_copy(update=more)
    foundation = lay_foundation("notifier", settings)
    adapters = make_adapters(foundation, settings)
    app, loops = assemble(foundation, settings, adapters)
    app.state.verifier = SaidToBe()
    relay = (foundation.relay.run, foundation.relay.gather, foundation.relay.mark)
    tasks = [asyncio.ensure_future(loop()) for loop in (*loops.values(), *relay)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://notifier.test") as client:
        yield Running(foundation, client, database)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await adapters.wire.close()
    await foundation.close()


async def test_a_notice_goes_from_kafka_to_its_recipient_and_its_facts_come_back(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver, running(engines, tmp_path) as service:
        made = (await service.post("/v1/endpoints", "gmc", {"url": receiver.url})).json()
        monkeypatch.setattr("tests.support.notifier_rig.SECRET", secret_bytes(made["secret"]))
        event, poison = a_notice("gmc"), a_notice("gmc", concern_id="con_x")
        moved = poison.model_copy(update={"data": poison.data.model_copy(update={"concern_id": "con_y"})})
        for value in (b"{", moved.encode(), event.encode(), event.encode()):
            await service.publish(NOTICES, event.data.lane, value)
        await until(lambda: receiver.ids == [event.data.notice_id], seconds=30)

        async def fact_is_kept() -> bool:
            facts = await service.get(f"/v1/audit/facts?concern_id={event.data.concern_id}", "operator")
            return [f["data"]["kind"] for f in facts.json()["items"]] == ["delivery-attempt"]

        await until(fact_is_kept, seconds=30)
        parked = await service.fetch("SELECT value, reason FROM notifier.parked_records ORDER BY record_offset")
        ours = [row["reason"].split(":")[0] for row in parked if row["value"] in (b"{", moved.encode())]
        assert ours == ["not readable", "NotOpened"]
        notice = (await service.get(f"/v1/notices/{event.data.notice_id}", "gmc")).json()
        assert (notice["state"], [a["status"] for a in notice["attempts"]]) == ("delivered", [204])
        outbox = await service.fetch("SELECT topic FROM notifier.outbox ORDER BY topic")
        assert next(row["topic"] for row in outbox if row["topic"] != AUDIT.name) == "concordat.outcomes.v1"


async def test_callers_see_what_is_theirs_and_nothing_else(engines: Engines, tmp_path: Path) -> None:
    async with running(engines, tmp_path) as service:
        body = {"url": "https://gmc.example/hooks", "description": "desk", "in_order": True}
        made = await service.post("/v1/endpoints", "gmc", body)
        assert made.status_code == 201
        shown = made.json()
        assert shown["secret"].startswith("whsec_")
        assert shown["in_order"] is True
        path = f"/v1/endpoints/{shown['endpoint_id']}"
        assert "secret" not in (await service.get(path, "gmc")).json()
        absent, foreign = await service.get("/v1/endpoints/end_none", "nmc"), await service.get(path, "nmc")
        assert absent.status_code == foreign.status_code == 404
        assert {**absent.json(), "trace": ""} == {**foreign.json(), "trace": ""}
        assert (await service.get(path, "operator")).status_code == 200
        assert (await service.post("/v1/endpoints", "gmc", body)).status_code == 409
        assert (await service.get(path, "nobody")).status_code == 403
        assert (await service.get("/v1/notices?after=%21", "gmc")).status_code == 422
        assert (await service.get("/v1/notices/ntc_none", "gmc")).status_code == 404
        assert (await service.post(f"{path}/pause", "gmc")).json()["state"] == "paused"
        assert (await service.post(f"{path}/resume", "gmc")).json()["state"] == "active"
        deleted = await service.client.delete(path, headers={"authorization": "gmc"})
        assert deleted.status_code == 204
        assert (await service.get("/v1/endpoints", "gmc")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"url": "ftp://gmc.example/"}, "only https"),
        ({"url": "http://10.0.0.1/"}, "registered name"),
        ({"url": "https://gmc.example:22/"}, "port"),
        ({}, "required"),
        ({"url": "https://gmc.example/", "secret": "mine"}, "not known"),
    ],
)
async def test_a_bad_address_is_refused_with_the_rule(
    engines: Engines, tmp_path: Path, body: object, words: str
) -> None:
    async with running(engines, tmp_path) as service:
        answer = await service.post("/v1/endpoints", "gmc", body)
        assert answer.status_code == 422
        assert words in answer.json()["errors"][0]["detail"].lower()


async def test_a_list_is_paged_without_gaps_or_repeats(engines: Engines, tmp_path: Path) -> None:
    async with running(engines, tmp_path) as service:
        events = [a_notice(org) for org in ("paged", "paged", "paged", "other")]
        for event in events:
            await service.publish(NOTICES, event.data.lane, event.encode())

        async def all_there() -> bool:
            listed = (await service.get("/v1/notices?limit=200", "operator")).json()["items"]
            return {e.data.notice_id for e in events} <= {item["notice_id"] for item in listed}

        await until(all_there, seconds=30)
        seen, cursor = [], ""
        while cursor is not None:
            page = (await service.get(f"/v1/notices?limit=2&after={cursor}", "paged")).json()
            seen += [item["notice_id"] for item in page["items"]]
            cursor = page["next"]
        assert sorted(seen) == sorted(e.data.notice_id for e in events[:3])
        one = (await service.get(f"/v1/notices?concern_id={events[0].data.concern_id}", "paged")).json()
        assert [item["notice_id"] for item in one["items"]] == [events[0].data.notice_id]
        foreign = await service.get(f"/v1/notices/{events[3].data.notice_id}", "paged")
        absent = await service.get("/v1/notices/ntc_none", "paged")
        assert foreign.status_code == absent.status_code == 404
