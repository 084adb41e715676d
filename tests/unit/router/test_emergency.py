"""In an emergency who should know is told by a pointer, on two people's word, and a third reviews it in time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.choosing import may_be_chosen, with_choices
from services.router.domain.evaluating import Reference, Ruling
from services.router.domain.model import Recall, WorkItem
from services.router.domain.policy import CurrentJudge
from services.router.domain.rounds import Person
from services.router.entrypoints.consumer import say_overdue
from services.router.usecases import (
    Desk,
    Emergency,
    NotApproved,
    Refused,
    Stands,
    find_overdue,
    route_concerns,
    tell_in_emergency,
    withdraw_ended,
)
from shared.agreements import Class, Limit, Snapshot, decide, facts_of
from shared.agreements.reasons import EMERGENCY
from shared.records import Batch
from shared.telemetry import Telemetry
from tests.rules import small
from tests.rules.small import Row
from tests.support.clock import NOON, FrozenClock
from tests.support.logs import lines
from tests.support.router_app import (
    APPROVER,
    CASE_SYSTEM,
    DUTY,
    DUTY_APPROVER,
    OPERATOR,
    READER,
    SECOND_DUTY,
    STRANGER,
    RouterUnderTest,
)
from tests.support.router_fakes import InMemoryRouter, a_concern, graph_objects, judge_of, judging, replica_of
from tests.unit.agreements.strategies import ORGS, quick, routings, worlds

REVIEW = {"review": {"amount": 24, "unit": "clock_hours"}}
POLICY: Row = {**small.POLICY, "emergency": REVIEW}
NATIONS: Row = {"kind": "vocabulary", "id": "nations", "terms": ["england", "wales", "scotland"]}
SECRET = "Dr Sample of Example Street is about to operate"
SAID: Row = {
    "organisations": ["gamma"],
    "reason": SECRET,
    "decided_by": "Sam",
    "approved_by": "Ann",
    "approver_position": "director on call",
    "telephoned": "gamma's duty desk at 10:05",
}
SAM, ANN = Person("sam", "hq", "Sam"), Person("ann", "hq", "Ann")


def with_emergencies(snapshot: Snapshot) -> Snapshot:
    limit = Limit("review", 24, "clock_hours", "policy")
    policy = replace(snapshot.graph.policy, emergency_review=limit)
    return Snapshot(replace(snapshot.graph, policy=policy), snapshot.version, snapshot.root)


def in_emergency(snapshot: Snapshot, routing: Mapping[str, Any], *orgs: str) -> Ruling:
    return with_choices(Reference(snapshot), facts_of(routing), dict.fromkeys(orgs, "emergency")).decision


@quick
@given(worlds(), routings(), st.sets(st.sampled_from(ORGS)))
def test_an_emergency_tells_nobody_but_who_should_know_and_that_by_the_header_alone(
    snapshot: Snapshot, routing: Row, orgs: set[str]
) -> None:
    world = with_emergencies(snapshot)
    plain, then = decide(world, facts_of(routing)), in_emergency(world, routing, *orgs)
    for before, after in zip(plain.outcomes, then.outcomes, strict=True):
        if before != after:
            assert (after.org in orgs, after.klass, after.reason) == (True, Class.TOLD, EMERGENCY)
            assert before.klass in (Class.GAP, Class.AVAILABLE)
            assert {name for name, policy in after.fields.items() if policy != "omit"} <= {"header"}
            assert (after.pointer_only, after.onward, after.because) == (True, "none", ())


@quick
@given(worlds(), routings(), st.sets(st.sampled_from(ORGS)))
def test_without_a_policy_for_it_there_is_no_emergency(snapshot: Snapshot, routing: Row, orgs: set[str]) -> None:
    assert snapshot.graph.policy.emergency_review is None
    assert in_emergency(snapshot, routing, *orgs) == decide(snapshot, facts_of(routing))
    assert "emergency" not in may_be_chosen(Reference(snapshot), facts_of(routing), ORGS).values()


@quick
@given(worlds(), routings())
def test_what_an_emergency_offers_is_what_it_tells(snapshot: Snapshot, routing: Row) -> None:
    world = with_emergencies(snapshot)
    offered = {
        org for org, how in may_be_chosen(Reference(world), facts_of(routing), ORGS).items() if how == "emergency"
    }
    told = {row.org for row in in_emergency(world, routing, *ORGS).told if row.reason == EMERGENCY}
    gaps = {row.org for row in decide(world, facts_of(routing)).of_class(Class.GAP)}
    assert offered <= told & gaps
    assert all(with_choices(Reference(world), facts_of(routing), {org: "pointer"}).refused for org in offered)


LOCKED = {"provenance": [{"from": "beta", "to": "alpha", "onward": "none"}]}
ABOUT_BETA = {"subjects": [{"kind": "provider", "org": "beta"}]}
OF_HARM = [small.org("gamma", small.remit())]


@pytest.mark.parametrize(
    ("objects", "concern"),
    [
        (OF_HARM, LOCKED),
        ([*OF_HARM, small.barred_alpha(), small.bar()], {}),
        ([*OF_HARM, small.pact(small.clause(), small.clause(id="c2", effect="FORBID", to=["gamma"]))], {}),
        ([*OF_HARM, small.pact(small.clause(to=["gamma"], when={"topics_none": ["fire"]}))], {"topics": ["fire"]}),
        ([*OF_HARM, small.pact(small.clause(to=["gamma"], when={"subject_not": ["beta"]}))], ABOUT_BETA),
        (OF_HARM, {"subjects": [{"kind": "provider", "org": "gamma"}]}),
        (OF_HARM, {"subjects": [{"kind": "provider", "org": "alpha"}]}),
        (OF_HARM, {"categories": ["unheard-of"]}),
        ([small.org("gamma")], {}),
        ([small.org("gamma", small.remit(), exists=small.during(None, "2020-01-01"))], {}),
    ],
    ids=["lock", "bar", "forbid", "topic", "conflict", "subject", "own", "unknown", "no remit", "gone"],
)
def test_no_emergency_opens_what_is_shut_on_purpose(objects: list[Row], concern: Row) -> None:
    routing = {**a_concern().routing, **concern}
    world = small.world(*objects, emergency=REVIEW)
    assert in_emergency(world, routing, "gamma") == decide(world, facts_of(routing))


def test_the_same_body_is_told_where_nothing_but_an_agreement_is_missing() -> None:
    world = small.world(*OF_HARM, emergency=REVIEW)
    outcome = in_emergency(world, a_concern().routing, "gamma").of("gamma")
    assert (outcome.klass, outcome.reason, outcome.duties.limits[0].name) == (Class.TOLD, EMERGENCY, "acknowledge")


class Office:
    """A router with one concern of theft, of which gamma should know and which no clause lets it be told of."""

    def __init__(self, *objects: Row) -> None:
        self.store = InMemoryRouter()
        self.clock = FrozenClock(NOON + timedelta(hours=1))
        self.current: CurrentJudge = judging(*(objects or (POLICY,)))
        self.desk = Desk(self.current, self.store.begin, self.clock)
        self.router = RouterUnderTest(self.store, self.current, self.clock)

    async def route(self, *concerns: Any) -> None:
        await route_concerns(Batch(concerns, ()), current=self.current, ledger=self.store, clock=self.clock)

    async def tell(self, by: str = DUTY, approver: str | None = APPROVER, **said: Any) -> httpx.Response:
        headers = {} if approver is None else {"Approver_Authorization": f"Bearer {approver}"}
        path = "/v1/decisions/con_1/emergencies"
        return await self.router.post(path, {**SAID, **said}, by=by, **headers)

    async def review(self) -> WorkItem:
        (item,) = [item for item in self.store.state.items.values() if item.kind == "emergency"]
        return item

    async def close(self, by: str) -> httpx.Response:
        path = f"/v1/work-items/{(await self.review()).item_id}/resolution"
        return await self.router.post(path, {"action": "close", "reason": "it was right"}, by=by)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    made = Office()
    await made.route(a_concern(1, categories=["theft"]))
    yield made
    await made.router.http.aclose()


async def test_a_gap_item_offers_the_emergency_and_says_where(office: Office) -> None:
    (gap,) = [item for item in office.store.state.items.values() if item.kind == "gap"]
    shown = (await office.router.get(f"/v1/work-items/{gap.item_id}", by=DUTY)).json()
    offer = {
        "action": "emergency", "organisations": ["gamma"], "see": "/v1/decisions/con_1/emergencies",
        "needs": "an approver",
    }  # fmt: skip
    assert offer in shown["can_do"]


@pytest.mark.parametrize("by", [DUTY, READER])
async def test_who_should_know_is_told_by_a_pointer_and_a_review_is_due(office: Office, by: str) -> None:
    answer = await office.tell(by)
    assert answer.status_code == 200, answer.text
    (notice,) = office.store.state.issued
    assert (notice.data.recipient, notice.data.reason, notice.data.pointer_only) == ("gamma", EMERGENCY, True)
    assert notice.data.fields == {"header": "full", "narrative": "omit", "registrant": "omit"}
    item = await office.review()
    assert (item.codes, item.bodies, item.due_at) == (
        ("EMERGENCY_REVIEW",), ("gamma",), office.clock.now() + timedelta(hours=24),
    )  # fmt: skip


async def test_a_review_in_working_days_counts_those_of_the_nation_of_the_concern() -> None:
    due = {}
    for nation in ("england", "scotland"):
        review = {"review": {"amount": 1, "unit": "working_days"}}
        office = Office({**POLICY, "emergency": review}, NATIONS)
        office.clock = FrozenClock(datetime(2026, 11, 27, 12, tzinfo=UTC))  # Monday is St Andrew's Day
        office.desk = Desk(office.current, office.store.begin, office.clock)
        await office.route(a_concern(1, categories=["theft"], nation=nation))
        act = Emergency(("gamma",), "fire", Person("sam", "hq", "Sam"), Person("ann", "hq", "Ann"), {}, "r")
        assert isinstance(await tell_in_emergency("con_1", act, asker=None, desk=office.desk), Stands)
        due[nation] = (await office.review()).due_at
        await office.router.http.aclose()
    assert due == {"england": datetime(2026, 12, 1, tzinfo=UTC), "scotland": datetime(2026, 12, 2, tzinfo=UTC)}


async def test_the_decision_its_rounds_the_item_and_the_log_say_who_decided_and_on_what_ground(office: Office) -> None:
    await office.tell()
    (told,) = (await office.router.get("/v1/decisions/con_1", by=OPERATOR)).json()["told"]
    assert (told["org"], told["reason"]) == ("gamma", EMERGENCY)
    assert "emergency" in told["sentence"]
    (one,) = (await office.router.get("/v1/decisions/con_1/rounds", by=OPERATOR)).json()["rounds"]
    assert (one["kind"], one["by"]["name"], one["record"]["approved_by"]["name"]) == ("emergency", "Sam", "Ann")
    assert (one["record"]["ground"], one["record"]["telephoned"]) == (SECRET, SAID["telephoned"])
    shown = (await office.router.get(f"/v1/work-items/{(await office.review()).item_id}", by=DUTY)).json()
    assert (shown["history"][0]["by"], shown["history"][0]["approved_by"]) == ("Sam", "Ann")
    decision, opened = office.store.state.facts[-2:]
    assert decision.body["act"]["kind"] == "emergency"
    assert (opened.actor, opened.body["event"], opened.body["approver"]) == ("sam", "opened", "ann")
    assert not any(SECRET in fact.model_dump_json() for fact in office.store.state.facts)


@pytest.mark.parametrize(
    ("by", "approver", "said", "status"),
    [
        (DUTY, None, {}, 401),
        (DUTY, "nobody", {}, 401),
        (DUTY, SECOND_DUTY, {}, 403),
        (DUTY_APPROVER, DUTY_APPROVER, {}, 403),
        (DUTY, APPROVER, {"approved_by": " sam"}, 403),
        (CASE_SYSTEM, APPROVER, {}, 403),
        (STRANGER, APPROVER, {}, 404),
        (DUTY, APPROVER, {"approved_by": ""}, 422),
        (DUTY, APPROVER, {"telephoned": " "}, 422),
        (DUTY, APPROVER, {"organisations": ["beta"]}, 409),
        (DUTY, APPROVER, {"organisations": ["gamma", "nobody"]}, 409),
    ],
)
async def test_without_two_people_a_ground_and_a_body_that_should_know_nobody_is_told(
    office: Office, by: str, approver: str | None, said: Row, status: int
) -> None:
    answer = await office.tell(by, approver, **said)
    assert answer.status_code == status, answer.text
    assert office.store.state.issued == []
    assert len(office.store.state.decisions) == 1


async def test_a_deployment_without_a_policy_for_it_tells_nobody_so() -> None:
    office = Office(small.POLICY)
    await office.route(a_concern(1, categories=["theft"]))
    assert (await office.tell()).status_code == 409
    assert office.store.state.issued == []
    await office.router.http.aclose()


async def test_the_originator_hears_no_reason_why_a_body_is_none_of_these(office: Office) -> None:
    refused = [await office.tell(READER, organisations=[org]) for org in ("beta", "nobody")]
    assert [answer.status_code for answer in refused] == [409, 409]
    assert refused[0].json()["errors"] == refused[1].json()["errors"]


async def test_a_stranger_gets_the_answer_of_a_concern_that_does_not_exist(office: Office) -> None:
    there = (await office.tell(STRANGER)).json()
    path, headers = "/v1/decisions/con_9/emergencies", {"Approver_Authorization": f"Bearer {APPROVER}"}
    absent = (await office.router.post(path, SAID, by=STRANGER, **headers)).json()
    assert {**there, "trace": ""} == {**absent, "trace": ""}


async def test_the_same_emergency_sent_again_tells_nobody_twice(office: Office) -> None:
    first, again = await office.tell(), await office.tell()
    assert {**first.json(), "repeated": True} == again.json()
    assert (len(office.store.state.issued), len(office.store.state.decisions)) == (1, 2)


@pytest.mark.parametrize("who", ["sam", "ann"])
async def test_who_decided_it_does_not_review_it(office: Office, who: str) -> None:
    if who == "sam":
        await office.tell(DUTY, APPROVER, decided_by="Sam")
    else:
        await office.tell(SECOND_DUTY, DUTY_APPROVER, decided_by="Kim")
    own = DUTY if who == "sam" else DUTY_APPROVER
    refused = await office.close(own)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "needs-another-person")
    assert (await office.review()).resolution is None
    answer = await office.close(SECOND_DUTY if who == "sam" else DUTY)
    assert (answer.status_code, answer.json()["resolution"]) == (200, "closed")


@pytest.mark.parametrize("name", ["sam ", "ANN"])
async def test_who_decided_it_does_not_review_it_through_another_client(office: Office, name: str) -> None:
    await office.tell(decided_by="Sam", approved_by="Ann")
    path = f"/v1/work-items/{(await office.review()).item_id}/resolution"
    asked = {"action": "close", "reason": "seen", "decided_by": name}
    assert (await office.router.post(path, asked, by=SECOND_DUTY)).status_code == 403
    assert (await office.review()).resolution is None


async def test_a_review_tells_nobody_and_outlives_later_rounds_versions_and_a_recall(office: Office) -> None:
    await office.tell()
    item = await office.review()
    path = f"/v1/work-items/{item.item_id}/resolution"
    routed = await office.router.post(path, {"action": "route", "organisations": ["beta"], "reason": "r"}, by=DUTY)
    assert (routed.status_code, routed.json()["type"].rpartition(":")[2]) == (409, "not-routed")
    choice = {"organisations": ["beta"], "reason": "theirs"}
    assert (await office.router.post("/v1/decisions/con_1/choices", choice, by=READER)).status_code == 200
    await office.route(a_concern(1, version=2, categories=["theft"]), Recall("con_1", "wrong-facts"))
    assert (await office.review()).resolution is None
    kinds = {(event.data.recipient, event.data.kind) for event in office.store.state.issued}
    assert ("gamma", "recall") in kinds


async def test_an_amended_concern_goes_to_whom_the_emergency_told_by_a_pointer_again(office: Office) -> None:
    await office.tell()
    await office.route(a_concern(1, version=2, categories=["theft"]))
    second = [event.data for event in office.store.state.issued if event.data.version == 2]
    assert [(notice.recipient, notice.reason, notice.pointer_only) for notice in second] == [("gamma", EMERGENCY, True)]


async def test_a_body_that_loses_its_remit_before_it_was_reached_is_withdrawn_from(office: Office) -> None:
    await office.tell()
    office.current.swap(judge_of(replica_of(graph_objects(POLICY, small.org("gamma")), 2)))
    assert await withdraw_ended(office.desk) == 1


async def test_an_overdue_review_alarms_once_and_says_so_until_it_is_done(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.tell()
    look = partial(say_overdue, partial(find_overdue, office.desk), Telemetry("router", clock=office.clock))
    assert await look() == 0
    office.clock.move(timedelta(hours=24))
    lines(capsys)
    assert (await look(), await look()) == (1, 0)
    item = await office.review()
    (alarm,) = lines(capsys)
    assert (alarm["alarm"], alarm["item_id"], alarm["bodies"]) == ("review-overdue", item.item_id, ["gamma"])
    shown = (await office.router.get(f"/v1/work-items/{item.item_id}", by=DUTY)).json()
    assert (shown["overdue"], shown["history"][-1]["event"]) == (True, "overdue")
    assert office.store.state.facts[-1].body["event"] == "overdue"
    assert (await office.close(SECOND_DUTY)).json()["overdue"] is False


async def test_the_use_case_itself_asks_for_two_people() -> None:
    office = Office()
    await office.route(a_concern(1, categories=["theft"]))

    async def tell(by: Person, approver: Person) -> Any:
        made = Emergency(("gamma",), "danger", by, approver, {}, f"{by}{approver}")
        return await tell_in_emergency("con_1", made, asker=None, desk=office.desk)

    assert await tell(SAM, SAM) == NotApproved()
    assert await tell(SAM, replace(ANN, principal="sam")) == NotApproved()
    assert await tell(SAM, replace(ANN, name="SAM ")) == NotApproved()
    assert office.store.state.issued == []
    assert isinstance(await tell(SAM, ANN), Stands)
    assert isinstance(await tell(ANN, SAM), Stands | Refused)
    await office.router.http.aclose()
