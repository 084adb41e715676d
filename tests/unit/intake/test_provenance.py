"""A concern that is built on others: what it may name, the way it has come, and what follows what became of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.model import ConcernId, Decided, TakenBack, Told, Undone
from services.intake.usecases import note_decisions
from shared.contracts.concern import ConcernRecalled, ConcernSubmitted
from shared.contracts.topics import CONCERNS
from tests.support.clock import NOON
from tests.support.intake_fakes import JSON_TYPE, InMemoryIntake, a_concern, bearer, front_of

GIVEN = {"header": "full", "narrative": "generalise"}
UNKNOWN = "con_" + "0" * 32


class Desk:
    """Bodies that submit, are told, and build on what they were told."""

    def __init__(self, client: httpx.AsyncClient, store: InMemoryIntake) -> None:
        self.client, self.store, self.count = client, store, 0

    async def submit(self, org: str, *sources: dict[str, Any], **changes: Any) -> httpx.Response:
        self.count += 1
        named = {"originator": org, "originator_ref": f"R-{self.count}", "provenance": list(sources) or None}
        return await self.post("/v1/concerns", org, **{**named, **changes})

    async def amend(self, concern_id: str, org: str, *sources: dict[str, Any], **changes: Any) -> httpx.Response:
        named = {"originator": org, "provenance": list(sources) or None, **changes}
        return await self.post(f"/v1/concerns/{concern_id}/versions", org, **named)

    async def post(self, path: str, org: str, **changes: Any) -> httpx.Response:
        raw = orjson.dumps(a_concern(**changes))
        return await self.client.post(path, content=raw, headers={**JSON_TYPE, **bearer(org)})

    async def raised(self, org: str, *sources: dict[str, Any]) -> str:
        answer = await self.submit(org, *sources)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["concern_id"])

    async def told(self, concern_id: str, org: str, version: int = 1, onward: str = "free") -> dict[str, Any]:
        """The router tells a body; gives what the body then names as a source."""
        self.count += 1
        notice_id = f"ntc_{self.count:032x}"
        told = (Told(org, notice_id, "PERMITTED", onward, GIVEN),)
        await self.note(Decided(f"evt_{self.count}", ConcernId(concern_id), version, NOON, 1, told))
        return {"concern_id": concern_id, "notice_id": notice_id}

    async def note(self, entry: Decided | Undone) -> None:
        await note_decisions([entry], [], begin=self.store.begin)

    async def recall(self, concern_id: str, org: str) -> httpx.Response:
        path = f"/v1/concerns/{concern_id}/recall"
        return await self.client.post(path, json={"reason": "wrong-facts"}, headers=bearer(org))

    async def read(self, concern_id: str, org: str) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/concerns/{concern_id}", headers=bearer(org))
        found: dict[str, Any] = answer.json()
        return found

    def said(self) -> list[ConcernSubmitted | ConcernRecalled]:
        rows = [row for row in (*self.store.offered, *self.store.waiting.values()) if row.topic == CONCERNS.name]
        return [_event(row.value) for row in rows]

    def submitted(self, concern_id: str) -> ConcernSubmitted:
        """The newest version that was announced."""
        found = [e for e in self.said() if isinstance(e, ConcernSubmitted) and e.data.concern_id == concern_id]
        return max(found, key=lambda event: event.data.version)

    def recalled(self, concern_id: str) -> list[str]:
        return next(
            e.data.descendants for e in self.said() if isinstance(e, ConcernRecalled) and e.subject == concern_id
        )


def _event(raw: bytes) -> ConcernSubmitted | ConcernRecalled:
    kind = ConcernRecalled if b"concern.recalled" in raw else ConcernSubmitted
    return kind.model_validate_json(raw)


def places(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    return [row["pointer"] for row in answer.json()["errors"]]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    store = InMemoryIntake()
    async with front_of(store).client() as client:
        yield Desk(client, store)


async def test_a_concern_carries_the_way_that_it_has_come(desk: Desk) -> None:
    first = await desk.raised("cqc")
    source = await desk.told(first, "gmc", onward="ask_originator")
    leave = {"to": ["nmc"], "given_by": "the duty desk of CQC"}
    built = await desk.raised("gmc", {**source, "leave": leave})
    (hop,) = desk.submitted(built).data.routing["provenance"]
    assert hop == {
        "from": "cqc", "to": "gmc", "onward": "ask_originator", "fields": GIVEN, "granted": ["nmc"],
        "granted_by": "the duty desk of CQC", "version": 1, **source,
    }  # fmt: skip
    assert "provenance" not in desk.submitted(first).data.routing


async def test_the_way_grows_by_a_hop_with_each_body_and_names_no_hop_twice(desk: Desk) -> None:
    first = await desk.raised("cqc")
    to_gmc, to_nmc = await desk.told(first, "gmc"), await desk.told(first, "nmc")
    second = await desk.raised("gmc", to_gmc)
    third = await desk.raised("nmc", await desk.told(second, "nmc"), to_nmc)
    fourth = await desk.raised("hse", await desk.told(third, "hse"), await desk.told(second, "hse"))
    ways = [
        [hop["from"] + ">" + hop["to"] for hop in desk.submitted(c).data.routing["provenance"]] for c in (third, fourth)
    ]
    assert ways == [["cqc>gmc", "gmc>nmc", "cqc>nmc"], ["cqc>gmc", "gmc>nmc", "cqc>nmc", "nmc>hse", "gmc>hse"]]


async def test_each_source_that_cannot_stand_is_named_with_its_place(desk: Desk) -> None:
    told_of, recalled, withdrawn, corrected = [await desk.raised("cqc") for _ in range(4)]
    good = await desk.told(told_of, "gmc")
    of_recalled, of_withdrawn = await desk.told(recalled, "gmc"), await desk.told(withdrawn, "gmc")
    of_corrected = await desk.told(corrected, "gmc")
    await desk.recall(recalled, "cqc")
    back = TakenBack("gmc", "ntc_w", of_withdrawn["notice_id"], 1, "EXPIRED")
    await desk.note(Undone("evt_w", ConcernId(withdrawn), 1, NOON, "withdrawal", (back,)))
    await desk.amend(corrected, "cqc", version=2, originator_ref="R-4")
    of_others = await desk.told(told_of, "nmc")
    answer = await desk.submit(
        "gmc", good, good, {**good, "concern_id": UNKNOWN}, of_recalled, of_withdrawn, of_corrected
    )
    assert places(answer) == [
        "/provenance/1/concern_id", "/provenance/2/notice_id", "/provenance/3/concern_id", "/provenance/4/notice_id",
        "/provenance/5/notice_id",
    ]  # fmt: skip
    assert len({row["detail"] for row in answer.json()["errors"]}) == 5
    assert places(await desk.submit("gmc", of_others)) == ["/provenance/0/notice_id"]
    assert len(desk.store.accepted) == 5


async def test_what_one_was_not_told_of_and_what_does_not_exist_are_answered_alike(desk: Desk) -> None:
    first = await desk.raised("cqc")
    of_nmc = await desk.told(first, "nmc")
    unknown = {"concern_id": UNKNOWN, "notice_id": "ntc_" + "f" * 32}
    one, other = await desk.submit("gmc", of_nmc), await desk.submit("gmc", unknown)
    assert one.json()["errors"] == other.json()["errors"]


async def test_the_form_of_a_source_is_checked_field_by_field(desk: Desk) -> None:
    bad = {"concern_id": "con_1", "notice_id": 7, "onward": "free", "leave": {"to": []}}
    assert sorted(places(await desk.submit("gmc", bad))) == [
        "/provenance/0/concern_id", "/provenance/0/leave/given_by", "/provenance/0/leave/to", "/provenance/0/notice_id",
        "/provenance/0/onward",
    ]  # fmt: skip


async def test_many_at_once_are_refused_line_by_line(desk: Desk) -> None:
    first = await desk.raised("cqc")
    good = await desk.told(first, "gmc")
    sources = ([good], [{**good, "concern_id": UNKNOWN}])
    lines = [a_concern(originator="gmc", originator_ref=f"L-{n}", provenance=s) for n, s in enumerate(sources)]
    answer = await desk.client.post(
        "/v1/concerns/batch",
        content=b"\n".join(map(orjson.dumps, lines)),
        headers={"content-type": "application/x-ndjson", **bearer("gmc")},
    )
    assert [orjson.loads(line)["status"] for line in answer.content.splitlines()] == [202, 422]


async def test_the_same_again_is_answered_as_it_was_whatever_became_of_its_source(desk: Desk) -> None:
    first = await desk.raised("cqc")
    source = await desk.told(first, "gmc")
    again = {"originator_ref": "same"}
    one = await desk.submit("gmc", source, **again)
    await desk.recall(first, "cqc")
    two = await desk.submit("gmc", source, **again)
    assert two.status_code == 202
    assert two.json()["concern_id"] == one.json()["concern_id"]
    assert two.headers["idempotent-replayed"] == "true"
    assert (await desk.submit("gmc", source, **again, summary="other")).status_code == 409


async def test_a_recall_names_all_that_came_of_it_and_nothing_else(desk: Desk) -> None:
    first, other = await desk.raised("cqc"), await desk.raised("cqc")
    second = await desk.raised("gmc", await desk.told(first, "gmc"), await desk.told(other, "gmc"))
    third = await desk.raised("nmc", await desk.told(second, "nmc"))
    await desk.recall(first, "cqc")
    assert desk.recalled(first) == sorted([second, third])
    statuses = [(await desk.read(c, org))["status"] for c, org in ((second, "gmc"), (third, "nmc"), (other, "cqc"))]
    assert statuses == ["recalled", "recalled", "routed"]


async def test_what_came_of_a_recalled_concern_is_amended_no_more(desk: Desk) -> None:
    first = await desk.raised("cqc")
    source = await desk.told(first, "gmc")
    second = await desk.raised("gmc", source)
    await desk.recall(first, "cqc")
    answer = await desk.amend(second, "gmc", source, version=2, originator_ref="R-3")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:concordat:problem:recalled")


async def test_a_correction_names_what_stands_on_what_was_said_before(desk: Desk) -> None:
    first = await desk.raised("cqc")
    second = await desk.raised("gmc", await desk.told(first, "gmc"))
    await desk.amend(first, "cqc", version=2, originator_ref="R-1")
    assert desk.submitted(first).data.descendants == [second]
    assert desk.submitted(second).data.descendants is None


async def test_a_version_names_all_the_sources_of_those_before_as_they_stand_now(desk: Desk) -> None:
    first, other = await desk.raised("cqc"), await desk.raised("cqc")
    old = await desk.told(first, "gmc")
    second = await desk.raised("gmc", old)
    reference = {"version": 2, "originator_ref": f"R-{desk.count}"}
    added = await desk.told(other, "gmc")
    assert places(await desk.amend(second, "gmc", added, **reference)) == ["/provenance"]
    assert places(await desk.amend(second, "gmc", **reference)) == ["/provenance"]
    await desk.amend(first, "cqc", version=2, originator_ref="R-1")
    assert places(await desk.amend(second, "gmc", old, **reference)) == ["/provenance/0/notice_id"]
    new = await desk.told(first, "gmc", version=2)
    assert (await desk.amend(second, "gmc", new, added, **reference)).status_code == 202
    assert [hop["version"] for hop in desk.submitted(second).data.routing["provenance"]] == [2, 1]


async def test_a_concern_is_never_built_on_what_came_of_it(desk: Desk) -> None:
    first = await desk.raised("cqc")
    second = await desk.raised("gmc", await desk.told(first, "gmc"))
    back = await desk.told(second, "cqc")
    answer = await desk.amend(first, "cqc", back, version=2, originator_ref="R-1")
    assert places(answer) == ["/provenance/0/concern_id"]


BODIES = ("cqc", "gmc", "nmc")
steps = st.lists(
    st.tuples(st.sampled_from(("build", "build", "recall")), st.integers(0, 7), st.integers(0, 7)), max_size=12
)


@given(steps)
def test_p22_a_recall_reaches_the_transitive_closure_of_what_was_built_and_nothing_is_built_behind_it(
    acts: list[tuple[str, int, int]],
) -> None:
    asyncio.run(_built_and_recalled(acts))


async def _built_and_recalled(acts: list[tuple[str, int, int]]) -> None:
    """Against a plain model: who was built on whom, and what is gone."""
    store = InMemoryIntake()
    async with front_of(store).client() as client:
        desk = Desk(client, store)
        owner = {await desk.raised("cqc"): "cqc", await desk.raised("gmc"): "gmc"}
        parents: dict[str, set[str]] = {name: set() for name in owner}
        gone: set[str] = set()
        for act, one, two in acts:
            names = list(owner)
            picked = list(dict.fromkeys((names[one % len(names)], names[two % len(names)])))
            if act == "build":
                org = BODIES[(one + two) % len(BODIES)]
                sources = [await desk.told(name, org) for name in picked]
                answer = await desk.submit(org, *sources)
                assert (answer.status_code == 202) == (not gone & set(picked))
                if answer.status_code == 202:
                    owner[answer.json()["concern_id"]], parents[answer.json()["concern_id"]] = org, set(picked)
                continue
            first = picked[0]
            reached = {name for name in owner if first in _ancestors(name, parents)}
            if first not in gone:
                assert (await desk.recall(first, owner[first])).status_code == 202
                assert desk.recalled(first) == sorted(reached)
                gone |= {first, *reached}
        stands = {name: (await desk.read(name, org))["status"] for name, org in owner.items()}
        assert {name for name, status in stands.items() if status == "recalled"} == gone


def _ancestors(name: str, parents: dict[str, set[str]]) -> set[str]:
    return set().union(*({one} | _ancestors(one, parents) for one in parents[name]))
