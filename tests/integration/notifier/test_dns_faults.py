"""Names that cannot be looked up hurt their own delivery alone: it is a failure in words, in time, and others go on."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notifier.adapters.webhook import Timeouts, WebhookWire
from tests.support.notifier_rig import LOOPBACK, receiving
from tests.support.waiting import until

QUICK = Timeouts(connect_seconds=1.0, attempt_seconds=3.0)
OTHERS = 20
MANY = 1_000
Look = Callable[[asyncio.Event], Awaitable[list[str]]]


class Naming(AbstractResolver):
    """`good.example` is here; every other name meets the fault, until the test is over."""

    def __init__(self, fault: Look) -> None:
        self.over = asyncio.Event()
        self.asked = 0
        self._fault = fault

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp's port
    ) -> list[ResolveResult]:
        self.asked += 1
        found = ["127.0.0.1"] if host == "good.example" else await self._fault(self.over)
        return [ResolveResult(hostname=host, host=a, port=port, family=socket.AF_INET, proto=0, flags=0) for a in found]

    async def close(self) -> None: ...


async def no_such_name(_: asyncio.Event) -> list[str]:
    raise OSError(socket.EAI_NONAME, "Name or service not known")


async def no_address(_: asyncio.Event) -> list[str]:
    return []


async def no_answer(over: asyncio.Event) -> list[str]:
    await over.wait()
    return ["127.0.0.1"]


async def a_thousand_addresses_one_of_them_inside(_: asyncio.Event) -> list[str]:
    return [f"203.0.{number // 250}.{number % 250 + 1}" for number in range(MANY - 1)] + ["169.254.169.254"]


@pytest.mark.parametrize(
    "fault",
    [no_such_name, no_address, no_answer, a_thousand_addresses_one_of_them_inside],
    ids=lambda one: one.__name__,
)
async def test_a_name_that_cannot_be_looked_up_is_a_failure_in_words_and_delays_no_other(fault: Look) -> None:
    names = Naming(fault)
    wire = WebhookWire(LOOPBACK, QUICK, resolver=names)
    running = asyncio.get_running_loop()
    async with receiving() as receiver:
        bad = asyncio.create_task(wire.post("http://bad.example/hooks", {}, b"{}"))
        await until(lambda: names.asked > 0)
        began = running.time()
        good = receiver.url.replace("127.0.0.1", "good.example")
        await asyncio.gather(*(wire.post(good, {}, b"{}") for _ in range(OTHERS)))
        assert running.time() - began < QUICK.attempt_seconds
        assert receiver.requests == OTHERS
        async with asyncio.timeout(QUICK.attempt_seconds + 10):
            answer = await bad
    names.over.set()
    assert answer.status is None
    assert answer.error
    assert "169.254" not in answer.error
    await wire.close()
