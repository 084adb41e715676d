"""Concerns are followed after they were decided: what is suggested, to whom, and what each viewer can learn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.correlation import Sighting, Token, Viewer
from services.router.domain.errors import NoGraphYet
from services.router.domain.model import Concern, Recall
from services.router.domain.policy import CurrentJudge
from services.router.domain.rounds import Person
from services.router.entrypoints.correlation import ConcernFollower
from services.router.entrypoints.faults import Waiting
from services.router.usecases import Ask, Followed, close_item, correlations_of
from services.router.usecases.correlation import PAGE
from shared.supervision import Progress
from shared.telemetry import Telemetry
from tests.support.router_app import (
    AUDITOR,
    CASE_SYSTEM,
    DUTY,
    OPERATOR,
    READER,
    STRANGER,
    RouterUnderTest,
)
from tests.support.router_fakes import InMemoryTransaction, judging
from tests.support.router_subjects import GENERALISED, RECOGNISABLE, Watch, about, taken

SAM = Person("sam", "hq", "Sam")
THREE = (about(1), about(2, by="gamma", day=1), about(3, by="beta", day=59))


async def close(watch: Watch, item_id: str) -> None:
    await close_item(Ask(item_id, SAM, "looked into", item_id), watch.desk)


async def test_three_independent_sources_within_the_window_are_suggested_once_and_nobody_is_told() -> None:
    watch = Watch()
    assert await watch.take(*THREE[:2]) == ()
    issued = len(watch.store.state.issued)
    (item,) = await watch.take(THREE[2])
    assert (item.kind, item.codes, item.bodies, item.ref) == (
        "correlation", ("SUBJECT_RECURS",), ("alpha", "beta", "gamma"), "subjects/0",
    )  # fmt: skip
    assert item.key.concern_id == "con_3"
    assert await watch.take(about(4, by="gamma", day=59, source_type="public")) == ()
    assert [one.item_id for one in await watch.suggestions()] == [item.item_id]
    assert len(watch.store.state.issued) == issued + 1  # con_4's own notice


async def test_a_suggestion_is_recorded_with_numbers_and_without_a_token() -> None:
    watch = Watch()
    (item,) = await watch.take(*(about(n, "secret-token", by=by) for n, by in enumerate(("alpha", "beta", "gamma"))))
    (fact,) = [fact for fact in watch.store.state.facts if fact.body.get("event") == "opened"]
    assert (fact.kind, fact.actor, fact.body["concerns"], fact.body["sources"]) == ("work-item", "router", 3, 3)
    assert "secret-token" not in fact.model_dump_json()
    assert item.opened_at == watch.clock.now()


async def test_what_was_followed_is_followed_no_more() -> None:
    watch = Watch()
    await watch.decide(*THREE)
    assert (await watch.follow()).count == 3
    assert await watch.follow() == Followed(0)
    assert len(await watch.suggestions()) == 1


async def test_what_too_few_spoke_of_and_what_a_person_has_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One provider may be spoken of a thousand times: each page would read all of it."""
    read: list[Sequence[Token]] = []
    seen = InMemoryTransaction.seen

    async def counted(tx: InMemoryTransaction, tokens: Sequence[Token], *reach: datetime) -> Sequence[Sighting]:
        read.append(tokens)
        return await seen(tx, tokens, *reach)

    monkeypatch.setattr(InMemoryTransaction, "seen", counted)
    watch = Watch()
    assert await watch.take(*(about(n) for n in range(4))) == ()
    assert read == []
    assert len(await watch.take(about(5, by="gamma"), about(6, "other"), about(7, by="beta"))) == 1
    assert read == [[("k", "t")]]
    assert await watch.take(about(8, by="gamma")) == ()
    assert len(read) == 1


async def test_tokens_of_different_keys_never_meet() -> None:
    watch = Watch()
    other = [{"kind": "registrant", "tokens": [{"kid": "newer", "token": "t"}]}]
    assert await watch.take(about(1), about(2, by="gamma"), about(3, by="beta", subjects=other)) == ()


async def test_two_tokens_of_one_subject_make_one_suggestion() -> None:
    watch = Watch()
    both = [{"kind": "registrant", "tokens": [{"kid": "k", "token": "t"}, {"kid": "k", "token": "u"}]}]
    first = await watch.take(*(about(n, by=by, subjects=both) for n, by in enumerate(("alpha", "beta", "gamma"))))
    assert len(first) == 1
    assert await watch.take(about(9, "u", by="beta", source_type="public")) == ()


async def test_each_subject_of_a_concern_is_suggested_by_itself() -> None:
    watch = Watch()
    two = [{"kind": "registrant", "tokens": [{"kid": "k", "token": name}]} for name in "tu"]
    made = await watch.take(*(about(n, by=by, subjects=two) for n, by in enumerate(("alpha", "beta", "gamma"))))
    assert {item.ref for item in made} == {"subjects/0", "subjects/1"}
    assert len(await watch.suggestions()) == 2


