"""The wire on real sockets of loopback: checked addresses, bounded answers, nothing followed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notifier.adapters.resolver import SystemResolver
from services.notifier.adapters.webhook import ANSWER_BYTES_MAX, Timeouts, WebhookWire
from services.notifier.domain.destination import Guard
from services.notifier.domain.model import Answer
from tests.support.waiting import dawdle

QUICK = Timeouts(connect_seconds=0.5, attempt_seconds=0.5)
PATIENT = Timeouts(connect_seconds=10, attempt_seconds=10)
LOOPBACK = Guard(allow_http=True, networks=(ip_network("127.0.0.1/32"),))


class Scripted(AbstractResolver):
    """Answers with the next list of addresses each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp's port
    ) -> list[ResolveResult]:
        self.asked += 1
        found = self.answers.pop(0)
        return [ResolveResult(hostname=host, host=a, port=port, family=socket.AF_INET, proto=0, flags=0) for a in found]

    async def close(self) -> None: ...


@asynccontextmanager
async def raw_server(answer: bytes, *, endless: bool = False) -> AsyncIterator[tuple[int, Callable[[], int]]]:
    """A server that answers every connection with these bytes; gives its port and how many connections there were."""
    seen: list[bytes] = []
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            handlers.add(task)
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            while endless and not writer.is_closing():
                writer.write(answer)
                await dawdle(0.01)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], lambda: len(seen)
    finally:
        server.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def posted(
    url: str, *, guard: Guard = LOOPBACK, resolver: AbstractResolver | None = None, timeouts: Timeouts = PATIENT
) -> Answer:
    wire = WebhookWire(guard, timeouts, resolver=resolver)
    try:
        return await wire.post(url, {"content-type": "text/plain"}, b"body")
    finally:
        await wire.close()


OK = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


async def test_a_name_is_connected_to_at_its_checked_address() -> None:
    async with raw_server(OK) as (port, count):
        answer = await posted(f"http://receiver.example:{port}/", resolver=Scripted(["127.0.0.1"]))
        assert (answer.status, count()) == (204, 1)


@pytest.mark.parametrize("addresses", [["127.0.0.2"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"], ["8.8.8.8"] * 40])
async def test_one_bad_address_refuses_the_name_before_anything_is_sent(addresses: list[str]) -> None:
    answer = await posted("http://receiver.example/", resolver=Scripted(addresses))
    assert answer.status is None
    assert answer.error.startswith("not sent: the name resolves to")


async def test_a_name_that_turns_inward_between_two_attempts_is_refused_at_the_second() -> None:
    resolver = Scripted(["127.0.0.1"], ["127.0.0.9"])
    async with raw_server(OK) as (port, count):
        url = f"http://receiver.example:{port}/"
        wire = WebhookWire(LOOPBACK, PATIENT, resolver=resolver)
        first, second = [await wire.post(url, {}, b"") for _ in range(2)]
        await wire.close()
        assert (first.status, second.status, count()) == (204, None, 1)
    assert resolver.asked == 2


async def test_an_address_that_the_rules_refuse_by_form_is_not_even_tried() -> None:
    async with raw_server(OK) as (port, count):
        answer = await posted(f"http://127.0.0.1:{port}/", guard=Guard())
        assert (answer.status, count()) == (None, 0)
        assert answer.error == "not sent: only https is allowed"


async def test_the_form_of_an_address_is_looked_at_again_at_each_attempt() -> None:
    async with raw_server(OK) as (port, count):
        wire = WebhookWire(LOOPBACK, PATIENT)
        first = await wire.post(f"http://127.0.0.1:{port}/", {}, b"")
        wire._guard = Guard()
        second = await wire.post(f"http://127.0.0.1:{port}/", {}, b"")
        await wire.close()
    assert (first, second.error, count()) == (Answer(204), "not sent: only https is allowed", 1)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(OK) as (port, _), raw_server(OK) as (proxy, proxied):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert (await posted(f"http://127.0.0.1:{port}/")).status == 204
        assert proxied() == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    async with raw_server(OK) as (inner, count):
        redirect = f"HTTP/1.1 {status} Away\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(redirect.encode()) as (port, _):
            assert (await posted(f"http://127.0.0.1:{port}/")).status == status
        assert count() == 0


@pytest.mark.parametrize("name", [b"Retry-After", b"rEtRy-aFtEr"])
async def test_the_wish_to_come_later_is_kept(name: bytes) -> None:
    later = b"HTTP/1.1 503 Busy\r\n%b: 120\r\nContent-Length: 0\r\n\r\n" % name
    async with raw_server(later) as (port, _):
        answer = await posted(f"http://127.0.0.1:{port}/")
        assert (answer.status, answer.retry_after) == (503, "120")


@pytest.mark.parametrize(
    ("said", "endless"),
    [
        (b"", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", False),
        (b"nonsense\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", True),
    ],
    ids=["nothing", "cut off", "no HTTP", "endless headers", "endless 1xx", "a header that never ends"],
)
async def test_an_answer_that_does_not_arrive_whole_is_no_delivery(said: bytes, endless: bool) -> None:
    async with raw_server(said, endless=endless) as (port, _):
        answer = await posted(f"http://127.0.0.1:{port}/", timeouts=QUICK)
        assert answer.status is None
        assert answer.error.startswith("no ")


async def test_a_packed_answer_is_not_unpacked_and_a_long_one_is_cut() -> None:
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\nno gzi"
    async with raw_server(packed) as (port, _):
        assert (await posted(f"http://127.0.0.1:{port}/")).body == b"no gzi"
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    async with raw_server(long) as (port, _):
        answer = await posted(f"http://127.0.0.1:{port}/")
        assert (answer.status, len(answer.body)) == (200, ANSWER_BYTES_MAX)


async def test_nobody_at_home_is_said_in_words_without_addresses() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    answer = await posted(f"http://127.0.0.1:{port}/")
    assert answer == Answer(None, error="no answer: ConnectionRefusedError")


async def test_the_systems_resolver_finds_names_and_says_when_it_does_not() -> None:
    resolver = SystemResolver()
    found = await resolver.resolve("localhost", 80)
    assert "127.0.0.1" in {answer["host"] for answer in found}
    with pytest.raises(socket.gaierror):
        await resolver.resolve("no-such-name.invalid", 80)
    await resolver.close()
