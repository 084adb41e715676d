"""The route of concerns stands twice: past the framework, and in it for its documents. Both must say the same."""

from collections.abc import Mapping

import httpx
import orjson
import pytest

from tests.support.intake_fakes import (
    BODY_BYTES_MAX,
    EVENT_TYPE,
    JSON_TYPE,
    InMemoryIntake,
    Rules,
    a_concern,
    bearer,
    front_of,
)

PATH = "/v1/concerns"
GOOD = orjson.dumps(a_concern())
BOTH = tuple(front_of(InMemoryIntake(), Rules(shortcut=shortcut)) for shortcut in (True, False))

REQUESTS: Mapping[str, tuple[str, bytes, Mapping[str, str]]] = {
    "good": ("POST", GOOD, JSON_TYPE | bearer()),
    "the same again": ("POST", GOOD, JSON_TYPE | bearer()),
    "other content": ("POST", orjson.dumps(a_concern(urgency="immediate")), JSON_TYPE | bearer()),
    "no token": ("POST", GOOD, JSON_TYPE),
    "a token without the scope": ("POST", GOOD, JSON_TYPE | bearer(scope="concerns:read")),
    "somebody else's concern": ("POST", GOOD, JSON_TYPE | bearer("gmc")),
    "not the first version": ("POST", orjson.dumps(a_concern(version=2)), JSON_TYPE | bearer()),
    "no JSON": ("POST", b"{", JSON_TYPE | bearer()),
    "twice the same key": ("POST", b'{"a":1,"a":1}', JSON_TYPE | bearer()),
    "fields that are not right": ("POST", b'{"version":"one","nobody":"knows"}', JSON_TYPE | bearer()),
    "another media type": ("POST", GOOD, {"content-type": "text/plain"} | bearer()),
    "an event that is none": ("POST", GOOD, EVENT_TYPE | bearer()),
    "compressed": ("POST", GOOD, JSON_TYPE | bearer() | {"content-encoding": "gzip"}),
    "too large": ("POST", b" " * (BODY_BYTES_MAX + 1), JSON_TYPE | bearer()),
    "nothing": ("POST", b"", bearer()),
    "another method": ("PUT", GOOD, JSON_TYPE | bearer()),
    "a list": ("GET", b"", bearer()),
}


async def said(method: str, raw: bytes, headers: Mapping[str, str]) -> list[tuple[int, dict[str, str], list[str]]]:
    """Status, headers and JSON names of the answers past the framework and in it; ids and traces differ."""
    answers: list[tuple[int, dict[str, str], list[str]]] = []
    for front in BOTH:
        async with front.client() as client:
            answer = await client.request(method, PATH, content=raw, headers=dict(headers))
        answers.append((answer.status_code, _lasting(answer.headers), _shape(answer)))
    return answers


def _lasting(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("traceparent", "content-length")}


def _shape(answer: httpx.Response) -> list[str]:
    body = orjson.loads(answer.content) if answer.content else {}
    return sorted(
        f"{name}={value}" for name, value in body.items() if name not in ("concern_id", "links", "trace", "items")
    )


@pytest.mark.parametrize("name", REQUESTS)
async def test_an_answer_past_the_framework_is_the_frameworks_own(name: str) -> None:
    for front in BOTH:
        front.renew()
    past, within = await said(*REQUESTS[name])
    assert past == within


def test_what_is_past_the_framework_stands_in_its_document() -> None:
    documents = [front.app.openapi() for front in BOTH]
    assert documents[0] == documents[1]
    assert documents[0]["paths"][PATH]["post"]["requestBody"]["required"]
