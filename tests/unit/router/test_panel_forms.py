"""What each step of a panel takes: a form of its own, of which every bad field is named."""

from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest

from services.router.domain.convening import STEP_NAMES
from services.router.entrypoints.panel_forms import STEP_FORMS
from tests.support.router_app import CONVENOR
from tests.support.router_panels import HELD, NOT_TOLD, TO_DO, Table, set_table


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    async with set_table() as table:
        yield table


@pytest.mark.parametrize(
    ("more", "bad"),
    [
        ({"event": "convened", "organisations": []}, ["organisations", "position"]),
        ({"event": "responded", "response": "perhaps"}, ["response"]),
        ({"event": "contributed", "legal_reason": "x"}, ["answer"]),
        ({"event": "contributed", "answer": ["held"]}, ["answer"]),
        ({"event": "contributed", "answer": "cannot-disclose"}, ["legal_reason"]),
        ({"event": "contributed", "answer": "cannot-disclose", "legal_reason": " "}, ["legal_reason"]),
        ({"event": "contributed", "answer": "held", "legal_reason": "x", "lawful_basis": " "},
         ["lawful_basis", "legal_reason", "why_necessary"]),
        ({"event": "contributed", "answer": "nothing-held", "lawful_basis": "x", "why_necessary": "x"},
         ["lawful_basis", "why_necessary"]),
        ({"event": "contributed", **HELD, "answer": "cannot-disclose", "legal_reason": "x"},
         ["lawful_basis", "why_necessary"]),
        ({"event": "subject-told", **NOT_TOLD, "told": "maybe", "decided_by": " "}, ["decided_by", "told"]),
        ({"event": "subject-told", **NOT_TOLD, "told": "yes"}, ["told_on", "why_not"]),
        ({"event": "subject-told", **NOT_TOLD, "told_on": "2025-01-01", "subject": "press"}, ["subject", "told_on"]),
        ({"event": "action-added", **TO_DO, "owner_person": ""}, ["owner_person"]),
        ({"event": "action-added", **TO_DO, "due": 1740000000}, ["due"]),
        ({"event": "review-set", "due": "2025-11-01T00:00:00Z"}, ["due"]),
        ({"event": "review-set", "due": "2025-02-30"}, ["due"]),
        ({"event": "subject-told", "concern_id": "con_1", "subject": "provider", "told": "yes", "told_on": None},
         ["told_on"]),
        ({"event": "action-done", "action": "a1", "evidence": ""}, ["evidence"]),
        ({"event": "closed", "lessons": "", "feedback": {"con_1": " "}}, ["feedback/con_1", "lessons"]),
        ({"event": "closed", "lessons": "x", "reason": " "}, ["feedback", "reason"]),
        ({"event": "stepped-down", "level": "intensive"}, ["level"]),
        ({"event": "decided", "outcome": "monitor", "lessons": "x"}, ["lessons"]),
        ({"event": "proposed", "lessons": "x"}, ["event"]),
        ({"event": "withdrawn", "lessons": "x", "reason": " "}, ["lessons", "reason"]),
    ],
)  # fmt: skip
async def test_each_event_takes_its_own_fields_and_every_bad_one_is_named(
    table: Table, more: dict[str, Any], bad: list[str]
) -> None:
    await table.propose()
    answer = await table.say(**more)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == [f"/{name}" for name in bad]
    assert len((await table.sees(CONVENOR))["events"]) == 1


@pytest.mark.parametrize("quorum", [True, "2", 2.0, None])
async def test_a_quorum_is_a_number_and_nothing_that_could_be_read_as_one(table: Table, quorum: Any) -> None:
    answer = await table.propose(quorum=quorum)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/quorum"]


async def test_a_review_panel_has_no_level_and_every_bad_field_of_a_proposal_is_named(table: Table) -> None:
    answer = await table.propose(level="enhanced", reason=" ", quorum=0, also=["a b"])
    assert answer.status_code == 422
    named = sorted(error["pointer"] for error in answer.json()["errors"])
    assert named == ["/also/0", "/level", "/quorum", "/reason"]
    assert (await table.router.get("/v1/panels", by=CONVENOR)).json()["items"] == []


def test_every_step_has_one_form() -> None:
    events = [name for form in STEP_FORMS for name in get_args(form.model_fields["event"].annotation)]
    assert set(events) == set(STEP_NAMES)
    assert {name for name in events if events.count(name) > 1} == {"contributed", "subject-told"}
