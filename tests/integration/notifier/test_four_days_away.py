"""An endpoint that is away for four days: nothing is lost or given up, nobody else waits, and nobody has to act.

The whole engine on the real Postgres with real sockets. The clock leaps by four hours, 24 times; the time from the
endpoint's return until it has everything is real.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import web

from services.notifier.domain.health import suspends_at
from services.notifier.domain.model import EndpointState
from services.notifier.domain.throttle import FAILURES_MAX, REFUSED_SECONDS_MAX, Breaker
from services.notifier.entrypoints import upkeep
from services.notifier.entrypoints.lanes import LaneBook
from tests.support.clock import LeapingClock
from tests.support.figures import figure
from tests.support.notifier_fakes import a_notice
from tests.support.notifier_rig import Receiver, Rig, receiving, rig_on
from tests.support.stack import TestDatabase, TestPostgres
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]
LEAP, LEAPS = timedelta(hours=4), 24
BEFORE, EVERY_LEAPS = 20, 2
RECOVERY_SECONDS = 10
WITHIN_A_DAY = {"limits": {"acknowledge": {"amount": 24, "unit": "clock_hours"}}}
LOUD = {"notice-undelivered", "notice-expired", "endpoint-suspended"}


@dataclass(slots=True)
class Outage:
    """A body that is away, one that is well, and the clock."""

    rig: Rig
    clock: LeapingClock
    port: int
    well: Receiver
    owed: list[str] = field(default_factory=list)

    @property
    def lanes(self) -> LaneBook:
        return self.rig.engine.lanes

    async def notify(self, count: int) -> None:
        """Notices to the body that is away, and one to the other, which gets it at once."""
        events = [a_notice("gmc") for _ in range(count)]
        self.owed += [event.data.notice_id for event in events]
        other = a_notice("cqc", duties=WITHIN_A_DAY)
        await self.rig.notify(*events, other)
        await until(lambda: other.data.notice_id in self.well.ids, what="the other body is told")

    async def lasts(self) -> None:
        """Four days: after each leap a probe finds nobody, or a delivery goes wrong."""
        for number in range(LEAPS):
            if number % EVERY_LEAPS == 0:
                await self.notify(1)
            self.clock.leap(LEAP)
            await until(self.was_asked, what="somebody has looked whether it is back")
            await until(self.nothing_is_overdue, what="each step of the escalation is taken when it is due")

    def was_asked(self) -> bool:
        throttle, now = self.lanes.lane("gmc").throttle, self.lanes.now()
        return throttle.breaker is Breaker.OPEN and not throttle.probe_is_due(now) and not self.lanes.lane("gmc").held

    async def nothing_is_overdue(self) -> bool:
        found = await self.rig.rows(
            "SELECT count(*) FROM notifier.notices WHERE escalate_at <= :now", now=self.clock.now()
        )
        return bool(found[0][0] == 0)

    async def delivered(self) -> bool:
        return await self.rig.count("recipient = 'gmc' AND state = 'delivered'") == len(self.owed)


@pytest_asyncio.fixture(loop_scope="session")
async def outage(postgres_engine: TestPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outage]:
    """Its port is free; the loops beside the deliveries look more often, as the clock goes faster."""
    for name in ("PROBE_SECONDS", "ESCALATE_SECONDS", "HEALTH_SECONDS"):
        monkeypatch.setattr(upkeep, name, 0.02)
    database: TestDatabase = await postgres_engine.fresh_database("notifier")
    clock = LeapingClock()
    async with AsyncExitStack() as stack:
        async with receiving(clock=clock) as gone:
            port = urlsplit(gone.url).port or 0
        well = await stack.enter_async_context(receiving(clock=clock))
        rig = await stack.enter_async_context(rig_on(database, clock=clock))
        rig.engine.lanes._monotonic = clock.monotonic
        await rig.add_endpoint("gmc", gone.url)
        await rig.add_endpoint("cqc", well.url)
        await rig.start()
        yield Outage(rig, clock, port, well)


async def test_a_body_that_is_away_for_four_days_has_all_within_ten_seconds_of_its_return(outage: Outage) -> None:
    rig, began = outage.rig, outage.clock.now()
    await outage.notify(BEFORE)
    await until(outage.was_asked)
    await outage.lasts()
    await _stands_after_four_days(outage)
    assert await rig.count("recipient = 'gmc' AND attempt_count > 0") <= 2 * FAILURES_MAX  # the others cost it nothing
    running = asyncio.get_running_loop()
    returned_at = running.time()
    async with receiving(clock=outage.clock, port=outage.port) as back:
        await until(outage.delivered, seconds=RECOVERY_SECONDS, what="all is delivered")
        took_seconds = running.time() - returned_at
        assert Counter(back.ids) == Counter(outage.owed)
    figure(f"four days away: {len(outage.owed)} notices delivered {took_seconds:.1f} s after the return")
    await until(lambda: _is_well(rig), what="its health says so")
    assert outage.clock.now() - began > timedelta(days=4)


async def test_a_body_that_answers_badly_for_four_days_is_asked_ever_less_and_has_all_soon_after_it_is_well(
    outage: Outage,
) -> None:
    is_well = False

    async def behave(_: web.Request) -> web.Response:
        return web.Response(status=204 if is_well else 503)

    async with receiving(behave, clock=outage.clock, port=outage.port) as body:
        await outage.notify(BEFORE)
        await until(outage.was_asked)
        await outage.lasts()
        await _stands_after_four_days(outage)
        assert LEAPS <= body.requests <= LEAPS + 2 * FAILURES_MAX  # one delivery for each time it was asked
        is_well, refused = True, len(body.ids)
        outage.clock.leap(timedelta(seconds=REFUSED_SECONDS_MAX))
        await until(outage.delivered, seconds=RECOVERY_SECONDS, what="all is delivered")
        assert Counter(body.ids[refused:]) == Counter(outage.owed)
        attempts = await outage.rig.rows("SELECT count(*) FROM notifier.attempts WHERE status = 503")
        assert attempts[0][0] == refused
    await until(lambda: _is_well(outage.rig), what="its health says so")


async def _stands_after_four_days(outage: Outage) -> None:
    """All waits, nobody was alarmed for it, the owner reads when it would be suspended; the other body heard it all."""
    rig = outage.rig
    assert await rig.count("recipient = 'gmc' AND state = 'pending'") == len(outage.owed)
    assert {line.get("alarm") for line in rig.telemetry.lines} & LOUD == set()
    failing_since = await _failing_since(rig)
    suspended_at = suspends_at(failing_since)
    assert suspended_at is not None
    left = suspended_at - outage.clock.now()
    assert timedelta(days=3, hours=22) < left < timedelta(days=4, hours=1)
    assert [e.state for e in await rig.endpoints.all_of("gmc")] == [EndpointState.ACTIVE]
    await until(lambda: _told_all(outage), what="the other body has heard everything")
    assert len(outage.well.ids) == len(set(outage.well.ids))
    steps = Counter(line["step"] for line in rig.telemetry.lines if line["event"] == "notice.escalated")
    # Told after 0, 0, 8, … 88 hours; reminded 12 hours later, again after 24, and the operator after 36.
    assert steps == {"reminder": 12, "second-contact": 11, "operator": 9}


async def _told_all(outage: Outage) -> bool:
    return await outage.rig.count("recipient = 'cqc' AND state <> 'delivered'") == 0


async def _failing_since(rig: Rig) -> datetime:
    found = await rig.rows("SELECT failing_since FROM notifier.endpoint_health WHERE endpoint_id = 'end_gmc'")
    assert isinstance(found[0][0], datetime)
    return found[0][0]


async def _is_well(rig: Rig) -> bool:
    found = await rig.rows("SELECT breaker, failing_since FROM notifier.endpoint_health WHERE endpoint_id = 'end_gmc'")
    return tuple(found[0]) == ("closed", None)
