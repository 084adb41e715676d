"""What `/readyz` says while Kafka or Postgres is away."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter

from shared.http.app import make_app
from shared.service import Foundation, lay_foundation, watch_store
from shared.settings import BaseServiceSettings
from tests.support.waiting import until


def foundation_of(*, accepts: bool) -> Foundation:
    settings = BaseServiceSettings(
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none",
        kafka_bootstrap_servers="127.0.0.1:1",
        http_port=1,
        token_issuers=[],
    )
    return lay_foundation("intake", settings, accepts=accepts)


async def readyz(foundation: Foundation) -> httpx.Response:
    app = make_app("test", APIRouter(), foundation.edge({}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get("/readyz")


def stall(foundation: Foundation, name: str) -> None:
    progress = foundation.health.loops[name]
    progress.failed()
    progress.moved_at -= 31


@pytest.mark.parametrize(("accepts", "status"), [(True, 200), (False, 503)])
async def test_a_relay_without_kafka_only_degrades_what_accepts(accepts: bool, status: int) -> None:
    foundation = foundation_of(accepts=accepts)
    stall(foundation, "relay sweeper")
    answer = await readyz(foundation)
    assert answer.status_code == status
    assert "relay sweeper: no progress for more than 30 s" in answer.text


async def test_without_postgres_nothing_is_ready() -> None:
    foundation = foundation_of(accepts=True)
    progress = foundation.health.watch("store")
    asking = asyncio.create_task(watch_store(foundation.engine, progress, foundation.telemetry))
    await until(lambda: progress.waiting > 0)
    asking.cancel()
    progress.moved_at -= 31
    assert (await readyz(foundation)).status_code == 503


async def test_a_ready_service_says_that_nothing_lags() -> None:
    assert (await readyz(foundation_of(accepts=True))).json() == {"status": "ready", "degraded": []}
