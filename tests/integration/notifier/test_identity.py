"""Who is who on the wire: server certificates, client certificates, bearer tokens; each on real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web

from services.notifier.adapters.certificates import certificate_fault
from services.notifier.adapters.webhook import Identity, Timeouts, WebhookWire
from services.notifier.domain.consent import read_handshake
from services.notifier.domain.destination import Guard
from services.notifier.domain.model import Access, Answer, OAuthClient
from tests.integration.notifier.test_webhook import Scripted
from tests.support.certificates import Authority
from tests.support.waiting import dawdle

NAME = "receiver.example"
BODY = b'{"secret": "detail"}'


@dataclass
class Seen:
    """What a server has seen."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)
    tokens: list[str | None] = field(default_factory=list)


@asynccontextmanager
async def serving(
    context: ssl.SSLContext | None = None, answer: Callable[[web.Request], Awaitable[web.Response]] | None = None
) -> AsyncIterator[Seen]:
    seen = Seen()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.bodies.append(await request.read())
        seen.peers.add(request.transport and request.transport.get_extra_info("peername"))
        seen.tokens.append(request.headers.get("Authorization"))
        return await answer(request) if answer else web.Response(status=204)  # type: ignore[arg-type]  # a plain server's request

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    seen.port = runner.addresses[0][1]
    try:
        yield seen
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wire_to(*ports: int, authorities: Path | None = None) -> AsyncIterator[WebhookWire]:
    guard = Guard(allow_http=True, networks=(ip_network("127.0.0.1/32"),), ports=frozenset(ports))
    identity = Identity("concordat.example", authorities)
    resolver = Scripted(*[["127.0.0.1"]] * 20)
    wire = WebhookWire(guard, Timeouts(20, 20), identity=identity, resolver=resolver)
    try:
        yield wire
    finally:
        await wire.close()


async def posted(seen: Seen, authorities: Path, access: Access | None = None, *, name: str = NAME) -> Answer:
    async with wire_to(seen.port, authorities=authorities) as wire:
        return await wire.post(f"https://{name}:{seen.port}/hooks", {"content-type": "text/plain"}, BODY, access)


async def test_a_certificate_of_a_trusted_authority_for_that_name_is_accepted(tmp_path: Path) -> None:
    ours = Authority.make(tmp_path)
    async with serving(ours.server(tmp_path, ours.issue(NAME))) as seen:
        assert (await posted(seen, ours.file)).status == 204
        assert seen.bodies == [BODY]


async def test_a_wrong_certificate_gets_not_one_byte_of_the_body(tmp_path: Path) -> None:
    ours, other = Authority.make(tmp_path), Authority.make(tmp_path, "other")
    for pem in (ours.issue("elsewhere.example"), ours.issue(NAME, ended=True), other.issue(NAME)):
        async with serving(ours.server(tmp_path, pem)) as seen:
            answer = await posted(seen, ours.file)
            assert answer == Answer(None, error="not sent: the certificate of the endpoint does not verify")
            assert seen.bodies == []


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated:DeprecationWarning")
async def test_an_old_protocol_is_refused(tmp_path: Path) -> None:
    ours = Authority.make(tmp_path)
    context = ours.server(tmp_path, ours.issue(NAME))
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(context) as seen:
        answer = await posted(seen, ours.file)
        assert (answer.status, seen.bodies) == (None, [])
        assert answer.error


async def test_a_client_certificate_opens_one_pooled_connection_and_nobody_gets_in_without(tmp_path: Path) -> None:
    ours = Authority.make(tmp_path)
    access = Access(certificate=ours.issue("concordat.example"))
    async with serving(ours.server(tmp_path, ours.issue(NAME), clients=True)) as seen:
        assert (await posted(seen, ours.file)).status is None
        assert seen.bodies == []
        async with wire_to(seen.port, authorities=ours.file) as wire:
            url = f"https://{NAME}:{seen.port}/hooks"
            assert [(await wire.post(url, {}, BODY, access)).status for _ in range(3)] == [204] * 3
        assert len(seen.peers) == 1


async def test_a_certificate_whose_key_is_anothers_is_refused_in_words_and_never_sent(tmp_path: Path) -> None:
    ours = Authority.make(tmp_path)
    one, two = ours.issue("a.example"), ours.issue("b.example")
    mixed = (
        one.split("-----BEGIN PRIVATE KEY-----")[0] + "-----BEGIN PRIVATE KEY-----" + two.split("PRIVATE KEY-----")[1]
    )
    mixed += "PRIVATE KEY-----\n"
    for bad in (mixed, "no certificate", one.split("-----BEGIN PRIVATE KEY-----")[0]):
        assert certificate_fault(bad) == "the client certificate and its key do not belong together"
        async with serving() as seen, wire_to(seen.port) as wire:
            answer = await wire.post(f"http://{NAME}:{seen.port}/", {}, BODY, Access(certificate=bad))
            assert (answer.status, seen.bodies) == (None, [])
            assert answer.error.startswith("not sent: the client certificate")
    assert certificate_fault(one) is None