async def test_a_repeat_after_closure_suggests_reopening() -> None:
    watch = Watch()
    (first,) = await watch.take(*THREE)
    await close(watch, first.item_id)
    (again,) = await watch.take(about(4, by="gamma", day=58))
    assert again.codes == ("REPEAT_AFTER_CLOSURE",)
    assert again.item_id != first.item_id


async def test_a_recalled_concern_counts_no_more() -> None:
    watch = Watch()
    await watch.take(*THREE[:2])
    await watch.decide(Recall("con_2", "not-true"))
    assert await watch.take(THREE[2]) == ()


async def test_an_amended_concern_counts_under_its_newest_subject_alone() -> None:
    watch = Watch()
    await watch.take(*THREE[:2])
    await watch.take(about(2, "someone-else", by="gamma", day=1, version=2))
    assert await watch.take(THREE[2]) == ()
    found = await correlations_of("con_1", Viewer("hq", everything=True), store=watch.store, current=watch.current)
    assert found is not None
    assert found[0].cluster.concerns == ("con_1", "con_3")


async def test_no_round_and_no_recall_ends_a_suggestion() -> None:
    watch = Watch()
    (item,) = await watch.take(*THREE)
    await watch.take(about(3, by="beta", day=59, version=2))
    await watch.decide(Recall("con_3", "not-true"))
    assert [one.item_id for one in await watch.suggestions()] == [item.item_id]


async def test_without_a_graph_nothing_is_followed_and_nothing_lost() -> None:
    watch = Watch()
    await watch.decide(*THREE)
    with pytest.raises(NoGraphYet):
        await Watch(watch.store, CurrentJudge()).follow()
    assert len((await watch.follow()).suggested) == 1


NAMES = st.sampled_from(("alpha", "beta", "gamma"))
ROWS = st.lists(st.tuples(NAMES, st.integers(0, 130), st.sampled_from("tu"), st.sampled_from(("staff", "public"))))


def concerns_of(rows: list[tuple[str, int, str, str]], first: int = 0) -> list[Concern]:
    return [
        about(first + n, token, by=by, day=day, source_type=source) for n, (by, day, token, source) in enumerate(rows)
    ]


def subjects_suggested(watch: Watch) -> set[object]:
    return {token for token, _ in watch.store.state.suggestions}


@given(ROWS.filter(bool), st.data())
def test_which_subjects_are_suggested_depends_on_no_order_and_on_no_page(
    rows: list[tuple[str, int, str, str]], data: st.DataObject
) -> None:
    concerns = concerns_of(rows)
    again = data.draw(st.permutations(concerns))
    cut = data.draw(st.integers(0, len(again)))
    whole, parts = taken(judging(RECOGNISABLE), concerns), Watch()

    async def in_two() -> None:
        await parts.take(*again[:cut])
        await parts.take(*again[cut:])

    asyncio.run(in_two())
    assert subjects_suggested(whole) == subjects_suggested(parts)


def seen_by(watch: Watch, org: str, concern_id: str) -> Any:
    return asyncio.run(correlations_of(concern_id, Viewer(org), store=watch.store, current=watch.current))


@given(ROWS.filter(bool), ROWS)
def test_what_a_body_sees_depends_on_nothing_outside_its_slice(
    rows: list[tuple[str, int, str, str]], elsewhere: list[tuple[str, int, str, str]]
) -> None:
    own = concerns_of([("alpha", *row[1:]) for row in rows])
    others = concerns_of([("gamma", *row[1:]) for row in elsewhere], first=100)
    alone, among = taken(judging(RECOGNISABLE), own), taken(judging(RECOGNISABLE), [*others, *own])
    for concern in own:
        assert seen_by(alone, "alpha", concern.concern_id) == seen_by(among, "alpha", concern.concern_id)
    for concern in others:
        assert seen_by(among, "alpha", concern.concern_id) is None


@given(ROWS.filter(bool))
def test_a_body_that_cannot_recognise_the_subject_is_told_of_no_correlation(
    rows: list[tuple[str, int, str, str]],
) -> None:
    watch = taken(judging(GENERALISED), concerns_of([("gamma", *row[1:]) for row in rows]))
    assert all(seen_by(watch, "beta", f"con_{n}") == [] for n in range(len(rows)))


async def test_a_recipient_counts_what_it_raised_and_what_it_was_told_of() -> None:
    watch = Watch()
    await watch.take(*THREE, about(4, by="gamma", day=2, categories=["fire-risk"]))
    (found,) = await correlations_of("con_1", Viewer("beta"), store=watch.store, current=watch.current) or []
    assert found.cluster.concerns == ("con_1", "con_2", "con_3")
    (own,) = await correlations_of("con_1", Viewer("alpha"), store=watch.store, current=watch.current) or []
    assert own.cluster.concerns == ("con_1",)


