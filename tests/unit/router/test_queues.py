"""The queues over HTTP: who sees what waits, what is missing, and what becomes of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.undoing import NoticeNews
from services.router.usecases import hear_of_notices, route_concerns
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_app import (
    AUDITOR,
    CASE_SYSTEM,
    DUTY,
    OPERATOR,
    READER,
    SECOND_DUTY,
    STRANGER,
    RouterUnderTest,
)
from tests.support.router_fakes import InMemoryRouter, a_concern, judging

WAIT_MAX = timedelta(days=28)
SECRET = "Dr Sample of Example Street"
TOO_SENSITIVE = small.pact(small.clause(sensitivity_max=[]))


class Office:
    """A router with one concern routed, seen and acted on over HTTP."""

    def __init__(self) -> None:
        self.store = InMemoryRouter()
        self.clock = FrozenClock(NOON + timedelta(hours=1))
        self.router: RouterUnderTest

    async def route(self, *objects: Any, **routing: Any) -> None:
        current = judging(*objects)
        batch = Batch((a_concern(1, **routing),), ())
        await route_concerns(batch, current=current, ledger=self.store, clock=FrozenClock())
        self.router = RouterUnderTest(self.store, current, self.clock)

    async def items(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.router.get(f"/v1/work-items{query}", by=DUTY)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def item_of(self, kind: str) -> str:
        return next(str(item["item_id"]) for item in await self.items() if item["kind"] == kind)

    async def resolve(self, item: str, by: str = DUTY, reason: str = "seen", **body: Any) -> Any:
        return await self.router.post(f"/v1/work-items/{item}/resolution", {"reason": reason, **body}, by=by)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    yield office
    await office.router.http.aclose()


async def test_an_item_says_what_is_missing_and_what_can_be_done(office: Office) -> None:
    await office.route(categories=["theft"])
    item = (await office.router.get(f"/v1/work-items/{await office.item_of('unroutable')}")).json()
    assert (item["state"], item["age_seconds"], item["owner"]) == ("open", 3600, None)
    assert item["says"] == ["This concern reached nobody."]
    assert item["missing"][0]["org"] == "beta"
    assert item["can_do"][0] == {"action": "route", "organisations": ["beta"]}


async def test_an_item_says_what_it_is_about_and_nothing_by_which_a_person_could_be_known(office: Office) -> None:
    subject = {"kind": "registrant", "registers": ["gmc"], "tokens": [{"scheme": "gmc-number", "token": SECRET}]}
    await office.route(categories=["theft"], subjects=[subject], contact={"name": SECRET, "email": SECRET})
    answer = await office.router.get(f"/v1/work-items/{await office.item_of('unroutable')}")
    about = answer.json()["concern"]
    assert (about["originator"], about["categories"], about["nation"]) == ("alpha", ["theft"], "england")
    assert about["subjects"] == [{"kind": "registrant", "registers": ["gmc"]}]
    assert SECRET not in answer.text


async def rounds_as_seen_by(office: Office, by: str) -> Any:
    """Alpha chose nobody; a duty router routed its concern to beta."""
    await office.route(categories=["theft"])
    item = await office.item_of("unroutable")
    answer = await office.resolve(item, action="route", organisations=["beta"], reason=SECRET, decided_by="Kim")
    assert answer.status_code == 200
    return await office.router.get("/v1/decisions/con_1/rounds", by=by)


@pytest.mark.parametrize("by", [OPERATOR, AUDITOR])
async def test_who_oversees_sees_who_opened_a_round_and_why(office: Office, by: str) -> None:
    (opened,) = (await rounds_as_seen_by(office, by)).json()["rounds"]
    assert (opened["by"], opened["reason"]) == ({"principal": "sam", "org": "hq", "name": "Kim"}, SECRET)
    assert opened["choices"] == {"beta": "full"}
    looks = [fact.actor for fact in office.store.state.facts if fact.kind == "access"]
    assert looks == (["aud"] if by == AUDITOR else [])


async def test_the_originator_sees_whom_another_told_of_its_concern_and_neither_why_nor_which_person(
    office: Office,
) -> None:
    answer = await rounds_as_seen_by(office, READER)
    (opened,) = answer.json()["rounds"]
    assert (opened["kind"], opened["by"], opened["organisations"]) == ("route", {"org": "hq"}, ["beta"])
    assert not {"reason", "choices", "record"} & opened.keys()
    assert SECRET not in answer.text
    assert "Kim" not in answer.text


async def test_a_body_that_was_told_sees_no_rounds_and_the_answer_of_a_concern_that_does_not_exist(
    office: Office,
) -> None:
    told = await rounds_as_seen_by(office, STRANGER)
    unknown = await office.router.get("/v1/decisions/con_9/rounds", by=STRANGER)
    assert (told.status_code, told.json()["type"]) == (404, unknown.json()["type"])


async def test_a_gap_names_the_clause_that_came_nearest_and_the_smallest_repair(office: Office) -> None:
    await office.route(purposes=["law"])
    item = (await office.router.get(f"/v1/work-items/{await office.item_of('gap')}")).json()
    missing = item["missing"][0]
    assert (missing["org"], missing["may_be_told"]) == ("beta", None)
    assert (missing["nearest"]["clause"], missing["nearest"]["reason"]) == ("pact/c1", "PURPOSE_NOT_COVERED")
    assert missing["smallest_repair"] == {"clause": "pact/c1", "gates": ["purpose"], "would_be": "told"}


async def test_routing_by_hand_tells_whom_a_clause_allows_and_ends_the_item(office: Office) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("unroutable")
    answer = await office.resolve(item, action="route", organisations=["beta"], decided_by="Sam", reason=SECRET)
    assert answer.status_code == 200
    assert [row["org"] for row in answer.json()["decision"]["told"]] == ["beta"]
    assert (answer.json()["state"], answer.json()["resolution"]) == ("closed", "routed")
    assert office.store.state.issued[0].data.reason == "CHOSEN"
    shown = (await office.router.get(f"/v1/work-items/{item}")).json()
    assert (shown["history"][0]["by"], shown["history"][0]["reason"]) == ("Sam", SECRET)
    assert not any(SECRET in fact.model_dump_json() for fact in office.store.state.facts)


async def test_no_hand_tells_a_body_that_no_clause_allows(office: Office) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("gap")
    for pointer in (False, True):
        answer = await office.resolve(item, action="route", organisations=["gamma"], pointer_only=pointer)
        assert answer.status_code == 409
        assert answer.json()["errors"] == [
            {"pointer": "/organisations/0", "detail": "NO_PATH: No agreement joins the two organisations."}
        ]
    assert office.store.state.issued == []
    assert {item["state"] for item in await office.items()} == {"open"}


async def test_a_pointer_past_a_ceiling_needs_a_second_person(office: Office) -> None:
    await office.route(TOO_SENSITIVE, sensitivity=["personal_data"])
    item = await office.item_of("gap")
    assert (await office.resolve(item, action="route", organisations=["beta"])).status_code == 409
    asked: dict[str, Any] = {"action": "route", "organisations": ["beta"], "pointer_only": True}
    assert (await office.resolve(item, **asked)).status_code == 202
    assert (await office.resolve(item, reason="in other words", **asked)).status_code == 202
    assert office.store.state.issued == []
    answer = await office.resolve(item, by=SECOND_DUTY, **asked)
    assert answer.status_code == 200
    (notice,) = office.store.state.issued
    assert (notice.data.pointer_only, notice.data.fields["narrative"]) == (True, "omit")


async def test_another_client_of_the_same_person_is_no_second_person(office: Office) -> None:
    await office.route(TOO_SENSITIVE, sensitivity=["personal_data"])
    item = await office.item_of("gap")
    asked: dict[str, Any] = {"action": "route", "organisations": ["beta"], "pointer_only": True}
    assert (await office.resolve(item, decided_by="Ann", **asked)).status_code == 202
    assert (await office.resolve(item, by=SECOND_DUTY, decided_by=" ann", **asked)).status_code == 202
    assert office.store.state.issued == []
    assert (await office.resolve(item, by=SECOND_DUTY, decided_by="Bob", **asked)).status_code == 200


async def test_the_second_person_cannot_widen_what_the_first_proposed(office: Office) -> None:
    wide = small.pact(small.clause(to=["beta", "gamma"], sensitivity_max=[]))
    await office.route(wide, sensitivity=["personal_data"])
    item = await office.item_of("gap")
    await office.resolve(item, action="route", organisations=["beta"], pointer_only=True)
    wider: dict[str, Any] = {"action": "route", "organisations": ["beta", "gamma"], "pointer_only": True}
    assert (await office.resolve(item, by=SECOND_DUTY, **wider)).status_code == 202
    assert office.store.state.issued == []


async def test_what_waits_comes_back_on_its_day(office: Office) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("unroutable")
    assert (await office.resolve(item, action="wait", until="2025-03-12T09:00:00Z")).status_code == 200
    assert [i["item_id"] for i in await office.items("?state=waiting")] == [item]
    assert item not in {i["item_id"] for i in await office.items("?state=open")}
    assert item in {i["item_id"] for i in await office.items()}
    office.clock.move(timedelta(days=3))
    assert item in {i["item_id"] for i in await office.items("?state=open")}


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (timedelta(0), 422),
        (timedelta(microseconds=1), 200),
        (WAIT_MAX, 200),
        (WAIT_MAX + timedelta(microseconds=1), 422),
    ],
)
async def test_an_item_waits_until_a_day_that_is_not_too_far_ahead(
    office: Office, ahead: timedelta, status: int
) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("unroutable")
    answer = await office.resolve(item, action="wait", until=(office.clock.now() + ahead).isoformat())
    assert answer.status_code == status
    assert len(await office.items("?state=waiting")) == (status == 200)
    if status == 422:
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/until"]


async def test_a_closed_item_keeps_its_reason_and_leaves_the_queue(office: Office) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("gap")
    assert (await office.resolve(item, action="close", reason="told by telephone")).json()["resolution"] == "closed"
    assert item not in {i["item_id"] for i in await office.items()}
    assert [i["item_id"] for i in await office.items("?state=closed&kind=gap")] == [item]
    assert (await office.router.get(f"/v1/work-items/{item}")).json()["history"][0]["reason"] == "told by telephone"


async def test_the_same_act_sent_again_happens_once_and_another_comes_too_late(office: Office) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("gap")
    first, again = [await office.resolve(item, action="close") for _ in range(2)]
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert (await office.resolve(item, action="close", reason="no, because")).status_code == 409
    assert len([fact for fact in office.store.state.facts if fact.kind == "work-item"]) == 1


async def test_an_item_is_taken_on_and_given_to_another(office: Office) -> None:
    await office.route(categories=["theft"])
    path = f"/v1/work-items/{await office.item_of('gap')}/assignment"
    assert (await office.router.post(path, {}, by=DUTY)).json()["owner"] == "sam"
    assert (await office.router.post(path, {"owner": "kim", "reason": "leave"}, by=DUTY)).json()["owner"] == "kim"
    events = (await office.router.get(path.removesuffix("/assignment"))).json()["history"]
    assert [event["owner"] for event in events] == ["sam", "kim"]


async def test_who_may_read_and_who_may_act(office: Office) -> None:
    await office.route(categories=["theft"])
    item = await office.item_of("gap")
    reading = {by: (await office.router.get(f"/v1/work-items/{item}", by=by)).status_code for by in (OPERATOR, DUTY)}
    assert set(reading.values()) == {200}
    for by in (READER, STRANGER, CASE_SYSTEM):
        assert (await office.router.get(f"/v1/work-items/{item}", by=by)).status_code == 403
    for by in (READER, OPERATOR, CASE_SYSTEM):
        assert (await office.resolve(item, by=by, action="close")).status_code == 403


@pytest.mark.parametrize(
    ("body", "bad"),
    [
        ({"action": "route"}, ["/organisations"]),
        ({"action": "wait"}, ["/until"]),
        ({"action": "close", "organisations": ["beta"]}, ["/organisations"]),
        ({"action": "wait", "organisations": ["beta"], "reason": " "}, ["/organisations", "/reason", "/until"]),
        ({"action": "close", "pointer_only": True}, ["/pointer_only"]),
        ({"action": "route", "organisations": ["beta"], "pointer_only": "no"}, ["/pointer_only"]),
        ({"action": "wait", "until": "2025-03-01T00:00:00Z"}, ["/until"]),
        ({"action": "wait", "until": "next week"}, ["/until"]),
        ({"action": "tell"}, ["/action"]),
        ({"action": "route", "organisations": []}, ["/organisations"]),
        ({"action": "close", "reason": " "}, ["/reason"]),
        ({"action": "close", "haste": True}, ["/haste"]),
    ],
)
async def test_a_resolution_that_is_not_right_names_each_field(office: Office, body: Any, bad: list[str]) -> None:
    await office.route(categories=["theft"])
    answer = await office.resolve(await office.item_of("gap"), **body)
    assert answer.status_code == 422
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == bad


async def test_an_item_that_does_not_exist_is_not_found(office: Office) -> None:
    await office.route()
    assert (await office.router.get("/v1/work-items/wrk_9", by=DUTY)).status_code == 404
    assert (await office.resolve("wrk_9", action="close")).status_code == 404
    assert (await office.resolve("wrk_9", action="route", organisations=["beta"])).status_code == 404


async def test_the_originator_chooses_over_http_and_hears_no_reason_for_a_refusal(office: Office) -> None:
    await office.route(categories=["theft"])
    path = "/v1/decisions/con_1/choices"
    refused = await office.router.post(path, {"organisations": ["beta", "gamma"], "reason": "theirs"}, by=READER)
    unknown = await office.router.post(path, {"organisations": ["beta", "nobody"], "reason": "theirs"}, by=READER)
    assert refused.status_code == unknown.status_code == 409
    assert refused.json()["errors"] == unknown.json()["errors"]
    answer = await office.router.post(path, {"organisations": ["beta"], "reason": "theirs"}, by=READER)
    again = await office.router.post(path, {"organisations": ["beta"], "reason": "theirs"}, by=READER)
    assert (answer.json()["round"], answer.json()["repeated"], again.json()["repeated"]) == (2, False, True)
    assert [row["org"] for row in answer.json()["told"]] == ["beta"]


async def test_a_choice_by_anybody_else_answers_like_a_concern_that_does_not_exist(office: Office) -> None:
    await office.route(categories=["theft"])
    body = {"organisations": ["beta"], "reason": "theirs"}
    there = await office.router.post("/v1/decisions/con_1/choices", body, by=STRANGER)
    absent = await office.router.post("/v1/decisions/con_9/choices", body, by=STRANGER)
    assert there.status_code == absent.status_code == 404
    assert {**there.json(), "trace": ""} == {**absent.json(), "trace": ""}


async def test_of_two_notices_that_came_back_the_one_that_was_dealt_with_ends_and_the_other_stays(
    office: Office,
) -> None:
    both = small.pact(small.clause(to=["beta", "gamma"]))
    await office.route(both, small.org("gamma", small.remit()), small.org("delta"))
    for notice in list(office.store.state.issued):
        news = NoticeNews(notice.id, "con_1", 1, notice.data.recipient, office.clock.now(), refusal="not-ours")
        await hear_of_notices(Batch((news,), ()), begin=office.store.begin)
    first, second = [item["item_id"] for item in await office.items("?kind=refused")]
    answer = await office.resolve(first, action="route", organisations=["beta"])
    assert (answer.status_code, answer.json()["resolution"]) == (200, "routed")
    assert [item["item_id"] for item in await office.items("?kind=refused")] == [second]