def token_server(*tokens: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    left = list(tokens)

    async def give(_: web.Request) -> web.Response:
        return (
            web.json_response({"access_token": left.pop(0), "expires_in": 3600}) if left else web.Response(status=400)
        )

    return give


def guarded_by(*good: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=204 if request.headers.get("Authorization") in good else 401)

    return answer


def client_of(seen: Seen) -> Access:
    return Access(oauth=OAuthClient(f"http://127.0.0.1:{seen.port}/token", "id", "se/cret", "notices"))


@pytest.mark.parametrize("refusal", [401, 407])
async def test_a_token_is_got_once_and_used_until_it_is_refused_then_got_anew_once(refusal: int) -> None:
    good = ["Bearer one"]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=204 if request.headers.get("Authorization") in good else refusal)

    async with serving(answer=token_server("one", "two")) as issuer, serving(answer=answer) as seen, wire_to() as wire:
        url = f"http://127.0.0.1:{seen.port}/hooks"
        assert [(await wire.post(url, {}, BODY, client_of(issuer))).status for _ in range(3)] == [204] * 3
        assert len(issuer.bodies) == 1
        assert issuer.bodies[0] == b"grant_type=client_credentials&scope=notices"
        assert issuer.tokens == ["Basic aWQ6c2UlMkZjcmV0"]
        good[:] = ["Bearer two"]
        assert (await wire.post(url, {}, BODY, client_of(issuer))).status == 204
        assert seen.tokens[-2:] == ["Bearer one", "Bearer two"]


async def test_a_token_that_many_find_refused_is_got_anew_once_for_all() -> None:
    """The refusals come one after the other, so that some come when the new token is there already."""
    places = iter(range(8))

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") == "Bearer two":
            return web.Response(status=204)
        await dawdle(0.02 * next(places))
        return web.Response(status=401)

    tokens = token_server("one", "two", "three", "four")
    async with serving(answer=tokens) as issuer, serving(answer=answer) as seen, wire_to() as wire:
        url, access = f"http://127.0.0.1:{seen.port}/", client_of(issuer)
        answers = await asyncio.gather(*(wire.post(url, {}, BODY, access) for _ in range(8)))
        assert [one.status for one in answers] == [204] * 8
        assert len(issuer.bodies) == 2


@pytest.mark.parametrize("lifetime", ["nan", "inf", -5, 0])
async def test_a_token_that_lives_no_sensible_time_is_refused(lifetime: float | str) -> None:
    async def give(_: web.Request) -> web.Response:
        return web.json_response({"access_token": "one", "expires_in": lifetime})

    async with serving(answer=give) as issuer, serving(answer=guarded_by("Bearer one")) as seen, wire_to() as wire:
        answer = await wire.post(f"http://127.0.0.1:{seen.port}/", {}, BODY, client_of(issuer))
        assert (answer.status, seen.bodies) == (None, [])
        assert answer.error.startswith("not sent: the token endpoint")


async def test_who_refuses_every_token_is_asked_twice_and_no_more() -> None:
    tokens = token_server("one", "two", "three")
    async with serving(answer=tokens) as issuer, serving(answer=guarded_by()) as seen, wire_to() as wire:
        answer = await wire.post(f"http://127.0.0.1:{seen.port}/", {}, BODY, client_of(issuer))
        assert (answer.status, len(seen.bodies), len(issuer.bodies)) == (401, 2, 2)


async def test_a_token_endpoint_that_gives_none_is_said_and_nothing_is_sent() -> None:
    async def garbage(_: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async def odd(_: web.Request) -> web.Response:
        return web.json_response({"access_token": ["x"]})

    for issuing, words in (
        (token_server(), "answered 400"),
        (garbage, "gave no token"),
        (odd, "no usable token"),
    ):
        async with serving(answer=issuing) as issuer, serving() as seen, wire_to() as wire:
            answer = await wire.post(f"http://127.0.0.1:{seen.port}/", {}, BODY, client_of(issuer))
            assert (answer.status, seen.bodies) == (None, [])
            assert words in answer.error


async def test_the_handshake_asks_with_our_name_and_reads_the_consent() -> None:
    asked: list[web.Request] = []

    async def consent(request: web.Request) -> web.Response:
        asked.append(request)
        named = {"WebHook-Allowed-Origin": request.headers["WebHook-Request-Origin"], "WebHook-Allowed-Rate": "90"}
        return web.Response(status=200, headers=named)

    async with serving(answer=consent) as seen, wire_to() as wire:
        answer = await wire.ask(f"http://127.0.0.1:{seen.port}/", {"WebHook-Request-Rate": "100"})
        found = read_handshake(answer, origin="concordat.example")
        assert found == read_handshake(
            Answer(200, headers={"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "90"}), origin="x"
        )
        assert (asked[0].method, asked[0].headers["WebHook-Request-Origin"]) == ("OPTIONS", "concordat.example")
        assert (await wire.post(f"http://127.0.0.1:{seen.port}/", {}, BODY)).status == 200
        assert asked[1].headers["WebHook-Request-Origin"] == "concordat.example"
