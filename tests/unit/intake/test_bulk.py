"""Many concerns in one request: a result for each line, in the order of the lines, whatever the others say."""

from typing import Any

import httpx
import orjson
import pytest

from tests.support.intake_fakes import (
    BODY_BYTES_MAX,
    LINES_MAX,
    Front,
    InMemoryIntake,
    Rules,
    a_concern,
    bearer,
    front_of,
)

NDJSON = {"content-type": "application/x-ndjson"}


def line(number: int, **changes: Any) -> bytes:
    return orjson.dumps(a_concern(originator_ref=f"R-{number}", **changes))


async def send(client: httpx.AsyncClient, raw: bytes, header: dict[str, str] | None = None) -> httpx.Response:
    return await client.post("/v1/concerns/batch", content=raw, headers={**NDJSON, **(header or bearer())})


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text.endswith("\n")
    return [orjson.loads(row) for row in answer.text.splitlines()]


async def test_each_line_has_its_result_in_order_and_a_bad_one_spoils_no_other(
    client: httpx.AsyncClient, front: Front, store: InMemoryIntake
) -> None:
    lines = [
        line(1), b"c4n4ry", line(2), b"", line(3, originator="gmc"), line(4, version=2), line(1),
        line(1, summary="Other."), line(5, nation="c4n4ry !"), line(6, received_at="2025-01-01T00:00:00Z"), line(7),
    ]  # fmt: skip
    answer = await send(client, b"\n".join(lines) + b"\n")
    found = rows(answer)
    assert [row["status"] for row in found] == [202, 400, 202, 400, 403, 409, 202, 409, 422, 403, 202]
    assert [key.originator_ref for key in sorted(store.accepted)] == ["R-1", "R-2", "R-7"]
    assert {row["concern_id"] for row in found if row["status"] == 202} == {
        a.concern.id for a in store.accepted.values()
    }
    assert found[8]["problem"]["errors"][0]["pointer"] == "/nation"
    assert found[7]["problem"]["type"] == "urn:concordat:problem:content-differs"
    assert "c4n4ry" not in answer.text + front.telemetry.text


async def test_the_same_lines_again_are_replayed_under_the_same_ids(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    raw = b"\r\n".join(line(number) for number in range(100))
    first, again = rows(await send(client, raw)), rows(await send(client, raw))
    assert [row["concern_id"] for row in first] == [row["concern_id"] for row in again]
    assert ({row["replayed"] for row in first}, {row["replayed"] for row in again}) == ({False}, {True})
    assert store.commit_count < 50


@pytest.mark.parametrize(
    ("raw", "limit"), [(b"{}\n" * (LINES_MAX + 1), f"{LINES_MAX} lines"), (b" " * (BODY_BYTES_MAX + 1), "bytes")]
)
async def test_what_is_beyond_a_limit_is_413_naming_it(
    client: httpx.AsyncClient, raw: bytes, limit: str, store: InMemoryIntake
) -> None:
    answer = await send(client, raw)
    assert answer.status_code == 413
    assert limit in answer.json()["detail"]
    assert store.bare


async def test_as_many_lines_as_the_limit_are_taken(client: httpx.AsyncClient) -> None:
    assert len(rows(await send(client, b"{}\n" * LINES_MAX))) == LINES_MAX


@pytest.mark.parametrize(
    ("raw", "header", "status"),
    [
        (b"", bearer(), 400),
        (b"\n \n", bearer(), 400),
        (b"{}", {**bearer(), "content-type": "application/json"}, 415),
        (b"{}", bearer(scope="concerns:read"), 403),
        (b"{}", {"authorization": ""}, 401),
    ],
)
async def test_a_request_without_lines_type_or_right_is_refused_as_a_whole(
    client: httpx.AsyncClient, raw: bytes, header: dict[str, str], status: int, store: InMemoryIntake
) -> None:
    answer = await send(client, raw, header)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert store.bare


async def test_lines_for_which_there_is_no_room_or_no_store_are_to_be_sent_again(
    client: httpx.AsyncClient, store: InMemoryIntake
) -> None:
    store.away = True
    found = rows(await send(client, line(1) + b"\n" + line(2)))
    assert [row["status"] for row in found] == [503, 503]
    store.away = False
    assert {row["status"] for row in rows(await send(client, line(1) + b"\n" + line(2)))} == {202}


async def test_a_line_that_finds_no_room_to_wait_is_503() -> None:
    store = InMemoryIntake()
    front: Front = front_of(store, Rules(waiting_max=1))
    async with front.client() as client:
        found = rows(await send(client, b"\n".join(line(number) for number in range(5))))
    assert [row["status"] for row in found].count(202) >= 1
    assert {row["status"] for row in found} == {202, 503}
    assert len(store.accepted) == [row["status"] for row in found].count(202)
