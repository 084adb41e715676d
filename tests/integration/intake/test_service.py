"""The whole service on the real engines: a concern in over HTTP, its event out, the answers of the others back."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import TypeAdapter

from services.intake.bootstrap import assemble
from services.intake.config import IntakeSettings
from shared.contracts.concern import ConcernEvent, ConcernRecalled, ConcernSubmitted
from shared.contracts.decision import ConcernRouted, RoutedConcern, ToldBody
from shared.contracts.outcome import DELIVERED, NoticeOutcome, Outcome
from shared.contracts.topics import CONCERNS, DECISIONS, OUTCOMES, Topic
from shared.kafka.producer import Record
from shared.sealing import unseal
from shared.service import Foundation, lay_foundation
from tests.support.clock import NOON, FrozenClock
from tests.support.intake_fakes import JSON_TYPE, KEYS, a_concern, bearer, verifier_of
from tests.support.stack import Engines, TestDatabase
from tests.support.waiting import until

pytestmark = pytest.mark.stack

_CONCERN_EVENT: TypeAdapter[ConcernSubmitted | ConcernRecalled] = TypeAdapter(ConcernEvent)
NOTICE = "ntc_" + "1" * 32
CANARIES = ["Dr Canary Name", "4012345", "Canary summary", "c4n4ry"]


@dataclass
class Running:
    """The service at work."""

    foundation: Foundation
    client: httpx.AsyncClient
    database: TestDatabase

    async def post(self, **changes: object) -> httpx.Response:
        raw = orjson.dumps(a_concern(**changes))
        return await self.client.post("/v1/concerns", content=raw, headers={**JSON_TYPE, **bearer()})

    async def status(self, concern_id: str) -> str:
        answer = await self.client.get(f"/v1/concerns/{concern_id}", headers=bearer())
        return str(answer.json()["status"])

    async def publish(self, topic: Topic, key: str, value: bytes) -> None:
        await self.foundation.producer.publish([Record(topic.name, topic.partition_of(key), key, value)])


def _settings(engines: Engines, database: TestDatabase, folder: Path) -> IntakeSettings:
    for name, key in (("sealing", KEYS.sealing), ("subject", KEYS.subject)):
        (folder / name).write_text(base64.b64encode(key.value).decode())
    return IntakeSettings(
        database_url=database.url("intake"),
        kafka_bootstrap_servers=engines.kafka_bootstrap,
        http_port=1,
        token_issuers=[],
        sealing_key_file=folder / "sealing",
        subject_key_file=folder / "subject",
    )


@asynccontextmanager
async def running(engines: Engines, folder: Path) -> AsyncIterator[Running]:
    database = await engines.fresh_database("intake")
    settings = _settings(engines, database, folder)
    foundation = lay_foundation("intake", settings, accepts=True)
    app, loops = assemble(foundation, settings)
    app.state.verifier = verifier_of(FrozenClock())
    tasks = [asyncio.ensure_future(loop()) for loop in (*loops.values(), foundation.relay.run, foundation.relay.mark)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://intake.test") as client:
        yield Running(foundation, client, database)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await foundation.close()


async def published(engines: Engines, topic: Topic, wanted: str) -> ConcernSubmitted:
    """The event of a concern."""
    event = await announced(engines, topic, wanted, ConcernSubmitted)
    assert isinstance(event, ConcernSubmitted)
    return event


async def announced(
    engines: Engines, topic: Topic, wanted: str, kind: type[ConcernSubmitted] | type[ConcernRecalled]
) -> ConcernSubmitted | ConcernRecalled:
    """The event of that kind, read from the topic's start."""
    consumer = AIOKafkaConsumer(bootstrap_servers=engines.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async with asyncio.timeout(15):
            async for record in consumer:
                event = _CONCERN_EVENT.validate_json(record.value)
                if isinstance(event, kind) and event.data.concern_id == wanted:
                    return event
        raise AssertionError("the topic ended")
    finally:
        await consumer.stop()


def routed(concern_id: str, number: int = 1) -> ConcernRouted:
    data = RoutedConcern(
        decision_id=f"dec_{number}", concern_id=concern_id, version=1, round=number, digest="d", graph_version=1,
        graph_root="r", engine="1", decided_at=NOON, told=[ToldBody(org="gmc", notice_id="ntc_1", reason="PERMITTED")],
        available=[], hold=[], unroutable=False, totals={},
    )  # fmt: skip
    return ConcernRouted(id=f"evt_{concern_id}_{number}", source="/concordat/router", time=NOON, data=data)


def delivered(concern_id: str) -> NoticeOutcome:
    data = Outcome(notice_id="ntc_1", concern_id=concern_id, version=1, recipient="gmc", at=NOON, attempt_no=1)
    return NoticeOutcome(id=f"evt_out_{concern_id}", source="/concordat/notifier", type=DELIVERED, time=NOON, data=data)


async def rows_as_text(database: TestDatabase, tables: Sequence[str]) -> str:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        found = [await connection.fetch(f"SELECT t::text AS row, {_bytes(table)} FROM {table} t") for table in tables]
        return "\n".join(str(tuple(row)) for rows in found for row in rows)
    finally:
        await connection.close()


def _bytes(table: str) -> str:
    columns = {"intake.versions": ("routing", "sealed"), "intake.outbox": ("value",)}.get(table, ())
    return ", ".join(f"convert_from({c}, 'UTF8') AS {c}" for c in columns) or "1 AS one"


async def test_a_concern_goes_in_its_event_goes_out_and_what_came_of_it_is_told(
    engines: Engines, tmp_path: Path
) -> None:
    async with running(engines, tmp_path) as service:
        answer = await service.post()
        concern_id = answer.json()["concern_id"]
        assert answer.status_code == 202
        event = await published(engines, CONCERNS, concern_id)
        opened = unseal(event.data.sealed.model_dump(), KEYS.sealing, bound_to=f"{concern_id}/1")
        assert opened["subjects"][0]["name"] == "Dr Canary Name"

        await service.publish(OUTCOMES, concern_id, delivered(concern_id).encode())
        await service.publish(OUTCOMES, concern_id, b"not an event")
        await service.publish(OUTCOMES, concern_id, delivered("con_unknown").encode())
        for _ in range(2):
            await service.publish(DECISIONS, concern_id, routed(concern_id).encode())

        async def is_delivered() -> bool:
            return await service.status(concern_id) == "delivered"

        async def is_closed() -> bool:
            return f"{concern_id}/1" not in await open_names(service.database)

        await until(is_delivered, seconds=30)
        await until(is_closed)


async def test_what_was_built_on_a_concern_is_recalled_with_it(engines: Engines, tmp_path: Path) -> None:
    """The GMC is told of CQC's concern and builds on it; CQC takes its own back."""
    async with running(engines, tmp_path) as service:
        first = (await service.post()).json()["concern_id"]
        source = {"concern_id": first, "notice_id": NOTICE}

        async def build() -> httpx.Response:
            raw = orjson.dumps(a_concern(originator="gmc", provenance=[source]))
            return await service.client.post("/v1/concerns", content=raw, headers={**JSON_TYPE, **bearer("gmc")})

        assert (await build()).json()["errors"][0]["pointer"] == "/provenance/0/notice_id"
        told = ToldBody(org="gmc", notice_id=NOTICE, reason="PERMITTED", onward="free", fields={"header": "full"})
        said = routed(first)
        said = said.model_copy(update={"data": said.data.model_copy(update={"told": [told]})})
        await service.publish(DECISIONS, first, said.encode())

        async def is_built() -> bool:
            return (await build()).status_code == 202

        await until(is_built, seconds=30)
        second = (await build()).json()["concern_id"]
        (hop,) = (await published(engines, CONCERNS, second)).data.routing["provenance"]
        assert (hop["from"], hop["to"], hop["fields"]) == ("cqc", "gmc", {"header": "full"})
        path = f"/v1/concerns/{first}/recall"
        assert (await service.client.post(path, json={"reason": "barred"}, headers=bearer())).status_code == 202
        recall = await announced(engines, CONCERNS, first, ConcernRecalled)
        assert isinstance(recall, ConcernRecalled)
        assert recall.data.descendants == [second]
        answer = await service.client.get(f"/v1/concerns/{second}", headers=bearer("gmc"))
        assert (answer.json()["status"], answer.json()["recall"]["reason"]) == ("recalled", "barred")


async def open_names(database: TestDatabase) -> set[str]:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        rows = await connection.fetch("SELECT closes_with FROM intake.outbox_open")
        return {row["closes_with"] for row in rows}
    finally:
        await connection.close()


async def test_no_table_and_no_line_holds_what_was_sealed(
    engines: Engines, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    async with running(engines, tmp_path) as service:
        sealed = {"annex": [{"class": "annex", "label": "c4n4ry", "text": "c4n4ry"}], "source": "c4n4ry"}
        assert (await service.post(**sealed, immediate_action="c4n4ry")).status_code == 202
        assert (await service.post(**sealed, summary="c4n4ry again")).status_code == 409
        assert (await service.post(originator="gmc", summary="c4n4ry")).status_code == 403
        assert (await service.post(nation="c4n4ry !")).status_code == 422
        tables = [f"intake.{name}" for name in ("concerns", "versions", "timeline", "outbox", "parked_records")]
        stored = await rows_as_text(service.database, tables)
    lines = b"".join(capfdbinary.readouterr()).decode()
    assert "concerns.accepted" in lines
    assert "ftp-performance" in stored
    assert not [canary for canary in CANARIES if canary in stored or canary in lines]
