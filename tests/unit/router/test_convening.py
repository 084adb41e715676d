"""Panels: who convenes, who is invited, what each body says and sees, and what the events come to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.convening import STEP_NAMES, Panel, PanelEvent, panel_of
from services.router.domain.model import Recall
from services.router.domain.panel_rules import OF_INVITEES, refused
from services.router.domain.rounds import Person
from tests.support.clock import NOON
from tests.support.router_app import CONVENOR, DUTY, ELSEWHERE, OPERATOR, READER, STRANGER
from tests.support.router_panels import CLOSING, CONVENED, HELD, NOT_TOLD, TO_DO, Table, decided, opened, set_table
from tests.support.router_subjects import about

ADA = Person("ada", "alpha", "Ada")


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    async with set_table() as table:
        yield table


async def test_a_panel_runs_from_its_proposal_to_its_closing(table: Table) -> None:
    await opened(table)
    steps: list[tuple[str, str, dict[str, Any], str]] = [
        ("responded", STRANGER, {"response": "attending"}, "contributions_open"),
        ("contributed", STRANGER, {"answer": "cannot-disclose", "legal_reason": "section 76"}, "contributions_open"),
        ("contributed", CONVENOR, HELD, "contributions_open"),
        ("attended", CONVENOR, {"organisations": ["alpha", "beta"]}, "contributions_open"),
        ("decided", CONVENOR, {"outcome": "joint-plan", "dissent": {"beta": "too late"}}, "decided"),
        ("dissented", STRANGER, {}, "decided"),
        ("review-set", CONVENOR, {"due": "2025-12-01"}, "decided"),
        ("action-added", CONVENOR, TO_DO, "actions_open"),
        ("action-done", STRANGER, {"action": "a1", "evidence": "report 7"}, "actions_open"),
        ("subject-told", CONVENOR, NOT_TOLD, "actions_open"),
        ("closed", CONVENOR, CLOSING, "closed"),
    ]  # fmt: skip
    for event, by, more, state in steps:
        answer = await table.say(event, by=by, **more)
        assert (answer.status_code, answer.json().get("state")) == (200, state), answer.text
    facts = [fact.body for fact in table.watch.store.state.facts if "panel_id" in fact.body]
    assert [fact["number"] for fact in facts] == list(range(1, 15))
    for words in ("meet earlier", "told what was decided", HELD["lawful_basis"], HELD["why_necessary"], "too late"):
        assert words not in str(facts)


async def test_the_invitation_is_a_pointer_to_whoever_was_told_and_goes_once(table: Table) -> None:
    await opened(table)
    (invited,) = [event.data for event in table.watch.store.state.issued if event.data.kind == "invitation"]
    assert (invited.recipient, invited.pointer_only, invited.because) == ("beta", True, [])
    assert invited.ref in table.place


async def test_nobody_learns_of_a_concern_by_an_invitation(table: Table) -> None:
    await table.propose()
    answer = await table.say("convened", organisations=["beta", "gamma"], position="head")
    assert answer.status_code == 409
    assert "choose or route them first: gamma" in answer.json()["detail"]
    stranger = await table.say("convened", organisations=["delta"], position="head")
    assert "no members of Regulatory Review Panel today: delta" in stranger.json()["detail"]
    assert (await table.sees(CONVENOR))["state"] == "proposed"
    assert [e for e in table.watch.store.state.issued if e.data.kind == "invitation"] == []


async def test_only_a_person_with_the_role_convenes_and_only_about_what_its_body_knows(table: Table) -> None:
    assert (await table.propose(by=READER)).status_code == 403
    assert (await table.propose(by=ELSEWHERE)).status_code == 404
    assert (await table.propose(concern_id="con_9")).status_code == 404
    assert (await table.propose(decided_by=" ")).status_code == 422
    await table.propose()
    assert (await table.say("convened", by=READER, organisations=["beta"], position="head")).status_code == 403


async def test_a_duty_router_convenes_about_any_concern_and_is_no_body_at_the_table(table: Table) -> None:
    assert (await table.propose(by=DUTY)).json()["convenor"] == "hq"
    assert (await table.say("convened", by=DUTY, **CONVENED)).status_code == 200
    assert (await table.say("contributions-opened", by=CONVENOR)).status_code == 409
    invited = [e.data.recipient for e in table.watch.store.state.issued if e.data.kind == "invitation"]
    assert invited == ["alpha", "beta"]


async def test_a_panel_is_about_several_concerns_and_each_body_is_invited_by_those_that_it_was_told_of(
    table: Table,
) -> None:
    await table.watch.decide(about(2), about(3, categories=["fire-risk"]))
    assert (await table.propose(concern_id="con_3", also=["con_1", "con_2"])).status_code == 201
    answer = await table.say("convened", **CONVENED)
    assert answer.status_code == 200
    invited = [e.data for e in table.watch.store.state.issued if e.data.kind == "invitation"]
    assert [(one.recipient, one.concern_id) for one in invited] == [("beta", "con_1"), ("beta", "con_2")]
    whole, part = await table.sees(CONVENOR), await table.sees(STRANGER)
    assert (whole["concern_id"], whole["also"]) == ("con_3", ["con_1", "con_2"])
    assert (part["concern_id"], part["also"]) == ("con_1", ["con_2"])
    assert "con_3" not in str(part)


async def test_every_concern_of_a_panel_must_be_the_convenors_to_know(table: Table) -> None:
    await table.watch.decide(about(2, by="gamma", categories=["theft"]))
    for other in ("con_2", "con_9"):
        assert (await table.propose(also=[other])).status_code == 404
    assert (await table.propose(by=DUTY, also=["con_2"])).status_code == 201


async def test_of_several_concerns_one_that_is_recalled_is_left_out(table: Table) -> None:
    await table.watch.decide(about(2))
    await table.propose(also=["con_2"])
    await table.watch.decide(Recall("con_1", "not-true"))
    assert (await table.say("convened", organisations=["beta"], position="head")).status_code == 200
    invited = [e.data.concern_id for e in table.watch.store.state.issued if e.data.kind == "invitation"]
    assert invited == ["con_2"]
    assert (await table.sees(STRANGER))["concern_id"] == "con_2"


async def test_a_recalled_concern_is_convened_about_no_more(table: Table) -> None:
    await table.propose()
    await table.watch.decide(Recall("con_1", "not-true"))
    assert (await table.say("convened", organisations=["beta"], position="head")).status_code == 409
    assert (await table.propose(key="k2")).status_code == 404


async def test_the_same_key_finds_the_same_panel_and_the_same_step_happens_once(table: Table) -> None:
    first = (await table.propose()).json()["panel_id"]
    assert (await table.propose()).json()["panel_id"] == first
    assert (await table.propose(reason="another")).status_code == 409
    seen = table.etag
    await table.say("convened", organisations=["beta"], position="head")
    table.etag = seen
    assert (await table.say("convened", organisations=["beta"], position="head")).status_code == 200
    assert len((await table.sees(CONVENOR))["events"]) == 2


async def test_a_step_states_what_it_saw(table: Table) -> None:
    await table.propose()
    seen = table.etag
    await table.say("convened", organisations=["beta"], position="head")
    table.etag = seen
    assert (await table.say("contributions-opened")).status_code == 412
    table.etag = ""
    assert (await table.say("contributions-opened")).status_code == 428
    table.etag = "2"
    assert (await table.say("contributions-opened")).status_code == 412


async def test_each_body_sees_its_own_part_and_the_agreed_outcome(table: Table) -> None:
    await opened(table)
    await table.say("responded", by=CONVENOR, response="attending")
    await table.say("contributed", by=CONVENOR, **HELD)
    await table.say("contributed", by=STRANGER, answer="nothing-held")
    await table.say("attended", organisations=["alpha", "beta"])
    await table.say("decided", outcome="monitor")
    await table.say("dissented", by=CONVENOR)
    events = [(one["event"], one["by"]["org"]) for one in (await table.sees(STRANGER))["events"]]
    assert ("contributed", "beta") in events
    assert ("decided", "alpha") in events
    assert ("responded", "alpha") not in events
    assert ("contributed", "alpha") not in events
    assert ("dissented", "alpha") not in events
    (attended,) = [one for one in (await table.sees(STRANGER))["events"] if one["event"] == "attended"]
    assert attended["organisations"] == ["beta"]
    assert len((await table.sees(CONVENOR))["events"]) == 9
    assert len((await table.sees(OPERATOR))["events"]) == 9
    assert table.watch.store.state.facts[-1].kind == "access"
    assert (await table.router.get(table.place, by=ELSEWHERE)).status_code == 404
    assert (await table.router.get("/v1/panels/pnl_9")).status_code == 404


async def test_the_owner_of_an_action_sees_that_another_ended_it_and_when_it_is_looked_at_again(table: Table) -> None:
    await decided(table)
    await table.say("action-added", **{**TO_DO, "action": "a2", "owner": "alpha"})
    await table.say("action-done", action="a2", evidence="letter")
    await table.say("action-added", **TO_DO)
    await table.say("action-done", action="a1", evidence="report 7")
    assert (await table.say("review-set", due="2025-12-01")).status_code == 200
    seen = (await table.sees(STRANGER))["events"]
    assert [one["action"] for one in seen if one["event"] == "action-done"] == ["a1"]
    assert [one["due"] for one in seen if one["event"] == "review-set"] == ["2025-12-01"]


async def test_the_end_of_anothers_action_is_recorded_by_who_convenes_and_not_by_all_of_that_body(table: Table) -> None:
    await decided(table)
    await table.say("action-added", **TO_DO)
    await table.say("action-added", **{**TO_DO, "action": "a2", "owner": "alpha"})
    refusal = await table.say("action-done", by=READER, action="a1", evidence="none")
    assert (refusal.status_code, "records this" in refusal.json()["detail"]) == (409, True)
    assert (await table.say("action-done", by=READER, action="a2", evidence="letter")).status_code == 200
    assert (await table.say("action-done", by=CONVENOR, action="a1", evidence="report 7")).status_code == 200


async def test_without_a_quorum_nothing_is_decided_and_the_panel_can_be_convened_again(table: Table) -> None:
    await opened(table)
    await table.say("attended", organisations=["beta"])
    refusal = await table.say("decided", outcome="monitor")
    assert (refusal.status_code, "1 of 2 needed" in refusal.json()["detail"]) == (409, True)
    assert (await table.say("quorum-not-met")).json()["state"] == "quorum_not_met"
    assert (await table.say("convened", organisations=["beta"], position="head")).json()["state"] == "convened"


STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("convened", CONVENED),
    ("contributions-opened", {}),
    ("attended", {"organisations": ["alpha", "beta"]}),
    ("no-contribution", {"organisations": ["alpha", "beta"]}),
    ("decided", {"outcome": "joint-plan"}),
    ("action-added", TO_DO),
)


@pytest.mark.parametrize("taken", range(len(STEPS) + 1))
async def test_its_convenor_withdraws_a_panel_from_every_open_state_and_the_invited_see_why(
    table: Table, taken: int
) -> None:
    await table.propose()
    for event, more in STEPS[:taken]:
        assert (await table.say(event, **more)).status_code == 200
    await table.watch.decide(Recall("con_1", "not-true"))
    if taken:
        assert (await table.say("withdrawn", by=STRANGER)).status_code == 403
    answer = await table.say("withdrawn", reason="every concern was recalled")
    assert (answer.status_code, answer.json().get("state")) == (200, "withdrawn"), answer.text
    if taken:
        seen = await table.sees(STRANGER)
        assert (seen["state"], seen["events"][-1]["reason"]) == ("withdrawn", "every concern was recalled")
    assert (await table.say("withdrawn", reason="again")).status_code == 409


async def test_a_panel_whose_quorum_is_never_met_is_withdrawn_and_a_closed_one_stays_closed(table: Table) -> None:
    await opened(table)
    await table.say("quorum-not-met")
    assert (await table.say("withdrawn")).json()["state"] == "withdrawn"
    assert refused(Panel("p", "c", "closed", convenor="alpha"), "withdrawn", {}, "alpha") is not None
    invited = Panel("p", "c", "decided", convenor="alpha", invited=frozenset({"beta"}))
    assert refused(invited, "withdrawn", {}, "beta") is not None


async def test_a_body_is_invited_late_once_it_was_told_by_the_rule_of_those_who_came_first(table: Table) -> None:
    await table.watch.decide(about(2, by="gamma"))
    assert (await table.propose(by=DUTY, also=["con_2"])).status_code == 201
    assert (await table.say("invited", by=DUTY, organisations=["beta"])).status_code == 409
    assert (await table.say("convened", by=DUTY, organisations=["alpha"], position="head")).status_code == 200
    assert (await table.say("invited", by=DUTY, organisations=["beta"])).json()["state"] == "convened"
    await table.say("contributions-opened", by=DUTY)
    assert (await table.say("invited", by=DUTY, organisations=["gamma"])).json()["state"] == "contributions_open"
    invited = [e.data for e in table.watch.store.state.issued if e.data.kind == "invitation"]
    sent = [(one.recipient, one.concern_id) for one in invited]
    assert sent == [("alpha", "con_1"), ("beta", "con_1"), ("beta", "con_2"), ("gamma", "con_2")]
    seen = await table.sees(ELSEWHERE)
    assert (seen["concern_id"], seen["also"]) == ("con_2", [])
    assert [one["organisations"] for one in seen["events"] if one["event"] == "invited"] == [["beta"], ["gamma"]]
    assert (await table.say("contributed", by=ELSEWHERE, **HELD)).status_code == 200
    assert (await table.say("attended", by=DUTY, organisations=["alpha", "gamma"])).status_code == 200


async def test_a_late_invitation_tells_nobody_anything_and_none_goes_to_who_has_one(table: Table) -> None:
    await opened(table)
    before = len(table.watch.store.state.issued)
    for organisations, why in (
        (["gamma"], "choose or route them first: gamma"),
        (["delta"], "no members of Regulatory Review Panel today: delta"),
        (["beta"], "invited already: beta"),
    ):
        answer = await table.say("invited", organisations=organisations)
        assert (answer.status_code, why in answer.json()["detail"]) == (409, True)
    assert (await table.say("invited", by=STRANGER, organisations=["gamma"])).status_code == 403
    assert (await table.say("invited")).status_code == 422
    await table.say("attended", organisations=["alpha", "beta"])
    await table.say("no-contribution", organisations=["alpha", "beta"])
    assert (await table.say("decided", outcome="monitor")).status_code == 200
    assert (await table.say("invited", organisations=["beta"])).status_code == 409
    assert len(table.watch.store.state.issued) == before


async def test_with_one_that_has_an_invitation_none_of_those_named_is_invited(table: Table) -> None:
    await table.propose()
    await table.say("convened", organisations=["alpha"], position="head")
    answer = await table.say("invited", organisations=["alpha", "beta"])
    assert "invited already: alpha" in answer.json()["detail"]
    assert [e for e in table.watch.store.state.issued if e.data.kind == "invitation"] == []


BODY = {
    "due": "2025-11-01",
    "concern_id": "c",
    "quorum": 1,
    "organisations": ["alpha", "beta"],
    "action": "a",
    "owner": "beta",
    "feedback": {"c": "told"},
    "level": "routine",
}


@given(st.lists(st.tuples(st.sampled_from(STEP_NAMES), st.sampled_from(("alpha", "beta", "gamma"))), max_size=40))
def test_whatever_is_tried_a_panel_decides_on_what_all_present_said_and_closes_over_nothing_open(
    tries: list[tuple[Any, str]],
) -> None:
    events = [PanelEvent(1, "proposed", NOON, ADA, "r", BODY)]
    for name, org in tries:
        before = panel_of("p", events)
        if refused(before, name, BODY, org) is not None:
            continue
        events.append(PanelEvent(before.number + 1, name, NOON, Person(org, org, org), "r", BODY))
        after = panel_of("p", events)
        assert before.state not in ("closed", "withdrawn")
        assert org == "alpha" or name in OF_INVITEES or name == "action-done"
        assert org in before.invited or name not in OF_INVITEES
        assert after.present <= after.invited
        assert name != "decided" or len(before.present) >= before.quorum
        assert name != "decided" or before.present <= before.contributed | before.silent
        assert name != "closed" or (before.accounted and not before.open_actions)
        assert after.number == len(events)


def test_an_action_is_owned_by_a_body_at_the_table_once() -> None:
    panel = Panel("p", "c", "decided", convenor="alpha", invited=frozenset({"beta"}))
    assert refused(panel, "action-added", {"action": "a", "owner": "gamma"}, "alpha") is not None
    assert refused(panel, "action-added", {"action": "a", "owner": "beta"}, "alpha") is None
    busy = Panel("p", "c", "actions_open", convenor="alpha", invited=frozenset({"beta"}), open_actions={"a": "beta"})
    assert refused(busy, "action-added", {"action": "a", "owner": "beta"}, "alpha") is not None
    assert refused(busy, "action-done", {"action": "a"}, "gamma") is not None
    assert refused(busy, "closed", {}, "alpha") == "actions are open: a"
