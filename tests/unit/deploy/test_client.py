"""The command line's client never sends a token that has ended."""

import itertools

import httpx
import pytest

from deploy.client import Concordat, Credential, Unreachable


@pytest.mark.parametrize(("lasts", "kept", "renewed"), [(900, 839, 841), (30, 14, 16)])
async def test_a_token_is_fetched_anew_before_it_ends(lasts: int, kept: float, renewed: float) -> None:
    numbers, now = itertools.count(1), [100.0]

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": f"t{next(numbers)}", "expires_in": lasts})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    concordat = Concordat({"registry": "http://r"}, {"cqc": Credential("c", "s")}, http, now=lambda: now[0])
    assert (await concordat.authorization("cqc"))["Authorization"] == "Bearer t1"
    now[0] += kept
    assert (await concordat.authorization("cqc"))["Authorization"] == "Bearer t1"
    now[0] += renewed - kept
    assert (await concordat.authorization("cqc"))["Authorization"] == "Bearer t2"
    await concordat.close()


async def test_a_service_that_does_not_answer_is_named_with_what_to_look_into() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no connection", request=request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(away))
    concordat = Concordat({"registry": "http://r"}, {"cqc": Credential("c", "s")}, http)
    with pytest.raises(Unreachable, match="http://r/oauth2/token does not answer") as fault:
        await concordat.get("cqc", "registry", "/v1/graph")
    assert "logs" in fault.value.remedy
    await concordat.close()
