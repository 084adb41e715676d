"""One connection after the other and one request after the other: what is kept, what is not, and what may be said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.notifier.adapters.connections import place_of, request_of
from services.notifier.adapters.webhook import Timeouts, WebhookWire
from services.notifier.domain.model import Answer
from tests.integration.notifier.test_dns_faults import Naming, no_such_name
from tests.integration.notifier.test_webhook import LOOPBACK
from tests.support.waiting import until

PATIENT = Timeouts(connect_seconds=20, attempt_seconds=20)
KEPT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Seen:
    """What a server was sent, by connection."""

    url: str = ""
    requests: list[int] = field(default_factory=list)
    ended: int = 0


@asynccontextmanager
async def answering(*answers: bytes, lets_go: bool = False, also: bytes = b"") -> AsyncIterator[Seen]:
    """Gives each connection these answers, one a request; `also` comes unasked after the last of them."""
    seen = Seen()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(seen.requests)
        seen.requests.append(0)
        try:
            for answer in answers:
                await reader.readuntil(b"body")
                seen.requests[number] += 1
                writer.write(answer)
            if also:
                await writer.drain()
                writer.write(also)
            if not lets_go:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            seen.ended += 1
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks?a=1"
    try:
        yield seen
    finally:
        server.close()


@asynccontextmanager
async def a_wire() -> AsyncIterator[WebhookWire]:
    wire = WebhookWire(LOOPBACK, PATIENT)
    try:
        yield wire
    finally:
        await wire.close()


async def test_one_connection_takes_request_after_request() -> None:
    async with answering(*[KEPT] * 5) as seen, a_wire() as wire:
        assert [await wire.post(seen.url, {}, b"body") for _ in range(5)] == [Answer(204)] * 5
        assert seen.requests == [5]
    await until(lambda: seen.ended == 1)


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n", b"well"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell", b"well"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
    ids=["chunked", "early hints", "continue"],
)
async def test_every_form_of_a_whole_answer_is_one_and_leaves_the_connection_usable(said: bytes, body: bytes) -> None:
    async with answering(said, said) as seen, a_wire() as wire:
        assert [await wire.post(seen.url, {}, b"body") for _ in range(2)] == [Answer(200, body)] * 2
        assert seen.requests == [2]


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\n\r\nall of it", b"HTTP/1.0 200 OK\r\n\r\nall of it"])
async def test_an_answer_without_a_length_ends_with_its_connection(said: bytes) -> None:
    async with answering(said, lets_go=True) as seen, a_wire() as wire:
        assert [await wire.post(seen.url, {}, b"body") for _ in range(2)] == [Answer(200, b"all of it")] * 2
        assert seen.requests == [1, 1]


async def test_a_chunked_answer_that_is_cut_off_is_none() -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n"
    async with answering(said, lets_go=True) as seen, a_wire() as wire:
        assert await wire.post(seen.url, {}, b"body") == Answer(None, error="no answer: AnswerCutOff")


async def test_a_switch_to_another_protocol_is_no_delivery() -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    async with answering(said) as seen, a_wire() as wire:
        assert await wire.post(seen.url, {}, b"body") == Answer(None, error="no answer: AnswerMalformed")


async def test_a_connection_on_which_anything_comes_unasked_is_not_used_again() -> None:
    async with answering(KEPT, also=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother") as seen, a_wire() as wire:
        for number in range(1, 4):
            assert await wire.post(seen.url, {}, b"body") == Answer(204)
            await until(lambda number=number: seen.ended == number)
        assert seen.requests == [1, 1, 1]


async def test_a_connection_that_the_other_side_has_closed_is_not_used_again() -> None:
    async with answering(KEPT, lets_go=True) as seen, a_wire() as wire:
        for number in range(1, 4):
            assert (await wire.post(seen.url, {}, b"body")).status == 204
            resting = next(iter(wire._connections._idle.values()), [])
            await until(lambda resting=resting: not any(one.rests for one in resting))
            assert seen.requests == [1] * number


async def test_what_nobody_uses_any_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifier.adapters.connections.KEEPALIVE_SECONDS", 0.02)
    async with answering(KEPT, KEPT) as seen, a_wire() as wire:
        assert (await wire.post(seen.url, {}, b"body")).status == 204
        await until(lambda: seen.ended == 1)
        assert wire._connections._idle == {}


@pytest.mark.parametrize(("seconds", "requests"), [(0.0, [1, 1, 1]), (300.0, [3])])
async def test_a_connection_grows_so_old_and_its_name_is_looked_up_again(
    monkeypatch: pytest.MonkeyPatch, seconds: float, requests: list[int]
) -> None:
    monkeypatch.setattr("services.notifier.adapters.connections.AGE_SECONDS_MAX", seconds)
    names = Naming(no_such_name)
    wire = WebhookWire(LOOPBACK, PATIENT, resolver=names)
    async with answering(*[KEPT] * 3) as seen:
        url = seen.url.replace("127.0.0.1", "good.example")
        assert [await wire.post(url, {}, b"body") for _ in range(3)] == [Answer(204)] * 3
        assert seen.requests == requests
        assert names.asked == len(requests)
        await wire.close()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb"])
def test_a_value_that_would_be_two_headers_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="end of a line"):
        request_of("POST", place_of("https://body.example/"), {"Authorization": value}, b"")


@pytest.mark.parametrize(
    ("url", "name", "port", "target"),
    [
        ("https://body.example", "body.example", 443, "/"),
        ("https://body.example:443/a/b?c=d&e", "body.example", 443, "/a/b?c=d&e"),
        ("https://body.example:8443?x", "body.example:8443", 8443, "/?x"),
        ("http://[::1]:80/%7Ea;b=1#not-sent", "[::1]", 80, "/%7Ea;b=1"),
    ],
)
def test_an_address_is_asked_for_as_it_is_written(url: str, name: str, port: int, target: str) -> None:
    place = place_of(url)
    assert (place.name, place.port, place.target) == (name, port, target)
    sent = request_of("POST", place, {"webhook-id": "ntc_1"}, b"body")
    assert (
        sent == f"POST {target} HTTP/1.1\r\nHost: {name}\r\nwebhook-id: ntc_1\r\nContent-Length: 4\r\n\r\nbody".encode()
    )
