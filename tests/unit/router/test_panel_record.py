"""The record of a panel: on which basis a body disclosed, who was heard, who dissented, who was told of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.model import Recall
from tests.support.router_app import AUDITOR, CONVENOR, DUTY, ELSEWHERE, STRANGER
from tests.support.router_panels import CLOSING, CONVENED, HELD, NOT_TOLD, Table, decided, opened, set_table
from tests.support.router_subjects import about

TOLD = {"concern_id": "con_1", "subject": "provider", "told": "yes"}


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    async with set_table() as table:
        yield table


async def said(table: Table, by: str, event: str) -> list[dict[str, Any]]:
    return [one for one in (await table.sees(by))["events"] if one["event"] == event]


async def refusal(table: Table, event: str, by: str = CONVENOR, **more: Any) -> str:
    """Why a step is refused; it has changed nothing."""
    before = await table.sees(CONVENOR)
    answer = await table.say(event, by=by, **more)
    assert (answer.status_code, await table.sees(CONVENOR)) == (409, before), answer.text
    return str(answer.json()["detail"])


async def test_the_record_names_who_convened_in_which_position(table: Table) -> None:
    await opened(table)
    (convened,) = await said(table, STRANGER, "convened")
    assert (convened["by"], convened["position"]) == ({"org": "alpha", "name": "Ada"}, CONVENED["position"])


async def test_an_invited_body_answers_for_itself_and_no_other_sees_it(table: Table) -> None:
    await opened(table)
    assert (await table.say("responded", by=STRANGER, response="not-attending")).status_code == 200
    assert "only a body that was invited" in await refused_to_the_duty_router(table)
    assert (await table.say("responded", response="attending")).status_code == 200
    assert [one["response"] for one in await said(table, STRANGER, "responded")] == ["not-attending"]
    assert len(await said(table, CONVENOR, "responded")) == 2


async def refused_to_the_duty_router(table: Table) -> str:
    """A panel that a duty router convened, whose body is not at the table."""
    other = Table(table.watch)
    await other.propose(by=DUTY, key="k9")
    await other.say("convened", by=DUTY, **CONVENED)
    answer = await other.say("responded", by=DUTY, response="attending")
    await other.router.http.aclose()
    assert answer.status_code == 409
    return str(answer.json()["detail"])


async def test_the_basis_of_a_disclosure_is_kept_and_shown_to_no_other_body(table: Table) -> None:
    await opened(table)
    assert (await table.say("contributed", by=CONVENOR, **HELD)).status_code == 200
    assert (await table.say("contributed", by=STRANGER, **{**HELD, "lawful_basis": "section 29"})).status_code == 200
    (own,) = await said(table, STRANGER, "contributed")
    assert (own["lawful_basis"], own["why_necessary"]) == ("section 29", HELD["why_necessary"])
    assert HELD["lawful_basis"] not in str(await table.sees(STRANGER))
    assert [one["lawful_basis"] for one in await said(table, AUDITOR, "contributed")] == [
        HELD["lawful_basis"], "section 29"
    ]  # fmt: skip


async def test_a_panel_decides_when_everybody_present_was_heard_or_is_on_record_as_asked(table: Table) -> None:
    await opened(table)
    await table.say("attended", organisations=["alpha", "beta"])
    assert "neither contributed nor no-contribution: alpha, beta" in await refusal(table, "decided", outcome="monitor")
    await table.say("contributed", by=STRANGER, answer="nothing-held")
    assert "no-contribution: alpha." in await refusal(table, "decided", outcome="monitor")
    assert "contributed already: beta" in await refusal(table, "no-contribution", organisations=["alpha", "beta"])
    assert "not invited: gamma" in await refusal(table, "no-contribution", organisations=["alpha", "gamma"])
    assert "not invited: gamma" in await refusal(table, "attended", organisations=["gamma"])
    await table.say("no-contribution", organisations=["alpha"], reason="asked twice")
    assert (await table.say("decided", outcome="monitor")).status_code == 200
    assert await said(table, STRANGER, "no-contribution") == []


async def test_who_gave_nothing_sees_that_of_itself_alone(table: Table) -> None:
    await opened(table)
    await table.say("no-contribution", organisations=["alpha", "beta"])
    assert [one["organisations"] for one in await said(table, STRANGER, "no-contribution")] == [["beta"]]


async def test_who_gave_nothing_at_a_meeting_without_quorum_is_asked_again_at_the_next(table: Table) -> None:
    await opened(table)
    await table.say("attended", organisations=["beta"])
    await table.say("contributed", by=CONVENOR, **HELD)
    await table.say("no-contribution", organisations=["beta"])
    await table.say("quorum-not-met")
    await table.say("convened", **CONVENED)
    await table.say("contributions-opened")
    await table.say("attended", organisations=["alpha", "beta"])
    assert "no-contribution: beta." in await refusal(table, "decided", outcome="monitor")


async def test_dissent_is_kept_with_the_decision_and_later_until_the_panel_is_closed(table: Table) -> None:
    await opened(table)
    await table.say("attended", organisations=["alpha", "beta"])
    await table.say("no-contribution", organisations=["alpha", "beta"])
    beyond = await refusal(table, "decided", outcome="monitor", dissent={"beta": "no", "gamma": "no"})
    assert "these are not: gamma" in beyond
    dissent = {"alpha": "too slow", "beta": "too soon"}
    assert (await table.say("decided", outcome="monitor", dissent=dissent)).status_code == 200
    assert (await table.say("dissented", by=STRANGER, reason="and why")).status_code == 200
    assert [one["dissent"] for one in await said(table, CONVENOR, "decided")] == [dissent]
    assert [one["dissent"] for one in await said(table, STRANGER, "decided")] == [{"beta": "too soon"}]
    await table.say("subject-told", **NOT_TOLD)
    await table.say("closed", **CLOSING)
    assert "a panel that is closed" in await refusal(table, "dissented", by=STRANGER)


async def test_it_closes_when_it_is_said_of_each_concern_whether_its_subject_was_told(table: Table) -> None:
    await decided(table)
    assert "was told (subject-told): con_1" in await refusal(table, "closed", **CLOSING)
    assert "not about that concern" in await refusal(table, "subject-told", **{**NOT_TOLD, "concern_id": "con_2"})
    assert (await table.say("subject-told", by=STRANGER, **NOT_TOLD)).status_code == 403
    await table.say("subject-told", **NOT_TOLD)
    today = table.watch.clock.now().date()
    early = await table.say("subject-told", **TOLD, told_on=str(today + timedelta(days=1)))
    assert (early.status_code, [one["pointer"] for one in early.json()["errors"]]) == (422, ["/told_on"])
    assert (await table.say("subject-told", **TOLD, told_on=str(today))).status_code == 200
    for feedback in ({}, {"con_2": "x"}, {"con_1": "x", "con_2": "x"}):
        assert "feedback is to the source" in await refusal(table, "closed", lessons="x", feedback=feedback)
    assert (await table.say("closed", **CLOSING)).json()["state"] == "closed"
    (first, last) = await said(table, STRANGER, "subject-told")
    assert (first["subject"], first["told"], last["told"], last["told_on"]) == ("registrant", "no", "yes", str(today))
    assert NOT_TOLD["why_not"] not in str(await table.sees(STRANGER))
    assert NOT_TOLD["why_not"] in str(await table.sees(CONVENOR))


async def test_the_level_of_a_response_goes_down_alone_and_every_body_at_the_table_sees_it(table: Table) -> None:
    await decided(table, kind="risk_summit", level="intensive")
    assert (await table.sees(STRANGER))["level"] == "intensive"
    assert (await table.say("stepped-down", level="enhanced")).json()["level"] == "enhanced"
    assert "below its own, which is enhanced" in await refusal(table, "stepped-down", level="enhanced")
    assert (await table.say("stepped-down", level="routine")).status_code == 200
    assert "below its own, which is routine" in await refusal(table, "stepped-down", level="routine")
    assert [one["level"] for one in await said(table, STRANGER, "stepped-down")] == ["enhanced", "routine"]


async def test_a_panel_without_a_level_steps_down_from_none(table: Table) -> None:
    await decided(table)
    assert (await table.sees(CONVENOR))["level"] is None
    assert "which is none" in await refusal(table, "stepped-down", level="routine")


async def test_what_is_said_of_one_concern_is_for_those_who_were_told_of_it(table: Table) -> None:
    await table.watch.decide(about(2, by="gamma"))
    await table.propose(by=DUTY, also=["con_2"], quorum=1)
    await table.say("convened", by=DUTY, organisations=["alpha", "gamma"], position="on duty")
    await table.say("contributions-opened", by=DUTY)
    await table.watch.decide(Recall("con_1", "not-true"))
    await table.say("attended", by=DUTY, organisations=["gamma"])
    await table.say("contributed", by=ELSEWHERE, answer="nothing-held")
    for concern in ("con_1", "con_2"):
        await table.say("subject-told", by=DUTY, **{**NOT_TOLD, "concern_id": concern})
    await table.say("decided", by=DUTY, outcome="monitor")
    feedback = {"con_1": "for one", "con_2": "for the other"}
    assert (await table.say("closed", by=DUTY, lessons="none", feedback=feedback)).status_code == 200
    for body, own, other in ((CONVENOR, "con_1", "con_2"), (ELSEWHERE, "con_2", "con_1")):
        (closed,) = await said(table, body, "closed")
        assert closed["feedback"] == {own: feedback[own]}
        assert [one["concern_id"] for one in await said(table, body, "subject-told")] == [own]
        assert other not in str(await table.sees(body))
