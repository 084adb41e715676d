"""The engine on the real Postgres, delivering to real servers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import text

from services.notifier.adapters.webhook import Timeouts
from services.notifier.domain.retry import GIVE_UP_AFTER
from services.notifier.entrypoints.lanes import LaneLimits
from shared.clock import SystemClock
from shared.contracts.outcome import NoticeOutcome
from shared.contracts.topics import OUTCOMES
from shared.db.engine import transaction
from tests.support.clock import FrozenClock
from tests.support.notifier_fakes import a_notice
from tests.support.notifier_rig import Rig, receiving, rig_on
from tests.support.stack import TestDatabase, TestPostgres
from tests.support.waiting import dawdle, until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_engine: TestPostgres) -> AsyncIterator[TestDatabase]:
    """A database of its own."""
    yield await postgres_engine.fresh_database("notifier")


async def test_a_notice_is_delivered_signed_once_and_told(database: TestDatabase) -> None:
    async with receiving() as receiver, rig_on(database) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        event = a_notice("gmc")
        await rig.notify(event)
        await rig.notify(event)
        await until(lambda: _in_state(rig, "delivered", 1))
        assert receiver.ids == [event.data.notice_id]
        rows = await rig.rows("SELECT body, attempt_count FROM notifier.notices")
        assert (rows[0].body, rows[0].attempt_count) == (receiver.received[0][1], 1)
        assert await rig.rows("SELECT status FROM notifier.attempts") == [(204,)]
        await until(lambda: "uk.concordat.notice.delivered.v1" in told(rig))


async def test_a_notice_without_an_endpoint_is_delivered_once_one_is_registered(database: TestDatabase) -> None:
    async with receiving() as receiver, rig_on(database) as rig:
        await rig.start()
        event = a_notice("nmc")
        await rig.notify(event)
        assert await rig.count("state = 'pending' AND lease_until IS NULL") == 1
        await rig.add_endpoint("nmc", receiver.url)
        rig.engine.endpoints_changed()
        await until(lambda: receiver.ids == [event.data.notice_id])


async def test_an_endpoint_whose_secrets_cannot_be_read_is_said_once_and_delays_no_other(
    database: TestDatabase,
) -> None:
    async with receiving() as receiver, rig_on(database) as rig:
        for org in ("gmc", "nmc"):
            await rig.add_endpoint(org, receiver.url)
        async with transaction(rig.database) as connection:
            await connection.execute(text("UPDATE notifier.endpoints SET secret = 'damaged' WHERE org = 'nmc'"))
        await rig.start()
        await rig.notify(a_notice("nmc"), a_notice("gmc"))
        await until(lambda: _in_state(rig, "delivered", 1))
        await rig.engine.refresh_once()
        assert await rig.count("recipient = 'nmc' AND state = 'pending'") == 1
        said = [line for line in rig.telemetry.lines if line.get("alarm") == "endpoint-unreadable"]
        assert [line["endpoint_id"] for line in said] == ["end_nmc"]


async def test_more_than_a_lane_holds_waits_in_the_ledger_and_is_all_delivered_once(database: TestDatabase) -> None:
    limits = LaneLimits(slots_max=8, in_flight_max=4, lease_seconds=6)
    async with receiving() as receiver, rig_on(database, limits=limits) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        events = [a_notice("gmc") for _ in range(200)]
        await rig.notify(*events)
        await until(lambda: _in_state(rig, "delivered", 200), seconds=20)
        assert sorted(receiver.ids) == sorted(e.data.notice_id for e in events)


async def test_a_hanging_endpoint_delays_no_other(database: TestDatabase) -> None:
    hang = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        await hang.wait()
        return web.Response(status=204)

    patient = Timeouts(connect_seconds=2, attempt_seconds=120)
    async with receiving(never) as dead, receiving() as healthy, rig_on(database, timeouts=patient) as rig:
        await rig.add_endpoint("nmc", dead.url)
        await rig.add_endpoint("gmc", healthy.url)
        await rig.start()
        await rig.notify(*[a_notice("nmc") for _ in range(100)], *[a_notice("gmc") for _ in range(100)])
        await until(lambda: len(healthy.ids) == 100)
        assert dead.requests <= 8
        hang.set()


async def test_a_retry_keeps_its_id_and_bytes_and_survives_a_restart(database: TestDatabase) -> None:
    statuses = iter([500])

    async def once_bad(_: web.Request) -> web.Response:
        return web.Response(status=next(statuses, 204))

    clock = FrozenClock(SystemClock().now())
    async with receiving(once_bad) as receiver:
        async with rig_on(database, clock=clock) as rig:
            await rig.add_endpoint("gmc", receiver.url)
            await rig.start()
            await rig.notify(a_notice("gmc"))
            await until(lambda: _attempts(rig, 1))
        clock.move(timedelta(seconds=30))
        async with rig_on(database, clock=clock) as restarted:
            await restarted.start()
            await until(lambda: _in_state(restarted, "delivered", 1))
        (first, second) = receiver.received
        assert first == second
        assert receiver.timestamps[0] < receiver.timestamps[1]


async def test_a_killed_process_leaves_its_leases_and_the_next_one_sends_again(database: TestDatabase) -> None:
    gate = asyncio.Event()

    async def first_hangs(_: web.Request) -> web.Response:
        if not gate.is_set():
            await asyncio.Event().wait()
        return web.Response(status=204)

    async with receiving(first_hangs) as receiver, rig_on(database, lease_seconds=1) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        await rig.notify(a_notice("gmc"))
        await until(lambda: receiver.requests == 1)
        await rig.die()
        gate.set()
        async with rig_on(database, lease_seconds=1) as successor:
            await successor.start()
            await until(lambda: _in_state(successor, "delivered", 1))
        assert len(set(receiver.ids)) == 1


async def test_a_result_under_an_old_fencing_token_changes_nothing(database: TestDatabase) -> None:
    async with receiving() as receiver, rig_on(database, lease_seconds=0.2) as late, rig_on(database) as owner:
        await late.add_endpoint("gmc", receiver.url)
        late.engine.lanes.aim({t.lane_name: t for t in await late.endpoints.targets(now=late.clock.now())})
        await late.notify(a_notice("gmc"))
        (held,) = late.engine.lanes.held.values()
        await owner.start()
        await until(lambda: _in_state(owner, "delivered", 1))
        result = await late.engine._flows.attempt(held, None)
        assert await late.engine._flows.settle([result]) == []
        assert await owner.count("state = 'delivered' AND attempt_count = 1") == 1


async def test_two_engines_share_the_work_without_sending_anything_twice(database: TestDatabase) -> None:
    orgs = [f"org-{number}" for number in range(5)]
    async with receiving() as receiver, rig_on(database) as one, rig_on(database) as other:
        for org in orgs:
            await one.add_endpoint(org, receiver.url)
        events = [a_notice(org) for org in orgs for _ in range(60)]
        await one.notify(*events)  # nothing is leased yet: both find the rows in the ledger
        await one.start()
        await other.start()
        await until(lambda: _in_state(one, "delivered", 300), seconds=20)
        assert len(receiver.ids) == len(set(receiver.ids)) == 300


async def test_a_redirect_is_a_failure_and_the_place_it_names_hears_nothing(database: TestDatabase) -> None:
    async with receiving() as inner:

        async def elsewhere(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": inner.url})

        async with receiving(elsewhere) as receiver, rig_on(database) as rig:
            await rig.add_endpoint("gmc", receiver.url)
            await rig.start()
            await rig.notify(a_notice("gmc"))
            await until(lambda: _attempts(rig, 1))
            assert inner.requests == 0
            assert await rig.count("state = 'pending' AND reason LIKE '%redirects are not followed'") == 1


async def test_410_suspends_the_endpoint_and_its_notices_wait(database: TestDatabase) -> None:
    async def gone(_: web.Request) -> web.Response:
        return web.Response(status=410)

    async with receiving(gone) as receiver, rig_on(database) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        await rig.notify(a_notice("gmc"))
        await until(lambda: _attempts(rig, 1))
        (endpoint,) = await rig.endpoints.all_of("gmc")
        assert (endpoint.state.value, endpoint.reason) == ("suspended", "the endpoint answered 410 Gone")
        await rig.notify(a_notice("gmc"))
        assert await rig.count("state = 'pending' AND kind = 'tell'") == 2
        assert receiver.requests == 1


async def test_an_endless_answer_and_a_slow_one_are_cut_off(database: TestDatabase) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while request.transport is not None:
            await answer.write(b"x" * 65536)
        return answer

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while request.transport is not None:
            await answer.write(b"x")
            await dawdle(0.05)
        return answer

    timeouts = Timeouts(connect_seconds=1, attempt_seconds=1)
    async with receiving(endless) as huge, receiving(drip) as slow, rig_on(database, timeouts=timeouts) as rig:
        await rig.add_endpoint("gmc", huge.url)
        await rig.add_endpoint("nmc", slow.url)
        await rig.start()
        await rig.notify(a_notice("gmc"), a_notice("nmc"))
        await until(lambda: _attempts(rig, 2))
        rows = await rig.rows("SELECT endpoint_id, status, length(answer), error FROM notifier.attempts ORDER BY 1")
        assert rows == [("end_gmc", 200, 16384, ""), ("end_nmc", None, 0, "no whole answer within 1 s")]


async def test_what_nobody_waits_for_expires_with_a_reason(database: TestDatabase) -> None:
    clock = FrozenClock(SystemClock().now())
    async with rig_on(database, clock=clock) as rig:
        await rig.start()
        ending = a_notice("nmc", valid_until=clock.now() + timedelta(days=1))
        await rig.notify(a_notice("gmc"), ending)
        clock.move(timedelta(days=2))
        await until(lambda: _in_state(rig, "expired", 1))
        clock.move(GIVE_UP_AFTER)
        await until(lambda: _in_state(rig, "expired_undelivered", 1))
        rows = await rig.rows("SELECT reason FROM notifier.notices ORDER BY recipient")
        assert [row.reason for row in rows] == ["undelivered for 8 days", "the basis for telling has ended"]


async def test_a_basis_that_ends_between_two_attempts_lets_no_second_one_out(database: TestDatabase) -> None:
    async def unwilling(_: web.Request) -> web.Response:
        return web.Response(status=500)

    clock = FrozenClock(SystemClock().now())
    async with receiving(unwilling) as receiver, rig_on(database, clock=clock) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        await rig.notify(a_notice("gmc", valid_until=clock.now() + timedelta(minutes=10)))
        await until(lambda: _attempts(rig, 1))
        clock.move(timedelta(minutes=10))
        await until(lambda: _in_state(rig, "expired", 1))
        assert receiver.requests == 1


async def test_a_repeat_is_told_again_what_became_of_the_notice(database: TestDatabase) -> None:
    async with receiving() as receiver, rig_on(database) as rig:
        await rig.add_endpoint("gmc", receiver.url)
        await rig.start()
        event = a_notice("gmc")
        await rig.notify(event)
        await until(lambda: _in_state(rig, "delivered", 1))
        rig.offered.rows.clear()
        await rig.notify(event)
        await until(lambda: told(rig) == ["uk.concordat.notice.delivered.v1"])
        assert len(receiver.ids) == 1


def told(rig: Rig) -> list[str]:
    """The types of the outcomes that were told."""
    rows = [row for row in rig.offered.rows if row.topic == OUTCOMES.name]
    return [NoticeOutcome.model_validate_json(row.value).type for row in rows]


async def _in_state(rig: Rig, state: str, count: int) -> bool:
    return await rig.count(f"state = '{state}'") == count


async def _attempts(rig: Rig, count: int) -> bool:
    rows = await rig.rows("SELECT notice_id FROM notifier.attempts")
    return len(rows) == count
