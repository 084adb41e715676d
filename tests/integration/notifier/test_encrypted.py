"""An endpoint that publishes a key, on the real Postgres with a real receiver: only it can read what it is sent."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from joserfc import jwe
from joserfc.jwk import OKPKey

from services.notifier.domain.encryption import key_text
from services.notifier.domain.model import Endpoint, EndpointId, EndpointState
from shared.clock import SystemClock
from tests.integration.notifier.test_conversation import serving
from tests.support.clock import FrozenClock
from tests.support.notifier_fakes import KEYS, a_notice
from tests.support.notifier_rig import receiving, rig_on
from tests.support.stack import TestDatabase, TestPostgres
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
FIRST, SECOND = (OKPKey.generate_key("X25519", private=True) for _ in range(2))


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_engine: TestPostgres) -> AsyncIterator[TestDatabase]:
    """A database of its own."""
    yield await postgres_engine.fresh_database("notifier")


def public(key: OKPKey) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


def opened(body: bytes, key: OKPKey) -> dict[str, Any]:
    read = jwe.decrypt_compact(orjson.loads(body)["data"], key, algorithms=["ECDH-ES", "A256GCM"])
    return dict(orjson.loads(read.plaintext or b""))


async def test_a_retry_sends_the_same_copy_and_a_new_key_gets_another_under_the_same_id(
    database: TestDatabase,
) -> None:
    statuses, clock = iter([500, 500]), FrozenClock(SystemClock().now())

    async def twice_bad(_: web.Request) -> web.Response:
        return web.Response(status=next(statuses, 204))

    async with receiving(twice_bad, clock=clock) as receiver, rig_on(database, clock=clock) as rig:
        key = key_text(public(FIRST))
        endpoint = Endpoint(
            EndpointId("end_1"), "gmc", receiver.url, "", EndpointState.ACTIVE, "", clock.now(), encryption_key=key
        )
        await rig.endpoints.add(endpoint, KEYS)
        await rig.start()
        event = a_notice("gmc")
        await rig.notify(event)
        for count in (1, 2):
            await until(partial(_tried, rig, count), what=f"attempt {count} is written down")
            if count == 2:
                await rig.endpoints.encrypt_to("end_1", key_text(public(SECOND)), at=clock.now())
                await until(lambda: rig.engine.lanes.targets["gmc"].encryption_key != key, what="the key is known")
            clock.move(timedelta(minutes=10))
        await until(lambda: len(receiver.received) == 3, what="it is delivered")
        (first_id, first), (_, again), (last_id, changed) = receiver.received
        assert first == again != changed
        assert first_id == last_id == event.data.notice_id
        assert opened(first, FIRST) == opened(changed, SECOND)
        assert opened(first, FIRST)["concern"]["subjects"][0]["name"] == "A Doctor"
        assert b"A Doctor" not in first + changed
        assert orjson.loads(first)["subject"] == event.data.concern_id


async def _tried(rig: Any, count: int) -> bool:
    return bool(await rig.count(f"attempt_count = {count} AND lease_until IS NULL"))


async def test_a_key_is_published_changed_and_taken_away_by_its_owner_and_a_bad_one_is_refused_in_words(
    database: TestDatabase,
) -> None:
    async with serving(database) as service:
        wanted = {"url": "https://gmc.example/hooks", "encryption_key": public(FIRST)}
        private = dict(FIRST.as_dict(private=True))
        refused = await service.post("/v1/endpoints", {**wanted, "encryption_key": private})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/encryption_key")
        assert "private key" in refused.json()["errors"][0]["detail"]
        assert str(private["d"]) not in refused.text
        made = (await service.post("/v1/endpoints", wanted)).json()
        assert made["encryption_key"] == {**public(FIRST), "kid": FIRST.thumbprint()}
        path = f"/v1/endpoints/{made['endpoint_id']}"
        for key, status, kid in (
            (public(SECOND), 200, SECOND.thumbprint()),
            ({"kty": "RSA"}, 422, SECOND.thumbprint()),
            (None, 200, None),
        ):
            answer = await service.client.put(
                f"{path}/encryption-key",
                headers={"authorization": "gmc"},
                content=orjson.dumps({"encryption_key": key}),
            )
            assert answer.status_code == status
            shown = (await service.get(path)).json()["encryption_key"]
            assert (shown and shown["kid"]) == kid
        foreign = await service.client.put(
            f"{path}/encryption-key", headers={"authorization": "nmc"}, content=b'{"encryption_key": null}'
        )
        assert foreign.status_code == 404
