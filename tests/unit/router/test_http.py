"""Who may ask what, and what each asker sees."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.router.domain.policy import CurrentJudge
from services.router.usecases import route_concerns
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_app import AUDITOR, CASE_SYSTEM, OPERATOR, READER, STRANGER, RouterUnderTest
from tests.support.router_fakes import InMemoryRouter, a_concern, judging

LATER = FrozenClock(NOON + timedelta(hours=1))
PREVIEW = {"originator": "alpha", "categories": ["harm"], "nation": "england", "subjects": [{"kind": "provider"}]}


@pytest.fixture(scope="module")
def store() -> InMemoryRouter:
    """One store and one app for all: what is asked here changes no decision."""
    return InMemoryRouter()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def router(store: InMemoryRouter) -> AsyncIterator[RouterUnderTest]:
    current = judging(small.org("gamma", small.remit()))
    batch = Batch((a_concern(1), a_concern(2, categories=["theft"]), a_concern(3, nation="atlantis")), ())
    await route_concerns(batch, current=current, ledger=store, clock=FrozenClock())
    under_test = RouterUnderTest(store, current, LATER)
    async with under_test.http:
        yield under_test


async def test_an_operator_sees_every_organisation_with_a_sentence(router: RouterUnderTest) -> None:
    answer = (await router.get("/v1/decisions/con_1")).json()
    assert answer["told"][0]["org"] == "beta"
    assert answer["told"][0]["notice_id"].startswith("ntc_")
    assert answer["told"][0]["sentence"].startswith("This organisation is told because")
    assert answer["not_told"]["gap"] == [
        {"reason": "NO_PATH", "sentence": "No agreement joins the two organisations.", "organisations": ["gamma"]}
    ]
    assert answer["totals"]["gap"] == answer["totals"]["told"] == answer["totals"]["originator"] == 1
    assert (answer["graph"]["version"], answer["as_of"]) == (1, "2025-03-03T10:00:00Z")
    assert len(answer["digest"]) == len(answer["body_digest"]) == 64


async def test_the_originator_sees_whom_it_told_and_of_the_others_only_how_many(router: RouterUnderTest) -> None:
    answer = await router.get("/v1/decisions/con_1", by=READER)
    body = answer.json()
    assert [row["org"] for row in body["told"]] == ["beta"]
    assert body["totals"]["gap"] == 1
    assert "gamma" not in answer.text
    assert "not_told" not in body


async def test_whom_the_originator_may_choose_is_shown_with_the_reason(router: RouterUnderTest) -> None:
    body = (await router.get("/v1/decisions/con_2", by=READER)).json()
    assert [row["org"] for row in body["available"]] == ["beta"]
    assert (body["told"], body["unroutable"]) == ([], True)


async def test_a_hold_is_explained_to_its_originator(router: RouterUnderTest) -> None:
    body = (await router.get("/v1/decisions/con_3", by=READER)).json()
    assert body["hold"][0]["code"] == "HOLD_UNKNOWN_TERM"
    assert body["detail"] == ["nation: atlantis"]


@pytest.mark.parametrize("path", ["/v1/decisions/con_{}", "/v1/decisions/con_{}/organisations/gamma"])
async def test_what_one_may_not_see_answers_like_what_does_not_exist(router: RouterUnderTest, path: str) -> None:
    there = await router.get(path.format(1), by=STRANGER)
    absent = await router.get(path.format(9), by=STRANGER)
    assert there.status_code == absent.status_code == 404
    assert there.json().keys() == absent.json().keys()
    assert {**there.json(), "trace": ""} == {**absent.json(), "trace": ""}


async def test_even_the_originator_is_not_told_why_one_organisation_was_not(router: RouterUnderTest) -> None:
    assert (await router.get("/v1/decisions/con_1/organisations/gamma", by=READER)).status_code == 404


@pytest.mark.parametrize(
    ("concern", "org", "expected"),
    [
        ("con_1", "beta", ("told", "PERMITTED")),
        ("con_1", "gamma", ("gap", "NO_PATH")),
        ("con_1", "alpha", ("originator", "ORIGINATOR")),
        ("con_2", "beta", ("available", "AVAILABLE")),
        ("con_3", "beta", ("held", "HOLD_UNKNOWN_TERM")),
    ],
)
async def test_an_operator_learns_why_one_organisation_is_told_or_not(
    router: RouterUnderTest, concern: str, org: str, expected: tuple[str, str]
) -> None:
    body = (await router.get(f"/v1/decisions/{concern}/organisations/{org}")).json()
    assert (body["class"], body["reason"]) == expected
    assert body["sentence"]
    assert (await router.get(f"/v1/decisions/{concern}/organisations/nobody")).status_code == 404


async def test_a_version_can_be_named(router: RouterUnderTest) -> None:
    assert (await router.get("/v1/decisions/con_1?version=1")).status_code == 200
    assert (await router.get("/v1/decisions/con_1?version=2")).status_code == 404
    assert (await router.get("/v1/decisions/con_1?version=0")).status_code == 422


@pytest.mark.parametrize("path", ["/v1/decisions/con_1", "/v1/work-items", "/v1/unroutable"])
async def test_without_token_or_scope_nothing_is_answered(router: RouterUnderTest, path: str) -> None:
    assert (await router.get(path, by=None)).status_code == 401
    assert (await router.get(path, by=CASE_SYSTEM)).status_code == 403


async def test_only_operators_see_the_queues(router: RouterUnderTest) -> None:
    assert (await router.get("/v1/work-items", by=READER)).status_code == 403
    assert (await router.get("/v1/unroutable", by=READER)).status_code == 403


async def test_the_queues_show_what_waits_and_for_how_long(router: RouterUnderTest) -> None:
    (item,) = (await router.get("/v1/unroutable")).json()["items"]
    assert (item["kind"], item["concern_id"], item["age_seconds"]) == ("unroutable", "con_2", 3600)
    held = (await router.get("/v1/work-items?kind=held")).json()["items"]
    assert [(i["concern_id"], i["codes"]) for i in held] == [("con_3", ["HOLD_UNKNOWN_TERM"])]
    assert (await router.get("/v1/work-items?kind=other")).status_code == 422


async def test_pages_together_show_each_item_once(router: RouterUnderTest) -> None:
    whole = (await router.get("/v1/work-items")).json()
    seen, cursor = [], ""
    for _ in range(len(whole["items"])):
        page = (await router.get(f"/v1/work-items?limit=1{cursor}")).json()
        seen += page["items"]
        cursor = f"&after={page['next']}"
    assert (seen, page["next"], whole["next"]) == (whole["items"], None, None)
    assert len(seen) == 3


@pytest.mark.parametrize("cursor", ["x", "====", "MjAyNS0wMS0wMQ==", "MjAyNS0wMS0wMVQwMDowMDowMCBpZA==", "%00", "/w=="])
async def test_a_cursor_that_was_not_made_here_is_a_bad_field(router: RouterUnderTest, cursor: str) -> None:
    answer = await router.get(f"/v1/work-items?after={cursor}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/after"


async def test_a_preview_decides_without_effect(router: RouterUnderTest, store: InMemoryRouter) -> None:
    before = store.state
    body = (await router.preview({"concern": PREVIEW})).json()
    assert [row["org"] for row in body["told"]] == ["beta"]
    assert body["as_of"] == LATER.now().isoformat().replace("+00:00", "Z")
    assert store.state is before


async def test_a_preview_gives_the_bytes_that_the_decision_will_have(router: RouterUnderTest) -> None:
    decided = (await router.get("/v1/decisions/con_1")).json()
    preview = (await router.preview({"concern": {**PREVIEW, "received_at": decided["as_of"]}})).json()
    assert preview["body_digest"] == decided["body_digest"]


HOP = {"from": "gamma", "to": "alpha", "concern_id": "con_7", "version": 1, "notice_id": "ntc_7"}


@pytest.mark.parametrize("terms", [{"onward": "none"}, {"onward": "ask_originator", "granted": ["gamma"]}])
async def test_a_preview_goes_on_no_wider_than_the_way_the_information_has_come(
    router: RouterUnderTest, terms: dict[str, Any]
) -> None:
    free = {**HOP, "onward": "free"}
    told = await router.preview({"concern": {**PREVIEW, "provenance": [free]}})
    assert [row["org"] for row in told.json()["told"]] == ["beta"]
    shut = await router.preview({"concern": {**PREVIEW, "provenance": [free, {**HOP, **terms}]}})
    assert (shut.status_code, shut.json()["told"]) == (200, [])


async def test_a_preview_with_provenance_gives_the_bytes_of_the_concern_routed_with_it() -> None:
    store, current = InMemoryRouter(), judging(small.org("gamma", small.remit()))
    hop = {**HOP, "onward": "ask_originator", "granted": ["delta"], "granted_by": "Sam", "fields": {}}
    batch = Batch((a_concern(7, provenance=[hop]),), ())
    await route_concerns(batch, current=current, ledger=store, clock=FrozenClock())
    under_test = RouterUnderTest(store, current, LATER)
    async with under_test.http:
        decided = (await under_test.get("/v1/decisions/con_7")).json()
        asked = {**PREVIEW, "received_at": decided["as_of"]}
        same = (await under_test.preview({"concern": {**asked, "provenance": [hop]}})).json()
        other = (await under_test.preview({"concern": asked})).json()
    assert same["body_digest"] == decided["body_digest"] != other["body_digest"]


async def test_a_preview_ignores_personal_detail_and_says_so(router: RouterUnderTest) -> None:
    subject = {"kind": "provider", "name": "Mr Example", "identifiers": [{"scheme": "s", "value": "4012345"}]}
    concern = {**PREVIEW, "summary": "about Mr Example", "originator_ref": "r", "subjects": [subject]}
    answer = await router.preview({"concern": concern})
    assert answer.json()["ignored"] == [
        "/concern/originator_ref",
        "/concern/summary",
        "/concern/subjects/0/name",
        "/concern/subjects/0/identifiers",
    ]
    assert "Example" not in answer.text
    assert "4012345" not in answer.text


async def test_an_originator_previews_its_own_concerns_only(router: RouterUnderTest) -> None:
    own = await router.preview({"concern": PREVIEW}, by=READER)
    assert "not_told" not in own.json()
    other = await router.preview({"concern": PREVIEW}, by=STRANGER)
    assert other.status_code == 422
    assert (await router.preview({"concern": PREVIEW}, by=CASE_SYSTEM)).status_code == 403


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/concern"]),
        ({"concern": []}, ["/concern"]),
        ({"concern": {}}, ["/concern/originator", "/concern/categories"]),
        (
            {"concern": {**PREVIEW, "colour": "red", "received_at": "2025-03-03T10:00:00", "urgency": ""}},
            ["/concern/received_at", "/concern/urgency", "/concern/colour"],
        ),
        ({"concern": {**PREVIEW, "subjects": [{"kind": "provider", "age": 3}, 7]}}, None),
        ({"concern": {**PREVIEW, "topics": "fire"}}, ["/concern/topics"]),
        ({"concern": PREVIEW, "as_of": "2025"}, ["/as_of"]),
        (
            {"concern": {**PREVIEW, "provenance": [{"from": "gamma", "onward": ""}]}},
            ["/concern/provenance/0/to", "/concern/provenance/0/onward"],
        ),
        ([], None),
    ],
)
async def test_every_bad_field_of_a_preview_is_named_at_once(
    router: RouterUnderTest, body: Any, pointers: list[str] | None
) -> None:
    answer = await router.preview(body)
    assert answer.status_code == 422
    named = [error["pointer"] for error in answer.json()["errors"]]
    assert named if pointers is None else sorted(named) == sorted(pointers)


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b'{"concern":{},"concern":{}}', 400), (b'{"a":NaN}', 400), (b'"\\u0000"', 422)]
)
async def test_a_body_that_two_parsers_could_read_differently_is_refused(
    router: RouterUnderTest, body: bytes, status: int
) -> None:
    assert (await router.preview(body)).status_code == status


async def test_an_unknown_word_in_a_preview_holds_it(router: RouterUnderTest) -> None:
    body = (await router.preview({"concern": {**PREVIEW, "nation": "atlantis"}})).json()
    assert body["hold"][0]["code"] == "HOLD_UNKNOWN_TERM"


async def test_anyone_can_see_which_graph_is_decided_on(router: RouterUnderTest, store: InMemoryRouter) -> None:
    head = (await router.get("/v1/graph/head", by=None)).json()
    decision = (await router.get("/v1/decisions/con_1", by=OPERATOR)).json()
    assert head == decision["graph"]


async def test_without_a_graph_the_answer_is_to_try_again(store: InMemoryRouter) -> None:
    router = RouterUnderTest(store, CurrentJudge(), LATER)
    async with router.http:
        for answer in (await router.preview({"concern": PREVIEW}), await router.get("/v1/graph/head")):
            assert answer.status_code == 503
            assert answer.headers["retry-after"]


async def test_a_body_that_was_told_learns_why_and_of_nobody_else(router: RouterUnderTest) -> None:
    answer = await router.get("/v1/decisions/con_1/organisations/beta", by=STRANGER)
    body = answer.json()
    assert (body["class"], body["reason"], body["version"]) == ("told", "PERMITTED", 1)
    assert body["because"][0]["agreement"] == "pact"
    assert "gamma" not in answer.text


async def test_a_body_cannot_tell_what_was_withheld_from_what_does_not_exist(router: RouterUnderTest) -> None:
    """Concern 2 makes beta available, concern 3 holds it, concern 9 does not exist."""
    answers = [await router.get(f"/v1/decisions/con_{n}/organisations/beta", by=STRANGER) for n in (2, 3, 9)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({tuple(sorted({**answer.json(), "trace": ""}.items())) for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"traceparent"})) for answer in answers}) == 1


async def test_an_auditor_sees_the_whole_decision_and_every_look_is_recorded(
    router: RouterUnderTest, store: InMemoryRouter
) -> None:
    before = len(store.state.facts)
    answer = await router.get("/v1/decisions/con_1", by=AUDITOR)
    assert "not_told" in answer.json()
    (fact,) = store.state.facts[before:]
    assert (fact.kind, fact.actor, fact.concern_id) == ("access", "aud", "con_1")
