"""What the engine does with notices that come in while the process ends, and with what nobody foresaw."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.services import GRACE_SECONDS
from services.notifier.adapters.keys import KeyedOpener
from services.notifier.bootstrap import limits_of
from services.notifier.config import NotifierSettings
from services.notifier.domain.model import (
    Answer,
    Attempt,
    Delivered,
    EndpointId,
    Entry,
    Leased,
    NoticeId,
    Result,
    Retry,
    Target,
)
from services.notifier.entrypoints.engine import Engine, Flows
from services.notifier.entrypoints.lanes import ALL_LANES, LaneLimits, OwnedLanes
from services.notifier.ports import Recorded
from services.notifier.usecases.deliver import Sent, attempt_notice
from services.notifier.usecases.register import prepare
from shared.http import app
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_fakes import KEYS, SEALING, TOKENS, a_leased, a_notice
from tests.support.notifier_rig import QuietTelemetry
from tests.support.waiting import until

TARGET = Target(EndpointId("end_1"), "gmc", "https://gmc.example/", (KEYS,))


class Attempts:
    """Flows that only attempt, and remember what."""

    def __init__(self) -> None:
        self.made: list[NoticeId] = []
        self.settled: list[NoticeId] = []
        self.unwritable: set[NoticeId] = set()

    def flows(self) -> Flows:
        return Flows(
            claim=self.claim,
            attempt=self.attempt,
            settle=self.settle,
            renew=self.renew,
            end=self.end,
            confirm=self.confirm,
            targets=self.targets,
            escalate=self.end_of_all,
            replay=self.end_of_all,
            keep_health=self.healthy,
            hasten=self.hasten,
            knock=self.knock,
        )

    async def end_of_all(self) -> Sequence[Any]:
        return ()

    async def healthy(self, _seen: object) -> Mapping[str, str]:
        return {}

    async def hasten(self, _target: Target, _count: int | None) -> None: ...

    async def knock(self, _target: Target) -> bool:
        return False

    async def claim(self, _free: Mapping[str, int], _held: Sequence[NoticeId]) -> Sequence[Leased]:
        return ()

    async def attempt(self, notice: Leased, _target: Target | None) -> Result:
        self.made.append(notice.notice_id)
        return Result(notice, NOON, Delivered())

    async def settle(self, results: Sequence[Result]) -> Sequence[Result]:
        ids = [result.notice.notice_id for result in results]
        if self.unwritable & set(ids):
            raise ValueError("a row that the database refuses")
        self.settled += ids
        return results

    async def renew(self, held: Sequence[Leased]) -> frozenset[NoticeId]:
        return frozenset(notice.notice_id for notice in held)

    async def end(self) -> Sequence[Result]:
        return ()

    async def confirm(self) -> Sequence[Recorded]:
        return ()

    async def targets(self) -> Sequence[Target]:
        return (TARGET,)


def engine_of(attempts: Attempts, telemetry: Telemetry | None = None) -> Engine:
    made = Engine(
        attempts.flows(),
        LaneLimits(8, 8, lease_seconds=6),
        owned=OwnedLanes(lambda: ALL_LANES),
        telemetry=telemetry or Telemetry("test"),
        health=Health(30),
    )
    made.lanes.targets = {TARGET.org: TARGET}
    return made


def take(engine: Engine, entry: Entry) -> None:
    engine.lanes.fill(engine.lanes.reserve([entry]), frozenset({entry.notice_id}))


async def test_a_notice_that_comes_while_the_process_ends_is_kept_for_the_next_and_breaks_nothing() -> None:
    attempts = Attempts()
    engine = engine_of(attempts)
    first, last = (prepare(a_notice("gmc"), KeyedOpener(SEALING, TOKENS), now=NOON) for _ in range(2))
    deliveries = asyncio.create_task(engine.deliver())
    take(engine, first)
    await until(lambda: attempts.made == [first.notice_id])
    deliveries.cancel()
    with suppress(asyncio.CancelledError):
        await deliveries
    take(engine, last)
    assert attempts.made == [first.notice_id]
    assert last.notice_id in engine.lanes.held


async def test_a_result_that_the_ledger_refuses_is_held_and_its_neighbours_are_written() -> None:
    attempts, telemetry = Attempts(), QuietTelemetry()
    engine = engine_of(attempts, telemetry)
    entries = [prepare(a_notice("gmc"), KeyedOpener(SEALING, TOKENS), now=NOON) for _ in range(3)]
    bad, *good = [entry.notice_id for entry in entries]
    attempts.unwritable = {bad}
    loops = [asyncio.create_task(loop) for loop in (engine.deliver(), engine.write_results())]
    engine.lanes.fill(engine.lanes.reserve(entries), frozenset(entry.notice_id for entry in entries))
    await until(lambda: set(attempts.settled) == set(good))
    await until(lambda: set(engine.lanes.held) == {bad})
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    alarms = [line for line in telemetry.lines if line["event"] == "alarm"]
    assert alarms == [{"event": "alarm", "alarm": "result-unwritable", "notice_id": bad, "fault": "ValueError"}]
    assert sorted(attempts.made) == sorted([bad, *good])


async def test_an_error_that_nobody_foresaw_is_a_failed_attempt_of_its_notice_alone() -> None:
    async def send(*_: object) -> Sent:
        raise KeyError("what an answer held")

    result = await attempt_notice(a_leased(), TARGET, send=send, clock=FrozenClock(), chance=lambda: 0)
    assert isinstance(result.verdict, Retry)
    assert (result.fault, result.verdict.detail) == ("KeyError", "not sent: KeyError")


def settings_of(attempt_seconds: float = 20) -> NotifierSettings:
    return NotifierSettings(
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/none",
        kafka_bootstrap_servers="127.0.0.1:1",
        http_port=1,
        token_issuers=[],
        sealing_key_file=Path("sealing"),
        secrets_key_file=Path("secrets"),
        attempt_seconds=attempt_seconds,
    )


def test_an_endpoint_that_refuses_what_it_is_sent_is_said_once_until_it_takes_something() -> None:
    telemetry = QuietTelemetry()
    engine = engine_of(Attempts(), telemetry)

    def answered(status: int) -> Result:
        attempt = Attempt(TARGET.endpoint_id, 1, NOON, timedelta(0), Answer(status))
        verdict = Delivered() if status < 300 else Retry(NOON, f"answered {status}")
        return Result(a_leased(), NOON, verdict, attempt)

    engine._say([answered(status) for status in (404, 404, 503, 413, 404, 204, 404)])
    said = [line["status"] for line in telemetry.lines if line.get("alarm") == "endpoint-refuses"]
    assert said == [404, 413, 404]


@pytest.mark.parametrize("attempt_seconds", [1, 20, 90])
def test_a_shutdown_waits_for_an_attempt_however_long_it_may_take(attempt_seconds: float) -> None:
    assert limits_of(settings_of(attempt_seconds)).drain_seconds > attempt_seconds


def test_the_runner_gives_a_service_the_time_that_it_takes_to_end() -> None:
    assert app.GRACE_SECONDS + 2 + limits_of(settings_of()).drain_seconds < GRACE_SECONDS
