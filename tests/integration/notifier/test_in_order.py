"""An endpoint that wants its notices in order, on the real Postgres with a real receiver."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web

from services.notifier.domain.model import Endpoint, EndpointId, EndpointState
from shared.clock import SystemClock
from tests.conformance.test_notifier_order import story
from tests.support.clock import FrozenClock
from tests.support.notifier_fakes import KEYS, a_notice
from tests.support.notifier_rig import receiving, rig_on
from tests.support.stack import TestDatabase, TestPostgres
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_engine: TestPostgres) -> AsyncIterator[TestDatabase]:
    """A database of its own."""
    yield await postgres_engine.fresh_database("notifier")


async def test_a_failure_holds_back_what_follows_about_its_concern_and_nothing_else(database: TestDatabase) -> None:
    statuses, clock = iter([500]), FrozenClock(SystemClock().now())

    async def first_bad(_: web.Request) -> web.Response:
        return web.Response(status=next(statuses, 204))

    events, other = story()[:3], a_notice("gmc")
    wanted = [event.data.notice_id for event in events]
    async with receiving(first_bad) as receiver, rig_on(database, clock=clock) as rig:
        endpoint = Endpoint(
            EndpointId("end_1"), "gmc", receiver.url, "", EndpointState.ACTIVE, "", clock.now(), in_order=True
        )
        await rig.endpoints.add(endpoint, KEYS)
        await rig.start()
        await rig.notify(events[0])
        await until(lambda: receiver.ids == wanted[:1], what="the first is tried")

        async def is_written() -> bool:
            return bool(await rig.count("attempt_count = 1 AND lease_until IS NULL"))

        await until(is_written, what="its failure is written down")
        await rig.notify(*events[1:], other)
        await until(lambda: receiver.ids[1:] == [other.data.notice_id], what="another concern's is not held back")
        clock.move(timedelta(seconds=30))
        await until(lambda: len(receiver.ids) == 5, what="all come")
        about = [webhook_id for webhook_id in receiver.ids if webhook_id in wanted]
        assert about == [wanted[0], *wanted]
