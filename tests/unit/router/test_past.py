"""The past over HTTP: decided again on the graph of then, on another day, or with a change; and human decisions."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.router.usecases import route_concerns
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_app import AUDITOR, DUTY, OPERATOR, READER, STRANGER, InMemoryHistory, RouterUnderTest
from tests.support.router_fakes import InMemoryRouter, a_concern, graph_objects, judge_of, judging, replica_of

DAY = timedelta(days=1)
FIRST = replica_of(graph_objects())
SECOND = replica_of(graph_objects(small.pact(terminated="2025-03-05")), 2)
ENDED = replica_of(graph_objects(small.pact(in_force=small.during(None, "2025-01-01"))), 2)
WELFARE = small.gateway(id="welfare", decided_by="person", needs="necessity_statement")
BARRED = (small.barred_alpha(), small.bar(WELFARE))
RECORD = {
    "decision": "share",
    "decided_by": "Sam",
    "position": "Caldicott guardian",
    "receiving_organisations": ["beta"],
    "data_described": "the concern and the name of the registrant",
    "purpose": "regulatory function",
    "legal_power": "the gateway named",
    "lawful_basis": "public task",
    "reason": "people are at risk",
}


class Past:
    """A router that decided on version 1 and has version 2 now."""

    def __init__(self, *objects: Any) -> None:
        self.store, self.current = InMemoryRouter(), judging(*objects)
        graphs = {1: (NOON - DAY, replica_of(graph_objects(*objects))), 2: (NOON, SECOND)}
        self.history = InMemoryHistory(graphs)
        self.router = RouterUnderTest(self.store, self.current, FrozenClock(), self.history)

    async def route(self, *concerns: Any) -> None:
        batch = Batch(concerns or (a_concern(1),), ())
        await route_concerns(batch, current=self.current, ledger=self.store, clock=FrozenClock())

    async def ask(self, path: str, by: str = OPERATOR) -> Any:
        answer = await self.router.get(path, by=by)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_every_byte_of_history_comes_out_again() -> None:
    past = Past()
    await past.route(a_concern(1), a_concern(2, categories=["theft"]), a_concern(3, min_graph_token="9.aaaaaaaa"))
    body = {"organisations": ["beta"], "reason": "theirs"}
    assert (await past.router.post("/v1/decisions/con_2/choices", body, by=READER)).status_code == 200
    past.current.swap(judge_of(SECOND))
    assert await past.ask("/v1/replay") == {"count": 4, "differences": [], "next": None}


async def test_replay_goes_page_by_page_and_names_what_differs() -> None:
    past = Past()
    await past.route(*(a_concern(n) for n in (1, 2, 3)))
    key, record = next(iter(past.store.state.decisions.items()))
    past.store.state.decisions[key] = replace(record, body=record.body + b" ")
    found, after, pages = [], "", 0
    while after is not None:
        page = await past.ask(f"/v1/replay?limit=1&after={after}", by=AUDITOR)
        found += page["differences"]
        after, pages = page["next"], pages + 1
    assert pages == 4
    assert [(row["decision_id"], row["finding"]) for row in found] == [(record.decision_id, "bytes")]


@pytest.mark.parametrize(
    ("change", "finding"),
    [({"digest": "0" * 64}, "digest"), ({"engine": "0"}, "engine"), ({"graph": SECOND.head}, "bytes")],
)
async def test_replay_says_what_kind_of_difference_it_is(change: Any, finding: str) -> None:
    past = Past()
    await past.route(a_concern(1, received_at="2025-03-06T10:00:00Z"))
    key, record = next(iter(past.store.state.decisions.items()))
    past.store.state.decisions[key] = replace(record, **change)
    (difference,) = (await past.ask("/v1/replay"))["differences"]
    assert difference["finding"] == finding


async def test_a_concern_is_decided_again_as_of_a_day_and_as_known_at_a_moment() -> None:
    past = Past()
    await past.route()
    path = "/v1/decisions/con_1/again"
    assert [row["org"] for row in (await past.ask(path))["told"]] == ["beta"]
    later = await past.ask(f"{path}?as_of=2025-03-06T10:00:00Z&known_at=2025-03-10T12:00:00Z")
    assert (later["told"], later["graph"]["version"], later["as_of"]) == ([], 2, "2025-03-06T10:00:00Z")
    then = await past.ask(f"{path}?as_of=2025-03-06T10:00:00Z&known_at=2025-03-10T11:59:59Z")
    assert ([row["org"] for row in then["told"]], then["graph"]["version"]) == (["beta"], 1)
    assert then["stored"]["graph"]["version"] == 1
    assert (await past.router.get(f"{path}?known_at=2020-01-01T00:00:00Z")).status_code == 404


async def test_who_is_neither_operator_nor_auditor_cannot_ask_the_past() -> None:
    past = Past()
    await past.route()
    for by in (READER, STRANGER, DUTY):
        assert (await past.router.get("/v1/decisions/con_1/again", by=by)).status_code == 404
        assert (await past.router.get("/v1/replay", by=by)).status_code == 403


async def test_a_preview_may_ask_for_another_day_another_graph_and_a_change_of_it() -> None:
    past = Past()
    concern = {"originator": "alpha", "categories": ["harm"], "nation": "england", "subjects": [{"kind": "provider"}]}

    async def told(**asked: Any) -> Any:
        answer = await past.router.preview({"concern": concern, **asked})
        assert answer.status_code == 200, answer.text
        return [row["org"] for row in answer.json()["told"]]

    known = {"as_of": "2025-03-06T00:00:00Z", "known_at": "2025-03-10T12:00:00Z"}
    assert await told() == ["beta"]
    assert await told(**known) == []
    assert await told(**known, graph_delta=[small.pact()]) == ["beta"]
    assert await told(graph_delta=[small.pact(small.clause(to=["gamma"])), small.org("gamma", small.remit())]) == [
        "gamma"
    ]
    assert past.store.state.decisions == {}


async def test_a_change_that_cannot_be_read_is_named_and_only_operators_may_try_one() -> None:
    past = Past()
    body = {"concern": {"originator": "alpha", "categories": ["harm"]}, "graph_delta": [small.pact(parties=[])]}
    answer = await past.router.preview(body)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/graph_delta"}
    assert (await past.router.preview(body, by=READER)).json()["errors"][0]["pointer"] == "/graph_delta"


async def decide_by_hand(past: Past, by: str = READER, **changes: Any) -> Any:
    return await past.router.post("/v1/decisions/con_1/human-decisions", {**RECORD, **changes}, by=by)


async def test_a_persons_decision_opens_its_gateway_and_is_kept_with_its_record() -> None:
    past = Past(*BARRED)
    await past.route()
    assert past.store.state.issued == []
    answer = await decide_by_hand(past, gateways=["bar/welfare"], why_necessary="children live there")
    assert answer.status_code == 200
    assert [notice.data.recipient for notice in past.store.state.issued] == ["beta"]
    (opened,) = (await past.ask("/v1/decisions/con_1/rounds", by=READER))["rounds"]
    assert (opened["kind"], opened["by"]["name"], opened["record"]["position"]) == (
        "human-decision", "Sam", "Caldicott guardian"
    )  # fmt: skip
    routing = (await past.ask("/v1/routings"))["items"][0]["routing"]
    assert [row["id"] for row in routing["gateways"]] == ["bar/welfare"]
    assert "children live there" not in str(routing)
    assert not any("children" in fact.model_dump_json() for fact in past.store.state.facts)


async def test_a_decision_not_to_share_is_recorded_as_carefully_and_tells_nobody() -> None:
    past = Past(*BARRED)
    await past.route()
    answer = await decide_by_hand(past, decision="do-not-share", reason="the person withdrew consent")
    assert (answer.status_code, past.store.state.issued) == (200, [])
    (opened,) = (await past.ask("/v1/decisions/con_1/rounds"))["rounds"]
    assert (opened["record"]["decision"], opened["reason"]) == ("do-not-share", "the person withdrew consent")
    again = await decide_by_hand(past, decision="do-not-share", reason="the person withdrew consent")
    assert again.json()["repeated"]


async def test_a_decision_not_to_share_stands_on_record_where_no_clause_lets_the_body_be_told_any_more() -> None:
    past = Past()
    await past.route(a_concern(1, categories=["theft"]))
    chosen = {"organisations": ["beta"], "reason": "theirs"}
    assert (await past.router.post("/v1/decisions/con_1/choices", chosen, by=READER)).status_code == 200
    past.current.swap(judge_of(ENDED))
    assert (await decide_by_hand(past, reason="told again")).status_code == 409
    answer = await decide_by_hand(past, decision="do-not-share", reason="the agreement has ended")
    assert (answer.status_code, answer.json()) == (200, answer.json() | {"round": 3, "told": []})


async def test_why_a_body_may_not_be_told_is_not_the_originators_to_know_by_a_record_either() -> None:
    past = Past()
    await past.route(a_concern(1, categories=["theft"]))
    chosen = {"organisations": ["beta"], "reason": "theirs"}
    assert (await past.router.post("/v1/decisions/con_1/choices", chosen, by=READER)).status_code == 200
    past.current.swap(judge_of(ENDED))
    (error,) = (await decide_by_hand(past)).json()["errors"]
    assert error["detail"].startswith("NOT_AVAILABLE")


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({"gateways": ["bar/nowhere"]}, ["/gateways/0"]),
        ({"decision": "do-not-share", "gateways": ["bar/welfare"]}, ["/gateways/0"]),
        ({"decision": "do-not-share", "no_longer_necessary": True}, ["/no_longer_necessary"]),
        ({"no_longer_necessary": True}, ["/no_longer_necessary"]),
        ({"no_longer_necessary": True, "legal_power": " "}, ["/legal_power", "/no_longer_necessary"]),
        ({"decision": "do-not-share", "no_longer_necessary": "no"}, ["/no_longer_necessary"]),
        ({"decided_by": ""}, ["/decided_by"]),
        ({"decided_by": " "}, ["/decided_by"]),
        ({"legal_power": " "}, ["/legal_power"]),
    ],
)
async def test_a_record_that_is_not_right_names_each_field(changes: Any, bad: list[str]) -> None:
    past = Past(*BARRED)
    await past.route()
    answer = await decide_by_hand(past, **changes)
    assert answer.status_code == 422
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == bad
    assert len(past.store.state.decisions) == 1


OPENS: dict[str, Any] = {"gateways": ["bar/welfare"], "why_necessary": "children live there"}
SHUTS: dict[str, Any] = {"decision": "do-not-share", "reason": "it was opened by mistake"}


@pytest.mark.parametrize(
    "named", [{"gateways": ["bar/welfare"]}, {"no_longer_necessary": True}], ids=["the gateway", "the necessity"]
)
async def test_what_was_opened_by_mistake_is_closed_and_who_was_told_hears_of_the_withdrawal_alone(named: Any) -> None:
    past = Past(*BARRED)
    await past.route()
    assert (await decide_by_hand(past, **OPENS)).status_code == 200
    shut = await decide_by_hand(past, **SHUTS, **named)
    assert (shut.status_code, shut.json()["round"], shut.json()["told"]) == (200, 3, [])
    told, taken_back = (issued.data for issued in past.store.state.issued)
    assert (told.kind, taken_back.kind, taken_back.ref) == ("tell", "withdrawal", told.notice_id)
    assert (taken_back.recipient, taken_back.fields) == ("beta", {"header": "full"})
    (undone,) = past.store.state.undone
    assert [row.of for row in undone.data.notices] == [told.notice_id]
    rounds = (await past.ask("/v1/decisions/con_1/rounds"))["rounds"]
    assert [row["record"]["decision"] for row in rounds] == ["share", "do-not-share"]
    assert [fact.body["of"] for fact in past.store.state.facts if "undoing" in fact.body] == [told.notice_id]
    again = await decide_by_hand(past, **SHUTS, **named)
    assert again.json() == {**shut.json(), "repeated": True}
    assert len(past.store.state.issued) == 2


async def test_who_was_withdrawn_from_is_not_said_to_be_told_of_the_same_version_again() -> None:
    past = Past(*BARRED)
    await past.route()
    assert (await decide_by_hand(past, **OPENS)).status_code == 200
    assert (await decide_by_hand(past, **SHUTS, gateways=["bar/welfare"])).status_code == 200
    again = await decide_by_hand(past, **OPENS, reason="it was right after all")
    assert (again.status_code, again.json()["type"]) == (409, "urn:concordat:problem:told-once")
    assert [issued.data.kind for issued in past.store.state.issued] == ["tell", "withdrawal"]
    assert len(past.store.state.decisions) == 3


async def assert_decided_otherwise(past: Past, answer: Any, rounds: int) -> None:
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:concordat:problem:decided-otherwise")
    assert len(past.store.state.decisions) == rounds


@pytest.mark.parametrize(
    ("opens", "shuts"),
    [
        ({"gateways": ["bar/welfare"]}, {"gateways": ["bar/welfare"]}),
        ({"why_necessary": "children live there"}, {"no_longer_necessary": True}),
    ],
    ids=["a gateway", "the necessity"],
)
async def test_what_was_taken_back_since_is_not_answered_as_if_it_stood(opens: Any, shuts: Any) -> None:
    """Word for word the same: a late repeat must not open anew, and who means it must not believe that it is open."""
    past = Past(*BARRED)
    await past.route()
    for record in (opens, SHUTS | shuts):
        assert (await decide_by_hand(past, **record)).status_code == 200
        assert (await decide_by_hand(past, **record)).json()["repeated"]
    await assert_decided_otherwise(past, await decide_by_hand(past, **opens), rounds=3)


async def test_nor_is_a_choice_that_was_taken_back_nor_a_silence_that_was_broken() -> None:
    past = Past()
    await past.route(a_concern(1, categories=["theft"]))
    first, other = ({"organisations": ["beta"], "reason": reason} for reason in ("theirs", "theirs after all"))
    assert (await decide_by_hand(past, **SHUTS)).status_code == 200
    assert (await past.router.post("/v1/decisions/con_1/choices", first, by=READER)).status_code == 200
    await assert_decided_otherwise(past, await decide_by_hand(past, **SHUTS), rounds=3)
    assert (await decide_by_hand(past, **SHUTS | {"reason": "no, it is not"})).status_code == 200
    again = await past.router.post("/v1/decisions/con_1/choices", first, by=READER)
    await assert_decided_otherwise(past, again, rounds=4)
    assert (await past.router.post("/v1/decisions/con_1/choices", other, by=READER)).status_code == 200


async def test_a_repeated_choice_names_nobody_as_told_from_whom_the_notice_was_withdrawn_since() -> None:
    """As when the agreement that told it ended early."""
    past = Past()
    await past.route(a_concern(1, categories=["theft"]))
    chosen = {"organisations": ["beta"], "reason": "theirs"}
    path = "/v1/decisions/con_1/choices"
    (told,) = (await past.router.post(path, chosen, by=READER)).json()["told"]
    assert (await past.router.post(path, chosen, by=READER)).json()["told"] == [told]
    past.store.state.settled[told["notice_id"]] = "withdrawn"
    again = (await past.router.post(path, chosen, by=READER)).json()
    assert (again["repeated"], again["told"]) == (True, [])


async def test_everything_that_is_not_open_is_named_and_what_is_open_stays_so() -> None:
    past = Past(*BARRED)
    await past.route()
    assert (await decide_by_hand(past, gateways=["bar/welfare"])).status_code == 200
    named = ["bar/welfare", "bar/other"]
    answer = await decide_by_hand(past, **SHUTS, gateways=named, no_longer_necessary=True)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/gateways/1", "/no_longer_necessary"]
    routing = (await past.ask("/v1/routings"))["items"][0]["routing"]
    assert [row["id"] for row in routing["gateways"]] == ["bar/welfare"]


async def test_a_decision_not_to_share_that_closes_nothing_takes_nothing_back() -> None:
    past = Past(*BARRED)
    await past.route()
    assert (await decide_by_hand(past, **OPENS)).status_code == 200
    assert (await decide_by_hand(past, **SHUTS)).status_code == 200
    assert [issued.data.kind for issued in past.store.state.issued] == ["tell"]


async def test_only_the_originator_decides_on_its_own_bar() -> None:
    past = Past(*BARRED)
    await past.route()
    assert (await decide_by_hand(past, by=STRANGER)).status_code == 404


async def raised(past: Past, version: int = 1, **routing: Any) -> None:
    await past.route(a_concern(1, version=version, **routing))


async def test_whom_it_was_decided_not_to_share_with_is_not_told_when_a_bar_has_gone() -> None:
    past = Past(*BARRED)
    await raised(past)
    past.current.swap(judge_of(FIRST))
    answer = await decide_by_hand(past, decision="do-not-share")
    assert (answer.status_code, answer.json()["told"], past.store.state.issued) == (200, [], [])
    await raised(past, 2)
    assert past.store.state.issued == []


async def test_a_decision_not_to_share_ends_a_choice_for_later_versions_until_it_is_decided_to_share() -> None:
    past = Past()
    await raised(past, categories=["theft"])
    chosen = {"organisations": ["beta"], "reason": "theirs"}
    assert (await past.router.post("/v1/decisions/con_1/choices", chosen, by=READER)).status_code == 200
    assert (await decide_by_hand(past, decision="do-not-share")).status_code == 200
    await raised(past, 2, categories=["theft"])
    assert len(past.store.state.issued) == 1
    again = {"organisations": ["beta"], "reason": "theirs after all"}
    assert (await past.router.post("/v1/decisions/con_1/choices", again, by=READER)).status_code == 200
    await raised(past, 3, categories=["theft"])
    assert [issued.data.version for issued in past.store.state.issued] == [1, 2, 3]


async def test_who_decides_to_share_after_all_lets_the_agreements_speak_again() -> None:
    past = Past()
    await raised(past)
    for decision in ("do-not-share", "share"):
        assert (await decide_by_hand(past, decision=decision, reason=decision)).status_code == 200
    await raised(past, 2)
    assert [issued.data.version for issued in past.store.state.issued] == [1, 2]


async def test_no_record_keeps_a_concern_from_a_body_that_a_duty_tells() -> None:
    past = Past(small.pact(small.clause(effect="REQUIRE")))
    await raised(past)
    answer = await decide_by_hand(past, decision="do-not-share")
    assert (answer.status_code, len(past.store.state.decisions)) == (409, 1)
    assert answer.json()["errors"][0]["detail"].startswith("REQUIRED")


async def test_no_duty_router_tells_whom_the_originator_decided_not_to_share_with() -> None:
    past = Past()
    await raised(past, categories=["theft"])
    assert (await decide_by_hand(past, decision="do-not-share")).status_code == 200
    items = (await past.ask("/v1/work-items", by=DUTY))["items"]
    (item,) = (row["item_id"] for row in items if row["kind"] == "unroutable")
    shown = await past.ask(f"/v1/work-items/{item}", by=DUTY)
    assert [(row["org"], row["may_be_told"]) for row in shown["missing"]] == [("beta", None)]
    assert shown["can_do"] == [{"action": "wait"}, {"action": "close"}]
    asked = {"action": "route", "organisations": ["beta"], "decided_by": "Kim", "reason": "they should know"}
    for pointer in (False, True):
        path = f"/v1/work-items/{item}/resolution"
        answer = await past.router.post(path, asked | {"pointer_only": pointer}, by=DUTY)
        assert (answer.status_code, past.store.state.issued) == (409, [])
        assert answer.json()["errors"][0]["detail"].startswith("NOT_AVAILABLE")
