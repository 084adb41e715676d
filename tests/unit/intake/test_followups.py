"""Amending and recalling over ASGI on the in-memory store: every answer, and what is announced when."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, get_args

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.model import ConcernId, Decided, NoticeTurn, RecallReason, TakenBack, Told, Undone
from services.intake.ports import Recalling
from services.intake.usecases import note_decisions
from shared.contracts.concern import ConcernRecalled, ConcernSubmitted
from shared.contracts.topics import AUDIT, CONCERNS
from shared.sealing import unseal
from tests.support.clock import NOON
from tests.support.intake_fakes import (
    EVENT_TYPE,
    JSON_TYPE,
    KEYS,
    OPERATOR,
    Front,
    InMemoryIntake,
    a_concern,
    bearer,
    front_of,
)

PROBLEM = "urn:concordat:problem:"


class Originator:
    """A body that submits one concern and what follows it."""

    def __init__(self, client: httpx.AsyncClient, concern_id: str) -> None:
        self.client, self.concern_id = client, ConcernId(concern_id)

    @property
    def path(self) -> str:
        return f"/v1/concerns/{self.concern_id}"

    async def amend(self, version: int, header: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        raw = orjson.dumps(a_concern(version=version, **changes))
        headers = {**JSON_TYPE, **(header or bearer())}
        return await self.client.post(f"{self.path}/versions", content=raw, headers=headers)

    async def recall(self, reason: str = "wrong-facts", header: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.post(f"{self.path}/recall", json={"reason": reason}, headers=header or bearer())

    async def read(self) -> dict[str, Any]:
        answer = await self.client.get(self.path, headers=bearer())
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def cqc(front: Front) -> AsyncIterator[Originator]:
    async with front.client() as client:
        answer = await client.post("/v1/concerns", content=orjson.dumps(a_concern()), headers={**JSON_TYPE, **bearer()})
        yield Originator(client, answer.json()["concern_id"])


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEM)


def announced(store: InMemoryIntake) -> list[str]:
    return [str(row.closes_with).partition("/")[2] for row in store.offered if row.topic == CONCERNS.name]


async def decide(store: InMemoryIntake, concern_id: ConcernId, version: int, *told: Told) -> None:
    said = Decided(f"evt_{version}", concern_id, version, NOON, 1, told)
    await note_decisions([said], (), begin=store.begin)


async def test_the_next_version_is_accepted_under_the_same_id(cqc: Originator, store: InMemoryIntake) -> None:
    answer = await cqc.amend(2, summary="Corrected.")
    assert answer.status_code == 202
    assert answer.json() == {
        "concern_id": cqc.concern_id,
        "version": 2,
        "status": "accepted",
        "links": {"self": cqc.path},
        "identifier_flags": [],
    }
    assert "idempotent-replayed" not in answer.headers
    assert [key.version for key in store.accepted] == [1, 2]


async def test_an_amendment_may_come_as_a_cloudevent(cqc: Originator) -> None:
    event = {"specversion": "1.0", "id": "e1", "source": "/cases", "type": "uk.concordat.concern.submitted.v1"}
    raw = orjson.dumps({**event, "data": a_concern(version=2)})
    answer = await cqc.client.post(f"{cqc.path}/versions", content=raw, headers={**EVENT_TYPE, **bearer()})
    assert (answer.status_code, answer.json()["version"]) == (202, 2)


async def test_a_version_keeps_the_partition_key_and_is_sealed_as_itself(
    cqc: Originator, store: InMemoryIntake
) -> None:
    await decide(store, cqc.concern_id, 1)
    about = [{"kind": "provider", "identifiers": [{"scheme": "cqc-provider", "value": "1-1020304050"}]}]
    await cqc.amend(2, subjects=about, summary="Another provider.")
    first, second = (row for row in store.offered if row.topic == CONCERNS.name)
    assert (second.key, second.partition) == (first.key, first.partition)
    data = ConcernSubmitted.model_validate_json(second.value).data
    assert (data.concern_id, data.version) == (cqc.concern_id, 2)
    assert unseal(data.sealed.model_dump(), KEYS.sealing, bound_to=f"{cqc.concern_id}/2")["summary"] == (
        "Another provider."
    )


async def test_a_step_is_announced_once_the_router_has_the_one_before(cqc: Originator, store: InMemoryIntake) -> None:
    await cqc.amend(2)
    await cqc.recall()
    assert announced(store) == ["1"]
    await decide(store, cqc.concern_id, 1)
    assert announced(store) == ["1", "2"]
    await decide(store, cqc.concern_id, 2)
    assert announced(store) == ["1", "2", "3"]
    event = ConcernRecalled.model_validate_json(store.offered[-1].value)
    assert (event.data.concern_id, event.data.reason) == (cqc.concern_id, "wrong-facts")


async def test_each_step_is_recorded_at_once_with_digests_and_codes_alone(
    cqc: Originator, store: InMemoryIntake
) -> None:
    await cqc.amend(2)
    await cqc.recall("barred")
    facts = [orjson.loads(row.value)["data"] for row in store.offered if row.topic == AUDIT.name]
    assert [(fact["kind"], fact["body"]["version"]) for fact in facts] == [
        ("concern-received", 1), ("concern-received", 2), ("concern-recalled", 2)
    ]  # fmt: skip
    assert facts[2]["body"] == {"version": 2, "reason": "barred", "originator": "cqc"}


async def test_the_same_version_again_gets_the_same_answer_even_after_others_and_a_recall(cqc: Originator) -> None:
    first = await cqc.amend(2, summary="Corrected.")
    await cqc.amend(3)
    await cqc.recall()
    for version, summary in ((2, "Corrected."), (3, "Canary summary."), (1, "Canary summary.")):
        again = await cqc.amend(version, summary=summary)
        assert (again.status_code, again.json()["version"]) == (202, version)
        assert again.headers["idempotent-replayed"] == "true"
    assert (await cqc.amend(2, summary="Corrected.")).json() == first.json()


async def test_the_same_version_with_other_content_is_409(cqc: Originator, store: InMemoryIntake) -> None:
    await cqc.amend(2)
    assert slug(await cqc.amend(2, summary="c4n4ry")) == (409, "content-differs")
    assert slug(await cqc.amend(1, summary="c4n4ry")) == (409, "content-differs")
    assert len(store.accepted) == 2


async def test_a_version_that_is_not_the_next_is_409_naming_the_current_one(
    cqc: Originator, store: InMemoryIntake
) -> None:
    answer = await cqc.amend(3)
    assert slug(answer) == (409, "not-the-next-version")
    assert "current version is 1" in answer.json()["detail"]
    assert len(store.accepted) == 1


async def test_every_field_that_must_be_the_stored_one_is_named_at_once(cqc: Originator, store: InMemoryIntake) -> None:
    answer = await cqc.amend(2, originator="gmc", originator_ref="c4n4ry")
    assert slug(answer) == (422, "invalid-fields")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/originator", "/originator_ref"]
    assert "c4n4ry" not in answer.text
    assert len(store.accepted) == 1


async def test_nobody_but_its_originator_learns_that_there_is_anything_to_amend_or_recall(
    cqc: Originator, store: InMemoryIntake
) -> None:
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    gmc, operator = {**bearer("gmc"), **trace}, {**OPERATOR, **trace}
    seen = [
        await cqc.amend(2, gmc, originator="gmc"), await cqc.amend(2, operator), await cqc.recall(header=gmc),
        await cqc.recall(header=operator),
    ]  # fmt: skip
    for name in (f"con_{'0' * 32}", "x", "a%0d"):
        absent = Originator(cqc.client, name)
        seen += [await absent.amend(2, gmc, originator="gmc"), await absent.recall(header=gmc)]
    assert {answer.status_code for answer in seen} == {404}
    assert len({answer.content for answer in seen}) == 1
    assert len(store.accepted) == 1
    assert not store.recalls


async def test_amending_and_recalling_need_the_scope_to_write(cqc: Originator) -> None:
    reading = bearer(scope="concerns:read")
    answers = [await cqc.amend(2, reading), await cqc.recall(header=reading)]
    assert {answer.status_code for answer in answers} == {403}


async def test_a_recall_is_answered_and_shows_and_the_same_again_says_so(cqc: Originator, front: Front) -> None:
    first = await cqc.recall("wrong-subject")
    front.clock.move(timedelta(minutes=1))
    again = await cqc.recall("wrong-subject")
    assert (first.status_code, again.status_code) == (202, 202)
    assert (
        first.json()
        == again.json()
        == {
            "concern_id": cqc.concern_id,
            "status": "recalled",
            "recall": {"reason": "wrong-subject", "at": "2025-03-10T12:00:00Z"},
            "links": {"self": cqc.path},
        }
    )
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    read = await cqc.read()
    assert (read["status"], read["recall"]) == ("recalled", first.json()["recall"])
    assert read["timeline"][-1] == {"at": "2025-03-10T12:00:00Z", "event": "recalled", "reason": "wrong-subject"}


async def test_after_a_recall_nothing_follows(cqc: Originator, store: InMemoryIntake) -> None:
    await cqc.recall()
    answers = [await cqc.amend(2), await cqc.amend(3), await cqc.amend(1, summary="Other."), await cqc.recall("barred")]
    assert {slug(answer) for answer in answers} == {(409, "recalled")}
    assert (len(store.accepted), len(store.recalls)) == (1, 1)


@pytest.mark.parametrize("reason", get_args(RecallReason))
async def test_each_code_of_the_closed_list_is_a_reason(cqc: Originator, reason: str) -> None:
    assert (await cqc.recall(reason)).status_code == 202


@pytest.mark.parametrize(
    ("raw", "status", "slugs"),
    [
        (b'{"reason":"c4n4ry"}', 422, "invalid-fields"),
        (b'{"reason":"barred","text":"c4n4ry"}', 422, "invalid-fields"),
        (b"{}", 422, "invalid-fields"),
        (b"[]", 422, "invalid-fields"),
        (b"c4n4ry", 400, "invalid-json"),
    ],
)
async def test_another_reason_or_any_text_is_refused_without_an_echo(
    cqc: Originator, store: InMemoryIntake, raw: bytes, status: int, slugs: str
) -> None:
    answer = await cqc.client.post(f"{cqc.path}/recall", content=raw, headers={**JSON_TYPE, **bearer()})
    assert slug(answer) == (status, slugs)
    assert "c4n4ry" not in answer.text
    assert not store.recalls


async def test_a_recall_of_another_media_type_is_415(cqc: Originator) -> None:
    answer = await cqc.client.post(f"{cqc.path}/recall", content=b"reason=barred", headers=bearer())
    assert answer.status_code == 415


async def test_what_the_store_cannot_take_is_503_and_safe_to_send_again(cqc: Originator, store: InMemoryIntake) -> None:
    store.away = True
    for answer in (await cqc.amend(2), await cqc.recall()):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    store.away = False
    assert (await cqc.amend(2)).status_code == (await cqc.recall()).status_code == 202


async def test_of_two_that_amend_at_once_one_is_told_that_it_came_late(cqc: Originator, store: InMemoryIntake) -> None:
    answers = await asyncio.gather(*(cqc.amend(2, summary=f"Number {n}.") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(store.accepted) == 2


class Busy(InMemoryIntake):
    """Others are always faster."""

    async def recall(self, recalling: Recalling) -> bool:  # noqa: ARG002 - the port's
        return False


async def test_who_never_gets_a_turn_is_told_to_read_again() -> None:
    async with front_of(Busy()).client() as client:
        raw = orjson.dumps(a_concern())
        answer = await client.post("/v1/concerns", content=raw, headers={**JSON_TYPE, **bearer()})
        assert slug(await Originator(client, answer.json()["concern_id"]).recall()) == (503, "contended")


async def test_every_version_is_shown_with_its_times(cqc: Originator, front: Front) -> None:
    front.clock.move(timedelta(minutes=1))
    await cqc.amend(2)
    read = await cqc.read()
    assert [(row["version"], row["accepted_at"]) for row in read["versions"]] == [
        (1, "2025-03-10T12:00:00Z"), (2, "2025-03-10T12:01:00Z")
    ]  # fmt: skip
    assert (read["version"], [row["version"] for row in read["timeline"]]) == (2, [1, 2])


async def test_what_was_taken_back_shows_with_how_far_it_has_come(cqc: Originator, store: InMemoryIntake) -> None:
    await decide(store, cqc.concern_id, 1, Told("gmc", "ntc_1", "PERMITTED"))
    taken = TakenBack("gmc", "ntc_2", "ntc_1", 1, "CATEGORY")
    undone = Undone("evt_u", cqc.concern_id, 1, NOON, "withdrawal", (taken,))
    await note_decisions([undone], (), begin=store.begin)
    row = {"org": "gmc", "notice_id": "ntc_2", "of": "ntc_1", "version": 1, "reason": "CATEGORY"}
    read = await cqc.read()
    assert read["taken_back"] == [{**row, "kind": "withdrawal", "state": "issued", "at": "2025-03-10T12:00:00Z"}]
    assert read["timeline"][-1] == {"at": "2025-03-10T12:00:00Z", "event": "withdrawn", "notices": [row]}
    store.entries["evt_t"] = NoticeTurn("evt_t", cqc.concern_id, 1, NOON, "ntc_2", "gmc", "delivered")
    assert (await cqc.read())["taken_back"][0]["state"] == "delivered"


async def test_a_recall_needs_no_more_announcing_when_the_router_has_it_whoever_was_told(
    cqc: Originator, store: InMemoryIntake
) -> None:
    await decide(store, cqc.concern_id, 1)
    await cqc.recall()
    withdrawal = Undone("evt_w", cqc.concern_id, 0, NOON, "withdrawal")
    await note_decisions([withdrawal], (), begin=store.begin)
    assert f"{cqc.concern_id}/2" not in store.closed
    recalled = [Undone("evt_r", name, 0, NOON, "recall") for name in (ConcernId("con_unknown"), cqc.concern_id)]
    await note_decisions(recalled, (), begin=store.begin)
    assert f"{cqc.concern_id}/2" in store.closed
    assert set(store.entries) == {"evt_1"}


STEPS = st.lists(st.tuples(st.sampled_from(["amend", "recall", "decide"]), st.integers(1, 4)), max_size=10)


@given(STEPS)
def test_whatever_comes_in_whatever_order_the_router_meets_each_step_after_the_one_before(
    steps: list[tuple[str, int]],
) -> None:
    store = InMemoryIntake()
    front = front_of(store)
    stored = asyncio.run(_carry(steps, store, front))
    assert announced(store) == [str(number + 1) for number in range(len(announced(store)))]
    assert [key.version for key in store.accepted] == [number + 1 for number in range(len(store.accepted))]
    assert len(announced(store)) + len(store.waiting) == len(store.accepted) + len(store.recalls)
    assert stored == len(store.accepted) + len(store.recalls) - 1


async def _carry(steps: list[tuple[str, int]], store: InMemoryIntake, front: Front) -> int:
    async with front.client() as client:
        raw = orjson.dumps(a_concern())
        answer = await client.post("/v1/concerns", content=raw, headers={**JSON_TYPE, **bearer()})
        cqc, fresh = Originator(client, answer.json()["concern_id"]), 0
        for step, version in steps:
            if step == "decide":
                await decide(store, cqc.concern_id, version) if str(version) in announced(store) else None
                continue
            said = await (cqc.amend(version) if step == "amend" else cqc.recall())
            fresh += said.status_code == 202 and "idempotent-replayed" not in said.headers
        return fresh
