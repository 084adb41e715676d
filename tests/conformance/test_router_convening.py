"""One suite for panels, in the router's store: in memory and in Postgres."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from services.router.domain.panels import PanelCursor, PanelQuery
from services.router.domain.rounds import Person
from services.router.usecases import CannotBe, Convened, PanelResult, Proposal, Step, propose_panel, take_step
from shared.contracts.audit import AuditFact
from tests.support.clock import NOON
from tests.support.router_fakes import judging
from tests.support.router_stores import store_on
from tests.support.router_subjects import RECOGNISABLE, Watch, about
from tests.support.stack import TestPostgres

ADA, BO = Person("ada", "alpha", "Ada"), Person("bo", "beta", "Bo")
FORUM = {
    "kind": "forum", "id": "rrp", "name": "Regulatory Review Panel", "agreement": "pact", "purpose": "meets",
    "certainty": "source", "source": [],
}  # fmt: skip
TODAY, DAY = date(2026, 3, 1), timedelta(days=1)
FACT = AuditFact(
    fact_id="fct_late", kind="work-item", concern_id="con_1", at=NOON, service="router", actor="ada", body={}
)


@pytest.fixture
async def watch(postgres: TestPostgres | None) -> AsyncIterator[Watch]:
    async with store_on(postgres) as opened:
        watch = Watch(opened, judging(RECOGNISABLE, FORUM))
        await watch.decide(about(1))
        yield watch


async def propose(watch: Watch, key: str = "k", *also: str) -> Convened:
    asked = Proposal("rrp", ("con_1", *also), "speed matters", 1, ADA, key, f"request {key}")
    result = await propose_panel(asked, watch.desk)
    assert isinstance(result, Convened), result
    return result


async def seen(watch: Watch, *, org: str, today: date = TODAY, limit: int = 9, **asked: Any) -> list[str]:
    async with watch.store.begin() as tx:
        return list(await tx.panels(PanelQuery(org, today, limit, **asked)))


async def step(watch: Watch, panel: str, behind: int, event: Any, by: Person = ADA, **body: Any) -> PanelResult:
    request = f"{event} {behind} {by.org}"
    return await take_step(Step(panel, event, {"reason": "r", **body}, by, behind, request), watch.desk)


async def test_what_people_said_is_kept_as_they_said_it(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    await step(watch, panel, 1, "convened", organisations=["beta"])
    await step(watch, panel, 2, "contributions-opened")
    held: dict[str, Any] = {"answer": "held", "lawful_basis": "Article 6(1)(e)", "why_necessary": "w\u00e9 must"}
    await step(watch, panel, 3, "contributed", BO, **held)
    await step(watch, panel, 4, "attended", organisations=["beta"])
    result = await step(watch, panel, 5, "decided", outcome="monitor", dissent={"beta": "no"})
    assert isinstance(result, Convened)
    async with watch.store.begin() as tx:
        events = await tx.panel_events(panel)
        assert await tx.panel_events("pnl_none") in ([], ())
    assert list(events) == list(result.events)
    assert (events[3].by, events[3].body) == (BO, {"reason": "r", **held})
    assert events[5].body == {"reason": "r", "outcome": "monitor", "dissent": {"beta": "no"}}
    assert events[0].body["members"] == ["alpha", "beta", "gamma"]


async def test_an_invitation_is_published_once_with_the_convening(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    before = await watch.store.events()
    result = await step(watch, panel, 1, "convened", organisations=["alpha", "beta"])
    fresh = await watch.store.events() - before
    assert sorted(name[:4] for name in fresh) == ["fct_", "ntc_"]
    assert await step(watch, panel, 1, "convened", organisations=["alpha", "beta"]) == result
    assert await watch.store.events() - before == fresh


async def test_a_body_is_invited_by_each_concern_that_it_was_told_of(watch: Watch) -> None:
    await watch.decide(about(2))
    panel = (await propose(watch, "k", "con_2")).panel.panel_id
    before = await watch.store.events()
    result = await step(watch, panel, 1, "convened", organisations=["beta"])
    assert isinstance(result, Convened)
    assert result.panel.about == {"beta": ("con_1", "con_2")}
    assert sorted(name[:4] for name in await watch.store.events() - before) == ["fct_", "ntc_", "ntc_"]


async def test_a_refused_convening_leaves_nothing(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    before = await watch.store.events()
    assert isinstance(await step(watch, panel, 1, "convened", organisations=["beta", "gamma"]), CannotBe)
    assert await watch.store.events() == before


async def test_of_two_at_once_one_event_has_the_number(watch: Watch) -> None:
    first = await propose(watch)
    before = await watch.store.events()
    async with watch.store.begin() as tx:
        assert not await tx.keep_panel_event(first.panel, first.events[0], FACT)
    assert await watch.store.events() == before


async def test_the_same_proposal_finds_the_same_panel(watch: Watch) -> None:
    assert (await propose(watch)).panel.panel_id == (await propose(watch)).panel.panel_id
    asked = Proposal("rrp", ("con_1",), "other", 1, ADA, "k", "another request")
    assert isinstance(await propose_panel(asked, watch.desk), CannotBe)


async def test_a_list_of_panels_is_of_those_a_body_may_see_in_the_order_of_proposal(watch: Watch) -> None:
    names = []
    for key in ("k1", "k2", "k3"):
        names.append((await propose(watch, key)).panel.panel_id)
        watch.clock.move(timedelta(seconds=1))
    await step(watch, names[1], 1, "convened", organisations=["beta"])
    await step(watch, names[2], 1, "withdrawn")
    assert await seen(watch, org="alpha") == names
    assert await seen(watch, org="beta") == [names[1]]
    assert await seen(watch, org="gamma") == []
    assert await seen(watch, org="hq", everything=True) == names
    assert await seen(watch, org="alpha", state="withdrawn") == [names[2]]
    assert await seen(watch, org="alpha", limit=2) == names[:2]
    async with watch.store.begin() as tx:
        first, *_ = (await tx.panels(PanelQuery("alpha", TODAY, 1))).values()
    after = PanelCursor(first[0].at, names[0])
    assert await seen(watch, org="alpha", limit=1, after=after) == [names[1]]


async def agree(watch: Watch) -> str:
    """A panel with an action of beta and a review, both overdue on the next day but one."""
    panel = (await propose(watch)).panel.panel_id
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("convened", {"organisations": ["beta"]}),
        ("contributions-opened", {}),
        ("attended", {"organisations": ["beta"]}),
        ("no-contribution", {"organisations": ["beta"]}),
        ("decided", {"outcome": "joint-plan"}),
        ("review-set", {"due": str(TODAY + DAY)}),
        ("action-added", {"action": "a1", "owner": "beta", "owner_person": "Bo", "due": str(TODAY)}),
    )
    for behind, (event, body) in enumerate(steps, 1):
        assert isinstance(await step(watch, panel, behind, event, **body), Convened)
    return panel


async def test_a_panel_is_overdue_from_the_day_after_until_it_was_done(watch: Watch) -> None:
    panel = await agree(watch)
    assert await seen(watch, org="beta", overdue=True) == []
    assert await seen(watch, org="beta", overdue=True, today=TODAY + DAY) == [panel]
    await step(watch, panel, 8, "action-done", BO, action="a1", evidence="e")
    assert await seen(watch, org="alpha", overdue=True, today=TODAY + DAY) == []
    assert await seen(watch, org="beta", overdue=True, today=TODAY + 2 * DAY) == [panel]
    await step(watch, panel, 9, "review-set", due=str(TODAY + 9 * DAY))
    assert await seen(watch, org="hq", everything=True, overdue=True, today=TODAY + 2 * DAY) == []
    await step(watch, panel, 10, "subject-told", concern_id="con_1", subject="provider", told="yes", told_on=str(TODAY))
    result = await step(watch, panel, 11, "closed", lessons="none", feedback={"con_1": "thanks"})
    assert isinstance(result, Convened)
    assert await seen(watch, org="alpha", overdue=True, today=TODAY + 99 * DAY) == []


async def test_the_action_of_another_is_overdue_for_its_owner_and_the_convenor_alone(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("convened", {"organisations": ["alpha", "beta"]}),
        ("contributions-opened", {}),
        ("attended", {"organisations": ["beta"]}),
        ("no-contribution", {"organisations": ["beta"]}),
        ("decided", {"outcome": "joint-plan"}),
        ("action-added", {"action": "a1", "owner": "alpha", "owner_person": "Ada", "due": str(TODAY)}),
    )
    for behind, (event, body) in enumerate(steps, 1):
        assert isinstance(await step(watch, panel, behind, event, **body), Convened)
    assert await seen(watch, org="alpha", overdue=True, today=TODAY + DAY) == [panel]
    assert await seen(watch, org="beta", overdue=True, today=TODAY + DAY) == []


async def late(watch: Watch, today: date, limit: int = 9) -> list[tuple[str, str, int, str]]:
    async with watch.store.begin() as tx:
        found = await tx.overdue_panels(today, limit)
    return [(one.panel_id, one.concern_id, one.due.number, one.due.action) for one in found]


async def test_what_is_overdue_is_said_once_and_what_has_ended_never(watch: Watch) -> None:
    panel = await agree(watch)
    assert await late(watch, TODAY) == []
    assert await late(watch, TODAY + 2 * DAY, 1) == [(panel, "con_1", 8, "a1")]
    assert await late(watch, TODAY + 2 * DAY) == [(panel, "con_1", 7, "")]
    assert await late(watch, TODAY + 2 * DAY) == []
    await step(watch, panel, 8, "review-set", due=str(TODAY + 3 * DAY))
    assert isinstance(await step(watch, panel, 9, "withdrawn"), Convened)
    assert await late(watch, TODAY + 9 * DAY) == []


async def test_a_body_whose_notice_was_withdrawn_is_invited_no_more(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    (notice,) = (await watch.store.told_by((await watch.store.decision("con_1", None)).key)).values()
    async with watch.store.begin() as tx:
        await tx.settle({notice: "withdrawn"})
    result = await step(watch, panel, 1, "convened", organisations=["beta"])
    assert isinstance(result, CannotBe)
    assert "choose or route them first: beta" in result.reason
