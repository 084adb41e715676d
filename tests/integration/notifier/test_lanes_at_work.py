"""Lanes on the real Postgres with real receivers: recovery, the alternate, a deploy, withdrawals, bounds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from services.notifier.domain.model import Endpoint, EndpointId, EndpointState
from services.notifier.domain.throttle import FAILURES_MAX
from services.notifier.entrypoints.lanes import LaneLimits
from shared.clock import SystemClock
from shared.contracts.notice import NoticeIssued
from tests.support.clock import FrozenClock
from tests.support.notifier_fakes import KEYS, a_notice
from tests.support.notifier_rig import Rig, receiving, rig_on
from tests.support.stack import TestDatabase, TestPostgres
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
PATIENT = LaneLimits(slots_max=8, in_flight_max=4, lease_seconds=6, drain_seconds=5)


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_engine: TestPostgres) -> AsyncIterator[TestDatabase]:
    """A database of its own."""
    yield await postgres_engine.fresh_database("notifier")


async def in_state(rig: Rig, state: str, count: int) -> bool:
    return await rig.count(f"state = '{state}'") == count


async def add_alternate(rig: Rig, org: str, url: str) -> None:
    endpoint = Endpoint(
        EndpointId(f"end_{org}_2"), org, url, "", EndpointState.ACTIVE, "", rig.clock.now(), alternate=True
    )
    await rig.endpoints.add(endpoint, KEYS)


async def test_an_endpoint_that_comes_back_gets_all_its_failures_within_seconds_and_nobody_has_to_act(
    database: TestDatabase,
) -> None:
    is_well = False

    async def behave(_: web.Request) -> web.Response:
        return web.Response(status=204 if is_well else 500)

    clock = FrozenClock(SystemClock().now())
    async with receiving(behave, clock=clock) as receiver, rig_on(database, clock=clock) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        await rig.notify(*[a_notice("gmc") for _ in range(20)])
        await until(lambda: receiver.requests >= FAILURES_MAX)
        before = receiver.requests
        health = await _breaker(rig, "open")
        assert (health.last_failure, health.failing_since is not None) == ("answered 500", True)
        assert before < 20  # the others wait in the ledger, and cost the endpoint nothing
        is_well = True
        clock.move(timedelta(seconds=1))
        await until(lambda: _moving(rig, clock, 20))
        assert (await _breaker(rig, "closed")).failing_since is None
        assert len(set(receiver.ids)) == 20


async def test_after_five_days_a_notice_goes_to_the_alternate_and_the_first_hears_no_more(
    database: TestDatabase,
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=500)

    clock = FrozenClock(SystemClock().now())
    async with receiving(refuse) as first, receiving(clock=clock) as second, rig_on(database, clock=clock) as rig:
        await rig.add_endpoint("gmc", first.url)
        await add_alternate(rig, "gmc", second.url)
        await rig.start()
        event = a_notice("gmc")
        await rig.notify(event)
        await until(lambda: first.requests == 1)
        assert second.requests == 0
        clock.move(timedelta(days=5))
        await until(lambda: in_state(rig, "delivered", 1))
        assert second.ids == [event.data.notice_id]
        alarms = [line for line in rig.telemetry.lines if line.get("alarm") == "notice-undelivered"]
        assert [(a["notice_id"], a["alternate"]) for a in alarms] == [(event.data.notice_id, True)]


async def test_a_deploy_lets_what_is_under_way_end_and_nothing_is_sent_twice(database: TestDatabase) -> None:
    gate = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await gate.wait()
        return web.Response(status=204)

    async with receiving(slow) as receiver, rig_on(database, limits=PATIENT) as old:
        await old.add_endpoint("gmc", receiver.url)
        await old.start()
        await old.notify(*[a_notice("gmc") for _ in range(20)])
        await until(lambda: receiver.requests == 4)
        stopping = asyncio.create_task(old.die())
        await until(lambda: old.engine._workers is None)
        gate.set()
        await stopping
        assert await old.count("state = 'delivered' AND attempt_count = 1") == 4
        assert await old.count("lease_until IS NOT NULL") == 0
        async with rig_on(database) as new:
            await new.start()
            await until(lambda: in_state(new, "delivered", 20))
        assert len(receiver.ids) == len(set(receiver.ids)) == 20


async def test_what_is_withdrawn_while_it_stands_in_line_is_never_sent(database: TestDatabase) -> None:
    gate = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await gate.wait()
        return web.Response(status=204)

    one_by_one = LaneLimits(slots_max=8, in_flight_max=1, lease_seconds=6, drain_seconds=0)
    async with receiving(slow) as receiver, rig_on(database, limits=one_by_one) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        first, waiting = a_notice("gmc"), a_notice("gmc")
        await rig.notify(first, waiting)
        await until(lambda: receiver.requests == 1)
        await rig.notify(*[_withdrawal(event) for event in (first, waiting)])
        gate.set()
        await until(lambda: len(receiver.ids) == 3)
        await until(lambda: in_state(rig, "delivered", 3))
        sent = {first.data.notice_id, f"{first.data.notice_id}w", f"{waiting.data.notice_id}w"}
        assert set(receiver.ids) == sent


async def test_a_rate_that_was_granted_is_kept(database: TestDatabase) -> None:
    async with receiving() as receiver, rig_on(database) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.endpoints.verify("end_gmc", 240, at=rig.clock.now())
        await rig.start()
        began = asyncio.get_running_loop().time()
        await rig.notify(*[a_notice("gmc") for _ in range(12)])
        await until(lambda: len(receiver.ids) == 12)
        assert asyncio.get_running_loop().time() - began >= 1.5


async def test_the_memory_of_all_lanes_is_shared_out_and_the_surplus_waits_in_the_ledger(
    database: TestDatabase,
) -> None:
    gate = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await gate.wait()
        return web.Response(status=204)

    limits = LaneLimits(slots_max=64, in_flight_max=8, lease_seconds=6, held_max=12, drain_seconds=0)
    async with receiving(slow) as dead, receiving() as live, rig_on(database, limits=limits) as rig:
        await rig.add_endpoint("nmc", dead.url)
        await rig.add_endpoint("gmc", live.url)
        await rig.start()
        await rig.notify(*[a_notice(org) for _ in range(50) for org in ("nmc", "gmc")])
        await until(lambda: len(live.ids) == 50)
        assert len(rig.engine.lanes.held) <= 12
        gate.set()
        await until(lambda: in_state(rig, "delivered", 100))


def _withdrawal(event: NoticeIssued) -> NoticeIssued:
    changes = {"kind": "withdrawal", "notice_id": f"{event.data.notice_id}w", "ref": "basis"}
    return event.model_copy(update={"id": f"{event.id}w", "data": event.data.model_copy(update=changes)})


async def _breaker(rig: Rig, state: str) -> Any:
    async def seen() -> bool:
        return bool(await rig.rows("SELECT 1 FROM notifier.endpoint_health WHERE breaker = :b", b=state))

    await until(seen)
    return (await rig.rows("SELECT * FROM notifier.endpoint_health"))[0]


async def _moving(rig: Rig, clock: FrozenClock, count: int) -> bool:
    """The clock goes on by a second for each look: what was made due one after the other comes due."""
    clock.move(timedelta(seconds=1))
    return await in_state(rig, "delivered", count)
