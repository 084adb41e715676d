"""Keys that come, go and cannot be read, as the verifier of every service sees them."""

import asyncio
import base64
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.http.auth import Verifier
from shared.http.jwks import ASK_SECONDS, KEEP_SECONDS, REFRESH_SECONDS, RETRY_SECONDS
from shared.http.problems import Problem
from tests.support.clock import NOON, FrozenClock
from tests.support.issuers import InMemoryIssuers

ISSUER, OTHER = "https://registry.test", "https://other.test"
OLD, NEW, ELSEWHERE = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))


def jwk(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), "kid": kid}


def token(key: Ed25519PrivateKey = OLD, kid: str = "old", issuer: str = ISSUER) -> str:
    now = int(NOON.timestamp())
    claims = {"iss": issuer, "sub": "case", "aud": "concordat", "iat": now, "exp": now + 900, "org": "gmc"}
    return "Bearer " + jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": kid})


class Setting:
    """A verifier, and two issuers that publish what the test says."""

    def __init__(self) -> None:
        self.issuers = InMemoryIssuers({ISSUER: [jwk(OLD, "old")], OTHER: [jwk(ELSEWHERE, "old")]})
        self.keys = self.issuers.keys()
        self.verifier = Verifier(self.keys, audience="concordat", clock=FrozenClock())

    async def status(self, authorization: str) -> int:
        try:
            await self.verifier.principal(authorization)
        except Problem as problem:
            return problem.status
        return 200

    async def refreshed(self, authorization: str) -> int:
        """The answer after the keys were read again behind a first verification."""
        before = self.issuers.fetch_count
        await self.status(authorization)
        await read_behind()
        assert self.issuers.fetch_count == before + 1
        return await self.status(authorization)


async def read_behind() -> None:
    """Let what is read behind a verification come to its end."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "published keys"))


@pytest.fixture
async def setting() -> Setting:
    made = Setting()
    assert await made.status(token()) == 200
    assert await made.status(token(ELSEWHERE, issuer=OTHER)) == 200
    return made


async def test_a_withdrawn_key_stops_verifying_also_for_a_token_that_was_good(setting: Setting) -> None:
    setting.issuers.published[ISSUER] = [jwk(NEW, "new")]
    assert await setting.status(token()) == 200
    setting.issuers.ticks = REFRESH_SECONDS
    assert await setting.refreshed(token()) == 401
    assert await setting.status(token(NEW, "new")) == 200


async def test_a_withdrawn_last_key_stops_verifying(setting: Setting) -> None:
    setting.issuers.published[ISSUER] = []
    setting.issuers.ticks = REFRESH_SECONDS
    assert await setting.refreshed(token()) == 401


async def test_another_key_under_the_same_name_ends_the_tokens_of_the_first(setting: Setting) -> None:
    setting.issuers.published[ISSUER] = [jwk(NEW, "old")]
    setting.issuers.ticks = REFRESH_SECONDS
    assert await setting.refreshed(token()) == 401
    assert await setting.status(token(NEW)) == 200


async def test_a_key_of_one_issuer_goes_without_the_other_issuers_key_of_that_name(setting: Setting) -> None:
    setting.issuers.published[ISSUER] = []
    setting.issuers.ticks = REFRESH_SECONDS
    assert await setting.refreshed(token()) == 401
    assert await setting.status(token(ELSEWHERE, issuer=OTHER)) == 200


async def test_a_key_that_stays_is_remembered_and_is_read_again_once_for_many_requests(setting: Setting) -> None:
    setting.issuers.ticks = REFRESH_SECONDS
    before = setting.issuers.fetch_count
    assert set(await asyncio.gather(*(setting.status(token()) for _ in range(50)))) == {200}
    await read_behind()
    assert await setting.status(token()) == 200
    assert setting.issuers.fetch_count == before + 1


async def test_an_issuer_that_is_away_keeps_its_keys_for_an_hour_and_no_longer(setting: Setting) -> None:
    setting.issuers.away = True
    setting.issuers.ticks = KEEP_SECONDS - 1
    assert await setting.refreshed(token()) == 200
    setting.issuers.ticks = KEEP_SECONDS + RETRY_SECONDS
    assert await setting.status(token()) == 503
    setting.issuers.away = False
    setting.issuers.ticks += RETRY_SECONDS
    assert await setting.status(token()) == 200


async def test_an_issuer_that_is_away_is_not_asked_at_every_request(setting: Setting) -> None:
    setting.issuers.away = True
    setting.issuers.ticks = ASK_SECONDS
    before = setting.issuers.fetch_count
    assert [await setting.status(token(NEW, "new")) for _ in range(20)] == [503] * 20
    assert setting.issuers.fetch_count == before + 1


async def test_made_up_key_names_do_not_make_the_issuer_be_asked_each_time(setting: Setting) -> None:
    setting.issuers.ticks = ASK_SECONDS
    before = setting.issuers.fetch_count
    assert {await setting.status(token(NEW, f"k{n}")) for n in range(20)} == {401}
    assert setting.issuers.fetch_count == before + 1


@pytest.mark.parametrize("answer", ["gone", [], {"keys": "none"}, {"keyz": []}, 7], ids=repr)
async def test_an_answer_that_is_no_set_of_keys_withdraws_nothing(setting: Setting, answer: Any) -> None:
    setting.issuers.answer = answer
    setting.issuers.ticks = REFRESH_SECONDS
    assert await setting.refreshed(token()) == 200


async def test_keys_of_other_kinds_and_without_a_name_are_passed_over(setting: Setting) -> None:
    nameless = {name: value for name, value in jwk(NEW, "").items() if name != "kid"}
    odd: list[Any] = [{"kty": "XX", "kid": "x"}, {**jwk(NEW, "x"), "x": 5}, {}, "key", None, nameless, jwk(OLD, "old")]
    setting.issuers.published[ISSUER] = odd
    setting.issuers.ticks = REFRESH_SECONDS
    assert await setting.refreshed(token()) == 200
    assert await setting.status(token(NEW, "None")) == 401
