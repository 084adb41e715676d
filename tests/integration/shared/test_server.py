"""The real server under the real supervisor."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from fastapi import APIRouter

from deploy.local.ports import free_port_base
from services.intake.entrypoints.desk import FAULTS
from shared.http.app import make_app, serve
from shared.service import lay_foundation
from shared.settings import BaseServiceSettings
from shared.supervision import Health, supervise
from shared.telemetry import Telemetry, route_library_logs
from tests.support.logs import kept_logging, lines
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def routed() -> Iterator[None]:
    with kept_logging():
        route_library_logs(Telemetry("test"))
        yield


@dataclass(frozen=True, slots=True)
class Served:
    """A supervised server, and a client of it."""

    health: Health
    client: httpx.AsyncClient
    running: asyncio.Task[None]
    entered: asyncio.Event


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    settings = BaseServiceSettings(
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none",
        kafka_bootstrap_servers="127.0.0.1:1",
        http_port=free_port_base(),
        token_issuers=[],
    )
    foundation = lay_foundation("intake", settings, accepts=True)
    health, entered, routes = foundation.health, asyncio.Event(), APIRouter()
    health.loops.clear()

    @routes.get("/until-stopping")
    async def until_stopping() -> list[str]:
        entered.set()
        await until(lambda: health.stopping)
        return health.faults()

    @routes.get("/broken")
    async def broken() -> None:
        raise ArithmeticError("9434765919")

    app = make_app("test", routes, foundation.edge(FAULTS))
    serving = partial(serve, app, host="127.0.0.1", port=settings.http_port)
    running = asyncio.create_task(supervise({}, serve=serving, health=health, telemetry=Telemetry("test")))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.http_port}") as client:
        await until(partial(_answers, client))
        yield Served(health, client, running, entered)
    if not running.done():
        os.kill(os.getpid(), signal.SIGTERM)
        await running


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.TransportError:
        return False


async def test_at_sigterm_readiness_falls_first_and_open_requests_are_answered(served: Served) -> None:
    asking = asyncio.create_task(served.client.get("/until-stopping"))
    await served.entered.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert (await asking).json() == ["the service is stopping"]
    await served.running


async def test_the_server_takes_no_signal_from_the_supervisor(served: Served) -> None:
    assert not served.running.done()
    assert getattr(signal.getsignal(signal.SIGTERM), "__module__", "") != "uvicorn.server"


async def test_a_fault_that_was_answered_is_one_alarm_and_quotes_nothing(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await served.client.get("/broken")).status_code == 500
    (line,) = lines(capsys)
    assert (line["alarm"], line["fault"]) == ("request-failed", "ArithmeticError")
    assert "9434765919" not in str(line)
