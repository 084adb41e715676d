"""What recipients do over HTTP, on the real Postgres: the inbox, acknowledgements, sending again, keys."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.notifier.adapters.certificates import certificate_fault
from services.notifier.adapters.law import NoLaw
from services.notifier.adapters.records import PostgresRecords
from services.notifier.adapters.webhook import Identity, Timeouts, WebhookWire
from services.notifier.domain.signature import public_bytes, signed_headers, verify
from services.notifier.entrypoints.desk import Desk
from services.notifier.entrypoints.http import FAULTS, routes
from services.notifier.ports import Law
from services.notifier.usecases import Rules
from shared.clock import SystemClock
from shared.contracts.outcome import NoticeOutcome
from shared.contracts.topics import OUTCOMES
from shared.http.app import Edge, make_app
from shared.http.auth import Principal
from shared.supervision import Health
from tests.support.certificates import Authority
from tests.support.clock import FrozenClock
from tests.support.notifier_fakes import a_notice
from tests.support.notifier_rig import LOOPBACK, Rig, receiving, rig_on
from tests.support.stack import TestDatabase, TestPostgres
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
SCOPES = frozenset({"endpoints:write", "endpoints:approve", "notices:read", "notices:write", "decisions:read"})
DUTIES = {"limits": {"acknowledge": {"amount": 4, "unit": "clock_hours", "by": "policy"}}}


class SaidToBe:
    """Takes the caller's word: `Authorization: ORG`."""

    async def principal(self, authorization: str | None) -> Principal:
        org = authorization or "nobody"
        return Principal(f"{org}-clerk", org, SCOPES, frozenset({"operator"}) if org == "operator" else frozenset())


@dataclass
class Service:
    """The routes over a rig."""

    rig: Rig
    client: httpx.AsyncClient

    async def get(self, path: str, org: str = "gmc") -> httpx.Response:
        return await self.client.get(path, headers={"authorization": org})

    async def post(self, path: str, body: object = None, org: str = "gmc") -> httpx.Response:
        return await self.client.post(path, headers={"authorization": org}, content=orjson.dumps(body))

    def told(self) -> list[NoticeOutcome]:
        rows = [row for row in self.rig.offered.rows if row.topic == OUTCOMES.name]
        return [NoticeOutcome.model_validate_json(row.value) for row in rows]


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_engine: TestPostgres) -> AsyncIterator[TestDatabase]:
    """A database of its own."""
    yield await postgres_engine.fresh_database("notifier")


@asynccontextmanager
async def serving(
    database: TestDatabase, *, verify_endpoints: bool = False, law: Law | None = None, hosts: Sequence[str] = ("*",)
) -> AsyncIterator[Service]:
    clock = FrozenClock(SystemClock().now())
    async with rig_on(database, clock=clock) as rig:
        wire = WebhookWire(LOOPBACK, Timeouts(1, 2), identity=Identity("concordat.example"))
        app = _app(rig, wire, law or NoLaw(), Rules(LOOPBACK, "concordat.example", verify_endpoints, frozenset(hosts)))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notifier.test") as client:
            yield Service(rig, client)
        await wire.close()


def _app(rig: Rig, wire: WebhookWire, law: Law, rules: Rules) -> FastAPI:
    desk = Desk(
        rules=rules,
        clock=rig.clock,
        endpoints=rig.endpoints,
        wire=wire,
        begin=rig.store.begin,
        records=PostgresRecords(rig.database),
        telemetry=rig.telemetry,
        changed=rig.engine.endpoints_changed,
        certificate_fault=certificate_fault,
        law=law,
        opener=rig.opener,
    )
    edge = Edge(Health(30), rig.telemetry, SaidToBe(), FAULTS, 262_144)  # type: ignore[arg-type]  # a verifier's word
    return make_app("notifier", routes(desk), edge)


async def test_a_body_without_an_endpoint_reads_its_inbox_once_through_and_that_is_the_delivery(
    database: TestDatabase,
) -> None:
    async with serving(database) as service:
        events = [a_notice("gmc", duties=DUTIES) for _ in range(5)]
        await service.rig.notify(*events[:3], a_notice("nmc"))
        await service.rig.notify(*events[3:])
        seen, cursor = [], ""
        for _ in range(4):
            page = (await service.get(f"/v1/inbox?limit=2&after={cursor}")).json()
            seen += page["items"]
            cursor = page["next"]
        assert sorted(item["notice_id"] for item in seen) == sorted(e.data.notice_id for e in events)
        (kept,) = await service.rig.rows(
            "SELECT body FROM notifier.notices WHERE notice_id = :n", n=seen[0]["notice_id"]
        )
        assert seen[0]["event"] == orjson.loads(kept.body)
        assert {item["state"] for item in seen} == {"delivered"}
        assert (
            await service.rig.count("state = 'delivered' AND read_at IS NOT NULL AND acknowledge_by IS NOT NULL") == 5
        )
        assert [o.data.detail for o in service.told()] == ["taken from the inbox"] * 5
        late = a_notice("gmc")
        await service.rig.notify(late)
        (new,) = (await service.get(f"/v1/inbox?after={cursor}")).json()["items"]
        assert new["notice_id"] == late.data.notice_id
        assert (await service.get("/v1/inbox?after=bm9uZQ")).status_code == 422


