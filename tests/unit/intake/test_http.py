"""The routes of intake over ASGI on the in-memory store: every answer, and that a refusal leaves no trace."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import httpx
import orjson
import pytest

from services.intake.domain import errors
from services.intake.domain.model import ConcernId, Decided, NoticeTurn, Told
from services.intake.entrypoints.desk import FAULTS
from tests.support.clock import NOON
from tests.support.intake_fakes import (
    BODY_BYTES_MAX,
    EVENT_TYPE,
    JSON_TYPE,
    OPERATOR,
    Front,
    InMemoryIntake,
    Rules,
    a_concern,
    bearer,
    front_of,
)

CANARY = "c4n4ry"
GOOD = orjson.dumps(a_concern())
TRACE = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}


async def post(
    client: httpx.AsyncClient, raw: bytes = GOOD, headers: Mapping[str, str] = MappingProxyType({})
) -> httpx.Response:
    return await client.post("/v1/concerns", content=raw, headers={**JSON_TYPE, **bearer(), **headers})


async def accepted_id(client: httpx.AsyncClient, **changes: Any) -> ConcernId:
    answer = await post(client, orjson.dumps(a_concern(**changes)))
    return ConcernId(answer.json()["concern_id"])


async def test_a_good_concern_is_accepted_with_its_id_and_link(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    answer = await post(client)
    (stored,) = store.accepted.values()
    assert answer.status_code == 202
    assert answer.json() == {
        "concern_id": stored.concern.id,
        "version": 1,
        "status": "accepted",
        "links": {"self": f"/v1/concerns/{stored.concern.id}"},
        "identifier_flags": [],
    }
    assert "idempotent-replayed" not in answer.headers


async def test_a_cloudevent_is_accepted_and_is_the_same_concern(client: httpx.AsyncClient) -> None:
    plain = await post(client)
    event = {"specversion": "1.0", "id": "e1", "source": "/cases", "type": "uk.concordat.concern.submitted.v1"}
    wrapped = await post(client, orjson.dumps({**event, "data": a_concern()}), EVENT_TYPE)
    assert (wrapped.status_code, wrapped.json()) == (202, plain.json())
    assert wrapped.headers["idempotent-replayed"] == "true"


async def test_the_same_again_gets_the_same_answer_and_says_so(client: httpx.AsyncClient) -> None:
    first, again = await post(client), await post(client, headers={"idempotency-key": "anything"})
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_same_key_with_other_content_is_409(client: httpx.AsyncClient, store: InMemoryIntake) -> None:
    await post(client)
    answer = await post(client, orjson.dumps(a_concern(summary=CANARY)))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:concordat:problem:content-differs")
    assert CANARY not in answer.text
    assert len(store.accepted) == 1


async def test_many_at_once_share_transactions_and_each_gets_its_own_answer(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    raws = [orjson.dumps(a_concern(originator_ref=f"R-{n % 40}")) for n in range(80)]
    answers = await asyncio.gather(*(post(client, raw) for raw in raws))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["concern_id"] for answer in answers}) == len(store.accepted) == 40
    assert store.commit_count < 80


async def test_a_wrong_check_digit_is_accepted_and_flagged_without_its_value(
    client: httpx.AsyncClient, front: Front
) -> None:
    subjects = [{"kind": "service-user", "identifiers": [{"scheme": "nhs-number", "value": "943 476 5918"}]}]
    answer = await post(client, orjson.dumps(a_concern(subjects=subjects)))
    flags = [{"pointer": "/subjects/0/identifiers/0/value", "scheme": "nhs-number", "fault": "check-digit"}]
    assert (answer.status_code, answer.json()["identifier_flags"]) == (202, flags)
    read = await client.get(answer.json()["links"]["self"], headers=bearer())
    assert read.json()["timeline"][0]["identifier_flags"] == flags
    assert "5918" not in answer.text + read.text + front.telemetry.text


BAD_BODIES: dict[str, tuple[bytes, int, str]] = {
    "malformed": (b'{"originator": c4n4ry', 400, "invalid-json"),
    "empty": (b"", 400, "invalid-json"),
    "not UTF-8": (b'{"summary": "\xff c4n4ry"}', 400, "invalid-json"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 400, "invalid-json"),
    "duplicate keys": (GOOD[:-1] + b',"version":1}', 400, "invalid-json"),
    "NaN": (GOOD[:-1] + b',"nation":NaN}', 400, "invalid-json"),
    "Infinity": (GOOD[:-1] + b',"nation":-Infinity}', 400, "invalid-json"),
    "U+0000": (orjson.dumps(a_concern(summary="c4n4ry\x00")), 422, "invalid-text"),
    "lone surrogate": (GOOD[:-1] + b',"setting":"c4n4ry\\ud800"}', 422, "invalid-text"),
    "lone surrogate in a name": (GOOD[:-1] + b',"\\udfff":"c4n4ry"}', 422, "invalid-text"),
    "unknown field": (orjson.dumps({**a_concern(), "surprise": CANARY}), 422, "invalid-fields"),
    "over-long text": (orjson.dumps(a_concern(summary=CANARY * 1000)), 422, "invalid-fields"),
    "impossible date": (orjson.dumps(a_concern(incident_date="2025-02-30")), 422, "invalid-fields"),
    "nested 10,000 deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "invalid-json"),
    "nested 40 deep": (b'{"a":' * 40 + b"1" + b"}" * 40, 422, "invalid-text"),
    "lists nested 10,000 deep": (b"[" * 10_000 + b"]" * 10_000, 400, "invalid-json"),
    "10 MB": (b'{"summary":"' + CANARY.encode() * 1_750_000 + b'"}', 413, "too-large"),
    "one byte too many": (b" " * (BODY_BYTES_MAX + 1), 413, "too-large"),
    "a number of 5,000 digits": (b'{"version":' + b"9" * 5000 + b"}", 400, "invalid-json"),
    "another body's": (orjson.dumps(a_concern(originator="gmc", summary=CANARY)), 403, "not-the-originator"),
    "version 2": (orjson.dumps(a_concern(version=2)), 409, "not-the-first-version"),
    "received_at without the scope": (orjson.dumps(a_concern(received_at="2025-01-01T00:00:00Z")), 403, "historic"),
}


@pytest.mark.parametrize(("raw", "status", "slug"), BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_bad_body_gets_its_own_problem_and_leaves_no_trace(
    front: Front, store: InMemoryIntake, raw: bytes, status: int, slug: str
) -> None:
    async with front.client() as client:
        answer = await post(client, raw)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:concordat:problem:{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text + front.telemetry.text
    assert store.bare


async def test_a_body_sent_in_pieces_is_cut_off_at_the_limit(client: httpx.AsyncClient, store: InMemoryIntake) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (BODY_BYTES_MAX // 4)

    answer = await client.post("/v1/concerns", content=pieces(), headers={**JSON_TYPE, **bearer()})
    assert answer.status_code == 413
    assert store.bare


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/json-seq", "application/xml"])
async def test_another_media_type_is_415(client: httpx.AsyncClient, store: InMemoryIntake, content_type: str) -> None:
    answer = await post(client, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:concordat:problem:media-type")
    assert store.bare


NOW = int(NOON.timestamp())
BAD_CREDENTIALS: dict[str, tuple[dict[str, str], int]] = {
    "none": ({"authorization": ""}, 401),
    "basic": ({"authorization": "Basic Y3FjOmNxYw=="}, 401),
    "garbage": ({"authorization": "Bearer c4n4ry"}, 401),
    "expired": (bearer(exp=NOW - 1), 401),
    "not yet valid": (bearer(nbf=NOW + 600), 401),
    "another audience": (bearer(aud="elsewhere"), 401),
    "another issuer": (bearer(iss="https://evil.test"), 401),
    "another scope": (bearer(scope="concerns:read"), 403),
    "changed": ({"authorization": bearer()["authorization"][:-4] + "AAAA"}, 401),
}


@pytest.mark.parametrize(("header", "status"), BAD_CREDENTIALS.values(), ids=BAD_CREDENTIALS)
async def test_a_wrong_credential_is_refused_before_the_body_is_judged(
    client: httpx.AsyncClient, store: InMemoryIntake, header: dict[str, str], status: int
) -> None:
    answer = await post(client, b"not json", header)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert CANARY not in answer.text
    assert store.bare


async def test_a_stated_receipt_is_kept_where_the_deployment_and_the_scope_allow_it(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    raw = orjson.dumps(a_concern(received_at="2025-01-01T09:30:00Z"))
    answer = await post(client, raw, bearer(scope="concerns:write concerns:historic"))
    (stored,) = store.accepted.values()
    assert answer.status_code == 202
    assert stored.concern.routing["received_at"] == "2025-01-01T09:30:00Z"
    assert stored.concern.accepted_at == NOON


async def test_a_receipt_that_nobody_stated_is_now(client: httpx.AsyncClient, store: InMemoryIntake) -> None:
    await post(client)
    (stored,) = store.accepted.values()
    assert stored.concern.routing["received_at"] == "2025-03-10T12:00:00Z"


@pytest.mark.parametrize(
    ("allow_historic", "received_at"), [(False, "2025-01-01T00:00:00Z"), (True, "2099-01-01T00:00:00Z")]
)
async def test_a_receipt_that_cannot_be_is_a_field_error(
    store: InMemoryIntake, allow_historic: bool, received_at: str
) -> None:
    front = front_of(store, Rules(allow_historic=allow_historic))
    async with front.client() as client:
        answer = await post(
            client,
            orjson.dumps(a_concern(received_at=received_at)),
            bearer(scope="concerns:write concerns:historic"),
        )
    assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, ["/received_at"])
    assert store.bare


async def test_a_store_that_is_away_is_503_with_retry_after_and_promises_nothing(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    store.away = True
    answer = await post(client)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:concordat:problem:unavailable")
    assert answer.headers["retry-after"]
    assert "not known" in answer.json()["title"]
    store.away = False
    assert (await post(client)).status_code == 202


async def test_more_than_may_wait_is_503(store: InMemoryIntake) -> None:
    front = front_of(store, Rules(waiting_max=2))
    async with front.client() as client:
        raws = [orjson.dumps(a_concern(originator_ref=f"R-{n}")) for n in range(10)]
        answers = await asyncio.gather(*(post(client, raw) for raw in raws))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {202, 503}
    assert statuses.count(202) == len(store.accepted)


async def test_the_timeline_tells_when_what_happened_and_never_what_was_said(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    concern_id = await accepted_id(client, summary=CANARY)
    at = NOON + timedelta(minutes=1)
    store.entries["d"] = Decided("d", concern_id, 1, at, 1, (Told("gmc", "ntc_1", "PERMITTED"),), ("psa",))
    store.entries["o"] = NoticeTurn("o", concern_id, 1, at, "ntc_1", "gmc", "delivered", 1)
    answer = await client.get(f"/v1/concerns/{concern_id}", headers=bearer())
    seen = answer.json()
    assert (seen["status"], seen["version"], seen["available"]) == ("delivered", 1, ["psa"])
    assert [row["event"] for row in seen["timeline"]] == ["accepted", "routed", "delivered"]
    told = {
        "org": "gmc",
        "notice_id": "ntc_1",
        "reason": "PERMITTED",
        "state": "delivered",
        "at": "2025-03-10T12:01:00Z",
    }
    assert seen["told"] == [told]
    assert CANARY not in answer.text
    assert "Dr Canary" not in answer.text


async def test_an_operator_reads_every_concern(client: httpx.AsyncClient) -> None:
    concern_id = await accepted_id(client)
    answer = await client.get(f"/v1/concerns/{concern_id}", headers=OPERATOR)
    assert answer.status_code == 200


ABSENT = f"con_{'0' * 32}"


async def test_anothers_concern_and_an_absent_one_get_the_same_answer(client: httpx.AsyncClient) -> None:
    concern_id = await accepted_id(client)
    other = {**bearer("gmc"), **TRACE}
    seen = [
        await client.get(f"/v1/concerns/{name}", headers=other) for name in (concern_id, ABSENT, "x", "%00", "a%0d")
    ]
    assert {answer.status_code for answer in seen} == {404}
    assert len({answer.content for answer in seen}) == 1
    assert len({tuple(name for name, _ in answer.headers.items()) for answer in seen}) == 1


async def test_reading_needs_its_scope(client: httpx.AsyncClient) -> None:
    for path in ("/v1/concerns", f"/v1/concerns/{ABSENT}"):
        assert (await client.get(path, headers=bearer(scope="concerns:write"))).status_code == 403


async def test_a_list_is_paged_newest_first_and_holds_own_concerns_alone(
    client: httpx.AsyncClient, front: Front
) -> None:
    for number in range(5):
        await accepted_id(client, originator_ref=f"R-{number}")
        front.clock.move(timedelta(seconds=1))
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get("/v1/concerns", params=query, headers=bearer())).json()
        seen += [item["originator_ref"] for item in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen == ["R-4", "R-3", "R-2", "R-1", "R-0"]
    assert (await client.get("/v1/concerns", headers=bearer("gmc"))).json() == {"items": [], "next": None}
    assert len((await client.get("/v1/concerns", headers=OPERATOR)).json()["items"]) == 5


async def test_a_list_can_begin_at_a_moment_and_show_one_status(client: httpx.AsyncClient, front: Front) -> None:
    for number in range(4):
        concern_id = await accepted_id(client, originator_ref=f"R-{number}")
        if number % 2:
            await client.post(f"/v1/concerns/{concern_id}/recall", json={"reason": "merged"}, headers=bearer())
        front.clock.move(timedelta(seconds=1))

    async def shown(**query: Any) -> tuple[list[str], bool]:
        page = (await client.get("/v1/concerns", params=query, headers=bearer())).json()
        return [item["originator_ref"] for item in page["items"]], page["next"] is None

    assert await shown(since="2025-03-10T12:00:02Z") == (["R-3", "R-2"], True)
    assert await shown(status="recalled") == (["R-3", "R-1"], True)
    assert await shown(status="accepted", since="2025-03-10T12:00:01Z") == (["R-2"], True)
    assert await shown(status="accepted", limit=1) == ([], False)


@pytest.mark.parametrize(
    "query",
    [
        "since=c4n4ry",
        "since=2025-03-10T12:00:00",
        "status=c4n4ry",
        "after=c4n4ry",
        "after=%00",
        "limit=0",
        "limit=201",
        "limit=c4n4ry",
        "after=YQ==",
    ],
)
async def test_a_bad_page_is_refused_without_an_echo(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/concerns?{query}", headers=bearer())
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text


async def test_the_openapi_document_describes_both_bodies(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    content = document["paths"]["/v1/concerns"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/cloudevents+json"}
    assert "annex" in content["application/json"]["schema"]["properties"]
    assert "$ref" not in orjson.dumps(content).decode()


def test_every_fault_has_its_answer() -> None:
    faults = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.IntakeFault)}
    assert faults - {errors.IntakeFault} == set(FAULTS)