async def test_a_withdrawn_notice_takes_its_concern_out_of_the_slice() -> None:
    watch = Watch()
    await watch.take(*THREE)
    (notice,) = [e.data.notice_id for e in watch.store.state.issued if e.data.concern_id == "con_2"]
    watch.store.state.settled[notice] = "withdrawn"
    (found,) = await correlations_of("con_1", Viewer("beta"), store=watch.store, current=watch.current) or []
    assert found.cluster.concerns == ("con_1", "con_3")
    assert await correlations_of("con_2", Viewer("beta"), store=watch.store, current=watch.current) is None


@pytest.fixture
async def watch() -> Watch:
    watch = Watch()
    await watch.take(*THREE)
    return watch


@pytest.fixture
async def router(watch: Watch) -> AsyncIterator[RouterUnderTest]:
    router = RouterUnderTest(watch.store, watch.current, watch.clock)
    yield router
    await router.http.aclose()


async def test_who_sees_all_sees_the_diversity_of_sources_and_is_recorded(
    watch: Watch, router: RouterUnderTest
) -> None:
    for caller, subject in ((OPERATOR, "op"), (AUDITOR, "aud"), (DUTY, "sam")):
        answer = await router.get("/v1/correlations?subject-of=con_1", by=caller)
        assert answer.json() == {
            "concern_id": "con_1",
            "subjects": [
                {
                    "subject": 0,
                    "kind": "registrant",
                    "window_seconds": 60 * 86_400,
                    "suggested_from": 3,
                    "reached": True,
                    "concerns": ["con_1", "con_2", "con_3"],
                    "independent_sources": 3,
                    "originators": ["alpha", "beta", "gamma"],
                    "source_types": ["staff"],
                    "categories": ["harm"],
                    "first_received_at": "2025-03-10T12:00:00Z",
                    "last_received_at": "2025-05-08T12:00:00Z",
                }
            ],
        }
        fact = watch.store.state.facts[-1]
        assert (fact.kind, fact.actor, fact.concern_id) == ("access", subject, "con_1")


async def test_a_body_sees_its_slice_and_leaves_no_trace(watch: Watch, router: RouterUnderTest) -> None:
    facts = len(watch.store.state.facts)
    (subject,) = (await router.get("/v1/correlations?subject-of=con_1", by=READER)).json()["subjects"]
    assert (subject["concerns"], subject["reached"], subject["independent_sources"]) == (["con_1"], False, 1)
    assert len(watch.store.state.facts) == facts


async def test_a_concern_that_a_body_may_not_know_answers_like_none(router: RouterUnderTest) -> None:
    hidden = await router.get("/v1/correlations?subject-of=con_2", by=READER)
    absent = await router.get("/v1/correlations?subject-of=con_9", by=READER)
    assert (hidden.status_code, hidden.json()["type"]) == (404, absent.json()["type"])
    assert {**hidden.json(), "trace": ""} == {**absent.json(), "trace": ""}
    assert (await router.get("/v1/correlations?subject-of=con_9")).status_code == 404
    assert (await router.get("/v1/correlations?subject-of=con_1", by=CASE_SYSTEM)).status_code == 403
    assert (await router.get("/v1/correlations")).status_code == 422
    assert (await router.get("/v1/correlations?subject-of=con_1", by=STRANGER)).status_code == 200


async def test_the_item_of_a_suggestion_waits_and_closes_and_routes_nobody(router: RouterUnderTest) -> None:
    (item,) = (await router.get("/v1/work-items?kind=correlation", by=DUTY)).json()["items"]
    assert (item["notice_id"], item["subject"], item["see"]) == (
        None, "subjects/0", "/v1/correlations?subject-of=con_1",
    )  # fmt: skip
    place = f"/v1/work-items/{item['item_id']}"
    whole = (await router.get(place, by=DUTY)).json()
    assert (whole["missing"], whole["can_do"]) == ([], [{"action": "wait"}, {"action": "close"}])
    routed = await router.post(
        f"{place}/resolution", {"reason": "r", "action": "route", "organisations": ["beta"]}, by=DUTY
    )
    assert (routed.status_code, routed.json()["type"]) == (409, "urn:concordat:problem:not-routed")
    assert (await router.post(f"{place}/assignment", {}, by=DUTY)).json()["owner"] == "sam"
    closed = await router.post(f"{place}/resolution", {"reason": "looked into", "action": "close"}, by=DUTY)
    assert closed.json()["resolution"] == "closed"


async def test_the_follower_goes_on_at_once_behind_a_full_page_and_waits_without_a_graph() -> None:
    answers: list[Any] = [Followed(PAGE), Followed(1), NoGraphYet()]

    async def follow() -> Followed:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Followed(answer.count)

    follower = ConcernFollower(follow, progress=Progress("f"), telemetry=Telemetry("router"))
    assert [await follower._step(), await follower._step()] == [0.0, 1.0]
    with pytest.raises(Waiting):
        await follower._step()