async def test_reading_stops_no_clock_and_cancelled_notices_are_not_in_the_inbox(database: TestDatabase) -> None:
    async with serving(database) as service:
        event, gone = a_notice("gmc", duties=DUTIES), a_notice("gmc")
        await service.rig.notify(event, gone)
        undo = gone.model_copy(
            update={"id": "w", "data": gone.data.model_copy(update={"kind": "withdrawal", "notice_id": "ntc_w"})}
        )
        await service.rig.notify(undo)
        items = (await service.get("/v1/inbox")).json()["items"]
        assert [item["notice_id"] for item in items] == [event.data.notice_id]
        assert isinstance(service.rig.clock, FrozenClock)
        service.rig.clock.move(timedelta(hours=7))
        await service.rig.upkeep.escalate_once()
        steps = [line["step"] for line in service.rig.telemetry.lines if line["event"] == "notice.escalated"]
        assert steps == ["reminder", "second-contact", "operator"]
        alarms = [line["alarm"] for line in service.rig.telemetry.lines if line["event"] == "alarm"]
        assert alarms == ["notice-unacknowledged"]


async def test_a_recipient_speaks_of_its_own_notice_and_of_no_others(database: TestDatabase) -> None:
    async with serving(database) as service:
        event = a_notice("gmc")
        await service.rig.notify(event)
        path = f"/v1/notices/{event.data.notice_id}/acknowledgements"
        refusal = {"status": "refused", "reason": "not-our-remit", "suggested_body": "nmc"}
        assert (await service.post(path, refusal, org="nmc")).status_code == 404
        assert (await service.post(path, refusal, org="operator")).status_code == 404
        first, again = await service.post(path, refusal), await service.post(path, refusal)
        assert (first.status_code, again.status_code, again.json()["state"]) == (201, 200, "refused")
        clash = await service.post(path, {"status": "accepted"})
        assert (clash.status_code, clash.json()["type"]) == (409, "urn:concordat:problem:acknowledgement-clash")
        assert [(o.type.split(".")[-2], o.data.suggested_body) for o in service.told()] == [("refused", "nmc")]
        notice = (await service.get(f"/v1/notices/{event.data.notice_id}")).json()
        assert [(a["status"], a["by"]) for a in notice["acknowledgements"]] == [("refused", "gmc-clerk")]


@pytest.mark.parametrize(
    "body",
    [
        {"status": "refused"},
        {"status": "outcome"},
        {"status": "received", "reason": "x"},
        {"status": "refused", "reason": "Free text about a person"},
        {"status": "read"},
        {},
        {"status": "received", "extra": 1},
    ],
)
async def test_what_is_no_acknowledgement_is_refused_and_nothing_is_kept(database: TestDatabase, body: object) -> None:
    async with serving(database) as service:
        event = a_notice("gmc")
        await service.rig.notify(event)
        answer = await service.post(f"/v1/notices/{event.data.notice_id}/acknowledgements", body)
        assert answer.status_code == 422
        assert await service.rig.rows("SELECT 1 FROM notifier.acknowledgements") == []


async def test_a_notice_is_sent_again_with_its_id_and_bytes_and_says_so(database: TestDatabase) -> None:
    async with receiving() as receiver, serving(database) as service:
        await service.rig.add_endpoint("gmc", receiver.url)
        await service.rig.start()
        event = a_notice("gmc")
        await service.rig.notify(event)
        await until(lambda: len(receiver.ids) == 1)
        path = f"/v1/notices/{event.data.notice_id}/redelivery"
        await until(lambda: _delivered(service.rig, 1))
        assert (await service.post(path, org="nmc")).status_code == 404
        assert (await service.post(path)).status_code == 202
        await until(lambda: len(receiver.ids) == 2)
        assert receiver.received[0] == receiver.received[1]
        assert receiver.replayed == [False, True]


