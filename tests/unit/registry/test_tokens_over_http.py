import base64
from collections.abc import AsyncIterator
from urllib.parse import quote_plus

import httpx
import pytest
import pytest_asyncio

from tests.support.clock import FrozenClock
from tests.support.registry_app import ISSUER, SECRET, RegistryUnderTest
from tests.support.registry_fakes import InMemoryHistory

GRANT = "grant_type=client_credentials"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RegistryUnderTest]:
    """One app for all: no token changes it."""
    folder = tmp_path_factory.mktemp("registry")
    under_test = RegistryUnderTest(InMemoryHistory().begin, clock=FrozenClock(), folder=folder)
    async with under_test.http:
        yield under_test


def basic(client_id: str = "case", secret: str = SECRET) -> str:
    """RFC 6749 section 2.3.1: form-encoded, then joined, then base64."""
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


async def ask(
    registry: RegistryUnderTest,
    form: str,
    authorization: str | None = None,
    content_type: str = "application/x-www-form-urlencoded",
) -> httpx.Response:
    headers = {"Content-Type": content_type} | ({"Authorization": authorization} if authorization else {})
    return await registry.http.post("/oauth2/token", content=form, headers=headers)


def post(client_id: str = "case", secret: str = SECRET) -> str:
    return f"{GRANT}&client_id={quote_plus(client_id)}&client_secret={quote_plus(secret)}"


async def test_both_ways_of_proof_give_a_token_that_verifies(registry: RegistryUnderTest) -> None:
    for answer in (await ask(registry, GRANT, basic()), await ask(registry, post())):
        assert answer.status_code == 200
        principal = await registry.verifier.principal(f"Bearer {answer.json()['access_token']}")
        assert (principal.subject, principal.org) == ("case", "gmc")
        assert principal.scopes == {"concerns:write", "concerns:read"}


async def test_the_answer_has_the_form_of_the_standard_and_is_kept_by_nobody(registry: RegistryUnderTest) -> None:
    answer = await ask(registry, post())
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 900)
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


async def test_a_narrower_scope_is_given_as_asked(registry: RegistryUnderTest) -> None:
    answer = await ask(registry, post() + "&scope=concerns:read")
    assert answer.json()["scope"] == "concerns:read"
    principal = await registry.verifier.principal(f"Bearer {answer.json()['access_token']}")
    assert principal.scopes == {"concerns:read"}


async def test_no_two_tokens_are_the_same(registry: RegistryUnderTest) -> None:
    assert await registry.token("case") != await registry.token("case")


@pytest.mark.parametrize(
    ("form", "authorization", "status", "error"),
    [
        (post(secret="wrong"), None, 401, "invalid_client"),
        (post(client_id="nobody"), None, 401, "invalid_client"),
        (GRANT, None, 401, "invalid_client"),
        (f"{GRANT}&client_id=case", None, 401, "invalid_client"),
        (GRANT, basic(secret="wrong"), 401, "invalid_client"),
        (GRANT, "Basic !!!", 401, "invalid_client"),
        (GRANT, "Basic " + base64.b64encode(b"no colon").decode(), 401, "invalid_client"),
        (GRANT, "Basic " + base64.b64encode(b"\xff:\xff").decode(), 401, "invalid_client"),
        (GRANT, "Bearer abc", 401, "invalid_client"),
        (post() + "&scope=graph:write", None, 400, "invalid_scope"),
        (post() + "&scope=concerns:read+graph:write", None, 400, "invalid_scope"),
        (post().replace("client_credentials", "password"), None, 400, "unsupported_grant_type"),
        (post().replace(GRANT, ""), None, 400, "invalid_request"),
        (post().replace("client_credentials", ""), None, 400, "invalid_request"),
        (post() + "&client_id=case", None, 400, "invalid_request"),
        (post() + "&" + GRANT, None, 400, "invalid_request"),
        (post(), basic(), 400, "invalid_request"),
        (f"{GRANT}&client_id=clerk", basic(), 400, "invalid_request"),
        (f"{GRANT}&scope=%ff", basic(), 400, "invalid_request"),
        ("&".join(f"f{n}=1" for n in range(30)), basic(), 400, "invalid_request"),
    ],
)
async def test_a_refusal_has_the_form_of_rfc_6749(
    registry: RegistryUnderTest, form: str, authorization: str | None, status: int, error: str
) -> None:
    answer = await ask(registry, form, authorization)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_wrong_secret_and_an_unknown_client_are_told_the_same(registry: RegistryUnderTest) -> None:
    wrong, unknown = await ask(registry, post(secret="wrong")), await ask(registry, post(client_id="nobody"))
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)


async def test_a_form_in_another_type_is_refused(registry: RegistryUnderTest) -> None:
    answer = await ask(registry, post(), content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_the_metadata_leads_to_the_token_and_the_keys(registry: RegistryUnderTest) -> None:
    metadata = (await registry.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["issuer"] == ISSUER
    keys = (await registry.http.get(metadata["jwks_uri"])).json()["keys"]
    assert [(key["kty"], key["crv"], key["alg"], "d" in key) for key in keys] == [("OKP", "Ed25519", "EdDSA", False)]
    assert (await registry.http.post(metadata["token_endpoint"], content=b"")).status_code == 400
