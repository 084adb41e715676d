"""The list of panels: who sees which, page by page, and what is overdue in it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from services.router.entrypoints.consumer import say_overdue_panels
from services.router.usecases import find_overdue_panels
from shared.telemetry import Telemetry
from tests.support.logs import lines
from tests.support.router_app import AUDITOR, CONVENOR, DUTY, ELSEWHERE, OPERATOR, STRANGER
from tests.support.router_panels import CONVENED, DAY, TO_DO, Table, decided, set_table
from tests.support.router_subjects import about


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    async with set_table() as table:
        yield table


async def listed(table: Table, by: str, asked: str = "") -> list[dict[str, Any]]:
    answer = await table.router.get(f"/v1/panels{asked}", by=by)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def agreed(table: Table) -> None:
    """Two actions, of which one is overdue, and a review that is not."""
    await decided(table)
    today = table.watch.clock.now().date()
    await table.say("review-set", due=str(today))
    await table.say("action-added", **{**TO_DO, "action": "a2", "owner": "alpha", "due": str(today - DAY)})
    await table.say("action-added", **{**TO_DO, "due": str(today + DAY)})


async def test_the_list_has_for_each_body_its_own_part_of_its_own_panels(table: Table) -> None:
    await table.watch.decide(about(3, categories=["fire-risk"]))
    await table.propose(concern_id="con_3", key="k0")
    table.watch.clock.move(DAY)
    await table.propose(concern_id="con_3", also=["con_1"])
    await table.say("convened", **CONVENED, reason="a word")
    assert [one["state"] for one in await listed(table, CONVENOR)] == ["proposed", "convened"]
    assert len(await listed(table, OPERATOR)) == 2
    (part,) = await listed(table, STRANGER)
    assert (part["concern_id"], part["also"], part["named"]) == ("con_1", [], "Regulatory Review Panel")
    assert "con_3" not in str(part)
    assert "word" not in str(part)
    assert await listed(table, ELSEWHERE) == []
    assert await listed(table, DUTY) == []


async def test_the_look_of_an_operator_or_auditor_at_the_list_is_recorded_once_a_page(table: Table) -> None:
    assert await listed(table, AUDITOR) == []
    await table.propose()
    await table.propose(key="k2")
    before = len(table.watch.store.state.facts)
    await listed(table, CONVENOR)
    items = await listed(table, AUDITOR)
    (fact,) = table.watch.store.state.facts[before:]
    assert (fact.kind, fact.concern_id, fact.body["panels"]) == ("access", None, [one["panel_id"] for one in items])


async def test_the_list_is_read_page_by_page_and_by_state(table: Table) -> None:
    for number in range(3):
        await table.propose(key=f"k{number}")
        table.watch.clock.move(timedelta(seconds=1))
    await table.say("withdrawn")
    whole, seen, after = await listed(table, CONVENOR), [], ""
    while True:
        page = (await table.router.get(f"/v1/panels?limit=1&after={after}", by=CONVENOR)).json()
        seen += page["items"]
        after = page["next"]
        if after is None:
            break
    assert seen == whole
    assert [one["state"] for one in whole] == ["proposed", "proposed", "withdrawn"]
    assert [one["panel_id"] for one in await listed(table, CONVENOR, "?state=withdrawn")] == [whole[2]["panel_id"]]
    for bad in ("state=lost", "after=%00", "limit=0", "overdue=%00", "state=%00"):
        assert (await table.router.get(f"/v1/panels?{bad}", by=CONVENOR)).status_code == 422


async def test_what_is_overdue_is_marked_and_can_be_asked_for_by_who_may_see_it(table: Table) -> None:
    await agreed(table)
    (whole,) = await listed(table, CONVENOR, "?overdue=true")
    marked = [(one["what"], one.get("action"), one["owner"], one["overdue"]) for one in whole["dues"]]
    assert marked == [
        ("action", "a2", "alpha", True), ("review", None, "alpha", False), ("action", "a1", "beta", False)
    ]  # fmt: skip
    assert (await table.sees(CONVENOR))["dues"] == whole["dues"]
    assert await listed(table, STRANGER, "?overdue=true") == []
    (part,) = await listed(table, STRANGER)
    assert [one.get("action") for one in part["dues"]] == [None, "a1"]
    table.watch.clock.move(DAY)
    (part,) = await listed(table, STRANGER, "?overdue=true")
    assert [one["what"] for one in part["dues"] if one["overdue"]] == ["review"]
    await table.say("action-done", action="a1", evidence="e")
    await table.say("action-done", action="a2", evidence="e")
    await table.say("review-set", due=str((table.watch.clock.now() + DAY).date()))
    assert await listed(table, OPERATOR, "?overdue=true") == []


async def test_what_has_ended_is_overdue_no_more(table: Table) -> None:
    await agreed(table)
    assert len(await listed(table, OPERATOR, "?overdue=true")) == 1
    await table.say("withdrawn")
    assert await listed(table, OPERATOR, "?overdue=true") == []
    assert (await table.sees(CONVENOR))["dues"] == []


async def test_an_action_and_a_review_of_which_the_day_is_past_alarm_once_each(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    await agreed(table)
    watch = table.watch
    look = partial(say_overdue_panels, partial(find_overdue_panels, watch.desk), Telemetry("router", clock=watch.clock))
    lines(capsys)
    assert (await look(), await look()) == (1, 0)
    (alarm,) = lines(capsys)
    assert (alarm["alarm"], alarm["owner"], alarm["number"]) == ("panel-overdue", "alpha", 9)
    assert alarm["panel_id"] in table.place
    assert "action" not in alarm
    fact = watch.store.state.facts[-1]
    assert (fact.kind, fact.concern_id, fact.actor) == ("work-item", "con_1", "router")
    assert (fact.body["event"], fact.body["number"]) == ("overdue", 9)
    watch.clock.move(DAY)
    await table.say("action-done", action="a1", evidence="e")
    assert (await look(), await look()) == (1, 0)
    watch.clock.move(10 * DAY)
    assert await look() == 0


async def test_whoever_saw_a_panel_acts_on_it_still_when_something_became_overdue(table: Table) -> None:
    await agreed(table)
    assert len(await find_overdue_panels(table.watch.desk)) == 1
    assert (await table.say("action-done", action="a2", evidence="e")).status_code == 200