async def test_a_replay_sends_a_stretch_of_time_again_and_can_be_followed(database: TestDatabase) -> None:
    async with receiving() as receiver, serving(database) as service:
        await service.rig.add_endpoint("gmc", receiver.url)
        await service.rig.start()
        await service.rig.notify(*[a_notice("gmc") for _ in range(7)])
        await until(lambda: _delivered(service.rig, 7))
        since = service.rig.clock.now() - timedelta(hours=1)
        stretch = {
            "since": since.isoformat(),
            "until": (since + timedelta(hours=2)).isoformat(),
            "rate_per_minute": 6000,
        }
        assert isinstance(service.rig.clock, FrozenClock)
        service.rig.clock.move(timedelta(seconds=1))
        made = (await service.post("/v1/replays", stretch)).json()
        assert (made["state"], made["total"]) == ("running", 7)
        assert (await service.get(f"/v1/replays/{made['replay_id']}", "nmc")).status_code == 404
        await until(lambda: len(receiver.ids) == 14)
        assert sorted(receiver.ids[:7]) == sorted(receiver.ids[7:])
        done = (await service.get(f"/v1/replays/{made['replay_id']}")).json()
        assert (done["state"], done["sent"]) == ("done", 7)
        foreign = await service.post("/v1/replays", stretch | {"recipient": "nmc"})
        assert foreign.status_code == 422
        assert (await service.post("/v1/replays", stretch | {"until": stretch["since"]})).status_code == 422


async def test_an_endpoint_that_consents_is_active_at_once_and_its_keys_are_public(database: TestDatabase) -> None:
    async with receiving(consents=True) as receiver, serving(database, verify_endpoints=True) as service:
        made = (await service.post("/v1/endpoints", {"url": receiver.url})).json()
        assert (made["state"], made["rate_per_minute"]) == ("active", 6000)
        public = (await service.client.get(f"/v1/endpoints/{made['endpoint_id']}/keys")).json()["keys"]
        assert public == [made["public_key"]]
        rotated = (await service.post(f"/v1/endpoints/{made['endpoint_id']}/rotation")).json()
        assert rotated["secret"] != made["secret"]
        both = (await service.client.get(f"/v1/endpoints/{made['endpoint_id']}/keys")).json()["keys"]
        assert both == [rotated["public_key"], made["public_key"]]
        (target,) = await service.rig.endpoints.targets(now=service.rig.clock.now())
        headers = signed_headers(target.keys, webhook_id="x", timestamp=1, body=b"")
        verify([], headers, b"", now_seconds=1, public_keys=[public_bytes(made["public_key"])])


async def test_a_client_certificate_that_cannot_be_used_is_refused_at_once_and_a_good_one_is_never_shown(
    database: TestDatabase, tmp_path: Path
) -> None:
    pem = Authority.make(tmp_path).issue("concordat.example")
    async with receiving() as receiver, serving(database) as service:
        wish = {"url": receiver.url, "client_certificate": pem.partition("-----BEGIN PRIVATE")[0]}
        refused = await service.post("/v1/endpoints", wish)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/client_certificate")
        made = await service.post("/v1/endpoints", wish | {"client_certificate": pem})
        assert (made.status_code, "PRIVATE" in made.text) == (201, False)
        (target,) = await service.rig.endpoints.targets(now=service.rig.clock.now())
        assert target.access is not None
        assert target.access.certificate == pem
        kept = await service.rig.rows("SELECT access FROM notifier.endpoints")
        assert b"PRIVATE" not in bytes(kept[0].access)


async def test_an_endpoint_that_does_not_consent_stays_silent_until_it_does(database: TestDatabase) -> None:
    async with receiving() as receiver, serving(database, verify_endpoints=True) as service:
        made = (await service.post("/v1/endpoints", {"url": receiver.url})).json()
        assert made["state"] == "unverified"
        assert "handshake" in made["not_verified"]
        assert await service.rig.endpoints.targets(now=service.rig.clock.now()) == []
        for path in ("verification", "resume"):
            refused = await service.post(f"/v1/endpoints/{made['endpoint_id']}/{path}")
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:concordat:problem:not-verified")
        tested = (await service.post(f"/v1/endpoints/{made['endpoint_id']}/test")).json()
        assert tested["status"] == 500


async def test_a_host_that_is_not_listed_is_asked_nothing_before_an_operator_has_approved_it(
    database: TestDatabase,
) -> None:
    only = serving(database, verify_endpoints=True, hosts=["gmc.example"])
    async with receiving(consents=True) as receiver, only as service:
        made = (await service.post("/v1/endpoints", {"url": receiver.url})).json()
        this = f"/v1/endpoints/{made['endpoint_id']}"
        assert (made["state"], made["approved_by"]) == ("unverified", None)
        assert "another operator" in made["not_verified"]
        for path in ("verification", "test"):
            refused = await service.post(f"{this}/{path}")
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:concordat:problem:not-approved")
        refused = await service.post(f"{this}/approval")
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:concordat:problem:same-person")
        approved = (await service.post(f"{this}/approval", org="operator")).json()
        assert (approved["state"], approved["approved_by"]) == ("active", "operator-clerk")


async def _delivered(rig: Rig, count: int) -> bool:
    return await rig.count("state = 'delivered'") == count
