"""What the engine does with notices that come in while the process ends."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from services.notifier.adapters.keys import KeyedOpener
from services.notifier.domain.model import Delivered, EndpointId, Entry, Leased, NoticeId, Result, Target
from services.notifier.entrypoints.engine import Engine, Flows
from services.notifier.entrypoints.lanes import ALL_LANES, LaneLimits, OwnedLanes
from services.notifier.ports import Recorded
from services.notifier.usecases.register import prepare
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.clock import NOON
from tests.support.notifier_fakes import KEYS, SEALING, TOKENS, a_notice
from tests.support.waiting import until

TARGET = Target(EndpointId("end_1"), "gmc", "https://gmc.example/", (KEYS,))


class Attempts:
    """Flows that only attempt, and remember what."""

    def __init__(self) -> None:
        self.made: list[NoticeId] = []

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
        return results

    async def renew(self, held: Sequence[Leased]) -> frozenset[NoticeId]:
        return frozenset(notice.notice_id for notice in held)

    async def end(self) -> Sequence[Result]:
        return ()

    async def confirm(self) -> Sequence[Recorded]:
        return ()

    async def targets(self) -> Sequence[Target]:
        return (TARGET,)


def engine_of(attempts: Attempts) -> Engine:
    owned = OwnedLanes(lambda: ALL_LANES)
    made = Engine(
        attempts.flows(), LaneLimits(8, 8, lease_seconds=6), owned=owned, telemetry=Telemetry("test"), health=Health(30)
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
